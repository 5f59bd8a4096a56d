"""The arguments of a function, taken apart into real coordinates and put together again.

A checker moves real numbers. So every complex leaf becomes two real ones, leaves that have no
derivative (integers, booleans, keys) are carried along, and everything that is no array (a string,
a Python int, a function) is part of the function.
"""

import dataclasses
from collections.abc import Hashable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import NDArray

from gradlab._arguments import describe, is_array

REAL, COMPLEX, CARRIED, STATIC = "real", "complex", "carried", "static"


@dataclasses.dataclass(frozen=True)
class Leaf:
    """One leaf of the arguments: what it is, and which coordinates are its own."""

    path: str
    kind: str
    shape: tuple[int, ...]
    dtype: Any
    start: int  # of its coordinates; those of a complex leaf are all real parts, then all others
    stop: int

    @property
    def size(self) -> int:
        """The number of elements."""
        return int(np.prod(self.shape))

    def element(self, coordinate: int) -> tuple[int, ...]:
        """Name the element that a coordinate belongs to."""
        flat = (coordinate - self.start) % max(self.size, 1)
        return tuple(int(i) for i in np.unravel_index(flat, self.shape))


@dataclasses.dataclass(frozen=True)
class Coordinates:
    """How to take arguments of one structure apart; holds no numbers but the static ones."""

    structure: Any
    leaves: tuple[Leaf, ...]
    statics: tuple[Any, ...]

    @property
    def moving(self) -> tuple[Leaf, ...]:
        """The leaves that can be differentiated."""
        return tuple(leaf for leaf in self.leaves if leaf.kind in (REAL, COMPLEX))

    def key(self) -> Hashable:
        """Return what the arrays of two sets of arguments share if one program serves both."""
        return self.structure, self.leaves

    def together(self, reals: Sequence[Any], carried: Sequence[Any]) -> tuple[Any, ...]:
        """Put the arguments together from their real parts and what is carried along."""
        real, other, static = iter(reals), iter(carried), iter(self.statics)
        leaves: list[Any] = []
        for leaf in self.leaves:
            if leaf.kind == REAL:
                leaves.append(next(real))
            elif leaf.kind == COMPLEX:
                leaves.append(jax.lax.complex(next(real), next(real)))
            else:
                leaves.append(next(other if leaf.kind == CARRIED else static))
        return jax.tree.unflatten(self.structure, leaves)


@dataclasses.dataclass(frozen=True)
class Point:
    """Arguments, taken apart.

    Attributes:
        coordinates: How it was done.
        reals: The real coordinates of each leaf, in its own precision; a complex leaf has two.
        carried: The arrays that are carried along.
    """

    coordinates: Coordinates
    reals: list[NDArray[Any]]
    carried: list[Any]


def apart(args: Any, argnums: int | Sequence[int] | None) -> Point:
    """Take arguments apart.

    Args:
        args: The tuple of arguments.
        argnums: Which of them to differentiate; None for all that can be.

    Raises:
        TypeError: If `args` is not a tuple, or an argument that was asked for has no derivative.
        ValueError: If `argnums` names an argument that is not there.
    """
    if not isinstance(args, tuple):
        raise TypeError(
            f"args: got {describe(args)}, expected a tuple of all arguments; write (x,) for one"
        )
    chosen = _chosen(args, argnums)
    entries, structure = jax.tree_util.tree_flatten_with_path(args)
    leaves: list[Leaf] = []
    statics: list[Any] = []
    carried: list[Any] = []
    reals: list[NDArray[Any]] = []
    start = 0
    for path, value in entries:
        name = jax.tree_util.keystr(path)
        if isinstance(value, jax.core.Tracer):
            raise TypeError(
                f"args{name}: got a tracer, expected numbers; call check_grads outside of jax.jit, "
                "jax.grad and jax.vmap"
            )
        kind, number = _kind(value), path[0].idx
        if argnums is not None and number in chosen and kind in (CARRIED, STATIC):
            raise TypeError(
                f"args{name}: got {describe(value)}, expected floating point, because argnums "
                "asks for its derivative"
            )
        if kind in (REAL, COMPLEX):
            value = jnp.asarray(value)  # in the precision in which JAX would see it
            if number not in chosen:
                kind = CARRIED
        if kind == STATIC:
            statics.append(value)
            leaves.append(Leaf(name, kind, (), type(value), start, start))
            continue
        array = value if _is_key(value) else np.asarray(value)
        stop = start
        if kind == CARRIED:
            carried.append(array)
        else:
            parts = [array] if kind == REAL else [array.real, array.imag]
            reals.extend(np.ascontiguousarray(part).reshape(array.shape) for part in parts)
            stop = start + len(parts) * array.size
        leaves.append(Leaf(name, kind, tuple(array.shape), array.dtype, start, stop))
        start = stop
    return Point(Coordinates(structure, tuple(leaves), tuple(statics)), reals, carried)


def outputs(tree: Any) -> tuple[list[Array], list[tuple[str, int]]]:
    """Lay the outputs of a function end to end as real vectors, with their paths and sizes."""
    vectors, names = [], []
    for path, value in jax.tree_util.tree_flatten_with_path(tree)[0]:
        if not is_array(value) or not jnp.issubdtype(jnp.result_type(value), jnp.inexact):
            continue
        value = jnp.asarray(value)
        name = jax.tree_util.keystr(path)
        parts = [(name, value)]
        if jnp.iscomplexobj(value):
            parts = [(f"{name}.real", value.real), (f"{name}.imag", value.imag)]
        for part, array in parts:
            if array.size:
                vectors.append(array.reshape(-1))
                names.append((part, array.size))
    return vectors, names


def _chosen(args: tuple[Any, ...], argnums: int | Sequence[int] | None) -> set[int]:
    if argnums is None:
        return set(range(len(args)))
    numbers = [argnums] if isinstance(argnums, int) else argnums
    if not isinstance(numbers, Sequence) or not all(isinstance(n, int) for n in numbers):
        raise TypeError(
            f"argnums: got {argnums!r}, expected an int or a tuple of ints; write (0, 1)"
        )
    for number in numbers:
        if not -len(args) <= number < len(args):
            raise ValueError(f"argnums: got {number}, but there are {len(args)} arguments")
    return {number % len(args) for number in numbers}


def _kind(value: Any) -> str:
    if isinstance(value, float | complex):
        return COMPLEX if isinstance(value, complex) else REAL
    if not isinstance(value, jax.Array | np.ndarray | np.generic):
        return STATIC
    if jnp.issubdtype(value.dtype, jnp.complexfloating):
        return COMPLEX
    if jnp.issubdtype(value.dtype, jnp.floating):
        return REAL
    return CARRIED


def _is_key(value: Any) -> bool:
    return jnp.issubdtype(value.dtype, jax.dtypes.prng_key)
