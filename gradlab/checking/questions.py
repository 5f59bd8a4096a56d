"""Ask about the slope of a function along directions, and judge AD on the answers.

A question is a direction and a row of the value: f is evaluated at all steps along the direction,
and every mode of differentiation is judged on what was found.
"""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradlab.checking.arguments import Leaf
from gradlab.checking.intervals import Floats
from gradlab.checking.judge import AGREE, CANNOT_TELL, WRONG, Answers, judge, taken
from gradlab.checking.stairs import NARROW, Stairs, confirmed, with_stairs
from gradlab.checking.steps import Direction, climb, exponents
from gradlab.checking.subject import Subject
from gradlab.checking.values import Claims, Values

GROUP = 256  # directions in one batch
OTHER = 1e-3  # of the size of f, or of its changes: what differs by more is another function
SAME = 1e-12  # relative: two modes that differ by less are judged once
ROUNDING = 10.0  # times the noise of f: the most by which two modes may differ
UNSTEADY = 3.0  # times the rounding of AD: what it may be off by


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
        steps, behind, each(centre), ahead,
        size=each(subject.size),
        bulk=each(subject.over_output(subject.size)),
        reach=np.repeat(subject.reach(directions), rows),
        eps=subject.eps,
    )  # fmt: skip
    leaves = [subject.leaf_of(direction) for direction in directions]
    largest = np.stack([subject.largest(leaf) for leaf in leaves]).reshape(-1)
    part = subject.user_eps**0.5 if subject.sharp else subject.eps ** (1 / 3)
    infinite = np.repeat(
        [not np.isfinite(subject.x[d.start : d.stop]).all() for d in directions], rows
    )
    with np.errstate(invalid="ignore"):
        changes = np.nan_to_num(np.fmax(*values.changes), posinf=0.0)
        size = np.fmax(values.bulk, np.max(changes, axis=1, initial=0.0))
        other = each(np.abs(subject.primal - centre)) > OTHER * size
    slopes = {mode: subject.along(mode, directions) for mode in subject.modes}
    jitter = subject.jitter(directions, slopes).reshape(-1)
    asked: list[Asked] = []
    for mode, (along, terms) in slopes.items():
        slope = along.reshape(-1)
        claims = Claims(
            slope,
            terms.reshape(-1),
            part * largest,
            jitter,
            subject.lost * largest,
            subject.material,
        )
        if asked and np.allclose(slope, asked[0].claims.slope, rtol=SAME, atol=0, equal_nan=True):
            answers, steps_nearby = asked[0].answers, asked[0].stairs
        else:
            answers, steps_nearby = _answer(subject, directions, values, claims)
            if subject.sharp and np.any(open_ := answers.verdict != AGREE):
                noise, of_ad = subject.rounding(directions)
                # From here on for the other mode too: it is the same function.
                values = values.with_noise(np.where(open_, each(noise), 0.0))
                spread = np.fmax(claims.spread, UNSTEADY * of_ad.reshape(-1) / subject.eps**0.5)
                claims = dataclasses.replace(claims, spread=spread)
                answers, steps_nearby = _answer(subject, directions, values, claims)
                excused = open_ & (answers.verdict == AGREE) & ~answers.clean
                answers.verdict[excused], answers.cause[excused] = CANNOT_TELL, "noise"
            answers.verdict[infinite], answers.cause[infinite] = CANNOT_TELL, "infinite"
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
        unit = (
            4
            * subject.user_eps
            * np.fmax(values.bulk, np.tile(on_the_way / subject.eps, len(directions)))
        )
        again = judge(values.with_noise(np.where(jumps, unit, 0.0)), claims)
        answers = taken(answers, again, jumps & ~np.isin(again.cause, ("jump", "kink")))
    found = confirmed(subject, directions, values, answers)
    narrow = values.steps[found.rung] <= NARROW * (not subject.survey.rounds)
    return with_stairs(answers, claims, found, narrow), found


def _compare(subject: Subject, modes: list[Asked]) -> list[Asked]:
    """Compare forward with reverse mode: both must give the same number, whatever f does."""
    reverse, forward = modes
    first, second, values = reverse.claims, forward.claims, reverse.values
    with np.errstate(invalid="ignore"):
        apart = np.abs(first.slope - second.slope)
    size = np.fmax(np.fmax(first.spread, second.spread), first.scale)
    # Terms that cancel round by as much in AD as in f, whose noise is that over one step.
    rounding = np.fmax(1e3 * values.eps * values.bulk, ROUNDING * values.sigma)
    differ = apart > np.fmax(first.material * size, rounding)
    differ &= (reverse.answers.verdict != WRONG) & (forward.answers.verdict != WRONG)
    if not np.any(differ):
        return modes
    verdict = np.where(differ, WRONG, reverse.answers.verdict)
    cause = np.where(differ, "modes", reverse.answers.cause)
    changed = dataclasses.replace(reverse.answers, verdict=verdict, cause=cause)
    return [dataclasses.replace(reverse, answers=changed), forward]
