"""Functions to descend: a wave, a bowl, a wavy bowl with many minima, a bowl in many dimensions.

The first three act on every element of `x` separately, so they draw a whole curve in one call,
and at a single number they are scalar functions that `jax.grad` differentiates.
"""

from __future__ import annotations  # so that help() shows the names of the types

import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

from gradlab._arguments import require_array, require_shape


def sine_squared(x: ArrayLike) -> Array:
    """Return sin²x, element by element: minima at every multiple of π.

    The derivative is 2 sin x cos x = sin 2x.

    Args:
        x: Array of any shape, in radians.

    Returns:
        Array of the shape of `x`.

    Example:
        >>> import jax
        >>> print(jax.grad(sine_squared)(1.0))  # sin 2
        0.90929735
    """
    require_array("x", x, "jnp.array([1., 2.])")
    return jnp.sin(x) ** 2


def quadratic(x: ArrayLike) -> Array:
    """Return x², element by element; the derivative is 2x.

    Args:
        x: Array of any shape.

    Returns:
        Array of the shape of `x`.

    Example:
        >>> import jax
        >>> print(quadratic(3.0), jax.grad(quadratic)(3.0))
        9.0 6.0
    """
    require_array("x", x, "jnp.array([1., 2.])")
    return jnp.asarray(x) ** 2


def wavy_bowl(x: ArrayLike) -> Array:
    """Return sin²x + 0.05 x², element by element: one bowl, several local minima in it.

    The derivative is sin 2x + 0.1 x.

    Args:
        x: Array of any shape, in radians.

    Returns:
        Array of the shape of `x`.

    Example:
        >>> import jax
        >>> print(f"{jax.grad(wavy_bowl)(3.0):.4f}")  # sin 6 + 0.3
        0.0206
    """
    return sine_squared(x) + 0.05 * quadratic(x)


def paraboloid(x: ArrayLike, coefficients: ArrayLike = 1.0) -> Array:
    """Return Σ cᵢ xᵢ², a scalar, summed over every element of `x`.

    The gradient is 2 cᵢ xᵢ and the Hessian is diagonal, with 2 cᵢ on it.

    Args:
        x: Array of any shape.
        coefficients: One number for all elements, or an array of the shape of `x`.

    Returns:
        Array of shape `()`.

    Raises:
        TypeError: If `x` or `coefficients` is not an array.
        ValueError: If `coefficients` is neither a scalar nor of the shape of `x`.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> jax.grad(paraboloid)(jnp.array([1.0, 2.0]), jnp.array([3.0, 0.5]))
        Array([6., 2.], dtype=float32)
    """
    require_array("x", x, "jnp.array([1., 2.])")
    require_array("coefficients", coefficients, "jnp.array([3., 0.5])")
    if jnp.shape(coefficients) != ():
        write = "one coefficient for each element of x"
        require_shape("coefficients", coefficients, write, jnp.shape(x))
    if jnp.issubdtype(jnp.result_type(coefficients), jnp.integer):
        coefficients = jnp.asarray(coefficients, jnp.result_type(x))
    return jnp.sum(coefficients * jnp.asarray(x) ** 2)
