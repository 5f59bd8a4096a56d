"""The arguments of a function, taken apart into real numbers that can be moved.

A checker moves real numbers. So every complex leaf becomes two real ones. All other leaves
(integers, keys, strings, functions, and arguments that `argnums` leaves out) stay as they are.
"""

import dataclasses
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import NDArray

from gradlab._arguments import describe, is_array


@dataclasses.dataclass(frozen=True)
class Leaf:
    """One leaf of the arguments that is differentiated, and which coordinates are its own.

    Attributes:
        path: Where it is in the tuple of arguments, as `jax.tree_util.keystr` writes it.
        place: Its number among all leaves.
        shape: Its shape.
        dtype: Its dtype.
        weak: Whether it is a Python number, which takes on the dtype of what it meets.
        start: Its first coordinate. Of a complex leaf all real parts come first.
        stop: The coordinate after its last one.
    """

    path: str
    place: int
    shape: tuple[int, ...]
    dtype: Any
    weak: bool
    start: int
    stop: int

    @property
    def size(self) -> int:
        """The number of elements."""
        return int(np.prod(self.shape))

    @property
    def parts(self) -> int:
        """How many real numbers an element has."""
        return 2 if jnp.issubdtype(self.dtype, jnp.complexfloating) else 1

    def element(self, coordinate: int) -> tuple[int, ...]:
        """Name the element that a coordinate belongs to."""
        flat = (coordinate - self.start) % max(self.size, 1)
        return tuple(int(i) for i in np.unravel_index(flat, self.shape))

    def is_imaginary(self, coordinate: int) -> bool:
        """Tell whether a coordinate is the imaginary part of an element."""
        return coordinate >= self.start + self.size


@dataclasses.dataclass(frozen=True)
class Arguments:
    """Arguments, taken apart.

    Attributes:
        structure: How all leaves are put together.
        everything: All leaves, as they were given.
        paths: Where each of them is.
        leaves: Those that are differentiated.
        reals: Their real numbers in their own precision, an array for each; two for a complex one.
        numbers: Which arguments they belong to, in the order in which they were asked for.
    """

    structure: Any
    everything: tuple[Any, ...]
    paths: tuple[str, ...]
    leaves: tuple[Leaf, ...]
    reals: list[NDArray[Any]]
    numbers: tuple[int, ...]

    def together(self, reals: Sequence[Any]) -> tuple[Any, ...]:
        """Put the arguments together again, with these real numbers."""
        number, now = iter(reals), list(self.everything)
        for leaf in self.leaves:
            first = next(number)
            now[leaf.place] = first if leaf.parts == 1 else jax.lax.complex(first, next(number))
        return jax.tree.unflatten(self.structure, now)

    def abstract(self) -> list[jax.ShapeDtypeStruct]:
        """Return shape and dtype of each of the reals, as JAX sees the arguments."""
        weak = [leaf.weak for leaf in self.leaves for _ in range(leaf.parts)]
        pairs = zip(self.reals, weak, strict=True)
        return [jax.ShapeDtypeStruct(r.shape, r.dtype, weak_type=w) for r, w in pairs]


