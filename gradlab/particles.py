"""Particles that roll downhill: gradient descent on many starting points at once."""

from __future__ import annotations  # so that help() shows the names of the types

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

from gradlab._arguments import (
    call,
    describe,
    require_count,
    require_floating,
    require_function,
    require_scalar,
    require_shape,
    scalar_valued,
)

_GRADIENT = "jax.grad(f), where f takes one particle and returns a scalar"
_RETURNED = "gradient_func: the value it returned"
_SCALAR = "a scalar, such as jnp.sum(f(x)), or jax.jacfwd(f) for the derivatives of a vector"
_STEP_SIZE = "one step size for all particles, such as 0.1"
_SAMPLES = "jnp.array([x]) for one particle x, samples.reshape(-1, d) for a grid of them"


def move_samples(
    gradient_func: Callable[[Any], Any], samples: ArrayLike, step_size: ArrayLike
) -> Array:
    """Return every particle after one step of gradient descent.

        xᵢ ← xᵢ − step_size · ∇f(xᵢ)

    Args:
        gradient_func: Gradient of the landscape at one particle: `jax.grad(f)`, not `f`; takes a
            scalar when `samples` is `(n,)` and a `(d,)` array when it is `(n, d)`, and returns
            the same shape.
        samples: Floating-point positions, `(n,)` or `(n, d)`.
        step_size: Scalar, used in the dtype of `samples`.

    Returns:
        Array of the shape of `samples`.

    Raises:
        TypeError: If `samples` is not a floating-point array, or `gradient_func` returns none.
        ValueError: If `samples` has no particle axis, `step_size` is not a scalar, or
            `gradient_func` does not keep the shape of one particle.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> from gradlab import quadratic
        >>> move_samples(jax.grad(quadratic), jnp.array([-2.0, 1.0]), 0.25)
        Array([-1. ,  0.5], dtype=float32)

    References:
        Nocedal and Wright, Numerical Optimization, 2nd ed. 2006, ch. 3: on ½λx² the step
        multiplies x by 1 − step_size·λ, so it diverges when step_size > 2/λ.
    """
    samples = _particles(samples)
    require_scalar("step_size", step_size, _STEP_SIZE)

    def gradient(particle: Array) -> Any:
        value = call("gradient_func", gradient_func, particle, write=_GRADIENT)
        require_floating(_RETURNED, value, _GRADIENT)
        require_shape(_RETURNED, value, _GRADIENT, particle.shape)
        return value

    return samples - jax.vmap(gradient)(samples) * jnp.asarray(step_size, samples.dtype)


def descend(
    f: Callable[[Any], Any], samples: ArrayLike, step_size: ArrayLike, num_steps: int
) -> Array:
    """Return where the particles are after `num_steps` steps of gradient descent on `f`.

    One compiled loop over `move_samples(jax.grad(f), samples, step_size)`, which keeps only the
    current positions in memory. (Differentiated in reverse mode it keeps the path, as any
    loop does.)

    It is compiled at the first call with an `f`, a shape and a `num_steps`, and that program is
    used again at the next call with the same ones. Two things follow, as with `jax.jit`. A
    `lambda` that is written in the call is another function at every call, and is compiled at
    every call: define `f` once, before a loop. And what `f` reads from outside, a global variable
    or an attribute of an object (as a bound method does), is read when the program is compiled and
    not again: after a change of it define `f` anew.

    Args:
        f: Landscape itself, not its gradient: takes one particle, returns a scalar. Must be
            hashable, as functions are.
        samples: Floating-point starting positions, `(n,)` or `(n, d)`.
        step_size: Scalar, used in the dtype of `samples`.
        num_steps: Number of steps, a Python int, at least 0.

    Returns:
        Array of the shape of `samples`, differentiable with respect to `samples` and `step_size`.

    Raises:
        TypeError: If `samples` is not a floating-point array, `num_steps` not a Python int, or
            `f` not a hashable function with a floating-point value.
        ValueError: If `samples` has no particle axis, `step_size` is not a scalar, `num_steps`
            is negative, or `f` does not return a scalar.

    Example:
        >>> import jax.numpy as jnp
        >>> from gradlab import quadratic
        >>> descend(quadratic, jnp.array([-2.0, 1.0]), 0.25, 3)  # halved three times
        Array([-0.25 ,  0.125], dtype=float32)

        What `f` reads from outside is read once:

        >>> scale = 1.0
        >>> def f(x):
        ...     return scale * x**2
        >>> descend(f, jnp.array([1.0]), 0.25, 1)
        Array([0.5], dtype=float32)
        >>> scale = 2.0  # not seen, because the program of `f` is used again
        >>> descend(f, jnp.array([1.0]), 0.25, 1)
        Array([0.5], dtype=float32)
        >>> descend(lambda x: f(x), jnp.array([1.0]), 0.25, 1)  # seen: another function
        Array([0.], dtype=float32)
    """
    return _descend(*_descent_arguments(f, samples, step_size, num_steps))


