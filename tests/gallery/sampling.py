"""Right: functions that draw random numbers with a key, differentiated through the draws."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import random

from gallery.case import at, normal
from gallery.elementwise import right


def noise(x: jax.Array, *shape: int, key: Any = None) -> jax.Array:
    """Return standard normal numbers drawn in float32, the same in every dtype of x."""
    key = random.key(0) if key is None else key
    return random.normal(key, shape, jnp.float32).astype(x.dtype)


def with_key(dtype: str) -> tuple[Any, ...]:
    """Make a key and two parameters."""
    return (random.key(7), *at([0.5, -1.0], [0.25, 0.75])(dtype))


def elbo(key: Any, mean: jax.Array, log_scale: jax.Array) -> jax.Array:
    """Return the pathwise estimate of an evidence bound, eight draws."""
    z = mean[None] + jnp.exp(log_scale)[None] * noise(mean, 8, 2, key=key)
    return jnp.mean(jnp.sum(jnp.sin(z) - z**2, -1)) + jnp.sum(log_scale)


def own_draws(scale: jax.Array) -> jax.Array:
    """Return Σ tanh(scale·ε) of draws in scale's own dtype: other numbers in float64."""
    return jnp.sum(jnp.tanh(scale * random.normal(random.key(3), (4,), scale.dtype)))


def own_draws_gradient(scale: jax.Array) -> Any:
    """Return d/dscale of `own_draws`, with the same draws."""
    eps = np.asarray(random.normal(random.key(3), (4,), scale.dtype), np.float64)
    return [np.sum(eps / np.cosh(float(scale) * eps) ** 2)]


def default_draws(x: jax.Array) -> jax.Array:
    """Return ⟨ε, x²⟩ of draws in the default dtype, float64 only where it is enabled."""
    return jnp.sum(random.normal(random.key(5), (3,)).astype(x.dtype) * x**2)


def default_draws_gradient(x: jax.Array) -> Any:
    """Return the gradient of `default_draws`, with the same draws."""
    eps = np.asarray(random.normal(random.key(5), (3,)), np.float64)
    return [2 * eps * np.asarray(x, np.float64)]


def dropout(x: jax.Array) -> jax.Array:
    """Return x with half of its elements dropped, scaled."""
    keep = random.bernoulli(random.key(1), jnp.float32(0.5), x.shape)
    return jnp.where(keep, x / 0.5, 0) ** 2


def gumbel_softmax(logits: jax.Array) -> jax.Array:
    """Return a relaxed sample of a category."""
    gumbel = -jnp.log(
        -jnp.log(random.uniform(random.key(2), logits.shape, jnp.float32, 0.01, 0.99))
    )
    return jax.nn.softmax((logits + gumbel.astype(logits.dtype)) / 0.5)


def score_function(theta: jax.Array) -> jax.Array:
    """Return a surrogate whose gradient is the score-function estimate: samples are constants."""
    z = noise(theta, 5) + 0.5
    return jnp.mean((z**2) * -((z - theta) ** 2) / 2)


CASES = (
    right("pathwise_elbo", elbo, with_key, "a typed key among the arguments"),
    right(
        "reparameterised_normal",
        lambda m, s: jnp.mean((m + s * noise(m, 64)) ** 3),
        at(0.5, 1.25),
        "64 draws",
    ),
    right(
        "own_dtype_draws",
        own_draws,
        at(0.75),
        "draws other numbers in float64",
        closed=own_draws_gradient,
    ),
    right(
        "default_dtype_draws",
        default_draws,
        at([0.5, 1.0, -2.0]),
        "draws other numbers where float64 is on",
        closed=default_draws_gradient,
    ),
    right("dropout", dropout, normal(1, (8,)), "exactly zero where dropped"),
    right("gumbel_softmax", gumbel_softmax, normal(2, (4,)), "a relaxed choice"),
    right("score_function", score_function, at(0.25), "samples that do not move with theta"),
    right(
        "permuted_batch",
        lambda x: random.permutation(random.key(6), x) * jnp.arange(5, dtype=x.dtype),
        normal(3, (5,)),
        "a permutation by a key",
    ),
    right(
        "antithetic",
        lambda s: jnp.mean(jnp.exp(s * noise(s, 16)) + jnp.exp(-s * noise(s, 16))),
        at(0.5),
        "pairs of opposite draws",
    ),
    right(
        "langevin",
        lambda x: jax.lax.fori_loop(
            0,
            10,
            lambda i, y: y - 0.1 * y**3 + 0.3 * noise(x, 2, key=random.fold_in(random.key(8), i)),
            x,
        ),
        at([0.5, -1.5]),
        "keys folded in a loop",
    ),
)
