"""What speaks for and against AD: each piece of evidence by its name.

All is in units of one step of the ladder's direction: a slope is the change of the function over
a step of 1. Every array has one entry for each question, a direction and a row of the value.
"""

import dataclasses
import functools

import numpy as np

from gradlab.checking.limits import Floats
from gradlab.checking.sights import FINE, Bools, View

RESOLUTION = 0.05  # a slope known to within this part of itself is known; it is no tolerance
SURE = 1e-3  # part of the slope to which it must be known for a doubt to become an agreement
NEGLIGIBLE = 1e-6  # times `scale`: the rounding of AD itself
EXACT = 1e4  # units in the last place of f: a change over a whole step below this is none
JITTER = 16.0  # times the difference of two modes: an AD below is itself rounding
KINK = 4.0  # times what is immaterial: two sides that differ by less make no kink


@dataclasses.dataclass(frozen=True)
class Claims:
    """What AD says of each question.

    Attributes:
        slope: The derivative along the direction, `(questions,)`.
        spread: The root of the sum of squares of the terms that were added up for it.
        scale: A slope that is small beside this one counts as part of it.
        jitter: By how much two modes of differentiation differ.
        floor: A difference below this is lost beside the largest slope of the leaf.
        material: A relative difference below this does not matter, however sure.
    """

    slope: Floats
    spread: Floats
    scale: Floats
    jitter: Floats
    floor: Floats
    material: float


class Evidence:
    """AD beside what a look at the values shows, with `factor` times the noise that was measured.

    Attributes:
        view: The values.
        claims: What AD says.
        sight: The limits that the values have.
        fd: The slope that they show.
        half: How far from it the slope may be.
    """

    def __init__(self, view: View, claims: Claims, factor: float) -> None:
        """Look."""
        self.view, self.claims, self.sight = view, claims, view.sight(factor)
        self.fd = self.sight.slope.centre
        spread = np.where(np.isfinite(claims.spread), claims.spread, 0.0)
        self.half = np.maximum(self.sight.slope.half, np.sqrt(view.eps) * spread)  # AD rounds, too
        self.difference = np.abs(claims.slope - self.fd)
        self.larger = np.fmax(np.abs(claims.slope), np.abs(self.fd))
        self.own = np.fmax(self.larger, claims.scale)
        behind, ahead = view.sides
        self.edge, self.isolated = behind ^ ahead, ~behind & ~ahead
        self.sides = np.fmax(np.abs(self.sight.left.centre), np.abs(self.sight.right.centre))
        self.immaterial = claims.material * np.fmax(self.sides, self.own)

    # The slope

    @property
    def lost(self) -> Bools:
        """AD is no number."""
        return ~np.isfinite(self.claims.slope)

    @functools.cached_property
    def resolved(self) -> Bools:
        """The slope is known, or known to be small beside what the function does."""
        zero = np.abs(self.claims.slope) <= self.half
        known = self.half <= RESOLUTION * self.own
        return known | ((self.half <= SURE * self.view.typical_slope) & zero)

    @functools.cached_property
    def wrong(self) -> Bools:
        """AD is outside of the interval, by more than what does not matter."""
        enough = np.fmax(self.claims.material * self.larger, self.claims.floor)
        enough = np.fmax(enough, np.sqrt(self.view.eps) * self.view.typical_slope)
        wrong = self.difference - self.half > enough
        # One-sided slopes settle slowly.
        return wrong & (~self.edge | (self.difference > SURE * self.view.typical_slope))

    @property
    def measured(self) -> Bools:
        """There is a slope, whatever AD says."""
        largest = np.fmax(np.abs(self.fd), self.view.typical_slope)
        known = np.isfinite(self.fd) & (self.half <= RESOLUTION * largest)
        return known | self.view.flat | self.unchanged

    @property
    def erratic(self) -> Bools:
        """The slopes of the two sides do not settle, only their mean does."""
        gap = self.sight.gap.half
        erratic = (gap > self.view.typical_slope) & (self.half <= SURE * gap)
        return erratic & self.view.unsettled if np.any(erratic) else erratic

    # Flat or constant: there is no slope to be a part of, and none is needed

    @functools.cached_property
    def unchanged(self) -> Bools:
        """The function changes by no more than its rounding, at any step."""
        return self.view.largest_change <= self.view.rounding

    @functools.cached_property
    def nothing(self) -> Bools:
        """AD is 0 beside the other slopes of its leaf."""
        return np.abs(self.claims.slope) <= NEGLIGIBLE * self.claims.scale

    @functools.cached_property
    def _rounded(self) -> Bools:
        """AD is 0, or nothing but its own rounding."""
        return np.abs(self.claims.slope) <= JITTER * self.claims.jitter

    @functools.cached_property
    def _constant(self) -> Bools:
        """The function does not change, and by what AD says its rounding would hide any change."""
        most = np.abs(self.claims.slope) * self.view.steps[0]
        return self.unchanged & (most <= 2 * self.view.rounding)

    @property
    def hidden(self) -> Bools:
        """AD says a slope that the last place of the function would not show."""
        return self._constant & ~self._rounded

    @functools.cached_property
    def still(self) -> Bools:
        """The function does not change, and AD says so."""
        constant = self._constant & (self._rounded | self.nothing)
        if self.view.eps < FINE:  # a derivative of 0, of a function whose noise is above rounding
            change = (self.larger + self.half) * self.view.steps[0]
            exact = change <= EXACT * self.view.eps * self.view.bulk
            constant |= self._rounded & (self.difference <= self.half) & exact
        return (self.level & self.nothing) | constant

    @functools.cached_property
    def level(self) -> Bools:
        """The function is flat close by, and not by rounding."""
        rise = np.fmax(self.sides, self.larger) * self.view.flat_width
        return self.view.flat & ((rise == 0) | (rise > self.view.rounding))

    @property
    def stairs(self) -> Bools:
        """The function is flat close by, and AD says a slope that would show there."""
        shows = np.abs(self.claims.slope) * self.view.flat_width > self.view.rounding
        return self.level & shows & ~self.still & ~self.wrong

    # Kinks

    @functools.cached_property
    def kink(self) -> Bools:
        """The slopes of the two sides differ."""
        gap = self.sight.gap
        apart = np.abs(gap.centre) - gap.half > KINK * self.immaterial
        return apart & ~self.edge & ~self.level

    @property
    def between(self) -> Bools:
        """AD is between the slopes of the two sides."""
        left, right = self.sight.left, self.sight.right
        low = np.fmin(left.centre - left.half, right.centre - right.half)
        high = np.fmax(left.centre + left.half, right.centre + right.half)
        above = self.claims.slope >= low - self.immaterial
        return above & (self.claims.slope <= high + self.immaterial)

    @property
    def sharp(self) -> Bools:
        """The slopes of the two sides are known better than they differ."""
        return self.sight.left.half + self.sight.right.half < np.abs(self.sight.gap.centre)
