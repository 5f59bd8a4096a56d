"""From what the steps show and what AD says to a verdict: agree, wrong or cannot tell.

All is in units of one step of the direction: a slope is the change of the function over a step of
1. Every array has one entry for each question, a direction and a row of the value.
"""

import dataclasses
import functools

import numpy as np
from numpy.typing import NDArray

from gradlab.checking.intervals import SPREAD, WIDENING, Floats, Interval, limit, noise

Bools = NDArray[np.bool_]
AGREE, CANNOT_TELL, WRONG = "agree", "cannot tell", "wrong"
WORST_FIRST = (WRONG, CANNOT_TELL, AGREE)

FINE = 1e-10  # a precision better than this is float64's
RESOLUTION = 0.05  # a slope known to within this part of itself is known; it is no tolerance
SURE = 1e-3  # a slope is nothing if it is less than this part of what f does at coarse steps
NEGLIGIBLE = 1e-6  # times `scale`: the rounding of AD itself
JITTER = 16.0  # times the difference of two gradients: an AD below is itself rounding
KINK = 4.0  # times what is immaterial: two sides that differ by less make no kink
JUMP = 4.0  # times what may be rounding: a jump of less is none
FINEST = 3  # steps at which a jump must show
FLAT = 6  # so many finest steps without any change on either side: the function is flat here
ANOTHER = 2.0**20  # times the size of f: a value that differs by more is of quite another size
WIDER = (3.0, 9.0, 27.0)  # times the noise that was measured
NARROW = 2.0**-20  # steps narrower than this part of x are rounding, unless the program rounds
HIGHER = (1.0, 8.0, 64.0)  # times the height of the first step that shows
SUDDEN = 2.0**10  # a change that grows by this from one step to the next is no smooth one


