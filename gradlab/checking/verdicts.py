"""From a ladder of values and a derivative to a verdict: agree, wrong or cannot tell.

All is in units of one step of the ladder's direction: a slope is the change of the function over
a step of 1. Every array has one entry for each question, a direction and a row of the value.
"""

import dataclasses

import numpy as np
from numpy.typing import NDArray

from gradlab.checking.limits import SPREAD, WIDENING, Floats, Interval, limit, noise

AGREE, CANNOT_TELL, WRONG = "agree", "cannot tell", "wrong"
WORST_FIRST = (WRONG, CANNOT_TELL, AGREE)

RESOLUTION = 0.05  # a slope known to within this part of itself is known; it is no tolerance
WIDER = (
    3.0,
    9.0,
    27.0,
)  # how much more noise to allow for where the first estimate settles nothing
NEGLIGIBLE = 1e-6  # times `scale`: AD's own rounding
BROAD = 2.0**-12  # a plateau of this width, beside x, is no rounding
PLATEAU = 6  # so many finest steps without any change on either side: the function is flat here

Bools = NDArray[np.bool_]


@dataclasses.dataclass(frozen=True)
class Questions:
    """What is known of the function and of its derivative along each direction.

    Attributes:
        steps: `(steps,)`, the coarsest first.
        behind: Values at −steps, `(questions, steps)`; NaN where there is none.
        centre: Value at 0, `(questions,)`.
        ahead: Values at +steps.
        size: Size of the terms that were added up for the value, `(questions,)`.
        bulk: The largest such size in the same leaf of the value.
        slope: What AD says, `(questions,)`.
        spread: The root of the sum of squares of the terms that were added up for it.
        scale: A slope that is small beside this one counts as part of it, `(questions,)`.
        eps: Precision in which the function computes.
        material: A relative difference below this does not matter, however sure.
        rounds: Whether the program rounds to whole numbers.
    """

    steps: Floats
    behind: Floats
    centre: Floats
    ahead: Floats
    size: Floats
    bulk: Floats
    slope: Floats
    spread: Floats
    scale: Floats
    eps: float
    material: float
    rounds: bool


@dataclasses.dataclass(frozen=True)
class Answers:
    """One verdict and its reason for each question, and the interval it rests on."""

    verdict: NDArray[np.str_]
    cause: NDArray[np.str_]
    fd: Floats
    half: Floats
    rung: NDArray[np.intp]
    left: Floats
    right: Floats
    clean: Bools  # the slope is known, and AD is in its interval
    sigma: Floats


def judge(q: Questions) -> Answers:
    """Answer every question."""
    with np.errstate(all="ignore"):  # NaN stands for values that are not there
        return _judge_patiently(q)


def _judge_patiently(q: Questions) -> Answers:
    """Judge, and again with more noise where that may settle what is open."""
    floor = 0.5 * q.eps * np.maximum(q.size, np.abs(q.centre))
    sigma = noise(q.behind, q.centre, q.ahead, floor)
    answers = _judge(q, sigma)
    if q.eps > 1e-10:
        return answers
    verdict, cause = answers.verdict.copy(), answers.cause.copy()
    fd, half, rung = answers.fd.copy(), answers.half.copy(), answers.rung.copy()
    for factor in WIDER:
        open_ = (verdict == CANNOT_TELL) & (cause == "noise")
        doubtful = (verdict == WRONG) & (cause == "slope") & (factor == WIDER[1])
        if not np.any(open_ | doubtful):
            break
        again = _judge(q, factor * sigma)
        better = open_ & (again.verdict != CANNOT_TELL)
        verdict[better], cause[better] = again.verdict[better], again.cause[better]
        fd[better], half[better], rung[better] = (
            again.fd[better],
            again.half[better],
            again.rung[better],
        )
        withdrawn = doubtful & (again.verdict != WRONG)
        verdict[withdrawn], cause[withdrawn] = CANNOT_TELL, "doubt"
        sure = withdrawn & (again.verdict == AGREE) & (again.half <= 1e-3 * np.abs(again.fd))
        verdict[sure], cause[sure] = AGREE, again.cause[sure]
        fd[sure], half[sure], rung[sure] = again.fd[sure], again.half[sure], again.rung[sure]
    return dataclasses.replace(answers, verdict=verdict, cause=cause, fd=fd, half=half, rung=rung)


