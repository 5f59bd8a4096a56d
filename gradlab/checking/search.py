"""Which directions to ask about, and how to find the element that is wrong.

A few elements are asked one by one. Many are asked together, along two random directions for each
leaf: in float64 a direction sees an error in one element among a million. Where it sees one, the
elements are asked one by one, or, in a large leaf, the wrong half is halved until one is left.
"""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from gradlab.checking.coordinates import Leaf
from gradlab.checking.ladder import Direction, Ladder, climb, exponents
from gradlab.checking.limits import Floats
from gradlab.checking.subject import PROJECTIONS, Derivatives, Subject
from gradlab.checking.verdicts import (
    AGREE,
    RESOLUTION,
    WORST_FIRST,
    WRONG,
    Answers,
    Questions,
    judge,
)

FEW = 32  # coordinates that are asked one by one at once
MANY = 4096  # elements of a leaf that are asked one by one where its projection calls for it
GROUP = 256  # directions in one batch


@dataclasses.dataclass(frozen=True)
class Asked:
    """The answers for some directions, in one mode; every array is `(directions, rows)`."""

    mode: str
    directions: Sequence[Direction]
    questions: Questions
    answers: Answers
    scale: Floats

    def where(self, name: str) -> Any:
        """Return one field of the answers as `(directions, rows)`."""
        return getattr(self.answers, name).reshape(len(self.directions), -1)


@dataclasses.dataclass(frozen=True)
class Finding:
    """The verdict on one leaf, and the element and the mode that decided it."""

    leaf: Leaf
    verdict: str
    cause: str
    mode: str
    coordinate: int | None  # None for a projection
    row: int
    ad: float
    fd: float
    half: float
    left: float
    right: float
    digits: float
    asked: str
    blind: float  # a projection could not have seen an element whose slope is below this
    asked_of: Asked | None
    entry: int
    others: int  # how many more elements are not in agreement
    other_ad: float | None  # what the other mode says of the same


def search(subject: Subject) -> list[Finding]:
    """Find the verdict on every leaf."""
    coordinates = sum(leaf.stop - leaf.start for leaf in subject.leaves)
    if coordinates <= FEW:
        return [_one_by_one(subject, leaf) for leaf in subject.leaves if leaf.size]
    found = {}
    together = [
        leaf
        for leaf in subject.leaves
        if leaf.size and (subject.sharp or leaf.size > MANY) and leaf.size > 1
    ]
    if together:
        projected = ask(
            subject,
            [
                Direction(1 + p, leaf.start, leaf.stop)
                for leaf in together
                for p in range(PROJECTIONS)
            ],
        )
        for number, leaf in enumerate(together):
            finding = _from_projections(subject, leaf, projected, number)
            if finding is not None:
                found[leaf.path] = finding
    return [
        found.get(leaf.path) or _one_by_one(subject, leaf) for leaf in subject.leaves if leaf.size
    ]


def ask(subject: Subject, directions: Sequence[Direction]) -> list[Asked]:
    """Climb along directions and judge every mode of differentiation on what was found."""
    rungs = exponents(directions, subject.x, subject.traced.eps)
    batches: dict[tuple[int, ...], list[Direction]] = {}
    for direction, ks in zip(directions, rungs, strict=True):
        batches.setdefault(tuple(ks), []).append(direction)
    asked = []
    for exponents_k, members in batches.items():
        ks = list(exponents_k)
        for first in range(0, len(members), GROUP):
            part = members[first : first + GROUP]
            ladder = climb(subject.evaluate, part, [ks] * len(part))
            modes = [_judge(subject, part, ladder, d) for d in subject.derivatives]
            asked.extend(_compare(modes) if len(modes) > 1 else modes)
    return asked


def _compare(modes: list[Asked]) -> list[Asked]:
    """Compare forward with reverse mode: both must give the same number, whatever f does."""
    first, second = (asked.questions for asked in modes)
    with np.errstate(invalid="ignore"):
        apart = np.abs(first.slope - second.slope)
    size = np.fmax(np.fmax(first.spread, second.spread), first.scale)
    differ = apart > np.fmax(first.material * size, 1e3 * first.eps * first.bulk)
    agree = [asked.answers.verdict != WRONG for asked in modes]
    settled = ~(agree[0] & agree[1])
    if not np.any(differ & ~settled):
        return modes
    answers = modes[0].answers
    verdict, cause = answers.verdict.copy(), answers.cause.copy()
    verdict[differ & ~settled], cause[differ & ~settled] = WRONG, "modes"
    changed = dataclasses.replace(answers, verdict=verdict, cause=cause)
    return [dataclasses.replace(modes[0], answers=changed), modes[1]]


