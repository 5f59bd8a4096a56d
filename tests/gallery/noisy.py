"""Right: functions that are rough at a small scale, by noise or by casts inside.

The derivative that AD gives is that of the smooth twin; the program's own differences are not.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from gallery.case import Case, at, normal, uniform
from gallery.elementwise import right


def pseudo_noise(x: jax.Array) -> jax.Array:
    """Return numbers between −1 and 1 that jump with the last digits of x; AD sees a constant."""
    digits = jax.lax.stop_gradient(x)
    return jnp.sin(1e6 * jnp.sin(1e6 * digits))


def through(x: jax.Array, dtype: Any) -> jax.Array:
    """Return x rounded to `dtype`, in its own dtype again; AD takes the cast for the identity."""
    return x.astype(dtype).astype(x.dtype)


def mixed_precision_layer(w: jax.Array, x: jax.Array) -> jax.Array:
    """Return a layer as it is trained: matmul in bfloat16, the rest in the parameters' dtype."""
    low = jnp.matmul(w.astype(jnp.bfloat16), x.astype(jnp.bfloat16))
    return jnp.sum(jnp.tanh(low.astype(w.dtype)) ** 2)


def single_sum(x: jax.Array) -> jax.Array:
    """Return Σ sin x with the sum in float32, whatever x is."""
    return jnp.sum(jnp.sin(x).astype(jnp.float32)).astype(x.dtype)


NOISE_1 = "noise of relative size "

CASES: tuple[Case, ...] = (
    right(
        "noise_1e-8",
        lambda x: jnp.sin(x) + 1e-8 * pseudo_noise(x),
        at([1.0, 2.5]),
        NOISE_1 + "1e-8",
        dtypes=("float64",),
        twin=jnp.sin,
    ),
    right(
        "noise_1e-5",
        lambda x: jnp.sin(x) + 1e-5 * pseudo_noise(x),
        at([1.0, 2.5]),
        NOISE_1 + "1e-5",
        twin=jnp.sin,
    ),
    right(
        "noise_1e-3",
        lambda x: jnp.exp(x) * (1 + 1e-3 * pseudo_noise(x)),
        at(1.0),
        NOISE_1 + "1e-3: one digit is left",
        twin=jnp.exp,
        rtol=2e-3,
    ),
    right(
        "noise_in_one_element",
        lambda x: x**2 + 1e-4 * pseudo_noise(x) * jnp.asarray([0, 1, 0], x.dtype),
        at([1.0, 2.0, 3.0]),
        "one noisy element among clean ones",
        twin=lambda x: x**2,
    ),
    right(
        "inner_float32",
        lambda x: through(jnp.sin(x), jnp.float32) * x,
        at([1.0, 2.0]),
        "a silent cast to float32 half way",
        dtypes=("float64",),
        twin=lambda x: jnp.sin(x) * x,
    ),
    right(
        "inner_float32_sum",
        single_sum,
        normal(1, (6,)),
        "accumulated in float32",
        dtypes=("float64",),
        twin=lambda x: jnp.sum(jnp.sin(x)),
    ),
    right(
        "inner_bfloat16",
        lambda x: through(jnp.tanh(x), jnp.bfloat16) * 3,
        at([0.5, -1.0]),
        "steps of 0.4 % of the value",
        twin=lambda x: jnp.tanh(x) * 3,
        rtol=2e-2,
    ),
    right(
        "inner_float16",
        lambda x: jnp.sum(through(x**2, jnp.float16)),
        at([1.5, 3.0]),
        "steps of 0.1 % of the value",
        twin=lambda x: jnp.sum(x**2),
        rtol=2e-3,
    ),
    right(
        "mixed_precision_layer",
        mixed_precision_layer,
        normal(2, (3, 4), (4,)),
        "bfloat16 matmul in a float32 layer: cotangents are rounded too",
        twin=lambda w, x: jnp.sum(jnp.tanh(w @ x) ** 2),
        rtol=3e-2,
    ),
    right(
        "default_dtype_constant",
        lambda x: x * jnp.asarray(1.5, jnp.float32).astype(x.dtype) + jnp.cos(x),
        at([0.5, 2.0]),
        "a float32 constant inside, exactly representable",
    ),
    right(
        "float32_table_lookup",
        lambda x: jnp.interp(x, jnp.arange(4.0, dtype=x.dtype), jnp.asarray([0, 1, 4, 9], x.dtype)),
        at([0.5, 1.25, 2.75]),
        "piecewise linear, between its knots",
    ),
    right(
        "mean_of_many",
        lambda x: jnp.mean(jnp.tanh(x)),
        uniform(4, (400,), low=-1, high=1),
        "four hundred elements, each with a slope of 1/400",
    ),
    right(
        "float32_reduction_of_many",
        lambda x: jnp.sum(x.astype(jnp.float32) ** 2).astype(x.dtype),
        uniform(5, (64,)),
        "round-off of a sum in float32",
        dtypes=("float64",),
        twin=lambda x: jnp.sum(x**2),
    ),
)


def rounding_callback(x: jax.Array) -> jax.Array:
    """Return sin x, computed by NumPy outside JAX, with its derivative by hand."""

    @jax.custom_jvp
    def outside(x: jax.Array) -> jax.Array:
        shape = jax.ShapeDtypeStruct(x.shape, x.dtype)
        return jax.pure_callback(
            lambda v: np.sin(np.asarray(v)), shape, x, vmap_method="sequential"
        )

    outside.defjvp(lambda p, t: (outside(*p), jnp.cos(p[0]) * t[0]))
    return outside(x)


CASES += (right("pure_callback", rounding_callback, at([0.5, 2.0]), "leaves JAX for NumPy"),)
