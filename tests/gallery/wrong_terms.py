"""Wrong: a term missing or invented, by a rule that forgets a dependence or makes one up."""

import jax.numpy as jnp
from jax import Array

from gallery.case import at, normal
from gallery.faults import distorted, with_pullback, with_pushforward
from gallery.iterations import newton_root
from gallery.wrong_factors import wrong


def implicit_without_slope(a: Array) -> Array:
    """Return the root of y³ + y = a, with dy/da = 1: the inverse of the Jacobian forgotten."""
    return with_pullback(lambda a: newton_root(a, 1e-5), lambda args, y, c: (c,))(a)


def implicit_of_other(a: Array) -> Array:
    """Return the root of y³ + y = a, with the Jacobian of y³ alone."""
    return with_pullback(lambda a: newton_root(a, 1e-5), lambda args, y, c: (c / (3 * y**2),))(a)


def product_rule_half(x: Array, y: Array) -> Array:
    """Return sin x · y², with the first half of the product rule only."""
    return with_pushforward(
        lambda x, y: jnp.sin(x) * y**2, lambda p, t: jnp.cos(p[0]) * p[1] ** 2 * t[0] + 0 * t[1]
    )(x, y)


def chain_rule_forgotten(x: Array) -> Array:
    """Return exp(x²) with exp(x²) for its derivative."""
    return with_pushforward(lambda x: jnp.exp(x**2), lambda p, t: jnp.exp(p[0] ** 2) * t[0])(x)


def invented_dependence(x: Array, y: Array) -> Array:
    """Return sin x, with a derivative by y."""
    return with_pushforward(
        lambda x, y: jnp.sin(x) + 0 * y, lambda p, t: jnp.cos(p[0]) * t[0] + t[1]
    )(x, y)


def cholesky_full(a: Array) -> Array:
    """Return log det by Cholesky, with the off-diagonal of its rule counted once, not twice."""

    def value(m: Array) -> Array:
        return 2 * jnp.sum(jnp.log(jnp.diag(jnp.linalg.cholesky(m))))

    rule = with_pullback(value, lambda s, y, c: (c * jnp.tril(jnp.linalg.inv(s[0])),))
    return rule(a @ a.T + jnp.eye(3, dtype=a.dtype))


CASES = (
    wrong(
        "implicit_without_slope",
        implicit_without_slope,
        at([0.5, 3.0]),
        "the inverse forgotten",
        0.8,
        modes=("rev",),
    ),
    wrong(
        "implicit_of_other",
        implicit_of_other,
        at([0.5, 3.0]),
        "of another equation",
        0.64,
        modes=("rev",),
    ),
    wrong("product_rule_half", product_rule_half, at(0.5, 2.0), "half a product rule", 1.0),
    wrong(
        "chain_rule_forgotten",
        chain_rule_forgotten,
        at([0.25, 1.5]),
        "inner derivative forgotten",
        0.667,
    ),
    wrong(
        "invented_dependence",
        invented_dependence,
        at(0.5, 2.0),
        "a derivative where there is none",
        1.0,
    ),
    wrong(
        "logdet_triangle",
        cholesky_full,
        normal(3, (3, 3)),
        "half of a symmetric rule",
        1.874,
        modes=("rev",),
    ),
    wrong(
        "wrong_at_later_use",
        lambda x: jnp.sum(jnp.sin(x)) + jnp.sum(distorted(jnp.cos(x) * 1e-2, -1.0)),
        at([0.5, 1.0]),
        "a small term with its sign turned",
        0.03067,
    ),
    wrong(
        "variance_without_mean",
        with_pullback(jnp.var, lambda a, y, c: (c * 2 * a[0] / a[0].size,)),
        at([1.0, 2.0, 4.0]),
        "the mean forgotten",
        1.75,
        modes=("rev",),
    ),
    wrong(
        "norm_unnormalised",
        with_pullback(jnp.linalg.norm, lambda a, y, c: (c * a[0],)),
        at([3.0, -4.0]),
        "x for x/|x|",
        0.8,
        modes=("rev",),
    ),
    wrong(
        "quotient_denominator",
        with_pushforward(lambda x, y: x / y, lambda p, t: t[0] / p[1] - p[0] / p[1] * t[1]),
        at(1.5, 4.0),
        "y for y² in the quotient rule",
        0.75,
    ),
    wrong(
        "inverse_without_transpose",
        lambda a: with_pullback(jnp.linalg.inv, lambda s, y, c: (-y @ c @ y,))(
            a + 3 * jnp.eye(2, dtype=a.dtype)
        ),
        normal(4, (2, 2)),
        "A⁻¹CA⁻¹ for A⁻ᵀCA⁻ᵀ",
        1.052,
        modes=("rev",),
    ),
    wrong(
        "clip_leaks",
        with_pullback(lambda x: jnp.clip(x, -1, 1), lambda s, y, c: (c,)),
        at([0.5, 3.0]),
        "a slope outside of the clip",
        1.0,
        modes=("rev",),
    ),
    wrong(
        "leaky_slope_swapped",
        with_pullback(
            lambda x: jnp.where(x > 0, x, 0.1 * x),
            lambda s, y, c: (jnp.where(s[0] > 0, 0.1 * c, c),),
        ),
        at([1.0, -2.0]),
        "two branches swapped",
        0.9,
        modes=("rev",),
    ),
    wrong(
        "gradient_clipped",
        with_pullback(lambda x: x**2, lambda s, y, c: (jnp.clip(2 * c * s[0], -1, 1),)),
        at([0.25, 3.0]),
        "clipped inside its rule: right for one element",
        0.83333,
        modes=("rev",),
    ),
    wrong(
        "gradient_reversal",
        with_pullback(lambda x: x, lambda s, y, c: (-0.5 * c,)),
        at([1.0, 2.0]),
        "a deliberate reversal layer",
        1.5,
        modes=("rev",),
    ),
)
