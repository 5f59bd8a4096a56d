"""Derivatives that are chosen: the value of one function with the derivative of another."""

from __future__ import annotations  # so that help() shows the names of the types

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

from gradlab._arguments import call, require_floating, require_function, require_shape


def straight_through(
    f: Callable[[Any], Any], backward: Callable[[Any], Any] | None = None
) -> Callable[[ArrayLike], Array]:
    """Return a function with the values of `f` and the derivative of the identity.

        y = f(x),    dy = dx    (or dy = backward′(x) dx)

    Rounding, thresholds and signs have derivative 0 almost everywhere, so nothing before them
    learns. The straight-through estimator pretends that they were not there. The values are
    those of `f` bit for bit: nothing is added to them and subtracted again.

    Args:
        f: Function of one array that keeps its shape. It is never differentiated.
        backward: Function of one array that keeps its shape, whose derivative is used instead of
            the identity's, such as `lambda x: jnp.clip(x, -1, 1)` or `jnp.tanh`.

    Returns:
        A function of a floating-point array, differentiable in forward and in reverse mode.

    Raises:
        TypeError: If `f` or `backward` is not a function; when called, if the array is not
            floating point or the functions do not return such an array.
        ValueError: When called, if `f` or `backward` changes the shape of its input.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> rounded = straight_through(jnp.round)
        >>> print(rounded(3.2), jax.grad(jnp.round)(3.2), jax.grad(rounded)(3.2))
        3.0 0.0 1.0

        Choose the largest of three, as a one-hot vector, with the derivative of the softmax:

        >>> def one_hot_of_largest(logits):
        ...     return jax.nn.one_hot(jnp.argmax(logits), logits.size, dtype=logits.dtype)
        >>> choose = straight_through(one_hot_of_largest, backward=jax.nn.softmax)
        >>> logits, prices = jnp.array([0.0, 1.0, 0.5]), jnp.array([3.0, 1.0, 2.0])
        >>> print(choose(logits))
        [0. 1. 0.]
        >>> gradient = jax.grad(lambda logits: choose(logits) @ prices)(logits)
        >>> print(", ".join(f"{g:.2f}" for g in gradient))
        0.25, -0.34, 0.10

    References:
        Bengio, Léonard and Courville, Estimating or Propagating Gradients Through Stochastic
        Neurons for Conditional Computation, 2013, arXiv:1308.3432.
    """
    require_function("f", f, "jnp.round, the function itself")
    if backward is not None:
        require_function("backward", backward, "jnp.tanh, the function itself")

    def surrogate(x: ArrayLike) -> Array:
        require_floating("x", x, "jnp.array([1., 2.])")
        x = jnp.asarray(x)
        value = _value_like("f", f, jax.lax.stop_gradient(x))
        stand_in = x if backward is None else _value_like("backward", backward, x)
        return _straight_through(value, stand_in.astype(value.dtype))

    return surrogate


@jax.custom_jvp
def _straight_through(value: Array, stand_in: Array) -> Array:
    """Return `value` with the derivative of `stand_in`."""
    return value


@_straight_through.defjvp
def _(primals: tuple[Array, Array], tangents: tuple[Array, Array]) -> tuple[Array, Array]:
    return _straight_through(*primals), tangents[1]


def _value_like(name: str, f: Callable[[Any], Any], x: Array) -> Array:
    """Return `f(x)`, after checking that it has the shape of `x`."""
    y, returned = call(name, f, x), f"{name}: the value it returned"
    require_floating(returned, y, f"{name}(x).astype(x.dtype)")
    require_shape(returned, y, "a function that acts on each element", x.shape)
    return jnp.asarray(y)
