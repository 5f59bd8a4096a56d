"""Right: elementary functions at the points where their derivatives are awkward."""

from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from gallery.case import ALL, Case, at


def right(name: str, f: Any, args: Any, why: str, **more: Any) -> Case:
    """Return a case with a right gradient."""
    return Case(name, f, args, "right", why, **more)


CASES: tuple[Case, ...] = (
    right(
        "tanh", jnp.tanh, at([-1.5, 0.25, 2.0]), "nothing: every checker must pass it", dtypes=ALL
    ),
    right(
        "sin_cos_product",
        lambda x, y: jnp.sin(x) * jnp.cos(y),
        at(0.75, -2.0),
        "nothing, in two arguments",
        dtypes=ALL,
    ),
    right("exp_large", jnp.exp, at([60.0, -60.0]), "elements of size 1e26 beside 1e-26"),
    right("log_small", jnp.log, at([1e-6, 1e-3, 1.0]), "steps of size 1 leave the domain"),
    right("log1p_near_minus_one", jnp.log1p, at([-0.99, 1e-5]), "a domain edge 0.01 away"),
    right("expm1_tiny", jnp.expm1, at([1e-12, -1e-5]), "the value is the argument"),
    right("reciprocal_near_pole", lambda x: 1 / x, at([1e-4, -0.01]), "a pole one argument away"),
    right("sqrt_near_zero", jnp.sqrt, at([1e-8, 1e-2]), "slope 5000, domain edge 1e-8 away"),
    right("rsqrt", lax.rsqrt, at([0.001, 4.0, 900.0]), "slopes from 1.6e4 to 2e-5", dtypes=ALL),
    right("cbrt", jnp.cbrt, at([-8.0, 0.001, 27.0]), "negative arguments of a root"),
    right(
        "power_both",
        lambda x, y: x**y,
        at([0.5, 2.0, 3.0], [3.0, -2.0, 0.5]),
        "by base and by exponent",
    ),
    right("integer_power_negative", lambda x: x**5 + x**-3, at([-1.5, -0.5]), "negative base"),
    right("asin_near_one", jnp.arcsin, at([0.996, -0.25]), "curved, 0.004 from a domain edge"),
    right("acos", jnp.arccos, at([-0.75, 0.5]), "decreasing"),
    right("acosh_near_one", jnp.arccosh, at([1.0078125, 3.0]), "0.008 from a domain edge"),
    right("atanh_near_one", jnp.arctanh, at([0.996, -0.5]), "slope 125 near a pole"),
    right("asinh", jnp.arcsinh, at([-30.0, 0.001]), "two scales"),
    right("sinh_cosh", lambda x: jnp.sinh(x) / jnp.cosh(2 * x), at([-3.0, 0.5]), "cancelling"),
    right("tan_near_pole", jnp.tan, at([1.5625, -1.0]), "slope 1.5e4, pole 0.008 away"),
    right(
        "atan2_quadrants",
        jnp.arctan2,
        at([1.0, -1.0, -0.5], [-1.0, -1.0, 2.0]),
        "all quadrants but for the branch cut",
    ),
    right("hypot", jnp.hypot, at([3.0, -1e-3], [4.0, 1e-3]), "two scales"),
    right("logaddexp", jnp.logaddexp, at([1.0, 40.0], [2.0, -40.0]), "saturated in one element"),
    right(
        "logsumexp_shifted",
        lambda x: jax.nn.logsumexp(x),
        at([1000.0, 1004.0, 996.0]),
        "would overflow without its inner maximum, which has no derivative",
    ),
    right("softplus_large", jax.nn.softplus, at([-20.0, 0.0, 30.0]), "linear, curved and flat"),
    right("log_sigmoid", jax.nn.log_sigmoid, at([-30.0, 0.0, 8.0]), "flat on one side"),
    right(
        "gelu",
        lambda x: jax.nn.gelu(x, approximate=False),
        at([-3.0, 0.5, 2.0]),
        "erf inside",
        dtypes=ALL,
    ),
    right("silu", jax.nn.silu, at([-4.0, -1.28125, 2.0]), "near its minimum", dtypes=ALL),
    right("softsign", jax.nn.soft_sign, at([-2.0, 0.5]), "abs inside, away from its kink"),
    right("elu_away", jax.nn.elu, at([-2.0, 0.5]), "two branches, neither at the joint"),
    right(
        "relu_near_kink",
        lambda x: jnp.sum(jax.nn.relu(x) * jnp.sin(x)),
        at([0.001, -0.002, 1.0]),
        "kinks 0.001 away, no kink here",
    ),
    right("abs_near_kink", lambda x: jnp.sum(jnp.abs(x)), at([1e-4, -3.0]), "a kink 1e-4 away"),
    right(
        "clip_inside",
        lambda x: jnp.clip(x, -1, 1) ** 3,
        at([-0.996, 0.5, 2.0]),
        "a clip 0.004 away, and one element clipped: exactly zero there",
    ),
    right("sinc_at_zero", jnp.sinc, at([0.0, 0.5]), "a removable 0/0, slope exactly 0"),
    right(
        "where_safe",
        lambda x: jnp.where(x > 0, jnp.log(jnp.where(x > 0, x, 1)), x),
        at([0.5, -2.0]),
        "the doubled where, which has no NaN",
    ),
    right("mod_away", lambda x: jnp.mod(x, 3.0) * x, at([4.0, -1.0]), "jumps, a whole 1 away"),
    right(
        "rem_mixed_sign",
        lax.rem,
        at([5.5, -7.0, 7.0], [-2.0, 3.0, 2.5]),
        "slope by the divisor is minus the quotient rounded towards zero",
    ),
    right("sawtooth_smooth_part", lambda x: x - jnp.floor(x), at([0.5, 7.25]), "jumps nearby"),
    right(
        "nextafter_free_max",
        lambda x: jnp.maximum(x, 2 * x - 1),
        at([0.0, 2.0]),
        "a kink at 1, halfway between the points",
    ),
    right(
        "polynomial_horner",
        lambda x: jnp.polyval(jnp.asarray([1, -3, 0.5, 2], x.dtype), x),
        at([1.5, -0.5]),
        "constants made inside in the argument's dtype",
        dtypes=ALL,
    ),
    right("cube_at_zero", lambda x: x**3, at([0.0, 1.0]), "slope exactly 0 where f is not flat"),
    right("square_at_zero", lambda x: jnp.sum(x**2), at([0.0, 0.0]), "all slopes exactly 0"),
    right("constant", lambda x: jnp.sum(x) * 0 + 3.0, at([1.0, 2.0]), "f does not change at all"),
    right(
        "integer_valued_slope",
        lambda x: jnp.sum(3 * x - x[::-1]),
        at([1.0, -2.0, 5.0]),
        "linear: no truncation error at any step",
        dtypes=ALL,
    ),
)