def _judge(
    subject: Subject, directions: Sequence[Direction], ladder: Ladder, derivatives: Derivatives
) -> Asked:
    slope, spread = _slopes(subject, directions, derivatives)
    scale = np.stack([subject.scale(direction.start) for direction in directions])
    number, rows, steps = ladder.ahead.shape
    questions = Questions(
        steps=ladder.steps,
        behind=ladder.behind.reshape(-1, steps),
        centre=np.broadcast_to(ladder.centre, (number, rows)).reshape(-1),
        ahead=ladder.ahead.reshape(-1, steps),
        size=np.broadcast_to(subject.size, (number, rows)).reshape(-1),
        bulk=np.broadcast_to(subject.over_output(subject.size), (number, rows)).reshape(-1),
        slope=slope.reshape(-1),
        spread=spread.reshape(-1),
        scale=scale.reshape(-1),
        eps=subject.traced.eps,
        material=subject.material,
        rounds=subject.traced.rounds,
    )
    return Asked(derivatives.mode, directions, questions, judge(questions), scale)


def _slopes(
    subject: Subject, directions: Sequence[Direction], derivatives: Derivatives
) -> tuple[Floats, Floats]:
    gradient = derivatives.gradient
    if gradient is None:
        assert derivatives.along is not None
        slope = derivatives.along(directions)
        return slope, np.abs(slope)
    slopes, spreads = [], []
    for d in directions:
        with np.errstate(invalid="ignore", over="ignore"):
            terms = gradient[:, d.start : d.stop] * subject.bases[d.base, d.start : d.stop]
            slopes.append(terms.sum(axis=1))
            spreads.append(np.sqrt(np.sum(terms**2, axis=1)))
    return np.stack(slopes), np.stack(spreads)


def _one_by_one(subject: Subject, leaf: Leaf) -> Finding:
    if leaf.stop - leaf.start <= 2 * MANY:
        asked = ask(subject, [Direction(0, j, j + 1) for j in range(leaf.start, leaf.stop)])
        return _worst(subject, leaf, asked, f"all {leaf.size} elements")
    return _by_halves(subject, leaf)


def _from_projections(
    subject: Subject, leaf: Leaf, projected: Sequence[Asked], number: int
) -> Finding | None:
    """Take the verdict of the projections if it settles all elements; None if it does not."""
    entries = []
    for asked in projected:
        for i, direction in enumerate(asked.directions):
            if direction.start == leaf.start:
                entries.append((asked, i))
    blind = 0.0
    for asked, i in entries:
        answers = asked.answers
        rows = asked.where("verdict").shape[1]
        part = slice(i * rows, (i + 1) * rows)
        inside = np.abs(asked.questions.slope[part] - answers.fd[part]) <= answers.half[part]
        still = (answers.verdict[part] == AGREE) & ~answers.clean[part]
        fine = answers.half[part] <= RESOLUTION * asked.scale[i]
        if not np.all(answers.verdict[part] == AGREE):
            return None
        if not np.all((inside & fine) | still):
            return None
        blind = max(blind, float(np.max(np.where(still, 0.0, answers.half[part]), initial=0.0)))
    picked = [
        dataclasses.replace(
            asked,
            directions=[asked.directions[i]],
            questions=_pick(asked.questions, i, len(asked.directions)),
            answers=_pick(asked.answers, i, len(asked.directions)),
            scale=asked.scale[i : i + 1],
        )
        for asked, i in entries
    ]
    finding = _worst(subject, leaf, picked, f"{PROJECTIONS} random directions")
    return dataclasses.replace(finding, coordinate=None, blind=20 * blind)


def _pick(record: Any, i: int, number: int) -> Any:
    """Take the i-th direction's entries out of a record of arrays."""
    changes = {}
    for field in dataclasses.fields(record):
        value = getattr(record, field.name)
        if isinstance(value, np.ndarray) and field.name != "steps":
            rows = len(value) // number
            changes[field.name] = value[i * rows : (i + 1) * rows]
    return dataclasses.replace(record, **changes)


