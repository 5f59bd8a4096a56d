"""A random walk whose end can be differentiated with respect to the parameters of its steps."""

from __future__ import annotations  # so that help() shows the names of the types

from contextlib import suppress

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.typing import ArrayLike

from gradlab._arguments import (
    describe,
    require_count,
    require_floating,
    require_numbers,
    require_scalar,
)


def random_walk(mean: ArrayLike, sd: ArrayLike, key: Array, num_steps: int) -> Array:
    """Return the positions of a Gaussian random walk that starts at 0, after each of its steps.

    The position after step t is the sum of the first t steps, each `mean + sd·εᵢ`:

        xₜ = mean·t + sd·(ε₁ + … + εₜ),    εᵢ ~ N(0, 1) drawn from `key`

    For a fixed key this is a deterministic function of `mean` and `sd` (the noise is
    *reparameterised*), so it has a gradient: that of the last position is `num_steps` with respect
    to the mean, and ε₁ + … + εₙ with respect to the standard deviation. Averaged over keys it
    estimates the gradient of an expectation, the pathwise estimator.

    The same key gives the same walk, always. For another walk use another key: `jax.random.split`
    makes several out of one, `jax.random.fold_in(key, i)` the i-th. With
    `jax.debug_key_reuse(True)` JAX raises an error where a key is used twice.

    Under `jax.jit`, pass the key as an argument: XLA draws the numbers of a key that is a
    constant of the program while it compiles, which takes very long for a long walk.

    Args:
        mean: Mean of one step, a scalar.
        sd: Standard deviation of one step, a scalar, at least 0, in the unit of `mean`.
        key: One random key, typed (`jax.random.key`) or legacy (`jax.random.PRNGKey`), that is
            used nowhere else.
        num_steps: Number of steps, a Python int, from 1 to 2³¹ − 1.

    Returns:
        Array of shape `(num_steps,)`, of the dtype that `mean` and `sd` promote to.

    Raises:
        TypeError: If `mean` or `sd` is an integer array, `key` is not a key, or `num_steps` is
            not a Python int.
        ValueError: If `mean`, `sd` or `key` is a batch, `num_steps` is not from 1 to 2³¹ − 1, or
            `sd` is negative, which can be seen only outside of `jax.jit`. (Under it a negative `sd`
            mirrors the noise.)

    Example:
        >>> import jax
        >>> last = lambda mean, sd: random_walk(mean, sd, jax.random.key(0), 128)[-1]
        >>> value, (by_mean, by_sd) = jax.value_and_grad(last, (0, 1))(0.0, 1.0)
        >>> print(by_mean)
        128.0
        >>> bool(by_sd == value)  # with mean 0 and sd 1 the walk is all noise
        True

        Three walks, one for each key:

        >>> keys = jax.random.split(jax.random.key(1), 3)
        >>> jax.vmap(lambda key: random_walk(0.0, 1.0, key, 128))(keys).shape
        (3, 128)

    References:
        Kingma and Welling, Auto-Encoding Variational Bayes, ICLR 2014 (the reparameterisation).
    """
    for name, parameter in (("mean", mean), ("sd", sd)):
        if not isinstance(parameter, int):
            require_floating(name, parameter, f"{name}=1.0")
        require_scalar(name, parameter, f"jax.vmap(random_walk, ...) over the values of {name}")
    require_numbers("sd", sd, lambda sd: sd >= 0, "at least 0", "abs(sd)")
    key = _one_key(key)
    num_steps = require_count("num_steps", num_steps, 1)

    dtype = jnp.result_type(mean, sd, 0.0)
    noise = jax.random.normal(key, (num_steps,), dtype)
    # Not cumsum(mean + sd·ε): so both partial derivatives can be seen, that of the mean is exact,
    # and XLA does not fold a long sum of constants while it compiles the gradient of the last
    # position.
    t = jnp.arange(1, num_steps + 1, dtype=dtype)
    return jnp.asarray(mean, dtype) * t + jnp.asarray(sd, dtype) * jnp.cumsum(noise)


def _one_key(key: Array) -> Array:
    """Return the random key `key` as a typed one; raise unless it is one key."""
    typed = key
    if isinstance(key, Array | np.ndarray) and key.dtype == np.uint32:
        with suppress(TypeError, ValueError):  # numbers, but not as many as a legacy key has
            typed = jax.random.wrap_key_data(key)
    if not isinstance(typed, Array) or not jnp.issubdtype(typed.dtype, jax.dtypes.prng_key):
        raise TypeError(f"key: got {describe(key)}, expected a random key; write jax.random.key(0)")
    if typed.ndim:
        write = "jax.vmap(lambda key: random_walk(mean, sd, key, num_steps))(keys)"
        raise ValueError(f"key: got {describe(key)}, a batch, expected one key; write {write}")
    return typed