@dataclasses.dataclass(frozen=True)
class Values:
    """Values of a function along directions.

    Attributes:
        steps: `(steps,)`, the coarsest first.
        behind: Values at −steps, `(questions, steps)`; NaN where there is none.
        centre: Value at 0, `(questions,)`.
        ahead: Values at +steps.
        size: Size of the terms that were added up for the value, `(questions,)`.
        bulk: The largest such size in the same output.
        reach: Size of x in steps, `(questions,)`.
        eps: Precision in which the function computes.
    """

    steps: Floats
    behind: Floats
    centre: Floats
    ahead: Floats
    size: Floats
    bulk: Floats
    reach: Floats
    eps: float

    @functools.cached_property
    def sigma(self) -> Floats:
        """How much the values jitter: at least as if f, or x, were rounded once."""
        half = len(self.steps) // 2
        by_x = self.reach * _median(np.fmax(*self.changes)[:, half:] / self.steps[half:])
        floor = 0.5 * self.eps * np.fmax(np.fmax(self.size, by_x), np.abs(self.centre))
        return noise(self.behind, self.ahead, floor)

    def with_noise(self, sigma: Floats) -> "Values":
        """Return the same values of a function that jitters by at least so much, `(questions,)`."""
        size = np.where(sigma > self.sigma, 2 * sigma / self.eps, 0.0)
        return dataclasses.replace(
            self, size=np.fmax(self.size, size), bulk=np.fmax(self.bulk, size)
        )

    @functools.cached_property
    def changes(self) -> tuple[Floats, Floats]:
        """How much the values differ from the one in the centre, behind and ahead."""
        centre = self.centre[:, None]
        return np.abs(self.behind - centre), np.abs(self.ahead - centre)

    @functools.cached_property
    def rounding(self) -> Floats:
        """A change of this size may be rounding."""
        units = 32 if self.eps < FINE else 2  # few coarse units are a change worth seeing
        return units * self.eps * np.fmax(self.bulk, np.abs(self.centre))

    @functools.cached_property
    def flat_width(self) -> Floats:
        """The coarsest step up to which nothing changes on either side; at least the finest."""
        behind, ahead = self.changes
        still = (behind == 0) & (ahead == 0)
        run = np.logical_and.accumulate(still[:, ::-1], axis=1)[:, ::-1]
        return np.max(np.where(run, self.steps, self.steps[-1]), axis=1)

    @functools.cached_property
    def typical_slope(self) -> Floats:
        """The median slope to the points at the coarser half of the steps.

        Those do not count at which f is of quite another size.
        """
        change = np.fmax(*self.changes)
        size = np.fmax(np.abs(self.centre), self.size)[:, None]
        near = (change <= ANOTHER * size) | (size == 0)
        secants = np.where(near, change, np.nan) / self.steps
        return _median(secants[:, : max(1, secants.shape[1] // 2)])

    @functools.cached_property
    def sides(self) -> tuple[Bools, Bools]:
        """Where the function is finite close by: behind and ahead."""
        number = max(6, len(self.steps) // 4)
        behind, ahead = (
            np.sum(np.isfinite(side[:, -number:]), axis=1) >= 3
            for side in (self.behind, self.ahead)
        )
        return behind, ahead


def _median(numbers: Floats) -> Floats:
    """Return the lower median of each row without its NaN, 0 where nothing else is in it."""
    ordered = np.sort(numbers, axis=1)  # NaN last
    known = np.sum(np.isfinite(ordered), axis=1)
    place = np.maximum(known - 1, 0)[:, None] // 2
    middle = np.take_along_axis(ordered, place, axis=1)[:, 0]
    return np.where(np.isfinite(middle), middle, 0.0)


@dataclasses.dataclass(frozen=True)
class Claims:
    """What AD says of each question.

    Attributes:
        slope: The derivative along the direction, `(questions,)`.
        spread: The root of the sum of squares of the terms that were added up for it.
        scale: A slope that is small beside this one counts as part of it.
        jitter: By how much two ways to compute it differ.
        floor: A difference below this is lost beside the largest slope of the leaf.
        material: A relative difference below this does not matter, however sure.
    """

    slope: Floats
    spread: Floats
    scale: Floats
    jitter: Floats
    floor: Floats
    material: float


@dataclasses.dataclass(frozen=True)
class Answers:
    """One verdict and its cause for each question, and the interval it rests on.

    `left` and `right` are the slopes of the two sides, `clean` tells where AD agrees and the slope
    is known, `within` where AD is inside of the interval.
    """

    verdict: NDArray[np.str_]
    cause: NDArray[np.str_]
    fd: Floats
    half: Floats
    rung: NDArray[np.intp]
    left: Floats
    right: Floats
    sharp: Bools
    clean: Bools
    within: Bools


@dataclasses.dataclass(frozen=True)
class Stairs:
    """Steps of a function nearby: where there seem to be some, and the slope above them."""

    found: Bools
    rung: NDArray[np.intp]  # the finest step at which they show
    height: Floats
    above: Interval


def judge(values: Values, claims: Claims) -> Answers:
    """Answer every question.

    What noise leaves open is asked again with more noise than was measured, because the noise of
    two dozen values close by may be less than that of those farther away.
    """
    with np.errstate(all="ignore"):  # NaN stands for values that are not there
        answers = _judge(values, claims, 1.0)
        for factor in WIDER if values.eps < FINE else ():
            if not np.any(answers.cause == "noise"):
                break
            again = _judge(values, claims, factor)
            better = (answers.cause == "noise") & (again.verdict != CANNOT_TELL)
            answers = taken(answers, again, better)
        return answers


def taken(answers: Answers, others: Answers, where: Bools) -> Answers:
    """Return answers with some of them replaced by others."""
    names = [field.name for field in dataclasses.fields(Answers)]
    pairs = ((name, getattr(others, name), getattr(answers, name)) for name in names)
    return Answers(**{name: np.where(where, new, old) for name, new, old in pairs})


def _judge(v: Values, claims: Claims, factor: float) -> Answers:
    t, f0 = v.steps, v.centre[:, None]
    ad = np.where(np.isfinite(claims.slope), claims.slope, 0.0)
    line, sigma = ad[:, None] * t, factor * v.sigma[:, None]
    # What is left of f when the tangent that AD says is taken away, and its error.
    rise, fall = (v.ahead - f0) - line, (f0 - v.behind) - line
    rise_error = 2 * sigma + 2 * v.eps * np.abs(v.ahead)
    fall_error = 2 * sigma + 2 * v.eps * np.abs(v.behind)
    left, right = limit(fall / t, fall_error / t, (1, 2)), limit(rise / t, rise_error / t, (1, 2))
    mean = limit((rise + fall) / (2 * t), (rise_error + fall_error) / (2 * t), (2,))
    behind, ahead = v.sides
    edge, isolated = behind ^ ahead, ~behind & ~ahead

    def one_sided(both: Floats, behind: Floats, ahead_: Floats) -> Floats:
        return np.where(edge, np.where(ahead, ahead_, behind), both)

    error = one_sided(mean.centre, left.centre, right.centre)  # FD − AD
    half = one_sided(mean.half, left.half, right.half)
    spread = np.where(np.isfinite(claims.spread), claims.spread, 0.0)
    half = np.fmax(half, np.sqrt(v.eps) * spread)  # AD rounds, too
    fd, difference = ad + error, np.abs(error)

    # How much matters.
    larger = np.fmax(np.abs(ad), np.abs(fd))
    own = np.fmax(larger, claims.scale)
    sides = np.fmax(np.abs(ad + left.centre), np.abs(ad + right.centre))
    negligible = np.sqrt(v.eps) * v.typical_slope
    immaterial = np.fmax(claims.material * np.fmax(sides, own), negligible)
    enough = np.fmax(np.fmax(claims.material * larger, claims.floor), negligible)

    # The slope: known, or known to be small beside what the function does; and AD outside of it.
    known = half <= RESOLUTION * own
    known |= (half <= SURE * v.typical_slope) & (np.abs(ad) <= half)
    wrong = difference - half > enough

    # Flat: nothing changes close by, and not by rounding; or nothing changes at all.
    behind_change, ahead_change = v.changes
    finest = np.fmax(behind_change, ahead_change)[:, -FLAT:]
    flat = np.all((behind_change[:, -FLAT:] == 0) & (ahead_change[:, -FLAT:] == 0), axis=1)
    flat &= finest.shape[1] == FLAT
    shown = np.fmax(sides, larger) * v.flat_width
    level = flat & ((shown == 0) | (shown > v.rounding))
    nothing = np.abs(ad) <= NEGLIGIBLE * claims.scale
    rounded = np.abs(ad) <= JITTER * claims.jitter
    largest = np.max(np.nan_to_num(np.fmax(behind_change, ahead_change), posinf=0), axis=1)
    unchanged = largest <= v.rounding
    constant = unchanged & (np.abs(ad) * t[0] <= 2 * v.rounding)
    still = (level & nothing) | (constant & (rounded | nothing))

    # Kinks and jumps.
    gap = right.centre - left.centre
    unsure = left.half + right.half
    kink = (np.abs(gap) - unsure > KINK * immaterial) & ~edge & ~level
    low = np.fmin(left.centre - left.half, right.centre - right.half) - immaterial
    high = np.fmax(left.centre + left.half, right.centre + right.half) + immaterial
    between = (low <= 0) & (high >= 0)
    jump = np.zeros(len(ad), np.bool_)
    for change, its_error in ((rise, rise_error), (fall, fall_error)):
        height = limit(change, its_error, (1,))
        high = np.all(np.abs(change[:, -FINEST:]) > JUMP * v.rounding[:, None], axis=1)
        jump |= height.excludes(0.0) & high

    lost = ~np.isfinite(claims.slope)
    measured = np.isfinite(fd) & (half <= RESOLUTION * np.fmax(np.abs(fd), v.typical_slope))
    verdict = np.full(len(ad), CANNOT_TELL, dtype="<U11")
    cause = np.full(len(ad), "noise", dtype="<U16")

    def say(where: Bools, what: str, why: str) -> None:
        verdict[where], cause[where] = what, why

    # The later, the stronger.
    say(constant & ~rounded, CANNOT_TELL, "hidden")
    say(known | still, AGREE, "")
    say(known & (difference > half), AGREE, "immaterial")
    say(wrong & ~still, WRONG, "slope")
    sides_differ = limit((rise - fall) / t, (rise_error + fall_error) / t, (1,)).half
    half_of_steps = len(t) // 2
    apart = np.abs(rise - fall) > 4 * (rise_error + fall_error)  # not by noise
    erratic = np.mean(apart[:, half_of_steps:], axis=1) > 0.5
    erratic &= (sides_differ > v.typical_slope) & (half <= SURE * sides_differ)
    say(erratic & (verdict == AGREE) & ~still, CANNOT_TELL, "erratic")
    say(edge & ~wrong, CANNOT_TELL, "edge")
    say(kink & between, CANNOT_TELL, "kink")
    say(kink & ~between, WRONG, "kink")
    say(jump, CANNOT_TELL, "jump")
    say(lost, CANNOT_TELL, "nan")
    say(lost & (measured | flat | unchanged) & ~edge & ~jump, WRONG, "nan")
    say(lost & kink & (unsure < np.abs(gap)), WRONG, "nan")
    sharp = kink & (unsure < RESOLUTION * np.abs(gap))
    say(isolated, CANNOT_TELL, "isolated")
    say(~np.isfinite(v.centre), CANNOT_TELL, "value")
    return Answers(
        verdict, cause, fd, half, mean.rung, ad + left.centre, ad + right.centre, sharp,
        clean=(verdict == AGREE) & known, within=difference <= half,
    )  # fmt: skip


def stairs(v: Values, answers: Answers) -> Stairs:
    """Look for steps nearby: what remains of f beside its finest slope appears all at once.

    Of a smooth function it grows with a power of the step. At a kink it grows from nothing, too,
    so whoever asks must look closer at the step between two rungs.
    """
    with np.errstate(all="ignore"):
        t, f0 = v.steps, v.centre[:, None]
        line = np.where(np.isfinite(answers.fd), answers.fd, 0.0)[:, None] * t
        rest = np.fmax(np.abs(v.ahead - f0 - line), np.abs(f0 - v.behind - line))
        quiet = np.fmax(v.sigma, np.fmax(v.rounding / 2, 0))[:, None]
        sudden = rest[:, :-1] > SUDDEN * np.fmax(np.nan_to_num(rest[:, 1:]), quiet)
        sudden &= np.isfinite(rest[:, 1:])
        number = sudden.shape[1]
        rung = number - 1 - np.argmax(sudden[:, ::-1], axis=1)
        height = rest[np.arange(len(rest)), rung]
        coarse = np.arange(len(t)) <= rung[:, None]
        quotient = np.where(coarse, (v.ahead - v.behind) / (2 * t), np.nan)
        nothing = np.zeros(len(rest))
        above, found = Interval(nothing, nothing + np.inf, rung), nothing > 0
        for factor in HIGHER:  # the first step to show need not be the highest
            next_ = limit(quotient, factor * height[:, None] / (4 * t), (2,))
            other = np.abs(next_.centre - answers.fd) > next_.half + answers.half
            better = other & (next_.half <= above.half)
            above = Interval(*(
                np.where(better, new, old)
                for new, old in zip(dataclasses.astuple(next_), dataclasses.astuple(above), strict=True)
            ))
            found |= better
        return Stairs(np.any(sudden, axis=1) & found, rung, height, above)


def with_stairs(answers: Answers, claims: Claims, steps: Stairs, narrow: Bools) -> Answers:
    """Say of steps nearby what can be said of them.

    Args:
        answers: What was said without them.
        claims: What AD says.
        steps: The steps.
        narrow: Where the steps are so narrow that they are the rounding of numbers on the way.
    """
    with np.errstate(all="ignore"):
        verdict, cause = answers.verdict.copy(), answers.cause.copy()
        above = steps.above
        room = above.half + claims.material * np.abs(above.centre)
        fits = np.abs(claims.slope - above.centre) <= room
        told = steps.found & (fits | (verdict == AGREE))
        verdict[told], cause[told] = CANNOT_TELL, "stairs"
        known = told & fits & narrow & (above.half <= RESOLUTION * np.abs(above.centre))
        verdict[known], cause[known] = AGREE, "rounded"
        return dataclasses.replace(
            answers, verdict=verdict, cause=cause,
            fd=np.where(known, above.centre, answers.fd),
            half=np.where(known, above.half, answers.half),
            clean=(answers.clean & ~steps.found) | known,
            within=np.where(known, np.abs(claims.slope - above.centre) <= above.half, answers.within),
        )  # fmt: skip
