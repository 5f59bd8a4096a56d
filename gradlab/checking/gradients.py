"""Gradient functions that are judged: one that a person wrote, and the derivative of one."""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from gradlab._arguments import describe
from gradlab.checking.coordinates import COMPLEX, REAL, Coordinates, outputs


def hand_written(
    grad: Callable[..., Any],
    args: tuple[Any, ...],
    argnums: int | Sequence[int] | None,
    coordinates: Coordinates,
) -> Callable[..., Array]:
    """Return a function with the gradient that `grad` returns laid out as one real vector.

    Args:
        grad: Takes all arguments; returns what `jax.grad(f, argnums)` or `jax.jacobian` would.
        args: The arguments.
        argnums: As in `check_grads`.
        coordinates: How the arguments were taken apart.

    Returns:
        A function of the arguments; its value is `(outputs · coordinates,)`.
    """
    if isinstance(argnums, int):
        numbers, alone = [argnums % len(args)], True
    elif argnums is None:
        moving = {leaf.path for leaf in coordinates.moving}
        paths = jax.tree_util.tree_flatten_with_path(args)[0]
        owners = {p[0].idx for p, _ in paths if jax.tree_util.keystr(p) in moving}
        numbers = sorted(owners)
        alone = len(numbers) == 1
    else:
        numbers, alone = [n % len(args) for n in argnums], False

    def vector(*given: Any) -> Array:
        found = grad(*given)
        if alone and not (isinstance(found, tuple) and len(found) == 1 and len(numbers) == 1
                          and not isinstance(args[numbers[0]], tuple)):  # fmt: skip
            found = (found,)
        if not isinstance(found, tuple) or len(found) != len(numbers):
            raise ValueError(
                f"grad: got {describe(found)}, expected a tuple of {len(numbers)} gradients, one "
                "for each argument"
            )
        expected: Any = jax.tree.structure(tuple(given[n] for n in numbers))
        if jax.tree.structure(found) != expected:
            pair = found, tuple(args[n] for n in numbers)
            got, wanted = (_outline(tree[0] if alone else tree) for tree in pair)
            raise ValueError(f"grad: got {got}, expected {wanted}, as the arguments have it")
        leaves = dict(zip(_paths(args, numbers), jax.tree.leaves(found), strict=True))
        return _side_by_side(
            [(leaf, jnp.asarray(leaves[leaf.path])) for leaf in coordinates.moving]
        )

    return vector


def second_order(f: Callable[..., Any], coordinates: Coordinates, mode: str) -> Callable[..., Any]:
    """Return the first derivative of f as a function, to be checked like any other.

    In reverse mode it is the gradient of a sum of the outputs with fixed random weights, in
    forward mode the derivative along a fixed random direction.
    """

    def derivative(*args: Any) -> Any:
        leaves = jax.tree.leaves(args)
        entries = jax.tree.leaves_with_path(args)
        moving = {leaf.path for leaf in coordinates.moving}
        at = [i for i, (p, _) in enumerate(entries) if jax.tree_util.keystr(p) in moving]

        def of_moving(values: list[Any]) -> list[Array]:
            now = list(leaves)
            for i, value in zip(at, values, strict=True):
                now[i] = value
            return outputs(f(*jax.tree.unflatten(coordinates.structure, now)))[0]

        point = [jnp.asarray(leaves[i]) for i in at]
        if mode == "fwd":
            tangents = [_fixed(leaf, number) for number, leaf in enumerate(point)]
            return jax.jvp(of_moving, (point,), (tangents,))[1]
        value, pull = jax.vjp(of_moving, point)
        return pull([_fixed(part, number) for number, part in enumerate(value)])[0]

    return derivative


def _fixed(like: Array, number: int) -> Array:
    """Return weights, others for each leaf so that no two cancel; the first number counts whole."""
    if like.size == 1 and number == 0:
        return jnp.ones_like(like)
    generator = np.random.default_rng(number)
    signs = 1 - 2 * generator.integers(0, 2, like.shape)
    weights = generator.uniform(0.5, 1.0, like.shape) * signs
    return jnp.asarray(weights, like.dtype)


def _paths(args: tuple[Any, ...], numbers: Sequence[int]) -> list[str]:
    paths = []
    for number in numbers:
        for path, _ in jax.tree_util.tree_flatten_with_path(args[number])[0]:
            paths.append(f"[{number}]{jax.tree_util.keystr(path)}")
    return paths


def _outline(tree: Any) -> str:
    """Name a leaf, or show how a tree is built, with * for its leaves."""
    structure: Any = jax.tree.structure(tree)
    if tree is None or jax.tree_util.treedef_is_leaf(structure):
        return describe(tree)
    return str(structure).removeprefix("PyTreeDef(").removesuffix(")")


def _side_by_side(parts: list[tuple[Any, Array]]) -> Array:
    """Lay Jacobians end to end along the coordinates; for a scalar f they are gradients."""
    columns, (first, like) = [], parts[0]
    for leaf, gradient in parts:
        trailing = gradient.shape[gradient.ndim - len(leaf.shape) :]
        if gradient.ndim < len(leaf.shape) or trailing != leaf.shape:
            raise ValueError(
                f"grad: got shape {gradient.shape} for args{leaf.path}, expected {leaf.shape}, the "
                "shape of the argument"
            )
        rows = gradient.reshape(-1, leaf.size)
        if gradient.size * first.size != like.size * leaf.size:
            raise ValueError(
                f"grad: got shapes {like.shape} for args{first.path} and {gradient.shape} for "
                f"args{leaf.path}, expected those of the arguments, {first.shape} and {leaf.shape}"
            )
        if leaf.kind == REAL:
            columns.append(rows.real)
        elif leaf.kind == COMPLEX:  # jax.grad's is ∂/∂x − i ∂/∂y
            columns += [rows.real, -rows.imag]
    dtype = jnp.result_type(jnp.float32, *(c.dtype for c in columns))
    return jnp.concatenate([c.astype(dtype) for c in columns], axis=1).reshape(-1)
