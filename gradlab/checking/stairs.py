"""Steps of a function nearby: a staircase, or the rounding of numbers on the way."""

import dataclasses
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gradlab.checking.intervals import Bools, Claims, Floats, Interval, Values, limit
from gradlab.checking.judge import AGREE, CANNOT_TELL, RESOLUTION, Answers
from gradlab.checking.steps import Direction
from gradlab.checking.subject import Subject

NARROW = 2.0**-20  # steps narrower than this part of x are rounding
ZOOM, ZOOMS = 16, 4  # points between two steps, and how often: to tell a step from a kink
SUDDEN = 2.0**10  # a change that grows by this from one step to the next is no smooth one


@dataclasses.dataclass(frozen=True)
class Stairs:
    """Steps of a function nearby: where there seem to be some, and the slope above them."""

    found: Bools
    rung: NDArray[np.intp]  # the finest step at which they show
    height: Floats
    above: Interval


def stairs(v: Values, answers: Answers) -> Stairs:
    """Look for steps nearby: what remains of f beside its finest slope appears all at once.

    Of a smooth function it grows with a power of the step. At a kink it grows from nothing, too,
    so whoever asks must look closer at the step between two rungs.
    """
    with np.errstate(all="ignore"):
        t, f0 = v.steps, v.centre[:, None]
        line = np.where(np.isfinite(answers.fd), answers.fd, 0.0)[:, None] * t
        rest = np.fmax(np.abs(v.ahead - f0 - line), np.abs(f0 - v.behind - line))
        quiet = v.sigma[:, None]
        sudden = rest[:, :-1] > SUDDEN * np.fmax(np.nan_to_num(rest[:, 1:]), quiet)
        sudden &= np.isfinite(rest[:, 1:])
        number = sudden.shape[1]
        rung = number - 1 - np.argmax(sudden[:, ::-1], axis=1)
        height = rest[np.arange(len(rest)), rung]
        coarse = np.arange(len(t)) <= rung[:, None]
        quotient = np.where(coarse, (v.ahead - v.behind) / (2 * t), np.nan)
        above = limit(quotient, height[:, None] / (4 * t), (2,))
        other = np.abs(above.centre - answers.fd) > above.half + answers.half
        return Stairs(np.any(sudden, axis=1) & other, rung, height, above)


def confirmed(
    subject: Subject, directions: Sequence[Direction], values: Values, answers: Answers
) -> Stairs:
    """Look closer at steps that seem to be nearby: a step keeps its height, a kink does not."""
    found = stairs(values, answers)
    suspects = np.flatnonzero(found.found)
    if not len(suspects):
        return found
    rows, here = len(subject.value), np.arange(len(suspects))
    which = np.repeat(suspects // rows, ZOOM)
    kept = np.zeros(len(found.found), np.bool_)
    for sign in (1.0, -1.0):
        high = values.steps[found.rung[suspects]]
        low = high / 2
        for _ in range(ZOOMS):
            part = np.linspace(0.0, 1.0, ZOOM) ** 1.01  # a tie is at a number with few bits
            t = low[:, None] + (high - low)[:, None] * part
            at = np.concatenate([[0], which]), np.concatenate([[0.0], sign * t.reshape(-1)])
            f = subject.values(directions, *at)[1:].reshape(len(suspects), ZOOM, rows)
            f = f[here, :, suspects % rows]
            line = sign * answers.fd[suspects][:, None] * t
            change = np.nan_to_num(np.abs(np.diff(f - line, axis=1)))
            worst = np.argmax(change, axis=1)
            low, high = t[here, worst], t[here, worst + 1]
        kept[suspects] |= change[here, worst] > found.height[suspects] / 4
    return dataclasses.replace(found, found=kept)


def with_stairs(values: Values, answers: Answers, claims: Claims, steps: Stairs) -> Answers:
    """Say of steps nearby what can be said of them.

    Steps that are narrow are the rounding of numbers on the way; the slope above them counts.
    """
    with np.errstate(all="ignore"):
        verdict, cause = answers.verdict.copy(), answers.cause.copy()
        above = steps.above
        room = above.half + claims.material * np.abs(above.centre)
        fits = np.abs(claims.slope - above.centre) <= room
        inside = np.abs(claims.slope - above.centre) <= above.half
        narrow = values.steps[steps.rung] <= NARROW
        told = steps.found & (fits | (verdict == AGREE))
        verdict[told], cause[told] = CANNOT_TELL, "stairs"
        known = told & fits & narrow & (above.half <= RESOLUTION * np.abs(above.centre))
        verdict[known], cause[known] = AGREE, "rounded"
        return dataclasses.replace(
            answers, verdict=verdict, cause=cause,
            fd=np.where(known, above.centre, answers.fd),
            half=np.where(known, above.half, answers.half),
            clean=(answers.clean & ~steps.found) | known,
            within=np.where(known, inside, answers.within),
        )  # fmt: skip
