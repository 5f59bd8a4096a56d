"""Edges of a domain, poles, and NaN: from AD where f is smooth, or from f itself."""

from typing import Any

import jax
import jax.numpy as jnp
from jax import Array
from jax.scipy.special import log_ndtr, spence

from gallery.case import at
from gallery.no_gradient import none


def put_together(a: Array) -> Array:
    """Return the sum of a matrix, by way of its singular value decomposition."""
    parts: Any = jnp.linalg.svd(a)
    return jnp.sum((parts[0] * parts[1][None]) @ parts[2])


CASES = (
    none("sqrt_at_0", jnp.sqrt, at(0.0), "domain edge, slope infinite"),
    none("log_at_0", jnp.log, at(0.0), "domain edge, value infinite"),
    none("arcsin_at_1", jnp.arcsin, at(1.0), "domain edge, slope infinite"),
    none("arccosh_at_1", jnp.arccosh, at(1.0), "domain edge, slope infinite"),
    none("power_half_at_0", lambda x: x**0.5, at(0.0), "domain edge, slope infinite"),
    none("x_log_x_at_0", lambda x: jax.scipy.special.xlogy(x, x), at(0.0), "domain edge, slope −∞"),
    none("cbrt_at_0", jnp.cbrt, at(0.0), "a vertical tangent, no edge"),
    none(
        "power_three_halves_edge",
        lambda x: x**1.5,
        at(0.0),
        "domain edge with a finite slope of 0 on one side",
    ),
    none("reciprocal_at_0", lambda x: 1 / x, at(0.0), "a pole"),
    none("beyond_domain", jnp.log, at(-1.0), "no value at all"),
    none(
        "where_trap",
        lambda x: jnp.where(x > 0, jnp.sqrt(x), 0.0),
        at([0.0, 1.0]),
        "NaN of the branch not taken, and an edge",
    ),
    none(
        "where_trap_smooth",
        lambda x: jnp.where(x < 1, x, x + 0 * jnp.sqrt(x - 1)),
        at([0.5]),
        "NaN of the branch not taken; f is smooth",
    ),
    none(
        "norm_squared_at_0",
        lambda x: jnp.linalg.norm(x) ** 2,
        at([0.0, 0.0]),
        "NaN of 0·∞; f is smooth",
    ),
    none(
        "norm_squared_hessian",
        lambda x: jnp.exp(-(jnp.linalg.norm(x - 1) ** 2)),
        at([1.0, 1.0]),
        "NaN at order 2; f is smooth",
        order=2,
        source="pytorch/pytorch#92075",
    ),
    none("spence_nan", spence, at(1.5), "JAX's own: NaN between 1 and 2; f is smooth"),
    none(
        "log_ndtr_joint",
        log_ndtr,
        at(-20.0),
        "jump of 1e-8 where a series takes over in float64",
        dtypes=("float64",),
    ),
    none(
        "svd_equal_values",
        put_together,
        at([[1.0, 0.0], [0.0, 1.0]]),
        "NaN of 1/(sᵢ − sⱼ); f is smooth",
        source="jax-ml/jax#8732",
    ),
    none(
        "cumprod_by_division",
        lambda x: x * (jnp.cumprod(x) / x),
        at([0.0, 2.0]),
        "NaN of 0/0, value too",
        source="tensorflow/tensorflow#3862",
    ),
    none(
        "overflow",
        lambda x: jnp.exp(x) / jnp.exp(x),
        at([1000.0]),
        "∞/∞: no value, though the function is 1",
    ),
)
