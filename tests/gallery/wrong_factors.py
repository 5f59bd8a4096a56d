"""Wrong: a factor or a sign, from twice the derivative down to a thousandth off, in every form."""

from typing import Any

import jax
import jax.numpy as jnp
from jax import Array, lax

from gallery.case import Case, Maker, at, normal
from gallery.faults import distorted, distorted_element, with_pullback, with_pushforward


def wrong(name: str, f: Any, args: Maker, why: str, off: float, **more: Any) -> Case:
    """Return a case with a wrong gradient, `off` by that fraction at its worst element."""
    return Case(name, f, args, "wrong", why, off=off, **more)


def graded(percent: float) -> tuple[Case, ...]:
    """Return five functions with a derivative that many percent too small."""
    factor = 1 - percent / 100
    off = percent / 100

    def tanh_layer(w: Array, x: Array) -> Array:
        return jnp.sum(distorted(jnp.tanh(w @ x), factor))

    def growth(x: Array) -> Array:
        return distorted(jnp.exp(x), factor)

    def rational(x: Array) -> Array:
        return with_pushforward(
            lambda x: x / (1 + x**2),
            lambda p, t: t[0] * factor * (1 - p[0] ** 2) / (1 + p[0] ** 2) ** 2,
        )(x)

    def root(x: Array) -> Array:
        return with_pullback(jnp.sqrt, lambda args, y, c: (c * factor / (2 * y),))(x)

    def looped(x: Array) -> Array:
        return lax.scan(lambda c, _: (jnp.cos(c), None), distorted(x, factor), None, length=4)[0]

    tag = f"{percent:g}%"
    return (
        wrong(f"layer_{tag}_small", tanh_layer, normal(1, (2, 3), (3,)), "through a matmul", off),
        wrong(f"exp_{tag}_small", growth, at([0.5, -2.0, 3.0]), "three sizes of slope", off),
        wrong(f"rational_{tag}_small", rational, at([0.5, -3.0]), "forward rule by hand", off),
        wrong(
            f"sqrt_{tag}_small",
            root,
            at([0.25, 100.0]),
            "reverse rule by hand",
            off,
            modes=("rev",),
        ),
        wrong(f"scan_{tag}_small", looped, at(0.75), "at the entry of a scan", off),
    )


own_square = with_pullback(lambda x: jnp.sum(x**2), lambda a, y, c: (2 * a[0],))

CASES = (
    wrong(
        "sin_negated",
        with_pushforward(jnp.sin, lambda p, t: -jnp.cos(p[0]) * t[0]),
        at([0.5, 2.0]),
        "a sign",
        2.0,
    ),
    wrong(
        "cos_negated_reverse",
        with_pullback(jnp.cos, lambda a, y, c: (c * jnp.sin(a[0]),)),
        at([0.5, 2.0]),
        "a sign, in a reverse rule",
        2.0,
        modes=("rev",),
    ),
    wrong(
        "sign_of_small_output",
        lambda x: 1e-4 * distorted(jnp.sin(x), -1.0),
        at([0.5, 1.0]),
        "a sign, below an absolute tolerance of 2e-3",
        2.0,
    ),
    wrong(
        "sign_at_huge_argument",
        lambda x: distorted(jnp.sin(1e-5 * x), -1.0),
        at([3e5]),
        "a sign, where an absolute step does nothing",
        2.0,
    ),
    wrong(
        "sign_at_tiny_argument",
        lambda x: distorted(jnp.tanh(1e20 * x), -1.0),
        at([1e-20]),
        "a sign, at 1e-20",
        2.0,
    ),
    wrong(
        "square_without_two",
        with_pullback(lambda x: x**2, lambda a, y, c: (c * a[0],)),
        at([1.5, -2.0]),
        "the factor 2 forgotten",
        0.5,
        modes=("rev",),
        source="jax-ml/jax#29485",
    ),
    wrong(
        "tanh_of_input",
        with_pushforward(jnp.tanh, lambda p, t: (1 - p[0] ** 2) * t[0]),
        at([0.5, 0.25]),
        "1 − x² for 1 − tanh² x",
        0.04636,
    ),
    wrong(
        "sigmoid_doubled",
        lambda x: distorted(jax.nn.sigmoid(x), 2.0),
        at([0.5, -3.0]),
        "twice",
        0.5,
    ),
    wrong(
        "degrees_for_radians",
        with_pushforward(lambda x: jnp.sin(x), lambda p, t: jnp.cos(p[0]) * t[0] * 0.017453),
        at([0.5, 2.0]),
        "π/180 too many",
        0.98255,
    ),
    wrong(
        "mean_as_sum",
        with_pullback(jnp.mean, lambda a, y, c: (c * jnp.ones_like(a[0]),)),
        normal(2, (8,)),
        "not divided by n",
        0.875,
        modes=("rev",),
    ),
    wrong(
        "sum_as_mean",
        with_pullback(jnp.sum, lambda a, y, c: (c * jnp.ones_like(a[0]) / a[0].size,)),
        normal(2, (8,)),
        "divided by n",
        0.875,
        modes=("rev",),
    ),
    wrong(
        "log_base_two",
        with_pushforward(jnp.log2, lambda p, t: t[0] / p[0]),
        at([0.5, 3.0]),
        "log 2 forgotten",
        0.30685,
    ),
    wrong(
        "cotangent_ignored",
        lambda x: 3 * own_square(x),
        at([1.0, -2.0]),
        "the cotangent is not multiplied in: right alone, wrong times 3",
        2 / 3,
        modes=("rev",),
        source="SciSharp/TensorFlow.NET#787",
    ),
    wrong(
        "two_of_three_powers",
        with_pullback(lambda x: x**3, lambda a, y, c: (2 * c * a[0] ** 2,)),
        at([1.5]),
        "2x² for 3x²",
        1 / 3,
        modes=("rev",),
    ),
    wrong(
        "hand_gradient_sign",
        lambda x: jnp.sum((x - 1) ** 2),
        at([3.0, -0.5]),
        "a learner's sign",
        2.0,
        grad=lambda x: 2 * (1 - x),
    ),
    wrong(
        "hand_gradient_factor",
        lambda x: jnp.mean((x - 1) ** 2),
        at([3.0, -0.5, 2.0]),
        "a learner's 1/n",
        2 / 3,
        grad=lambda x: 2 * (x - 1),
    ),
    wrong(
        "hand_gradient_ten_percent",
        lambda x: jnp.sum(x**2),
        at([1.0, 2.0]),
        "2.2 for 2",
        0.0909,
        grad=lambda x: 2.2 * x,
    ),
    wrong(
        "hand_gradient_2.001",
        lambda x: jnp.sum(x**2),
        at([1.0, 2.0]),
        "2.001 for 2",
        0.0005,
        grad=lambda x: 2.001 * x,
    ),
    wrong(
        "one_element_ten_percent",
        lambda x: jnp.sum(distorted_element(x, 3, 0.9) ** 2),
        normal(3, (6,), shift=3.0),
        "one element of six",
        0.1,
    ),
    *graded(50),
    *graded(10),
    *graded(1),
    *graded(0.1),
)