def _judge(q: Questions, sigma: Floats) -> Answers:
    t = q.steps
    centre, slope = q.centre[:, None], q.slope
    error_ahead = sigma[:, None] + 2 * q.eps * np.abs(q.ahead)
    error_behind = sigma[:, None] + 2 * q.eps * np.abs(q.behind)
    error_centre = sigma[:, None]

    fd = limit((q.ahead - q.behind) / (2 * t), (error_ahead + error_behind) / (2 * t), (2,))
    right = limit((q.ahead - centre) / t, (error_ahead + error_centre) / t, (1, 2))
    left = limit((centre - q.behind) / t, (error_behind + error_centre) / t, (1, 2))
    gap = limit(
        (q.ahead - 2 * centre + q.behind) / t,
        (error_ahead + error_behind + 2 * error_centre) / t,
        (1,),
    )
    jump_ahead = limit(q.ahead - centre, error_ahead + error_centre, (1,))
    jump_behind = limit(q.behind - centre, error_behind + error_centre, (1,))

    # What there is to see on each side.
    has_ahead = _some_finite(q.ahead, t)
    has_behind = _some_finite(q.behind, t)
    edge = has_ahead ^ has_behind
    one_sided = Interval(
        np.where(has_ahead, right.centre, left.centre),
        np.where(has_ahead, right.half, left.half),
        np.where(has_ahead, right.rung, left.rung),
    )
    slope_fd = np.where(edge, one_sided.centre, fd.centre)
    half = np.where(edge, one_sided.half, fd.half)
    rung = np.where(edge, one_sided.rung, fd.rung)
    half = np.maximum(half, np.sqrt(q.eps) * np.where(np.isfinite(q.spread), q.spread, 0.0))

    own = np.fmax(np.abs(slope), np.abs(slope_fd))
    scale = np.fmax(own, q.scale)
    difference = np.abs(slope - slope_fd)
    wrong = difference - half > q.material * scale

    # Flat or constant: there is no slope to be a part of, and none is needed.
    change_ahead, change_behind = np.abs(q.ahead - centre), np.abs(q.behind - centre)
    largest = np.fmax(_largest(change_ahead), _largest(change_behind))
    rounding = 32 * q.eps * np.fmax(q.bulk, np.abs(q.centre))
    constant = (largest <= rounding) & (np.abs(slope) * t[0] <= 2 * rounding)
    flat = _plateau(change_ahead) & _plateau(change_behind)
    width = _plateau_width(change_ahead, change_behind, t)
    nothing = np.abs(slope) <= NEGLIGIBLE * q.scale
    still = (flat & nothing) | constant

    secant = _typical(np.fmax(change_ahead, change_behind) / t)
    resolved = half <= RESOLUTION * np.fmax(own, q.scale)
    resolved |= (half <= 1e-3 * secant) & (np.abs(slope) <= half)

    # Corners, jumps and steps.
    steepest = np.fmax(np.fmax(np.abs(left.centre), np.abs(right.centre)), scale)
    kink = (np.abs(gap.centre) - gap.half > 4 * q.material * steepest) & ~edge
    jump = jump_ahead.excludes(0.0) | jump_behind.excludes(0.0)
    low = np.fmin(left.centre - left.half, right.centre - right.half)
    high = np.fmax(left.centre + left.half, right.centre + right.half)
    room = q.material * steepest
    outside = (slope < low - room) | (slope > high + room) | ~np.isfinite(slope)
    stairs = flat & ~nothing & ~constant

    number = len(slope)
    verdict = np.full(number, CANNOT_TELL, dtype="<U11")
    cause = np.full(number, "noise", dtype="<U16")

    def say(where: Bools, what: str, why: str) -> None:
        verdict[where], cause[where] = what, why

    say(resolved | still, AGREE, "")
    say(wrong & ~still, WRONG, "slope")
    say(stairs & ~wrong & q.rounds, CANNOT_TELL, "stairs")
    say(stairs & ~wrong & (width > BROAD) & ~resolved, WRONG, "plateau")
    say(edge & ~wrong, CANNOT_TELL, "edge")
    say(kink & ~outside, CANNOT_TELL, "kink")
    say(kink & outside, WRONG, "kink")
    say(jump, CANNOT_TELL, "jump")
    lost = ~np.isfinite(slope)
    limit_known = np.isfinite(slope_fd) & (half <= RESOLUTION * np.fmax(np.abs(slope_fd), secant))
    say(lost, CANNOT_TELL, "nan")
    say(lost & (limit_known | still) & ~edge & ~jump, WRONG, "nan")
    say(lost & kink & (left.half + right.half < np.abs(gap.centre)), WRONG, "nan")
    say(~has_ahead & ~has_behind, CANNOT_TELL, "isolated")
    say(~np.isfinite(q.centre), CANNOT_TELL, "value")
    clean = (verdict == AGREE) & resolved
    say(clean & (difference > half), AGREE, "immaterial")
    known_flat = (flat & nothing) | (cause == "plateau")
    fd_shown = np.where(known_flat, 0.0, slope_fd)
    floor = 0.5 * q.eps * np.fmax(q.bulk, np.abs(q.centre))
    half = np.where(known_flat, WIDENING * SPREAD * floor / np.fmax(width, t[-1]), half)
    return Answers(verdict, cause, fd_shown, half, rung, left.centre, right.centre, clean, sigma)


def _some_finite(values: Floats, steps: Floats) -> Bools:
    """Tell where at least three of the finest quarter of the known steps have a value."""
    number = max(6, values.shape[1] // 4)
    return np.sum(np.isfinite(values[:, -number:]), axis=1) >= 3


def _largest(changes: Floats) -> Floats:
    return np.max(np.where(np.isfinite(changes), changes, 0.0), axis=1, initial=0.0)


def _plateau(changes: Floats) -> Bools:
    """Tell where the finest steps change nothing at all."""
    return np.all(changes[:, -PLATEAU:] == 0, axis=1)


def _plateau_width(ahead: Floats, behind: Floats, steps: Floats) -> Floats:
    """Return the coarsest step up to which nothing changes on either side."""
    still = (ahead == 0) & (behind == 0)
    run = np.cumprod(still[:, ::-1], axis=1)[:, ::-1]
    return np.max(np.where(run > 0, steps, 0.0), axis=1, initial=0.0)


def _typical(secants: Floats) -> Floats:
    """Return the median slope over the coarser half of the steps."""
    coarse = np.sort(secants[:, : max(1, secants.shape[1] // 2)], axis=1)  # NaN last
    known = np.sum(np.isfinite(coarse), axis=1)
    middle = np.take_along_axis(coarse, np.maximum(known - 1, 0)[:, None] // 2, axis=1)[:, 0]
    return np.where(np.isfinite(middle), middle, 0.0)
