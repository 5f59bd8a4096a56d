"""Traced programs, run again in float64 in place of every coarser dtype, or with more rounding."""

import warnings
from collections.abc import Container, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from gradlab.checking.jaxprs import OUTSIDE, RULED, WIDER, Rerun, bind, is_float

OF_BITS = ("bitcast_convert_type", "random_gamma", "random_gamma_grad")  # in their own dtype


def wider(value: Any) -> Any:
    """Return the float64 or complex128 that takes the place of a dtype, or None."""
    return WIDER.get(value.dtype) if hasattr(value, "dtype") else None


class InFloat64(Rerun):
    """Runs a program with float64 in place of every coarser dtype.

    Random bits stay what they are, and what leaves JAX keeps its own dtype, as does an operation
    that float64 does not exist for. `coarse` collects these.
    """

    def __init__(self) -> None:
        """Begin."""
        self.coarse: set[int] = set()

    def number(self, value: Any) -> Any:
        """Cast a number up."""
        wide = wider(value)
        if wide is None:
            return value
        if isinstance(value, jax.core.Tracer):
            return lax.convert_element_type(value, wide)
        return np.asarray(value).astype(wide)

    def abstract(self, aval: Any) -> Any:
        """Widen the dtype of an input."""
        wide = wider(aval)
        return aval if wide is None else jax.ShapeDtypeStruct(aval.shape, wide)

    def inside(self, value: Any) -> Any:
        """Widen a dtype, too."""
        if isinstance(value, np.dtype) or (
            isinstance(value, type) and issubclass(value, np.generic)
        ):
            return WIDER.get(np.dtype(value), value)
        return super().inside(value)

    def operation(self, eqn: Any, inputs: list[Any]) -> list[Any]:
        """Apply an operation in float64 if that is possible."""
        name = eqn.primitive.name
        if name == "reduce_precision":
            return inputs
        if name in RULED:
            return self.instead(eqn, inputs)
        params = eqn.params
        if name in OUTSIDE:
            params = {key: _careful(value, eqn.outvars) for key, value in params.items()}
        elif name not in OF_BITS:
            try:
                return super().operation(eqn, inputs)
            except Exception:  # a Pallas kernel, say
                pass
        self.coarse.add(id(eqn))
        avals = [atom.aval for atom in eqn.invars]
        own = [
            lax.convert_element_type(x, a.dtype) if a.dtype in WIDER else x
            for x, a in zip(inputs, avals, strict=True)
        ]
        return [self.number(y) for y in bind(eqn, params, own)]


def _careful(function: Any, outs: Sequence[Any]) -> Any:
    """Return a function that says nothing, and gives NaN where it would raise, as at a far step."""
    if not callable(function) or isinstance(function, type):
        return function

    def careful(*args: Any) -> Any:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return function(*args)
        except Exception:
            shapes = [(var.aval.shape, var.aval.dtype) for var in outs]
            return [
                np.full(s, np.nan if is_float(v.aval) else 0, d)
                for (s, d), v in zip(shapes, outs, strict=True)
            ]

    return careful


class Perturbed(InFloat64):
    """Runs a program with each result on the way from x to f moved a few units in the last place.

    Programs inside of loops and branches stay as they are.
    """

    def __init__(self, units: Any, moving: Container[int]) -> None:
        """Take the numbers of units, used in turn, and the operations whose results are moved."""
        super().__init__()
        self.units, self.moving, self.done, self.plain = units, moving, 0, InFloat64()

    def inside(self, value: Any) -> Any:
        """Leave the programs in a parameter as they are."""
        return self.plain.inside(value)

    def operation(self, eqn: Any, inputs: list[Any]) -> list[Any]:
        """Apply an operation and move its results."""
        found = super().operation(eqn, inputs)
        if id(eqn) not in self.moving:
            return found
        self.done += 1
        unit = self.units[self.done % len(self.units)]
        return [
            y * lax.convert_element_type(1 + float(jnp.finfo(y.dtype).eps) * unit, y.dtype)
            if is_float(y) else y
            for y in found
        ]  # fmt: skip
