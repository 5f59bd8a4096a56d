"""Derivatives of derivatives: `jax.grad` turns a function into a function, so it repeats."""

from __future__ import annotations  # so that help() shows the names of the types

from collections.abc import Callable
from typing import Any

import jax
from jax import Array
from jax.typing import ArrayLike

from gradlab._arguments import require_count, require_floating, require_shape, scalar_valued


def nth_derivative(f: Callable[[Any], Any], n: int) -> Callable[[ArrayLike], Array]:
    """Return the n-th derivative dⁿf/dxⁿ of a function of one number, itself such a function.

    It is `jax.grad` applied n times; `n = 0` gives the function itself. Every application
    differentiates the whole program of the one before, so the cost grows quickly with n: for
    `jnp.tanh` each order takes two to three times as long as the one before it, a second or two
    at n = 8, minutes at 12, and under `jit` as long to compile. For high orders there is
    `jax.experimental.jet`, which computes all derivatives up to n in one pass.

    Args:
        f: Function of one real number, with one real number as its value.
        n: How many times to differentiate, a Python int from 0 to 12.

    Returns:
        A function of a scalar `x` of shape `()`, whose value has the shape and dtype of `f(x)`.
        `jax.vmap` evaluates it at many points.

    Raises:
        TypeError: If `n` is not a Python int, or `x` is not floating point.
        ValueError: If `n` is below 0 or above 12, `x` is not a scalar, or `f(x)` is not.

    Example:
        >>> def f(x):
        ...     return x**3 + 2 * x**2 - 3 * x + 1
        >>> print([float(nth_derivative(f, n)(1.0)) for n in (1, 2, 3, 4)])
        [4.0, 10.0, 6.0, 0.0]
    """
    derivative = scalar_valued("f", f, "jax.jacfwd(f) for the derivatives of a vector")
    write = "n=2, and jax.experimental.jet.jet for orders above 12"
    for _ in range(require_count("n", n, 0, 12, write)):
        derivative = jax.grad(derivative)

    def at(x: ArrayLike) -> Array:
        require_floating("x", x, "2.0, with the decimal point")
        require_shape("x", x, "jax.vmap(nth_derivative(f, n))(x) for many points", ())
        return derivative(x)

    return at
