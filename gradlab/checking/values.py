"""What is known of a function along directions: its values, and the slopes that AD claims.

All is in units of one step of the direction: a slope is the change of the function over a step of
1. Every array has one entry for each question, a direction and a row of the value.
"""

import dataclasses
import functools

import numpy as np
from numpy.typing import NDArray

from gradlab.checking.intervals import Floats, noise

Bools = NDArray[np.bool_]
FINE = 1e-10  # a precision better than this is float64's
ANOTHER = 2.0**20  # times the size of f: a value that differs by more is of quite another size


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