def descent_path(
    f: Callable[[Any], Any], samples: ArrayLike, step_size: ArrayLike, num_steps: int
) -> Array:
    """Return where the particles are before, and after each of, `num_steps` steps of descent.

    The same loop as `descend`, with every position kept: row k is where k steps lead, row 0 the
    start, the last row what `descend` returns.

    Args:
        f: Landscape itself, not its gradient: takes one particle, returns a scalar. Must be
            hashable, as functions are.
        samples: Floating-point starting positions, `(n,)` or `(n, d)`.
        step_size: Scalar, used in the dtype of `samples`.
        num_steps: Number of steps, a Python int, at least 0.

    Returns:
        Array of shape `(num_steps + 1, *samples.shape)`, differentiable with respect to
        `samples` and `step_size`.

    Raises:
        TypeError: As `descend`.
        ValueError: As `descend`.

    Example:
        >>> import jax.numpy as jnp
        >>> from gradlab import quadratic
        >>> print(descent_path(quadratic, jnp.array([-2.0, 1.0]), 0.25, 2))
        [[-2.    1.  ]
         [-1.    0.5 ]
         [-0.5   0.25]]
    """
    return _descent_path(*_descent_arguments(f, samples, step_size, num_steps))


@partial(jax.jit, static_argnames=("f", "num_steps"))
def _descend(f: Callable[[Any], Any], samples: Array, step_size: Array, num_steps: int) -> Array:
    step = _step_function(f, step_size)
    return jax.lax.fori_loop(0, num_steps, lambda _, positions: step(positions), samples)


@partial(jax.jit, static_argnames=("f", "num_steps"))
def _descent_path(
    f: Callable[[Any], Any], samples: Array, step_size: Array, num_steps: int
) -> Array:
    step = _step_function(f, step_size)

    def move_and_record(positions: Array, _: None) -> tuple[Array, Array]:
        moved = step(positions)
        return moved, moved

    _, path = jax.lax.scan(move_and_record, samples, length=num_steps)
    return jnp.concatenate([samples[None], path])


def _step_function(f: Callable[[Any], Any], step_size: Array) -> Callable[[Array], Array]:
    gradient_func = jax.grad(scalar_valued("f", f, _SCALAR))
    return lambda positions: move_samples(gradient_func, positions, step_size)


def _descent_arguments(
    f: Callable[[Any], Any], samples: ArrayLike, step_size: ArrayLike, num_steps: int
) -> tuple[Callable[[Any], Any], Array, ArrayLike, int]:
    """Return the arguments, checked before `jit`, whose own messages speak of tracers."""
    require_function("f", f, "the landscape itself, not its value")
    try:
        hash(f)
    except TypeError:  # such as a dataclass that holds arrays
        got = describe(f)
        raise TypeError(
            f"f: got {got}, expected a hashable function; write lambda x: f(x)"
        ) from None
    require_scalar("step_size", step_size, _STEP_SIZE)
    return f, _particles(samples), step_size, require_count("num_steps", num_steps, 0)


def _particles(samples: ArrayLike) -> Array:
    require_floating("samples", samples, "jnp.array([1., 2.])")
    require_shape("samples", samples, _SAMPLES, ("n",), ("n", "d"))
    return samples if isinstance(samples, Array) else jnp.asarray(samples)
