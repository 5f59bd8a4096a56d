"""What a function does as the step goes to nothing: limits, given as intervals.

A finite difference at one step is wrong by an unknown amount. Over a ladder of steps t, t/2, t/4, …
it is wrong in two known ways: truncation shrinks with a power of t, and round-off grows as 1/t.
The noise of the function is measured, truncation is cancelled, and Lepski's rule picks the step.
Everything here is NumPy in float64 on arrays of shape `(questions, steps)`, the coarsest step
first; a value that could not be computed is NaN.
"""

import dataclasses

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

SPREAD = 2.0  # a rung's interval, in units of the largest error that noise of size σ makes in it
WIDENING = 3.0  # Lepski's rule: the bias of the chosen rung is at most this many half-widths
SLOW = 0.3  # values whose differences shrink by less than this at every step converge slowly
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
    constant and a straight line on each side by itself, so neither a kink nor a jump at the
    centre is taken for noise.

    Args:
        behind: Values at −t, `(questions, steps)`.
        ahead: Values at +t, `(questions, steps)`.
        floor: `(questions,)`.

    Returns:
        σ, `(questions,)`.
    """
    jitters = []
    for side in (behind, ahead):
        fine = side[:, -FINEST:]
        if fine.shape[1] >= 3:
            jitters.append((fine[:, :-2] - 3 * fine[:, 1:-1] + 2 * fine[:, 2:]) / np.sqrt(14))
    jitter = np.zeros_like(floor)
    if jitters:
        size = np.sort(np.abs(np.concatenate(jitters, axis=1)), axis=1)  # NaN last
        known = np.sum(np.isfinite(size), axis=1)
        kept = np.arange(size.shape[1]) < np.ceil(0.9 * known)[:, None]
        size = np.where(kept, size, 0.0)
        largest = np.max(size, axis=1, initial=0.0)
        part = size / np.where(largest > 0, largest, 1.0)[:, None]  # so that squares stay finite
        mean = np.sum(part**2, axis=1) / np.maximum(kept.sum(axis=1), 1)
        jitter = largest * np.sqrt(mean)
    return np.maximum(floor, jitter)


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
    """
    here = np.arange(len(values))
    chosen, next_, last = (values[here, np.maximum(best - k, 0)] for k in range(3))
    d, further = chosen - next_, next_ - last
    r = np.where((best >= 2) & (d != 0), further / np.where(d == 0, 1.0, d), 0.0)
    return np.where((r > SLOW) & (r < 1), 1.5 * np.abs(d) / np.fmax(1 - r, 0.05), 0.0)