def _by_halves(subject: Subject, leaf: Leaf) -> Finding:
    """Halve a large leaf until one element is left, always keeping the worse half."""
    whole = Direction(1, leaf.start, leaf.stop)
    asked = ask(subject, [whole])
    suspect = min(asked, key=lambda a: WORST_FIRST.index(_overall(a)))
    finding = _worst(subject, leaf, asked, "random directions")
    finding = dataclasses.replace(finding, coordinate=None)
    derivatives = next(d for d in subject.derivatives if d.mode == suspect.mode)
    rank = np.array([WORST_FIRST.index(v) for v in suspect.answers.verdict])
    row = int(np.argmin(rank))
    rung = int(suspect.answers.rung[row])
    steps = 2.0 ** -(np.arange(rung, rung + 4) + _first_exponent(suspect.questions.steps))
    low, high = leaf.start, leaf.stop
    while high - low > 1:
        middle = (low + high) // 2
        halves = [Direction(1, low, middle), Direction(1, middle, high)]
        which = np.repeat([0, 1], len(steps))
        t = np.tile(steps, 2)
        values = subject.evaluate(
            halves, np.concatenate([[0], which, which]), np.concatenate([[0.0], t, -t])
        )[:, row]
        ahead, behind = values[1:].reshape(2, 2, len(steps))
        slope, _ = _slopes(subject, halves, derivatives)
        quotient = (ahead - behind) / (2 * steps)
        errors = np.abs((4 * quotient[:, 1:] - quotient[:, :-1]) / 3 - slope[:, row, None])
        if finding.cause == "kink":
            errors = np.abs(ahead - 2 * values[0] + behind) / steps
        score = np.median(np.where(np.isfinite(errors), errors, np.inf), axis=1)
        if not np.isfinite(score).all() or finding.cause == "nan":
            gradient = np.zeros(0) if derivatives.gradient is None else derivatives.gradient
            bad = not np.isfinite(gradient[..., low:middle]).all()
            score = np.array([float(bad), 0.5])
        low, high = (low, middle) if score[0] >= score[1] else (middle, high)
    element = _worst(subject, leaf, ask(subject, [Direction(0, low, low + 1)]), "bisection")
    if WORST_FIRST.index(element.verdict) <= WORST_FIRST.index(finding.verdict):
        return element
    return finding


def _first_exponent(steps: Floats) -> float:
    return float(-np.log2(steps[0]))


def _overall(asked: Asked) -> str:
    verdicts = set(asked.answers.verdict.tolist())
    return next(verdict for verdict in WORST_FIRST if verdict in verdicts)


def _worst(subject: Subject, leaf: Leaf, asked: Sequence[Asked], how: str) -> Finding:
    """Boil the answers about one leaf down to the one that decides."""
    best: tuple[Any, ...] | None = None
    bad: set[int] = set()
    digits = np.inf
    for one in asked:
        a, q = one.answers, one.questions
        own = np.fmax(np.fmax(np.abs(q.slope), np.abs(a.fd)), q.scale)
        difference = np.abs(q.slope - a.fd)
        difference = np.where(np.isfinite(difference), difference, np.inf)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            error = np.where(difference == 0, 0.0, difference / own)
            width = np.where(a.half == 0, 0.0, a.half / own)
            known = -np.log10(np.fmax(np.fmax(error, width), 1e-16))
        rank = np.select([a.verdict == v for v in WORST_FIRST], [0, 1, 2])
        rows = len(a.verdict) // len(one.directions)
        bad |= {one.directions[int(k) // rows].start for k in np.flatnonzero(rank < 2)}
        tell = np.where(rank == 0, error, np.where(rank == 1, width, np.fmax(error, width)))
        tell = np.where(np.isnan(tell), np.inf, tell)
        # Among equals the one with the largest slope is the most telling.
        order = np.lexsort((-np.where(np.isfinite(own), own, np.inf), -np.minimum(tell, 1e3), rank))
        k = int(order[0])
        candidate = (int(rank[k]), -float(min(tell[k], 1e3)))
        settled = (rank == 2) & a.clean
        if settled.any():
            digits = min(digits, float(np.min(known[settled])))
        if best is None or candidate < best[0]:
            best = (candidate, one, k, k // rows, k % rows)
    assert best is not None
    _, one, k, i, row = best
    a, q = one.answers, one.questions
    direction = one.directions[i]
    unit = subject.bases[direction.base, direction.start] if _single(direction) else 1.0
    twin = next((o for o in asked if o.mode != one.mode and o.directions == one.directions), None)
    return Finding(
        leaf=leaf,
        verdict=str(a.verdict[k]),
        cause=str(a.cause[k]),
        mode=one.mode,
        coordinate=direction.start if _single(direction) else None,
        row=row,
        ad=float(q.slope[k] / unit),
        fd=float(a.fd[k] / unit),
        half=float(a.half[k] / abs(unit)),
        left=float(a.left[k] / unit),
        right=float(a.right[k] / unit),
        digits=digits,
        asked=how,
        blind=0.0,
        asked_of=one,
        entry=k,
        others=len(bad) - 1 if bad else 0,
        other_ad=None if twin is None else float(twin.questions.slope[k] / unit),
    )


def _single(direction: Direction) -> bool:
    return direction.stop - direction.start == 1
