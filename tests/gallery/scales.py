"""Right: arguments and values of every size; flat, saturated, steep and highly curved functions."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from gallery.case import at, normal, uniform
from gallery.elementwise import right


def rosenbrock(x: jax.Array) -> jax.Array:
    """Return the banana function, badly scaled on purpose."""
    return jnp.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def mixed_leaves(p: dict[str, Any]) -> jax.Array:
    """Return a function of leaves of sizes 3e5, 1 and 1e-6, with slopes to match."""
    pressure, angle, strain = p["pressure"], p["angle"], p["strain"]
    return jnp.sum((pressure / 3e5) ** 2) + jnp.sum(jnp.cos(angle)) + jnp.sum((1e6 * strain) ** 2)


def mixed_arguments(dtype: str) -> tuple[Any, ...]:
    """Make the arguments of `mixed_leaves`."""
    (pressure, angle, strain) = at([3e5, 2.5e5], [0.5, 2.0, 3.0], [1e-6, -2e-6])(dtype)
    return ({"pressure": pressure, "angle": angle, "strain": strain},)


def one_of_thousand(dtype: str) -> tuple[Any, ...]:
    """Make a vector of a thousand elements of sizes between 1e-3 and 1e3."""
    exponents = normal(3, (1000,))(dtype)[0]
    return (10**exponents,)


CASES = (
    right(
        "tiny_argument",
        lambda x: jnp.sin(x * 1e20),
        at([1e-20, -5e-21]),
        "the ladder must start from 1e-20, not from 1",
    ),
    right("huge_argument", lambda x: jnp.cos(x * 1e-8), at([1e8, -3e7]), "steps of 1 do nothing"),
    right("huge_value", lambda x: 1e12 * jnp.sin(x), at(1.0), "slope 5e11"),
    right("tiny_value", lambda x: 1e-12 * jnp.sin(x), at(1.0), "below any absolute tolerance"),
    right(
        "large_offset",
        lambda x: 1e5 + jnp.sin(x),
        at(1.0),
        "a constant of 1e5 takes the digits of the rest: 1 left in float32",
    ),
    right(
        "fast_oscillation",
        lambda x: jnp.sin(1e4 * x),
        at([1.0, 0.5]),
        "period 6e-4 at x = 1; float32 knows 1e4 x to 1e-3",
    ),
    right(
        "slow_plus_fast",
        lambda x: x + 1e-3 * jnp.sin(1e3 * x),
        at([1.0, 0.25]),
        "a plateau of right-looking differences at large steps, all wrong",
    ),
    right(
        "narrow_gaussian",
        lambda x: jnp.exp(-((x / 1e-3) ** 2)),
        at(0.0009765625),
        "zero at all but steps below 1e-3",
    ),
    right("flat_quartic", lambda x: (x - 1) ** 8, at([1.0625, 0.9375]), "slope 1e-8, f is 1e-10"),
    right(
        "saturated_tanh",
        jnp.tanh,
        at([8.0, -9.0]),
        "float32 sees a constant, the slope is 4e-7",
        coarse=("float32",),
    ),
    right(
        "saturated_sigmoid",
        jax.nn.sigmoid,
        at([16.0, -20.0, 0.5]),
        "slopes 1e-7 and 2e-9 beside 0.2",
    ),
    right(
        "sigmoid_far_tail",
        jax.nn.sigmoid,
        at([40.0, 0.5]),
        "true slope 4e-18, AD says exactly 0: immaterial, and of a value that is 1 either way",
    ),
    right(
        "underflowing_gaussian",
        lambda x: jnp.exp(-(x**2)),
        at([12.0, 1.0]),
        "slope 1e-61 beside 0.7; float32 underflows to 0",
    ),
    right("rosenbrock", rosenbrock, at([-1.25, 1.0, 0.5, 2.0]), "slopes of 1e3, cancelling"),
    right("leaves_of_many_sizes", mixed_leaves, mixed_arguments, "3e5, 1 and 1e-6 in one call"),
    right(
        "elements_of_many_sizes",
        lambda x: jnp.sum(jnp.log(x)),
        at([1e-8, 1.0, 1e8]),
        "slopes 1e8, 1 and 1e-8 in one leaf",
    ),
    right(
        "thousand_elements",
        lambda x: jnp.sum(jnp.sqrt(x)),
        one_of_thousand,
        "a thousand elements, of sizes from 1e-3 to 1e3",
    ),
    right(
        "hundred_thousand_elements",
        lambda x: jnp.sum(jnp.cosh(x)),
        uniform(8, (100_000,), low=0.5, high=2.0),
        "too many to look at one by one",
        modes=("rev",),
        closed=lambda x: [np.sinh(np.asarray(x, np.float64))],
    ),
    right(
        "cancelling_difference",
        lambda x: (1 - jnp.cos(x)) / x**2,
        at([0.01, 1.0]),
        "the digits cancel inside f",
        coarse=("float32",),
    ),
    right(
        "catastrophic_variance",
        lambda x: jnp.mean(x**2) - jnp.mean(x) ** 2,
        at([1000.0, 1004.0, 1008.0]),
        "seven digits cancel",
    ),
    right("near_extremum", lambda x: jnp.cos(x), at([3.140625]), "slope 1e-3 of a value of 1"),
    right(
        "stiff_exponential",
        lambda x: jnp.exp(-1e3 * x),
        at([0.001, 0.01]),
        "curved on a scale of 1e-3",
    ),
    right(
        "logistic_steep",
        lambda x: jax.nn.sigmoid(200 * (x - 0.5)),
        at([0.5, 0.53125]),
        "a step for large steps, smooth for small ones",
    ),
    right("high_degree", lambda x: x**40, at([0.875, 1.125]), "highly curved"),
    right(
        "sum_of_large_and_small",
        lambda x, y: jnp.sum(1e4 * x) + jnp.sum(1e-2 * y**2),
        at([1.0, 2.0], [0.5, 1.5]),
        "the second leaf's slope is 1e-6 of the first's",
    ),
    right(
        "float16_moderate",
        lambda x: jnp.sum(jnp.sin(x) * x),
        at([0.5, 2.0, -1.0]),
        "three digits are all there are",
        dtypes=("float16", "bfloat16"),
    ),
)
