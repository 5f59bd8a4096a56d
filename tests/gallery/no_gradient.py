"""Points without a gradient: kinks, jumps, staircases; and some that only look so.

Where both one-sided slopes are what AD says, `sides_agree` is set, and "agree" is no mistake.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from gallery.case import ALL, Case, Maker, at


def none(name: str, f: Any, args: Maker, why: str, **more: Any) -> Case:
    """Return a case at a point without a gradient."""
    return Case(name, f, args, "none", why, **more)


def weierstrass(x: Array) -> Array:
    """Return a sum of ever finer cosines, rough at every scale that float64 has."""
    k = np.arange(40)
    return jnp.sum(
        jnp.asarray(0.5**k, x.dtype) * jnp.cos(jnp.asarray(3.0 ** np.minimum(k, 30), x.dtype) * x)
    )


def takagi(x: Array) -> Array:
    """Return the blancmange curve: continuous, with a kink at every dyadic point."""
    scales = jnp.asarray(2.0 ** np.arange(20), x.dtype)
    y = scales * x
    return jnp.sum(jnp.abs(y - lax.stop_gradient(jnp.round(y))) / scales)


def first_step_count(x: Array) -> Array:
    """Return how often x must be doubled to pass 8, times x: it jumps at x = 1."""
    return lax.while_loop(
        lambda c: c[0] < 8, lambda c: (2 * c[0], c[1] + x), (x, jnp.zeros_like(x))
    )[1]


CASES = (
    none("abs_at_0", jnp.abs, at([0.0]), "kink: −1 and 1", dtypes=ALL),
    none(
        "relu_at_0", jax.nn.relu, at([0.0, 1.0]), "kink in one of two elements: 0 and 1", dtypes=ALL
    ),
    none("leaky_relu_at_0", jax.nn.leaky_relu, at([0.0]), "kink: 0.01 and 1"),
    none("max_at_tie", jnp.max, at([2.0, 2.0, 1.0]), "kink: two largest elements"),
    none("maximum_at_tie", jnp.maximum, at(1.5, 1.5), "kink: two equal arguments"),
    none("median_at_tie", jnp.median, at([1.0, 2.0, 2.0]), "kink: a tie at the median"),
    none("norm_at_0", jnp.linalg.norm, at([0.0, 0.0]), "kink: a cone; AD says NaN"),
    none("hypot_at_0", jnp.hypot, at(0.0, 0.0), "kink: a cone"),
    none(
        "l1_loss_at_0",
        lambda x: jnp.sum(jnp.abs(x - 1)),
        at([1.0, 2.0]),
        "kink of a loss at its target",
    ),
    none("hinge_at_1", lambda x: jnp.maximum(0, 1 - x), at(1.0), "kink: −1 and 0"),
    none("clip_at_edge", lambda x: jnp.clip(x, -1, 1), at(1.0), "kink: 1 and 0"),
    none(
        "i0e_at_0", lambda x: jax.scipy.special.i0e(x), at(0.0), "kink: exp(−|x|) inside, AD says 0"
    ),
    none(
        "spectral_norm_tie",
        lambda a: jnp.linalg.norm(a, 2),
        at([[1.0, 0.0], [0.0, 1.0]]),
        "kink: equal singular values",
    ),
    none(
        "eigvalsh_crossing",
        lambda x: jnp.linalg.eigvalsh(jnp.diag(jnp.stack([x, -x])))[1],
        at(0.0),
        "kink: eigenvalues cross",
    ),
    none(
        "sort_at_tie",
        lambda x: jnp.sort(x)[0] * 2 + jnp.sort(x)[1],
        at([1.0, 1.0]),
        "kink: equal keys, unequal weights",
    ),
    none(
        "triangle_wave",
        lambda x: jnp.abs(jnp.mod(x, 2.0) - 1),
        at(2.0),
        "kink of a periodic function",
    ),
    none("takagi", takagi, at(0.5), "kinks at every scale", dtypes=("float64",)),
    none("weierstrass", weierstrass, at(0.5), "rough at every scale", dtypes=("float64",)),
    none("floor_at_1", jnp.floor, at(1.0), "jump"),
    none("sign_at_0", jnp.sign, at(0.0), "jump, with a value of its own between"),
    none("round_at_half", jnp.round, at(0.5), "jump"),
    none(
        "step_at_0", lambda x: jnp.where(x > 0, 1.0 + x, x), at(0.0), "jump, slope 1 on both sides"
    ),
    none(
        "argmax_at_tie",
        lambda x: (
            x @ jax.nn.one_hot(jnp.argmax(x * jnp.asarray([1, 2], x.dtype)), 2, dtype=x.dtype)
        ),
        at([2.0, 1.0]),
        "jump: a comparison at its threshold",
    ),
    none("mod_at_0", lambda x: jnp.mod(x, 1.0), at(2.0), "jump of a remainder"),
    none(
        "angle_at_cut",
        lambda x: jnp.arctan2(x, -jnp.ones_like(x)),
        at(0.0),
        "jump of 2π at the branch cut",
    ),
    none("loop_count", first_step_count, at(1.0), "jump: a loop runs once more", modes=("fwd",)),
    none(
        "cond_at_jump",
        lambda x: lax.cond(x >= 1, lambda v: v**2 + 1, lambda v: v**2, x),
        at(1.0),
        "jump between branches",
    ),
    none(
        "searchsorted_edge",
        lambda x: x * jnp.searchsorted(jnp.asarray([0.0, 1.0, 2.0], x.dtype), x).astype(x.dtype),
        at(1.0),
        "jump of an index",
    ),
    none(
        "int_cast",
        lambda x: (x * 10).astype(jnp.int32).astype(x.dtype) / 10,
        at(0.75),
        "staircase of steps 0.1 wide, at a point between: slope 0, AD 0",
        sides_agree=True,
    ),
    none(
        "int_cast_at_step",
        lambda x: (x * 8).astype(jnp.int32).astype(x.dtype),
        at(0.75),
        "staircase, at a step",
    ),
    none(
        "fine_staircase",
        lambda x: jnp.floor(x * 2.0**16) / 2.0**16,
        at(0.75),
        "staircase of steps 1.5e-5 wide; AD says 0",
    ),
    none(
        "quantised_to_int8",
        lambda x: jnp.sum(jnp.round(x * 16) / 16),
        at([0.5, 1.0]),
        "staircase between its steps: slope 0, AD 0",
        sides_agree=True,
    ),
    none(
        "x_abs_x_at_0",
        lambda x: x * jnp.abs(x),
        at(0.0),
        "only looks like a kink: slope 0 on both sides",
        sides_agree=True,
    ),
    none(
        "relu_squared_at_0",
        lambda x: jax.nn.relu(x) ** 2,
        at(0.0),
        "only looks like a kink",
        sides_agree=True,
    ),
    none(
        "huber_at_joint",
        lambda x: jnp.where(jnp.abs(x) < 1, x**2 / 2, jnp.abs(x) - 0.5),
        at(1.0),
        "two branches that meet smoothly",
        sides_agree=True,
    ),
    none(
        "sum_at_tie",
        lambda x: jnp.sum(jnp.sort(x) ** 2),
        at([1.0, 1.0]),
        "a tie that cancels",
        sides_agree=True,
    ),
    none(
        "maximum_of_same",
        lambda x: jnp.maximum(x, x) * 2,
        at([1.0, -1.0]),
        "a tie of a thing with itself",
        sides_agree=True,
    ),
    none("elu_at_0", jax.nn.elu, at(0.0), "two branches that meet with slope 1", sides_agree=True),
    none(
        "smooth_step_edge",
        lambda x: jnp.where(x > 0, jnp.exp(-1 / jnp.where(x > 0, x, 1)), 0.0),
        at(0.0),
        "flat to all orders at the joint",
        sides_agree=True,
    ),
)
