"""Gradient functions that are judged: one that a person wrote, and the derivative of one."""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from gradlab._arguments import describe
from gradlab.checking.arguments import Arguments, outputs


def hand_written(
    grad: Callable[..., Any],
    arguments: Arguments,
    *,
    alone: bool,
    has_aux: bool,
) -> Callable[[bool], Callable[..., Array]]:
    """Return what lays the gradient that `grad` returns end to end, as one real vector.

    Args:
        grad: Takes all arguments; returns what `jax.grad(f, argnums)`, `jax.jacobian` or
            `jax.value_and_grad` would, with what belongs to `has_aux`.
        arguments: The arguments.
        alone: Whether the gradient of one argument stands by itself, without a tuple around it.
        has_aux: Whether f returns a pair.

    Returns:
        A function that is told whether the value of f is complex, and returns a function of the
        arguments; its value is `(outputs · coordinates,)`.
    """
    args = jax.tree.unflatten(arguments.structure, arguments.everything)
    chosen: Any = tuple(args[n] for n in arguments.numbers)
    chosen = chosen[0] if alone else chosen
    own = {leaf.place: leaf for leaf in arguments.leaves}
    places = jax.tree.unflatten(arguments.structure, range(len(arguments.everything)))
    order = [place for n in arguments.numbers for place in jax.tree.leaves(places[n])]

    def gradient_in(found: Any) -> Any:
        ways = [found]
        if isinstance(found, tuple) and len(found) == 2:
            first, second = found
            value = first[0] if has_aux and isinstance(first, tuple) and first else first
            with_value = [second] if np.ndim(value) == 0 and value is not None else []
            ways = [found, *with_value]
            if has_aux:  # of value_and_grad, or of grad
                of_both = isinstance(first, tuple)
                ways = [*with_value, first, found] if of_both else [first, *with_value, found]
        if not alone and len(chosen) == 1:
            ways += [(way,) for way in ways]
        if alone and isinstance(found, tuple) and len(found) == 1:
            ways += [found[0]]
        expected: Any = jax.tree.structure(chosen)
        for way in ways:
            if way is not None and expected == jax.tree.structure(way):
                return way
        raise ValueError(
            f"grad: got {_outline(found)}, expected {_outline(chosen)}, as the arguments have it"
        )

    def laid_end_to_end(is_complex: bool) -> Callable[..., Array]:
        def vector(*given: Any) -> Array:
            leaves = jax.tree.leaves(gradient_in(grad(*given)))
            pairs = [(own[p], leaf) for p, leaf in zip(order, leaves, strict=True) if p in own]
            return _side_by_side(pairs, is_complex)

        return vector

    return laid_end_to_end


def second_order(f: Callable[..., Any], arguments: Arguments, mode: str) -> Callable[..., Any]:
    """Return the first derivative of f as a function, to be checked like any other.

    In reverse mode it is the gradient of a sum of the outputs with fixed random weights, in
    forward mode the derivative along a fixed random direction.
    """
    places = [leaf.place for leaf in arguments.leaves]

    def derivative(*args: Any) -> Any:
        leaves = jax.tree.leaves(args)

        def of_moving(values: list[Any]) -> list[Array]:
            now = list(leaves)
            for place, value in zip(places, values, strict=True):
                now[place] = value
            return outputs(f(*jax.tree.unflatten(arguments.structure, now)))[0]

        point = [jnp.asarray(leaves[place]) for place in places]
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


def _outline(tree: Any) -> str:
    """Name a leaf, or show how a tree is built, with * for its leaves."""
    structure: Any = jax.tree.structure(tree)
    if tree is None or jax.tree_util.treedef_is_leaf(structure):
        return "a tracer" if isinstance(tree, jax.core.Tracer) else describe(tree)
    return str(structure).removeprefix("PyTreeDef(").removesuffix(")")


def _side_by_side(parts: Sequence[tuple[Any, Any]], is_complex: bool) -> Array:
    """Lay Jacobians end to end along the coordinates; for a scalar f they are gradients."""
    columns: list[Array] = []
    for leaf, gradient in parts:
        if not hasattr(gradient, "dtype") and not isinstance(gradient, int | float | complex):
            raise TypeError(
                f"grad: got {describe(gradient)} for args{leaf.path}, expected an array of shape "
                f"{leaf.shape}"
            )
        gradient = jnp.asarray(gradient)
        trailing = gradient.shape[gradient.ndim - len(leaf.shape) :]
        if gradient.ndim < len(leaf.shape) or trailing != leaf.shape:
            raise ValueError(
                f"grad: got shape {gradient.shape} for args{leaf.path}, expected {leaf.shape}, the "
                "shape of the argument"
            )
        rows = gradient.reshape(gradient.size // max(leaf.size, 1), leaf.size)
        if is_complex:  # of a holomorphic f: ∂(u, v)/∂x = (Re g, Im g), ∂(u, v)/∂y = (−Im g, Re g)
            block = [jnp.concatenate([rows.real, rows.imag])]
            block += [jnp.concatenate([-rows.imag, rows.real])] * (leaf.parts == 2)
        else:  # jax.grad's is ∂/∂x − i ∂/∂y
            block = [rows.real, -rows.imag][: leaf.parts]
        columns += block
    if len({len(column) for column in columns}) > 1:
        shapes = " and ".join(f"{jnp.shape(g)} for args{leaf.path}" for leaf, g in parts)
        wanted = " and ".join(f"{leaf.shape}" for leaf, _ in parts)
        raise ValueError(f"grad: got shapes {shapes}, expected those of the arguments, {wanted}")
    wide = any(column.dtype == np.float64 for column in columns)
    dtype = np.float64 if wide else np.float32
    return jnp.concatenate([c.astype(dtype) for c in columns], axis=1).reshape(-1)
