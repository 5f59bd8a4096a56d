"""The self-checks of the labs: a number against a known one, a gradient against differences."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from gradlab import central_difference
from gradlab.demo.findings import Check


def check_close(claim: str, got: ArrayLike, expected: ArrayLike, within: float) -> Check:
    """Check that every element of `got` is at most `within` away from `expected`."""
    got, expected = jnp.asarray(got), jnp.asarray(expected)
    if got.shape != expected.shape:
        return Check(claim, False, f"got shape {got.shape}, expected {expected.shape}")
    distance = float(jnp.max(jnp.abs(got - expected), initial=0.0))
    found = f"largest difference {distance:.1g}, allowed {within:.1g}"
    return Check(claim, distance <= within, found)  # false for NaN


def check_gradient(
    claim: str, f: Callable[..., Any], args: tuple[Any, ...], argnum: int = 0
) -> Check:
    """Check the gradient of `f` by one argument against a central difference, in float64.

    Along one direction, whose elements all differ, so that no two mistakes cancel.
    """
    with jax.enable_x64(True):  # thread-local, and undone here; nothing outside sees it
        args = jax.tree.map(_to_float64, args)

        def along(x: Any) -> Any:
            return f(*args[:argnum], x, *args[argnum + 1 :])

        x = args[argnum]
        v = jax.tree.map(lambda leaf: jnp.linspace(0.5, 1.5, leaf.size).reshape(leaf.shape), x)
        gradient = jax.grad(along)(x)
        slope = sum(
            jnp.vdot(g, w) for g, w in zip(*map(jax.tree.leaves, (gradient, v)), strict=True)
        )
        difference = central_difference(along, x, v)
        holds = bool(abs(slope - difference) <= 1e-6 * (1 + abs(difference)))
        return Check(claim, holds, f"gradient {slope:.8g}, finite difference {difference:.8g}")


def _to_float64(leaf: Any) -> Any:
    floating = jnp.issubdtype(jnp.result_type(leaf), jnp.floating)
    return jnp.asarray(leaf, jnp.float64) if floating else leaf
