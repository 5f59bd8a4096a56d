"""Ask about the slope of a function along directions, and find the answer that decides.

A question is a direction and a row of the value: f is evaluated at all steps along the direction,
and every mode of differentiation is judged on what was found.
"""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradlab.checking.arguments import Leaf
from gradlab.checking.intervals import FINE, Claims, Floats, Values
from gradlab.checking.judge import (
    AGREE,
    CANNOT_TELL,
    NOTHING,
    WRONG,
    Answers,
    judge,
    taken,
    telling,
)
from gradlab.checking.stairs import NARROW, Stairs, confirmed, with_stairs
from gradlab.checking.steps import Direction, climb, exponents
from gradlab.checking.subject import MATERIAL, Subject

GROUP = 256  # directions in one batch
UNSEEN = 4.0  # units of the user's dtype: a jump that so much noise hides is its rounding
UNSTEADY = 3.0  # times the rounding of AD: what it may be off by
ROUNDING = 10.0  # times the noise of f: the most by which two modes may differ


@dataclasses.dataclass(frozen=True)
class Asked:
    """The answers along some directions in one mode; a question is a direction and a row."""

    mode: str
    directions: Sequence[Direction]
    values: Values
    claims: Claims
    answers: Answers
    stairs: Stairs

    @property
    def rows(self) -> int:
        """The number of rows of the value."""
        return len(self.claims.slope) // len(self.directions)

    def direction(self, question: Any) -> Direction:
        """Return the direction of a question."""
        return self.directions[question // self.rows]

    def of(self, leaf: Leaf) -> NDArray[np.bool_]:
        """Tell which questions are about a leaf."""
        own = [leaf.start <= d.start < leaf.stop for d in self.directions]
        return np.repeat(own, self.rows)


def ask(subject: Subject, directions: Sequence[Direction], *, short: bool = False) -> list[Asked]:
    """Evaluate f along directions and judge every mode of differentiation on what was found."""
    batches: dict[tuple[int, ...], list[Direction]] = {}
    for direction in directions:
        ks = exponents(direction, subject.x, subject.eps, short=short)
        batches.setdefault(tuple(ks), []).append(direction)
    asked = []
    for steps, members in batches.items():
        for first in range(0, len(members), GROUP):
            part = members[first : first + GROUP]
            modes = _judge(subject, part, climb(subject.values, part, steps))
            asked.extend(_compare(subject, modes) if len(modes) > 1 else modes)
    return asked


def _judge(subject: Subject, directions: Sequence[Direction], ladder: Any) -> list[Asked]:
    steps, behind, centre, ahead = ladder
    number, rows = len(directions), len(centre)

    def each(array: Floats) -> Floats:
        return np.tile(array, number)

    values = Values(
        steps, behind, each(centre), ahead, size=each(subject.size),
        bulk=each(subject.over_output(subject.size)), eps=subject.eps,
    )  # fmt: skip
    leaves = [subject.leaf_of(direction) for direction in directions]
    largest = np.stack([subject.largest(leaf) for leaf in leaves]).reshape(-1)
    part = subject.user_eps**0.5 if subject.sharp else subject.eps ** (1 / 3)
    infinite = [not np.isfinite(subject.x[d.start : d.stop]).all() for d in directions]
    with np.errstate(invalid="ignore"):
        changes = np.nan_to_num(np.fmax(*values.changes), posinf=0.0)
        size = np.fmax(values.bulk, np.max(changes, axis=1, initial=0.0))
        other = each(np.abs(subject.primal - centre)) > NOTHING * size
        slopes = {mode: subject.along(mode, directions) for mode in subject.modes}
        found = [along for along, _ in slopes.values()]
        jitter = np.nan_to_num(np.abs(found[0] - found[-1]), posinf=0.0).reshape(-1)
    asked: list[Asked] = []
    for mode, (along, terms) in slopes.items():
        slope, spread = along.reshape(-1), terms.reshape(-1)
        claims = Claims(slope, spread, part * largest, jitter, MATERIAL)
        if asked and np.allclose(slope, asked[0].claims.slope, rtol=FINE, atol=0, equal_nan=True):
            answers, steps_nearby = asked[0].answers, asked[0].stairs
        else:
            answers, steps_nearby = _answer(subject, directions, values, claims)
            if subject.sharp and np.any(open_ := answers.verdict != AGREE):
                # From here on for the other mode too: it is the same function.
                noise, of_ad = subject.rounding(directions)
                values = values.with_noise(np.where(open_, each(noise), 0.0))
                spread = np.fmax(spread, UNSTEADY * of_ad.reshape(-1) / subject.eps**0.5)
                claims = dataclasses.replace(claims, spread=spread)
                answers, steps_nearby = _answer(subject, directions, values, claims)
                excused = open_ & (answers.verdict == AGREE) & ~answers.clean
                answers.verdict[excused], answers.cause[excused] = CANNOT_TELL, "noise"
            answers.verdict[np.repeat(infinite, rows)] = CANNOT_TELL
            answers.cause[np.repeat(infinite, rows)] = "infinite"
            if mode == "rev":
                answers.verdict[other], answers.cause[other] = WRONG, "primal"
        asked.append(Asked(mode, directions, values, claims, answers, steps_nearby))
    return asked


def _answer(
    subject: Subject, directions: Sequence[Direction], values: Values, claims: Claims
) -> tuple[Answers, Stairs]:
    answers = judge(values, claims)
    jumps = np.isin(answers.cause, ("jump", "kink"))
    if np.any(jumps) and subject.user_eps > subject.eps:  # one that the user's dtype does not show
        on_the_way, _ = subject.rounding(directions)
        size = np.fmax(values.bulk, np.tile(on_the_way / subject.eps, len(directions)))
        noise = UNSEEN * subject.user_eps * size
        again = judge(values.with_noise(np.where(jumps, noise, 0.0)), claims)
        # Such a jump moves the slope, too: AD is wrong only if it is with noise of its height.
        noise = np.fmax(noise, np.nan_to_num(np.fmax(*values.changes)[:, -1]))
        sure = judge(values.with_noise(np.where(jumps, noise, 0.0)), claims)
        again = taken(again, sure, again.verdict == WRONG)
        answers = taken(answers, again, jumps & ~np.isin(again.cause, ("jump", "kink")))
    found = confirmed(subject, directions, values, answers)
    return with_stairs(values, answers, claims, found), found


def _compare(subject: Subject, modes: list[Asked]) -> list[Asked]:
    """Compare forward with reverse mode: both must give the same number, whatever f does."""
    reverse, forward = modes
    first, second, values = reverse.claims, forward.claims, reverse.values
    with np.errstate(invalid="ignore"):
        apart = np.abs(first.slope - second.slope)
    size = np.fmax(np.fmax(first.spread, second.spread), first.scale)
    # Terms that cancel round by as much in AD as in f, whose noise is that over one step.
    differ = apart > np.fmax(MATERIAL * size, ROUNDING * values.sigma)
    differ &= (reverse.answers.verdict != WRONG) & (forward.answers.verdict != WRONG)
    if not np.any(differ):
        return modes
    verdict = np.where(differ, WRONG, reverse.answers.verdict)
    cause = np.where(differ, "modes", reverse.answers.cause)
    changed = dataclasses.replace(reverse.answers, verdict=verdict, cause=cause)
    return [dataclasses.replace(reverse, answers=changed), forward]


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
    asked_of: Asked
    every: Sequence[Asked]  # all answers about the leaf; later ones replace others
    entry: int
    others: int  # how many more elements are not in agreement, as far as they were looked at
    other_ad: float | None  # what the other mode says of the same
    flat: bool  # no element of this leaf changes anything close by
    unit: float  # by how much the element moves at step 1; 1 for a projection
    blind: float = 0.0  # an error in one element that a projection could not have seen


def about(subject: Subject, leaf: Leaf, asked: Sequence[Asked]) -> list[Asked]:
    """Return the answers about a leaf, in the modes that have a derivative of it."""
    modes = subject.modes_of(leaf)
    return [one for one in asked if one.directions and one.mode in modes and np.any(one.of(leaf))]


def decisive(subject: Subject, leaf: Leaf, asked: Sequence[Asked], how: str) -> Finding:
    """Boil the answers about one leaf down to the one that decides; later ones replace others."""
    best: tuple[list[float], Asked, int] | None = None
    bad: set[int] = set()
    digits, flat = np.inf, True
    answers = about(subject, leaf, asked)
    again: set[tuple[str, Direction]] = set()
    for one in reversed(answers):
        known, ranks = telling(one.answers, one.claims)
        latest = [(one.mode, direction) not in again for direction in one.directions]
        again |= {(one.mode, direction) for direction in one.directions}
        own = one.of(leaf) & np.repeat(latest, one.rows)
        if not np.any(own):
            continue
        bad |= {
            one.direction(k).start for k in np.flatnonzero(own & (one.answers.verdict != AGREE))
        }
        flat &= bool(np.all(one.values.flat_width[own] > NARROW))
        digits = min(digits, float(np.min(known[one.answers.clean & own], initial=np.inf)))
        k = int(np.flatnonzero(own)[np.lexsort(ranks[own][:, ::-1].T)[0]])
        if best is None or ranks[k].tolist() <= best[0]:
            best = ranks[k].tolist(), one, k
    assert best is not None
    _, one, k = best
    a, direction = one.answers, one.direction(k)
    single = direction.stop - direction.start == 1
    unit = float(subject.bases[direction.base, direction.start]) if single else 1.0
    twin = next((o for o in answers if o.mode != one.mode and o.directions == one.directions), None)
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
        asked_of=one,
        every=answers,
        entry=k,
        others=max(len({(c - leaf.start) % leaf.size for c in bad}) - 1, 0),
        other_ad=None if twin is None else float(twin.claims.slope[k]) / unit,
        flat=flat,
        unit=unit,
    )
