"""What is to be checked, made ready: its programs, its derivatives, and the scales to judge by."""

import dataclasses
import functools
import textwrap
from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np

from gradlab.checking.arguments import Arguments, Leaf
from gradlab.checking.intervals import FINE, Floats
from gradlab.checking.jaxprs import Survey
from gradlab.checking.programs import MOST_POINTS
from gradlab.checking.steps import Direction

MATERIAL = 2e-5  # a relative difference below this is immaterial: an adjoint, a solver's tolerance
RUNS, SIGNS, FAR = 8, 61, 2.0**20  # runs with results moved by ±1 or ±FAR units; signs repeat


@dataclasses.dataclass
class Subject:
    """A function at a point, with all that a search for a wrong derivative needs.

    Attributes:
        arguments: Where it is to be differentiated.
        programs: Its programs, in float64 if they can be had.
        own: Its programs in the user's own dtypes; None if f has no program.
        x: The coordinates, end to end, `(coordinates,)`.
        bases: Numbers by which they move, `(2, coordinates)`.
        modes: The modes that have a derivative: of `rev`, `fwd` and `grad`.
        first: The directions that are asked about first.
        notes: Remarks for the report.
        value: The rows of the value at x, `(rows,)`.
        size: Size of the terms of each row, `(rows,)`.
        primal: The rows of the value as the gradient program has it.
        gradients: Of reverse mode or by hand, `(rows, coordinates)`; NaN where there is none.
        own_gradients: The same in the user's own dtypes.
        own_slopes: The slopes along the first directions in the user's own dtypes.
        own_value: The outputs in the user's own dtypes.
        looked: Values that are known already, by directions and steps.
        slopes: Slopes of forward mode that are known already.
        scales: The largest slope of each leaf, once it was asked for.
    """

    arguments: Arguments
    programs: Any
    own: Any
    x: Floats
    bases: Floats
    modes: list[str]
    first: list[Direction]
    notes: list[str]
    value: Floats
    size: Floats
    primal: Floats
    looked: dict[Any, Floats]
    slopes: dict[Direction, Floats]
    gradients: dict[str, Floats] = dataclasses.field(default_factory=dict)
    own_gradients: dict[str, Floats] = dataclasses.field(default_factory=dict)
    own_slopes: Floats | None = None
    own_value: Floats | None = None
    scales: dict[str, Floats] = dataclasses.field(default_factory=dict)

    @property
    def leaves(self) -> tuple[Leaf, ...]:
        """The leaves that are differentiated and have elements."""
        return tuple(leaf for leaf in self.arguments.leaves if leaf.size)

    @property
    def eps(self) -> float:
        """Distance from 1 to the next number in the coarsest precision on the way."""
        return float(self.programs.eps)

    @property
    def user_eps(self) -> float:
        """The same of the arguments, as the user has them."""
        return max(float(jnp.finfo(real.dtype).eps) for real in self.arguments.reals)

    @property
    def survey(self) -> Survey:
        """What a look over the program has found."""
        found: Survey = self.programs.survey
        return found

    @property
    def traced(self) -> Any:
        """Its traced programs, or None."""
        return self.programs.traced

    @property
    def sharp(self) -> bool:
        """Tell whether a projection can see one wrong element among thousands."""
        return self.eps < FINE

    def not_looked_for(self, cause: str, error: Exception) -> None:
        """Note that a cause could not be looked for, and why."""
        note = f"{cause} could not be looked for, because of {type(error).__name__}: {said(error)}"
        if note not in self.notes:
            self.notes.append(note)

    def values(self, directions: Sequence[Direction], which: Any, steps: Floats) -> Floats:
        """Return the rows of the value at x + step · direction, `(points, rows)`."""
        key = tuple(directions), which.tobytes(), steps.tobytes()
        if key in self.looked:
            return self.looked[key]
        found = []
        for first in range(0, len(steps), MOST_POINTS):
            part = slice(first, first + MOST_POINTS)
            at = which[part], steps[part]
            found.append(self.programs.look(self.bases, directions, at)[0])
        return np.concatenate(found)

    def along(self, mode: str, directions: Sequence[Direction]) -> tuple[Floats, Floats]:
        """Return the slopes along directions and the size of their terms, `(directions, rows)`.

        They are NaN in a leaf that has no derivative in this mode.
        """
        if mode == "fwd":
            new = [d for d in directions if d not in self.slopes]
            if new:
                found = self.programs.look(self.bases, new, slopes=True)[2]
                self.slopes.update(zip(new, found, strict=True))
            slopes = np.stack([self.slopes[d] for d in directions])
            slopes[["fwd" not in self.modes_of(self.leaf_of(d)) for d in directions]] = np.nan
            return slopes, np.abs(slopes)
        sums, spreads = [], []
        for d in directions:
            with np.errstate(invalid="ignore", over="ignore"):
                own = self.gradients[mode][:, d.start : d.stop]
                terms = own * self.bases[d.base, d.start : d.stop]
                largest = np.max(np.abs(terms), axis=1, initial=0.0, keepdims=True)
                scaled = terms / np.where(largest > 0, largest, 1.0)  # so that squares stay finite
                sums.append(terms.sum(axis=1))
                spreads.append(largest[:, 0] * np.sqrt(np.sum(scaled**2, axis=1)))
        return np.stack(sums), np.stack(spreads)

    def largest(self, leaf: Leaf) -> Floats:
        """Return for each row the largest slope in a leaf along one step, 0 if nobody knows."""
        if leaf.path not in self.scales:
            found = np.zeros(len(self.size))
            for gradient in self.gradients.values():  # of reverse mode, or by hand
                own = slice(leaf.start, leaf.stop)
                terms = np.abs(gradient[:, own]) * self.bases[0, own]
                found = np.max(np.where(np.isfinite(terms), terms, 0.0), axis=1, initial=0.0)
            self.scales[leaf.path] = self.over_output(found)
        return self.scales[leaf.path]

    def leaf_of(self, direction: Direction) -> Leaf:
        """Return the leaf that a direction moves, or the first of several."""
        return next(leaf for leaf in self.leaves if leaf.start <= direction.start < leaf.stop)

    @functools.cached_property
    def perturbed(self) -> tuple[Floats, Floats | None]:
        """The rows and their gradients, `(runs, …)`, with rounding on the way made larger."""
        signs, rows = np.random.default_rng(0).choice([-1.0, 1.0], (RUNS, SIGNS)), len(self.value)
        if self.traced is None:
            return np.zeros((2 * RUNS, rows)), None
        try:
            values, gradients = self.programs.perturbed(np.concatenate([signs, FAR * signs]))
        except Exception as error:
            self.not_looked_for("rounding on the way", error)
            return np.zeros((2 * RUNS, rows)), None
        weights = self.programs.rows
        values = values if weights is None else values @ weights.T
        if len(gradients) < len(self.arguments.reals):
            return values, None
        return values, np.concatenate([g.reshape(2 * RUNS, rows, -1) for g in gradients], axis=2)

    def rounding(self, directions: Sequence[Direction]) -> tuple[Floats, Floats]:
        """Return by how much rounding on the way moves f, and AD along directions.

        (1 − cos x) / x² is close to ½ where x is close to 0, but at 1e-5 the cosine, rounded to
        1e-16, leaves only six digits of it, and the value itself does not show that.

        Returns:
            `(rows,)` and `(directions, rows)`; 0 where nobody can tell.
        """
        values, gradients = self.perturbed
        if gradients is None:
            return _spread(values), np.zeros((len(directions), len(self.value)))
        bases = [(d, self.bases[d.base, d.start : d.stop]) for d in directions]
        along = [_spread(gradients[..., d.start : d.stop] @ base) for d, base in bases]
        return _spread(values), np.stack(along)

    def modes_of(self, leaf: Leaf) -> list[str]:
        """Return the modes that have a derivative with respect to a leaf."""
        number = self.arguments.leaves.index(leaf)
        return [mode for mode in self.modes if number not in self.programs.raised.get(mode, ())]

    def over_output(self, numbers: Floats) -> Floats:
        """Return for each row the largest of the numbers in its output."""
        paths = [p.removesuffix(".imag").removesuffix(".real") for p, _ in self.programs.outputs]
        owner = np.array([paths.index(path) for path in paths])[self.programs.owner]
        largest = np.zeros(len(paths))
        np.maximum.at(largest, owner, np.where(np.isfinite(numbers), numbers, 0.0))
        return largest[owner]


def _spread(found: Floats) -> Floats:
    """Return the standard deviation over runs if it is that of rounding, or 0.

    Half of the runs have more of it: rounding moves f by so much more then, a branch does not.
    """
    with np.errstate(all="ignore"):
        size = np.max(np.abs(found), axis=0)
        part = found / np.where(size > 0, size, 1.0)  # so that squares stay finite
        near, far = np.std(part[:RUNS], axis=0), np.std(part[RUNS:], axis=0) / FAR
        return np.where(near <= 4 * far, np.fmin(near, far) * size, 0.0)


def said(error: Exception) -> str:
    """Return the first line of what an error says, in whole words, without a full stop."""
    lines = str(error).strip().split("\n")
    text = lines[0] or type(error).__name__
    return textwrap.shorten(text, 160, placeholder=" …").rstrip(".:")
