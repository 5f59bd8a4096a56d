"""What the ladder shows of a function, before anybody says what its derivative is."""

import dataclasses
import functools

import numpy as np
from numpy.typing import NDArray

from gradlab.checking.limits import PATIENT, Floats, Interval, limit, limits, noise

Bools = NDArray[np.bool_]
FINE = 1e-10  # a precision better than this is float64's
JUMP = 4.0  # times what may be rounding: a jump of less is none
PLATEAU = 6  # so many finest steps without any change on either side: the function is flat here


@dataclasses.dataclass(frozen=True)
class View:
    """Values of a function along directions; one question for each direction and row.

    Attributes:
        steps: `(steps,)`, the coarsest first.
        behind: Values at −steps, `(questions, steps)`; NaN where there is none.
        centre: Value at 0, `(questions,)`.
        ahead: Values at +steps.
        size: Size of the terms that were added up for the value, `(questions,)`.
        bulk: The largest such size in the same leaf of the value.
        eps: Precision in which the function computes.
        rounds: Whether the program rounds to whole numbers.
    """

    steps: Floats
    behind: Floats
    centre: Floats
    ahead: Floats
    size: Floats
    bulk: Floats
    eps: float
    rounds: bool

    @functools.cached_property
    def sigma(self) -> Floats:
        """How much the values jitter."""
        floor = 0.5 * self.eps * np.maximum(self.size, np.abs(self.centre))
        return noise(self.behind, self.centre, self.ahead, floor)

    @functools.cached_property
    def changes(self) -> tuple[Floats, Floats]:
        """How much the values differ from the one in the centre, behind and ahead."""
        centre = self.centre[:, None]
        return np.abs(self.behind - centre), np.abs(self.ahead - centre)

    @functools.cached_property
    def largest_change(self) -> Floats:
        """The largest change at any step."""
        both = np.maximum(*(np.where(np.isfinite(c), c, 0.0) for c in self.changes))
        return np.max(both, axis=1, initial=0.0)

    @functools.cached_property
    def rounding(self) -> Floats:
        """A change of this size may be rounding."""
        units = 32 if self.eps < FINE else 2  # few coarse units are a change worth seeing
        return units * self.eps * np.fmax(self.bulk, np.abs(self.centre))

    @functools.cached_property
    def unit(self) -> Floats:
        """Half a unit in the last place of the largest terms."""
        return 0.5 * self.eps * np.fmax(self.bulk, np.abs(self.centre))

    @functools.cached_property
    def flat(self) -> Bools:
        """Where the finest steps change nothing at all, on either side."""
        behind, ahead = self.changes
        if len(self.steps) < PLATEAU:
            return np.zeros(len(behind), np.bool_)
        return np.all((behind[:, -PLATEAU:] == 0) & (ahead[:, -PLATEAU:] == 0), axis=1)

    @functools.cached_property
    def flat_width(self) -> Floats:
        """The coarsest step up to which nothing changes on either side; at least the finest."""
        behind, ahead = self.changes
        still = (behind == 0) & (ahead == 0)
        run = np.logical_and.accumulate(still[:, ::-1], axis=1)[:, ::-1]
        return np.max(np.where(run, self.steps, self.steps[-1]), axis=1)

    @functools.cached_property
    def typical_slope(self) -> Floats:
        """The median slope to the points at the coarser half of the steps."""
        secants = np.fmax(*self.changes) / self.steps
        coarse = np.sort(secants[:, : max(1, secants.shape[1] // 2)], axis=1)  # NaN last
        known = np.sum(np.isfinite(coarse), axis=1)
        place = np.maximum(known - 1, 0)[:, None] // 2
        middle = np.take_along_axis(coarse, place, axis=1)[:, 0]
        return np.where(np.isfinite(middle), middle, 0.0)

    @functools.cached_property
    def sides(self) -> tuple[Bools, Bools]:
        """Where the function is finite close by: behind and ahead."""
        number = max(6, len(self.steps) // 4)
        behind, ahead = (
            np.sum(np.isfinite(side[:, -number:]), axis=1) >= 3
            for side in (self.behind, self.ahead)
        )
        return behind, ahead

    @functools.cached_property
    def step(self) -> Bools:
        """Where the finest values are the same on each side, but not those on both sides."""
        if len(self.steps) < PLATEAU:
            return np.zeros(len(self.centre), np.bool_)
        behind, ahead = self.behind[:, -PLATEAU:], self.ahead[:, -PLATEAU:]
        level = np.all((behind == behind[:, :1]) & (ahead == ahead[:, :1]), axis=1)
        high = np.fmax(np.abs(ahead[:, 0] - self.centre), np.abs(behind[:, 0] - self.centre))
        return level & (high > JUMP * self.rounding)

    @functools.cached_property
    def unsettled(self) -> Bools:
        """Where the slopes of the two sides differ by an unknown amount, noise or not."""
        t, centre, sigma = self.steps, self.centre[:, None], self.sigma[:, None]
        gap = (self.ahead - 2 * centre + self.behind) / t
        return limit(gap, 4 * sigma / t, (1,), PATIENT).half > self.typical_slope

    def with_noise(self, sigma: Floats) -> "View":
        """Return the same view of a function that jitters by at least so much, `(questions,)`."""
        size = np.where(sigma > self.sigma, 2 * sigma / self.eps, 0.0)
        return dataclasses.replace(
            self, size=np.fmax(self.size, size), bulk=np.fmax(self.bulk, size)
        )

    def without_finest(self, number: int) -> "View":
        """Return the same view without the finest steps."""
        fields = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        for name in ("steps", "behind", "ahead"):
            fields[name] = fields[name][..., :-number]
        return View(**fields)

    def sight(self, factor: float = 1.0) -> "Sight":
        """Look with `factor` times the measured noise; the same look is taken once."""
        known = self.__dict__.setdefault("_sights", {})
        if factor not in known:
            known[factor] = _look(self, factor * self.sigma, patient=factor == 1.0)
        return known[factor]


@dataclasses.dataclass(frozen=True)
class Sight:
    """The limits that answer the questions, as intervals.

    Attributes:
        slope: Of the function; one-sided at the edge of its domain.
        left: The slope behind.
        right: The slope ahead.
        gap: right − left, from its own limit: not 0 at a kink.
        jump: Where the function has another limit than its value.
    """

    slope: Interval
    left: Interval
    right: Interval
    gap: Interval
    jump: Bools


def _look(view: View, sigma: Floats, *, patient: bool) -> Sight:
    t, centre, at_centre = view.steps, view.centre[:, None], sigma[:, None]
    at_ahead = at_centre + 2 * view.eps * np.abs(view.ahead)
    at_behind = at_centre + 2 * view.eps * np.abs(view.behind)
    rise, fall = view.ahead - centre, centre - view.behind
    rise_error, fall_error = at_ahead + at_centre, at_behind + at_centre
    rooms = PATIENT if patient else (1.0,)
    quotient, error = (view.ahead - view.behind) / (2 * t), (at_ahead + at_behind) / (2 * t)
    central = limit(quotient, error, (2,), rooms)
    left, right = limits([fall / t, rise / t], [fall_error / t, rise_error / t], (1, 2))
    gap, *heights = limits(
        [(rise - fall) / t, rise, fall],
        [(rise_error + fall_error) / t, rise_error, fall_error],
        (1,),
    )
    jump = np.zeros(len(sigma), np.bool_)
    for height in heights:
        jump |= height.excludes(0.0) & (np.abs(height.centre) > JUMP * view.rounding)
    behind, ahead = view.sides
    edge = behind ^ ahead
    slope = central if not edge.any() else _where(edge, _where(ahead, right, left), central)
    return Sight(slope, left, right, gap, jump)


def _where(condition: Bools, first: Interval, second: Interval) -> Interval:
    pairs = zip(dataclasses.astuple(first), dataclasses.astuple(second), strict=True)
    return Interval(*(np.where(condition, one, other) for one, other in pairs))
