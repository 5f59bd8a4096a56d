"""Which directions to ask about, and how to find the element that is wrong.

A few elements are asked one by one. Many are asked together, along a random direction for each
leaf: in float64 it sees an error in one element among a million. Where it sees one, the
elements are asked one by one, or, in a large leaf, the wrong half is halved until one is left.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gradlab.checking.coordinates import Leaf
from gradlab.checking.ladder import Direction, Ladder, climb, exponents
from gradlab.checking.limits import Floats
from gradlab.checking.sights import View
from gradlab.checking.subject import Derivatives, Subject
from gradlab.checking.verdicts import (
    AGREE,
    RESOLUTION,
    WORST_FIRST,
    WRONG,
    Answers,
    Claims,
    judge,
)

FEW = 32  # coordinates that are asked one by one at once
MANY = 4096  # elements of a leaf that are asked one by one where its projection calls for it
GROUP = 256  # directions in one batch


@dataclasses.dataclass(frozen=True)
class Asked:
    """The answers along some directions in one mode; a question is a direction and a row."""

    mode: str
    directions: Sequence[Direction]
    view: View
    claims: Claims
    answers: Answers

    @property
    def rows(self) -> int:
        """The number of rows of the value."""
        return len(self.claims.slope) // len(self.directions)

    def direction(self, question: int) -> Direction:
        """Return the direction of a question."""
        return self.directions[question // self.rows]


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
    asked_of: Asked
    entry: int
    others: int  # how many more elements are not in agreement
    other_ad: float | None  # what the other mode says of the same


def search(subject: Subject) -> list[Finding]:
    """Find the verdict on every leaf."""
    coordinates = sum(leaf.stop - leaf.start for leaf in subject.leaves)
    if coordinates <= FEW:
        return [_one_by_one(subject, leaf) for leaf in subject.leaves if leaf.size]
    found: dict[str, Finding] = {}
    for short in (True, False):
        open_ = [leaf for leaf in subject.leaves if leaf.size and leaf.path not in found]
        if not subject.sharp:
            open_ = [leaf for leaf in open_ if not short and leaf.size > MANY]
        if open_:
            along = [Direction(1, leaf.start, leaf.stop) for leaf in open_]
            projected = ask(subject, along, short=short)
            settled = ((leaf, _from_projection(subject, leaf, projected)) for leaf in open_)
            found |= {leaf.path: finding for leaf, finding in settled if finding is not None}
    return [
        found.get(leaf.path) or _one_by_one(subject, leaf) for leaf in subject.leaves if leaf.size
    ]


def ask(subject: Subject, directions: Sequence[Direction], *, short: bool = False) -> list[Asked]:
    """Climb along directions and judge every mode of differentiation on what was found."""
    rungs = exponents(directions, subject.x, subject.traced.eps, short=short)
    batches: dict[tuple[int, ...], list[Direction]] = {}
    for direction, ks in zip(directions, rungs, strict=True):
        batches.setdefault(tuple(ks), []).append(direction)
    asked = []
    for exponents_k, members in batches.items():
        ks = list(exponents_k)
        for first in range(0, len(members), GROUP):
            part = members[first : first + GROUP]
            ladder = climb(subject.evaluate, part, [ks] * len(part))
            modes = _judge(subject, part, ladder)
            asked.extend(_compare(modes) if len(modes) > 1 else modes)
    return asked


def _judge(subject: Subject, directions: Sequence[Direction], ladder: Ladder) -> list[Asked]:
    number, rows, steps = ladder.ahead.shape

    def each(array: Floats) -> Floats:
        return np.broadcast_to(array, (number, rows)).reshape(-1)

    view = View(
        steps=ladder.steps,
        behind=ladder.behind.reshape(-1, steps),
        centre=each(ladder.centre),
        ahead=ladder.ahead.reshape(-1, steps),
        size=each(subject.size),
        bulk=each(subject.over_output(subject.size)),
        eps=subject.traced.eps,
        rounds=subject.traced.rounds,
    )
    scale = np.stack([subject.scale(direction.start) for direction in directions]).reshape(-1)
    asked = []
    for derivatives in subject.derivatives:
        slope, spread = _slopes(subject, directions, derivatives)
        claims = Claims(
            slope.reshape(-1), spread.reshape(-1), scale, subject.lost * scale, subject.material
        )
        asked.append(Asked(derivatives.mode, directions, view, claims, judge(view, claims)))
    return asked


def _compare(modes: list[Asked]) -> list[Asked]:
    """Compare forward with reverse mode: both must give the same number, whatever f does."""
    reverse, forward = modes
    first, second, view = reverse.claims, forward.claims, reverse.view
    with np.errstate(invalid="ignore"):
        apart = np.abs(first.slope - second.slope)
    size = np.fmax(np.fmax(first.spread, second.spread), first.scale)
    differ = apart > np.fmax(first.material * size, 1e3 * view.eps * view.bulk)
    differ &= (reverse.answers.verdict != WRONG) & (forward.answers.verdict != WRONG)
    if not np.any(differ):
        return modes
    verdict = np.where(differ, WRONG, reverse.answers.verdict)
    cause = np.where(differ, "modes", reverse.answers.cause)
    changed = dataclasses.replace(reverse.answers, verdict=verdict, cause=cause)
    return [dataclasses.replace(reverse, answers=changed), forward]


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


def _from_projection(subject: Subject, leaf: Leaf, projected: Sequence[Asked]) -> Finding | None:
    """Take the verdict of a projection if it settles all elements; None if it does not.

    If AD is inside of a narrow interval along a random direction, then no element is wrong by
    more than the width of that interval, but for a coincidence.
    """
    blind = 0.0
    for asked in projected:
        own = np.repeat([d.start == leaf.start for d in asked.directions], asked.rows)
        answers = asked.answers
        narrow = answers.half <= RESOLUTION * asked.claims.scale
        settled = (answers.verdict == AGREE) & (~answers.clean | (answers.within & narrow))
        if not np.all(settled[own]):
            return None
        blind = max(blind, float(np.max(answers.half[own & answers.clean], initial=0.0)))
    finding = _worst(subject, leaf, projected, "a random direction for each leaf")
    return dataclasses.replace(finding, blind=blind / RESOLUTION)


def _by_halves(subject: Subject, leaf: Leaf) -> Finding:
    """Halve a large leaf until one element is left, always keeping the worse half."""
    whole = Direction(1, leaf.start, leaf.stop)
    asked = ask(subject, [whole])
    finding = _worst(subject, leaf, asked, "a random direction for each leaf")
    suspect = finding.asked_of
    derivatives = next(d for d in subject.derivatives if d.mode == finding.mode)
    row, rung = finding.row, int(suspect.answers.rung[finding.entry])
    steps = 2.0 ** -(np.arange(rung, rung + 4) + -np.log2(suspect.view.steps[0]))
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


def _worst(subject: Subject, leaf: Leaf, asked: Sequence[Asked], how: str) -> Finding:
    """Boil the answers about one leaf down to the one that decides."""
    best: tuple[tuple[int, float, float], Asked, int] | None = None
    bad: set[int] = set()
    digits = np.inf
    for one in asked:
        own = np.array([leaf.start <= d.start < leaf.stop for d in one.directions])
        if not own.any():
            continue
        known, order = _telling(one)
        order = order[np.repeat(own, one.rows)[order]]
        bad |= {one.direction(k).start for k in order if one.answers.verdict[k] != AGREE}
        settled = one.answers.clean & np.repeat(own, one.rows)
        digits = min(digits, float(np.min(known[settled], initial=np.inf)))
        k = int(order[0])
        a, size = one.answers, abs(float(one.claims.slope[k]))
        rank = WORST_FIRST.index(str(a.verdict[k])), float(known[k]), -size
        if best is None or rank < best[0]:
            best = rank, one, k
    assert best is not None
    _, one, k = best
    a, direction = one.answers, one.direction(k)
    single = direction.stop - direction.start == 1
    unit = float(subject.bases[direction.base, direction.start]) if single else 1.0
    twin = next((o for o in asked if o.mode != one.mode and o.directions == one.directions), None)
    return Finding(
        leaf=leaf,
        verdict=str(a.verdict[k]),
        cause=str(a.cause[k]),
        mode=one.mode,
        coordinate=direction.start if single else None,
        row=k % one.rows,
        ad=float(one.claims.slope[k]) / unit,
        fd=float(a.fd[k]) / unit,
        half=float(a.half[k]) / abs(unit),
        left=float(a.left[k]) / unit,
        right=float(a.right[k]) / unit,
        digits=digits,
        asked=how,
        blind=0.0,
        asked_of=one,
        entry=k,
        others=max(len(bad) - 1, 0),
        other_ad=None if twin is None else float(twin.claims.slope[k]) / unit,
    )


def _telling(one: Asked) -> tuple[Floats, NDArray[np.intp]]:
    """Return to how many digits AD and FD are known to agree, and the worst questions first."""
    a, slope = one.answers, one.claims.slope
    with np.errstate(all="ignore"):
        own = np.fmax(np.fmax(np.abs(slope), np.abs(a.fd)), one.claims.scale)
        difference = np.abs(slope - a.fd)
        doubt = np.where(a.verdict == WRONG, difference, np.fmax(difference, a.half))
        known = np.where(doubt > 0, -np.log10(doubt / own), 16.0)
    known = np.where(np.isfinite(known), np.clip(known, -3.0, 16.0), -3.0)
    rank = np.select([a.verdict == verdict for verdict in WORST_FIRST], [0, 1, 2])
    size = np.where(np.isfinite(slope), np.abs(slope), np.inf)
    return known, np.lexsort((-size, np.round(known, 1), rank))
