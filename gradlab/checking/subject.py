"""What is to be checked, made ready: its values, its derivatives, and the scales to judge by."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np
from numpy.typing import NDArray

from gradlab.checking.coordinates import Leaf
from gradlab.checking.ladder import Direction
from gradlab.checking.lifting import Traced
from gradlab.checking.limits import Floats
from gradlab.checking.progress import Tell
from gradlab.checking.sights import FINE

PROJECTIONS = 1  # random directions for each leaf; two wrong elements cancel almost never
LOST = 2.0**-36  # of a leaf's largest slope: what AD may lose by rounding terms that cancel
STOPPED = 2.0**-24  # the same where f may stop at a tolerance: half a unit of float32
MATERIAL = 2e-5  # a relative difference below this is immaterial: an adjoint, a solver's tolerance


@dataclasses.dataclass(frozen=True)
class Derivatives:
    """What AD says: the gradient of each row of the value, or its slopes along directions.

    Attributes:
        mode: `rev`, `fwd` or `grad`.
        gradient: `(rows, coordinates)`; None for forward mode, which has `along` instead.
        along: Takes directions, returns the slopes along them, `(directions, rows)`.
    """

    mode: str
    gradient: Floats | None
    along: Callable[[Sequence[Direction]], Floats] | None = None


@dataclasses.dataclass(frozen=True)
class Native:
    """The gradient in the dtypes of the arguments, beside that in float64."""

    gradient: Floats
    value: Floats


@dataclasses.dataclass
class Subject:
    """A function at a point, with all that a search for a wrong derivative needs.

    Attributes:
        leaves: The leaves that can be differentiated.
        x: Their coordinates, end to end, `(coordinates,)`.
        bases: Numbers by which they move, `(1 + PROJECTIONS, coordinates)`.
        evaluate: Values at points; see `climb`.
        derivatives: What AD says, one for each mode.
        value: The rows of the value at x, `(rows,)`.
        size: Size of the terms of each row of the value, `(rows,)`.
        owner: For each row, the output leaf that it is from.
        traced: The function.
        reals: Coordinates as `traced` takes them.
        carried: Other arrays as `traced` takes them.
        user_eps: Coarsest precision of the arguments.
        native: The gradient in the caller's dtypes, where f was lifted out of them.
        notes: Remarks for the report.
        tell: Takes words on what is being done, for somebody who waits.
    """

    leaves: tuple[Leaf, ...]
    x: Floats
    bases: Floats
    evaluate: Callable[[Sequence[Direction], NDArray[np.intp], Floats], Floats]
    derivatives: list[Derivatives]
    value: Floats
    size: Floats
    owner: NDArray[np.intp]
    rows: Any
    traced: Traced
    reals: list[Any]
    carried: list[Any]
    user_eps: float
    native: Native | None
    notes: list[str]
    tell: Tell
    rounding_noise: Floats | None = None  # of the rows, once it has been measured
    scales: dict[str, Floats] = dataclasses.field(default_factory=dict)
    programs: dict[str, Callable[..., Any]] = dataclasses.field(default_factory=dict)

    @property
    def sharp(self) -> bool:
        """Tell whether a projection can see one wrong element among thousands."""
        return self.traced.eps < FINE

    @property
    def material(self) -> float:
        """Return the relative difference below which one does not matter."""
        return max(self.traced.eps**0.5, MATERIAL)

    @property
    def lost(self) -> float:
        """Return the part of `scale` that is lost beside a leaf's largest slope."""
        if not self.sharp:
            return 4 * self.traced.eps ** (2 / 3)
        return (STOPPED if self.traced.approximates else LOST) / self.user_eps**0.5

    def not_looked_for(self, cause: str, error: Exception) -> None:
        """Note that a cause could not be looked for, and why."""
        reason = str(error).strip().split("\n")[0][:90]
        note = f"{cause} could not be looked for, because of {type(error).__name__}: {reason}"
        if note not in self.notes:
            self.notes.append(note)

    def compiled(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """Compile a function for this subject, once."""
        return self.programs.setdefault(name, jax.jit(function))

    def gradient(self) -> Floats | None:
        """Return a gradient in any mode that has one."""
        return next((d.gradient for d in self.derivatives if d.gradient is not None), None)

    def scale(self, coordinate: int) -> Floats:
        """Return for each row the slope beside which a smaller one is negligible, in its leaf."""
        (leaf,) = [leaf for leaf in self.leaves if leaf.start <= coordinate < leaf.stop]
        if leaf.path not in self.scales:
            gradient, own = self.gradient(), slice(leaf.start, leaf.stop)
            largest = np.zeros(len(self.size))
            if gradient is not None:
                terms = np.abs(gradient[:, own]) * self.bases[0, own]
                finite = np.where(np.isfinite(terms), terms, 0.0)
                largest = np.max(finite, axis=1, initial=0.0)
            part = self.user_eps**0.5 if self.sharp else self.traced.eps ** (1 / 3)
            self.scales[leaf.path] = part * self.over_output(largest)
        return self.scales[leaf.path]

    def over_output(self, numbers: Floats) -> Floats:
        """Return for each row the largest of the numbers in its output leaf."""
        paths = [path.removesuffix(".imag") for path, _ in self.traced.outputs]
        paths = [path.removesuffix(".real") for path in paths]
        owner = np.array([paths.index(path) for path in paths])[self.owner]
        largest = np.zeros(len(paths))
        np.maximum.at(largest, owner, np.where(np.isfinite(numbers), numbers, 0.0))
        return largest[owner]
