"""The self-checks of the labs: a number against a known one, a gradient against differences."""

import operator
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree
from numpy.typing import ArrayLike

from gradlab import central_difference
from gradlab.demo.findings import Check


def check_close(claim: str, got: ArrayLike, expected: ArrayLike, within: float) -> Check:
    """Check that every element of `got` is at most `within` away from `expected`."""
    got, expected = np.asarray(got), np.asarray(expected)
    if got.shape != expected.shape:
        return Check(claim, False, f"got shape {got.shape}, expected {expected.shape}")
    distance = float(np.abs(got - expected).max(initial=0.0))
    found = f"off by {distance:.1g}, allowed {within:.1g}" if distance else "exactly"
    return Check(claim, distance <= within, found)  # false for NaN


def check_below(claim: str, got: float, limit: float) -> Check:
    """Check that `got` is below `limit`."""
    return Check(claim, bool(got < limit), f"{got:.3g}, to be below {limit:.3g}")


def check_gradient(
    claim: str, f: Callable[..., Any], args: tuple[Any, ...], argnums: int | tuple[int, ...] = 0
) -> Check:
    """Check the gradient of `f` by some of its arguments against a central difference, in float64.

    Along one direction, whose elements all differ, so that no two mistakes cancel. Pass every array
    as an argument: one that `f` closes over stays float32, and its rounding drowns the difference.
    """
    numbers = (argnums,) if isinstance(argnums, int) else argnums

    def slopes(*args: Any) -> tuple[jax.Array, jax.Array]:
        def along(x: tuple[Any, ...]) -> Any:
            given = dict(zip(numbers, x, strict=True))
            return f(*(given.get(number, arg) for number, arg in enumerate(args)))

        x = tuple(args[number] for number in numbers)
        flat, unravel = ravel_pytree(x)
        v = unravel(1 + jnp.arange(flat.size, dtype=flat.dtype) / flat.size)
        products = jax.tree.map(jnp.vdot, jax.grad(along)(x), v)
        return jax.tree.reduce(operator.add, products), central_difference(along, x, v)

    with jax.enable_x64(True):  # thread-local, and undone here; nothing outside sees it
        slope, difference = map(float, jax.jit(slopes)(*jax.tree.map(_to_float64, args)))
    holds = abs(slope - difference) <= 1e-6 * (1 + abs(difference))
    return Check(claim, holds, f"slope {slope:.6g}, finite difference {difference:.6g}")


def _to_float64(leaf: Any) -> Any:
    floating = jnp.issubdtype(jnp.result_type(leaf), jnp.floating)
    return np.asarray(leaf, np.float64) if floating else leaf
