"""Ways to make a derivative wrong while the value stays right, in one direction of AD or in both.

Each of them is the identity, to be put around a term: `distorted(term, 0.9)` has the value of
`term` and nine tenths of its derivative. That is how a wrong rule looks to its caller.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array, lax


@jax.custom_jvp
def _distorted(x: Array, factor: float) -> Array:
    del factor
    return x


@_distorted.defjvp
def _distorted_jvp(primals: Any, tangents: Any) -> tuple[Array, Array]:
    (x, factor), (x_dot, _) = primals, tangents
    return x, (factor * x_dot).astype(x.dtype)


def distorted(x: Array, factor: float) -> Array:
    """Return x, with `factor` times its derivative in either mode."""
    return _distorted(x, factor)


def reverse_distorted(x: Array, factor: float) -> Array:
    """Return x, with the right derivative forward and `factor` times it in reverse.

    A linear solve with the unit matrix is the identity, and its transpose is what we say it is.
    """
    return lax.custom_linear_solve(
        lambda y: y, x, lambda _, b: b, transpose_solve=lambda _, c: factor * c
    )


@jax.custom_jvp
def _forward_distorted(x: Array, factor: float) -> Array:
    del factor
    return x


@_forward_distorted.defjvp
def _forward_distorted_jvp(primals: Any, tangents: Any) -> tuple[Array, Array]:
    (x, factor), (x_dot, _) = primals, tangents
    x_dot = lax.custom_linear_solve(
        lambda y: y, x_dot, lambda _, b: (factor * b).astype(b.dtype), lambda _, c: c
    )
    return x, x_dot


def forward_distorted(x: Array, factor: float) -> Array:
    """Return x, with the right derivative in reverse and `factor` times it forward."""
    return _forward_distorted(x, factor)


def distorted_element(x: Array, index: Any, factor: float) -> Array:
    """Return x, with `factor` times the derivative of the element at `index`."""
    return x.at[index].set(distorted(x[index], factor))


def second_distorted(x: Array, factor: float) -> Array:
    """Return x, with the right first derivative and a wrong second one.

    The rule multiplies by a one that depends on x: exp(x − x₀) of an x₀ that is not seen.
    """

    @jax.custom_jvp
    def identity(x: Array) -> Array:
        return x

    @identity.defjvp
    def _(primals: Any, tangents: Any) -> tuple[Array, Array]:
        (x,), (x_dot,) = primals, tangents
        return x, x_dot * jnp.exp(factor * (x - lax.stop_gradient(x)))

    return identity(x)


def with_pullback(f: Callable[..., Any], pullback: Callable[..., Any]) -> Callable[..., Any]:
    """Return f with a reverse rule by hand: `pullback(args, output, cotangent)`."""
    ruled = jax.custom_vjp(lambda *args: f(*args))  # hides the options that f may have

    def forward(*args: Any) -> tuple[Any, Any]:
        value = f(*args)
        return value, (args, value)

    ruled.defvjp(forward, lambda saved, cotangent: pullback(*saved, cotangent))
    return ruled


def with_pushforward(f: Callable[..., Any], pushforward: Callable[..., Any]) -> Callable[..., Any]:
    """Return f with a forward rule by hand: `pushforward(args, tangents)`; JAX transposes it."""
    ruled = jax.custom_jvp(lambda *args: f(*args))
    ruled.defjvp(lambda primals, tangents: (f(*primals), pushforward(primals, tangents)))
    return ruled
