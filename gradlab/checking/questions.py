"""Ask about the slope of a function along directions, and judge AD on the answers.

A question is a direction and a row of the value: f is evaluated at all steps along the direction,
and every mode of differentiation is judged on what was found.
"""

import dataclasses
import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradlab.checking.evidence import Claims
from gradlab.checking.ladder import Direction, Ladder, climb, exponents
from gradlab.checking.limits import Floats
from gradlab.checking.rattling import rounding_noise
from gradlab.checking.sights import View
from gradlab.checking.subject import Derivatives, Subject
from gradlab.checking.verdicts import AGREE, CANNOT_TELL, WRONG, Answers, judge

GROUP = 256  # directions in one batch
OTHER = 1e-3  # of the size of f, or of its changes: what differs by more is another function
SAME = 1e-12  # relative: two modes that differ by less are judged once
ROUNDING = 10.0  # times the noise of f: the most by which two modes may differ


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

    def only(self, chosen: NDArray[np.bool_]) -> "Asked":
        """Return the answers along some of the directions, `(directions,)`."""
        questions = np.repeat(chosen, self.rows)

        def part(record: Any, *names: str) -> Any:
            of = names or [field.name for field in dataclasses.fields(record)]
            return dataclasses.replace(record, **{n: getattr(record, n)[questions] for n in of})

        return Asked(
            self.mode,
            list(itertools.compress(self.directions, chosen)),
            part(self.view, "behind", "centre", "ahead", "size", "bulk"),
            part(self.claims, "slope", "spread", "scale", "jitter", "floor"),
            part(self.answers),
        )


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
            subject.tell(f"direction {first + 1} of {len(members)}")
            ladder = climb(subject.evaluate, part, [ks] * len(part))
            modes = _judge(subject, part, ladder, thorough=not short)
            asked.extend(_compare(subject, modes) if len(modes) > 1 else modes)
    return asked


def _judge(
    subject: Subject, directions: Sequence[Direction], ladder: Ladder, *, thorough: bool
) -> list[Asked]:
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
    known = [bool(np.isfinite(subject.x[d.start : d.stop]).all()) for d in directions]
    lost = np.repeat(~np.array(known), rows)
    with np.errstate(invalid="ignore"):
        other = each(np.abs(subject.value - ladder.centre)) > OTHER * np.fmax(
            view.bulk, view.largest_change
        )
    claimed = [slopes(subject, directions, derivatives) for derivatives in subject.derivatives]
    with np.errstate(invalid="ignore"):
        jitter = np.abs(claimed[0][0] - claimed[-1][0]).reshape(-1)
    asked: list[Asked] = []
    for derivatives, (along, terms) in zip(subject.derivatives, claimed, strict=True):
        slope, spread = along.reshape(-1), terms.reshape(-1)
        claims = Claims(slope, spread, scale, jitter, subject.lost * scale, subject.material)
        if asked and np.allclose(slope, asked[0].claims.slope, rtol=SAME, atol=0, equal_nan=True):
            answers = asked[0].answers
        else:
            answers = judge(view, claims)
            if thorough and np.any(open_ := answers.verdict != AGREE):
                # From here on for the other mode too: it is the same function.
                view = view.with_noise(np.where(open_, each(rounding_noise(subject)), 0.0))
                answers = judge(view, claims)
                excused = open_ & (answers.verdict == AGREE) & ~answers.clean
                answers.verdict[excused], answers.cause[excused] = CANNOT_TELL, "noise"
            answers.verdict[lost], answers.cause[lost] = CANNOT_TELL, "infinite"
            if derivatives.mode == "rev":
                answers.verdict[other], answers.cause[other] = WRONG, "primal"
        asked.append(Asked(derivatives.mode, directions, view, claims, answers))
    return asked


def _compare(subject: Subject, modes: list[Asked]) -> list[Asked]:
    """Compare forward with reverse mode: both must give the same number, whatever f does."""
    reverse, forward = modes
    first, second, view = reverse.claims, forward.claims, reverse.view
    with np.errstate(invalid="ignore"):
        apart = np.abs(first.slope - second.slope)
    size = np.fmax(np.fmax(first.spread, second.spread), first.scale)
    # Terms that cancel round by as much in AD as in f, whose noise is that over one step.
    rounding = np.fmax(1e3 * view.eps * view.bulk, ROUNDING * view.sigma)
    differ = apart > np.fmax(first.material * size, rounding)
    differ &= (reverse.answers.verdict != WRONG) & (forward.answers.verdict != WRONG)
    if np.any(differ):
        hidden = np.tile(rounding_noise(subject), len(differ) // len(subject.value))
        differ &= apart > ROUNDING * hidden
    if not np.any(differ):
        return modes
    verdict = np.where(differ, WRONG, reverse.answers.verdict)
    cause = np.where(differ, "modes", reverse.answers.cause)
    changed = dataclasses.replace(reverse.answers, verdict=verdict, cause=cause)
    return [dataclasses.replace(reverse, answers=changed), forward]


def slopes(
    subject: Subject, directions: Sequence[Direction], derivatives: Derivatives
) -> tuple[Floats, Floats]:
    """Return what AD says the slopes along directions are, and the size of their terms.

    Returns:
        Both `(directions, rows)`.
    """
    gradient = derivatives.gradient
    if gradient is None:
        assert derivatives.along is not None
        slope = derivatives.along(directions)
        return slope, np.abs(slope)
    sums, spreads = [], []
    for d in directions:
        with np.errstate(invalid="ignore", over="ignore"):
            terms = gradient[:, d.start : d.stop] * subject.bases[d.base, d.start : d.stop]
            sums.append(terms.sum(axis=1))
            spreads.append(np.sqrt(np.sum(terms**2, axis=1)))
    return np.stack(sums), np.stack(spreads)
