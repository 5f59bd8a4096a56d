"""What a function does as the step goes to nothing: limits, given as intervals.

A finite difference at one step is wrong by an unknown amount. Over a ladder of steps t, t/2, t/4, …
it is wrong in two known ways: truncation shrinks with a power of t, and round-off grows as 1/t.
The noise of the function is measured, truncation is cancelled, and Lepski's rule picks the step.
Everything here is NumPy in float64 on arrays of shape `(questions, steps)`, the coarsest step
first; a value that could not be computed is NaN.
"""

import dataclasses
import functools

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

FINE = 1e-10  # a precision better than this is float64's
ANOTHER = 2.0**20  # times the size of f: a value that differs by more is of quite another size
SPREAD = 2.0  # a rung's interval, in units of the largest error that noise of size σ makes in it
WIDENING = 3.0  # Lepski's rule: the bias of the chosen rung is at most this many half-widths
SLOW = 0.3  # values converge slowly if each difference is more than this part of the last one
FINEST = 12  # rungs on each side from which the noise is measured


@dataclasses.dataclass(frozen=True)
class Interval:
    """`centre ± half`, one for each question; half is infinite where nothing is known."""

    centre: Floats
    half: Floats
    rung: NDArray[np.intp]  # which step decided

    def excludes(self, number: Floats | float) -> NDArray[np.bool_]:
        """Tell where `number` is outside."""
        return np.abs(self.centre - number) > self.half


def noise(behind: Floats, ahead: Floats, floor: Floats) -> Floats:
    """Measure how much the values of a function jitter, σ.

    Two estimates, of which the larger counts: the `floor`, half a unit in the last place of the
    values; and the root mean square of

        (f(t) − 3 f(t/2) + 2 f(t/4)) / √14

    over the finest steps of each side, without the largest tenth. That combination cancels a
    constant and a straight line on each side by itself, so neither a kink nor a jump at the centre
    is taken for noise.

    Args:
        behind: Values at −t, `(questions, steps)`.
        ahead: Values at +t, `(questions, steps)`.
        floor: `(questions,)`.

    Returns:
        σ, `(questions,)`.
    """
    fine = np.stack([behind[:, -FINEST:], ahead[:, -FINEST:]], axis=1)
    jitter = np.abs(fine[..., :-2] - 3 * fine[..., 1:-1] + 2 * fine[..., 2:]) / np.sqrt(14)
    size = np.sort(jitter.reshape(len(floor), -1), axis=1)  # NaN last
    most = np.ceil(0.9 * np.sum(np.isfinite(size), axis=1))[:, None]
    size = np.where(np.arange(size.shape[1]) < most, size, 0.0)
    largest = np.max(size, axis=1, initial=0.0)
    part = size / np.where(largest > 0, largest, 1.0)[:, None]  # so that squares stay finite
    mean = np.sum(part**2, axis=1) / np.maximum(most[:, 0], 1)
    return np.maximum(floor, largest * np.sqrt(mean))


def limit(values: Floats, errors: Floats, powers: tuple[int, ...]) -> Interval:
    """Find the limit of `values` as the step goes to 0, as an interval.

    Richardson's extrapolation cancels the given powers of the step, the leading ones of the
    truncation error. Then the intervals `value ± SPREAD · error` are walked from the finest step,
    whose interval is wide and surely right, to coarser ones, which are narrower, for as long as
    all have a point in common. The last one is as narrow as can be before truncation shows.
    Starting from the fine end is what makes this safe: a kink nearby is met late.

    Args:
        values: `(questions, steps)`.
        errors: The largest error that noise of size σ makes in each value, of the same shape.
        powers: Powers of the step to cancel, in order; the step halves from column to column.

    Returns:
        The narrowest interval, widened by Lepski's factor.

    References:
        Lepski, On a problem of adaptive estimation in Gaussian white noise, 1991.
    """
    for power in powers:
        c = 2.0**power
        values = (c * values[:, 1:] - values[:, :-1]) / (c - 1)
        errors = (c * errors[:, 1:] + errors[:, :-1]) / (c - 1)
    # From here on the finest step comes first.
    values, widths = values[:, ::-1], SPREAD * errors[:, ::-1]
    known = np.isfinite(values) & np.isfinite(widths)
    low = np.maximum.accumulate(np.where(known, values - widths, -np.inf), axis=1)
    high = np.minimum.accumulate(np.where(known, values + widths, np.inf), axis=1)
    walked = np.logical_and.accumulate(low <= high, axis=1) & known
    width = np.where(walked, widths, np.inf)
    best = np.argmin(width, axis=1)
    here = np.arange(len(values)), best
    centre = np.where(np.isfinite(width[here]), values[here], np.nan)
    half = np.fmax(WIDENING * width[here], _remaining(values, best))
    return Interval(centre, half, values.shape[1] - 1 - best)


def _remaining(values: Floats, best: NDArray[np.intp]) -> Floats:
    """Return how far values that converge slowly, as those of √t do, still are from their limit.

    Richardson's extrapolation leaves powers of the step that are not whole. Then the last three
    values differ by d and r d with 0 < r < 1, and what remains is d (r + r² + …), here with d too.
    Where r is all but 1 both may be noise, so that no more than 30 d is added.
    """
    here = np.arange(len(values))
    chosen, next_, last = (values[here, np.maximum(best - k, 0)] for k in range(3))
    d, further = chosen - next_, next_ - last
    r = np.where((best >= 2) & (d != 0), further / np.where(d == 0, 1.0, d), 0.0)
    return np.where((r > SLOW) & (r < 1), 1.5 * np.abs(d) / np.fmax(1 - r, 0.05), 0.0)


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
        eps: Precision in which the function computes.
    """

    steps: Floats
    behind: Floats
    centre: Floats
    ahead: Floats
    size: Floats
    bulk: Floats
    eps: float

    @functools.cached_property
    def sigma(self) -> Floats:
        """How much the values jitter: at least as if f were rounded once."""
        floor = 0.5 * self.eps * np.fmax(self.size, np.abs(self.centre))
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
        """The lower median of the slopes to the points at the coarser half of the steps.

        Those do not count at which f is of quite another size.
        """
        change = np.fmax(*self.changes)
        size = np.fmax(np.abs(self.centre), self.size)[:, None]
        near = (change <= ANOTHER * size) | (size == 0)
        slopes = np.where(near, change, np.nan) / self.steps
        ordered = np.sort(slopes[:, : len(self.steps) // 2], axis=1)  # NaN last
        middle = np.maximum(np.sum(np.isfinite(ordered), axis=1) - 1, 0) // 2
        found = ordered[np.arange(len(ordered)), middle]
        return np.where(np.isfinite(found), found, 0.0)

    @functools.cached_property
    def sides(self) -> tuple[Bools, Bools]:
        """Where the function is finite close by: behind and ahead."""
        number = len(self.steps) // 4
        behind, ahead = (
            np.sum(np.isfinite(side[:, -number:]), axis=1) >= 3
            for side in (self.behind, self.ahead)
        )
        return behind, ahead


@dataclasses.dataclass(frozen=True)
class Claims:
    """What AD says of each question.

    Attributes:
        slope: The derivative along the direction, `(questions,)`.
        spread: The root of the sum of squares of the terms that were added up for it.
        scale: A slope that is small beside this one counts as part of it.
        jitter: By how much two ways to compute it differ.
        material: A relative difference below this does not matter, however sure.
    """

    slope: Floats
    spread: Floats
    scale: Floats
    jitter: Floats
    material: float
