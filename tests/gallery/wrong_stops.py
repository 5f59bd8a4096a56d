"""Wrong: a term lost to `stop_gradient`, by mistake or on purpose."""

import jax
import jax.numpy as jnp
from jax import Array, lax

from gallery.case import at, normal
from gallery.wrong_factors import wrong

stop = lax.stop_gradient


def batch_norm(x: Array, stopped: str) -> Array:
    """Return standardised columns, with the mean or the spread taken for a constant."""
    mean, spread = jnp.mean(x, 0, keepdims=True), jnp.std(x, 0, keepdims=True)
    mean = stop(mean) if "mean" in stopped else mean
    spread = stop(spread) if "spread" in stopped else spread
    return (x - mean) / spread


def momentum_loop(x: Array) -> Array:
    """Return a scan whose carry is stopped half way."""
    step = lambda c, k: (jnp.where(k == 3, stop(jnp.sin(c) + x), jnp.sin(c) + x), None)
    return lax.scan(step, x, jnp.arange(5))[0]


def branch_stopped(x: Array) -> Array:
    """Return a branch of `cond` that stops the gradient of one of its terms."""
    return lax.cond(
        jnp.sum(x) > 0, lambda v: jnp.sum(v**2) + jnp.sum(stop(v) * v), lambda v: jnp.sum(v), x
    )


def attention(x: Array) -> Array:
    """Return self-attention whose weights are taken for constants."""
    return stop(jax.nn.softmax(x @ x.T, axis=-1)) @ x


CASES = (
    wrong(
        "stopped_factor",
        lambda x: jnp.sum(x * stop(jnp.exp(x))),
        at([0.5, 1.0, -0.5]),
        "x · exp x, one factor stopped",
        0.5,
    ),
    wrong("stopped_square", lambda x: jnp.sum(x * stop(x)), at([1.0, -2.0]), "half of x²", 0.5),
    wrong(
        "stopped_everything",
        lambda x: jnp.sum(jnp.sin(stop(x))),
        at([0.5, 2.0]),
        "nothing left",
        1.0,
    ),
    wrong(
        "stopped_term_1%",
        lambda x: jnp.sum(jnp.exp(x)) + 0.01 * jnp.sum(stop(jnp.exp(x))),
        at([0.5, 1.0]),
        "a small term",
        0.0099,
    ),
    wrong(
        "stopped_term_0.1%",
        lambda x: jnp.sum(jnp.exp(x)) + 1e-3 * jnp.sum(stop(jnp.exp(x))),
        at([0.5, 1.0]),
        "a tiny term",
        0.001,
    ),
    wrong(
        "batch_norm_spread_stopped",
        lambda x: batch_norm(x, "spread"),
        normal(1, (5, 2)),
        "spread a constant",
        0.7256,
    ),
    wrong(
        "batch_norm_both_stopped",
        lambda x: batch_norm(x, "mean spread"),
        normal(1, (5, 2)),
        "statistics constant",
        1.389,
    ),
    wrong("stopped_in_scan", momentum_loop, at(0.5), "a carry stopped at step 3", 0.07993),
    wrong("stopped_in_cond", branch_stopped, at([1.0, 2.0]), "inside a branch", 0.25),
    wrong(
        "stopped_target",
        lambda v, r: (r + 0.875 * stop(v[1]) - v[0]) ** 2,
        at([1.0, 2.0], 0.5),
        "a semi-gradient, deliberate in reinforcement learning, not the derivative",
        1.0,
    ),
    wrong(
        "stopped_temperature",
        lambda x, t: jax.nn.softmax(x / stop(t)),
        at([1.0, 2.0, 0.5], 0.75),
        "one argument stopped",
        1.0,
    ),
    wrong(
        "straight_through_round",
        lambda x: jnp.sum(x + stop(jnp.tanh(3 * x) - x)),
        at([0.25, -0.5]),
        "a surrogate slope of 1",
        0.4579,
    ),
    wrong("attention_weights_stopped", attention, normal(2, (3, 2)), "weights a constant", 0.9007),
)