def take_apart(args: Any, argnums: int | Sequence[int] | None) -> Arguments:
    """Take arguments apart.

    Args:
        args: The tuple of arguments.
        argnums: Which of them to differentiate; None for all that can be.

    Raises:
        TypeError: If `args` is not a tuple, or there is nothing to differentiate.
        ValueError: If `argnums` names an argument that is not there.
    """
    if not isinstance(args, tuple):
        raise TypeError(
            f"args: got {describe(args)}, expected a tuple of all arguments; write (x,) for one"
        )
    chosen = _chosen(args, argnums)
    entries, structure = jax.tree_util.tree_flatten_with_path(args)
    leaves: list[Leaf] = []
    reals: list[NDArray[Any]] = []
    paths: list[str] = []
    start = 0
    for place, (path, value) in enumerate(entries):
        name = jax.tree_util.keystr(path)
        paths.append(name)
        if isinstance(value, jax.core.Tracer):
            raise TypeError(
                f"args{name}: got a tracer, expected numbers; call check_grads outside of jax.jit, "
                "jax.grad and jax.vmap"
            )
        if path[0].idx not in chosen or not _moves(value):
            continue
        array = np.asarray(jnp.asarray(value))  # in the precision in which JAX sees it
        leaf = Leaf(name, place, array.shape, array.dtype, isinstance(value, float | complex)
                    and not isinstance(value, np.generic), start, start)  # fmt: skip
        parts = [array] if leaf.parts == 1 else [array.real, array.imag]
        reals += [np.ascontiguousarray(part).reshape(array.shape) for part in parts]
        start += leaf.parts * leaf.size
        leaves.append(dataclasses.replace(leaf, stop=start))
    _require_something(args, argnums, chosen, leaves)
    everything = tuple(value for _, value in entries)
    moved = {entries[leaf.place][0][0].idx for leaf in leaves}
    numbers = tuple(n for n in chosen if n in moved or argnums is not None)
    return Arguments(structure, everything, tuple(paths), tuple(leaves), reals, numbers)


def outputs(tree: Any) -> tuple[list[Array], list[tuple[str, int]]]:
    """Lay the outputs of a function end to end as real vectors, with their paths and sizes."""
    vectors, names = [], []
    for path, value in jax.tree_util.tree_flatten_with_path(tree)[0]:
        number = is_array(value) or isinstance(value, float | complex)
        if not number or not jnp.issubdtype(jnp.result_type(value), jnp.inexact):
            continue
        value, name = jnp.asarray(value), jax.tree_util.keystr(path)
        parts = [(name, value)]
        if jnp.iscomplexobj(value):
            parts = [(f"{name}.real", value.real), (f"{name}.imag", value.imag)]
        for part, array in parts:
            if array.size:
                vectors.append(array.reshape(-1))
                names.append((part, array.size))
    return vectors, names


def _chosen(args: tuple[Any, ...], argnums: int | Sequence[int] | None) -> tuple[int, ...]:
    if argnums is None:
        return tuple(range(len(args)))
    numbers = argnums if isinstance(argnums, tuple | list) else (argnums,)
    if not numbers or not all(isinstance(n, int) and not isinstance(n, bool) for n in numbers):
        raise TypeError(
            f"argnums: got {argnums!r}, expected an int or a tuple of ints; write argnums=(0, 1)"
        )
    for number in numbers:
        if not -len(args) <= number < len(args):
            raise ValueError(
                f"argnums: got {number}, expected a number from 0 to {len(args) - 1}, because args "
                f"has {len(args)} {'entry' if len(args) == 1 else 'entries'}"
            )
    chosen = tuple(number % len(args) for number in numbers)
    if len(set(chosen)) < len(chosen):
        raise ValueError(f"argnums: got {argnums!r}, expected every argument once")
    return chosen


def _moves(value: Any) -> bool:
    if isinstance(value, float | complex):
        return True
    if not isinstance(value, jax.Array | np.ndarray | np.generic):
        return False
    return bool(jnp.issubdtype(value.dtype, jnp.inexact))


def _require_something(
    args: tuple[Any, ...], argnums: Any, chosen: Sequence[int], leaves: Sequence[Leaf]
) -> None:
    """Raise TypeError if nothing, or nothing that was asked for, is floating point."""
    for number in chosen if argnums is not None else ():
        if not any(leaf.path.startswith(f"[{number}]") and leaf.size for leaf in leaves):
            raise TypeError(
                f"args[{number}]: got {_outline(args[number])}, expected a floating-point number "
                "or array in it, because argnums asks for its derivative"
            )
    if not any(leaf.size for leaf in leaves):
        raise TypeError(
            f"args: got {_outline(args) if args else 'an empty tuple'}, expected a floating-point "
            "number to differentiate; write jnp.array([1., 2.])"
        )


def _outline(tree: Any) -> str:
    """Describe the first few leaves of a tree."""
    leaves = jax.tree.leaves(tree)
    if not leaves:
        return "nothing"
    return ", ".join(describe(leaf) for leaf in leaves[:4]) + (", …" if len(leaves) > 4 else "")
