"""Wrong: in one leaf of many, in one element of a thousand, in one of several arguments."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from gallery.case import array, at, normal, uniform
from gallery.faults import distorted, distorted_element, with_pullback
from gallery.wrong_factors import wrong


def leaves(count: int) -> Any:
    """Return a maker of a dictionary of `count` leaves of two elements."""
    return lambda t: ({f"w{k:02d}": leaf for k, leaf in enumerate(normal(1, *[(2,)] * count)(t))},)


def one_leaf(factor: float) -> Any:
    """Return a function of many leaves of which one, in the middle, is wrong."""

    def f(p: dict[str, Array]) -> Array:
        total = sum(jnp.sum(jnp.tanh(v) * (k + 1)) for k, v in enumerate(p.values()))
        return total + jnp.sum(distorted(jnp.sin(p["w05"]), factor) * 6)

    return f


def one_of(index: int, factor: float) -> Any:
    """Return Σ cosh x with the derivative of one element wrong."""
    return lambda x: jnp.sum(jnp.cosh(distorted_element(x, index, factor)))


def softmax_diagonal(x: Array) -> Array:
    """Return a softmax whose rule has the diagonal of its Jacobian only."""
    return with_pullback(jax.nn.softmax, lambda a, y, c: (c * y * (1 - y),))(x)


def softmax_passed(x: Array) -> Array:
    """Return a softmax whose rule passes the cotangent on."""
    return with_pullback(jax.nn.softmax, lambda a, y, c: (c,))(x)


def maximum_everywhere(x: Array) -> Array:
    """Return the maximum, with the cotangent given to every element."""
    return with_pullback(jnp.max, lambda a, y, c: (c * jnp.ones_like(a[0]),))(x)


def maximum_first(x: Array) -> Array:
    """Return the maximum, with the cotangent given to the first element."""
    return with_pullback(jnp.max, lambda a, y, c: (jnp.zeros_like(a[0]).at[0].set(c),))(x)


CASES = (
    wrong(
        "one_leaf_dropped",
        one_leaf(0.0),
        leaves(12),
        "the second use of leaf w05 of twelve is not seen",
        0.5319,
    ),
    wrong(
        "one_leaf_one_percent",
        one_leaf(0.98),
        leaves(12),
        "one leaf of twelve by a percent",
        0.01064,
    ),
    wrong(
        "large_leaf_sign",
        lambda a, b: jnp.sum(distorted((a / 3e5) ** 2, -1.0)) + jnp.sum(b**2),
        at([3e5, 2e5], [1.0]),
        "a leaf of size 3e5 beside one of size 1",
        2.0,
        source="jax-gcm#820",
    ),
    wrong(
        "small_leaf_sign",
        lambda a, b: 1e6 * jnp.sum(a**2) + 1e-2 * jnp.sum(distorted(b**2, -1.0)),
        at([1.0], [0.5, 2.0]),
        "a leaf whose slope is 1e-8 of the other's",
        2.0,
    ),
    wrong(
        "one_of_1000_dropped",
        one_of(617, 0.0),
        normal(2, (1000,)),
        "one of a thousand is zero",
        1.0,
    ),
    wrong(
        "one_of_1000_ten_percent",
        one_of(123, 0.9),
        normal(2, (1000,), shift=1.5),
        "one of a thousand by 10 %",
        0.1,
    ),
    wrong(
        "one_of_1000_one_percent",
        one_of(999, 0.99),
        normal(2, (1000,), shift=1.5),
        "the last by 1 %",
        0.01,
    ),
    wrong(
        "one_of_100000_sign",
        one_of(54321, -1.0),
        uniform(12, (100_000,), low=0.5, high=2.0),
        "one of a hundred thousand",
        2.0,
        modes=("rev",),
        closed=lambda x: [np.sinh(np.asarray(x, np.float64))],
    ),
    wrong(
        "ten_of_100000_ten_percent",
        lambda x: jnp.sum(jnp.cosh(distorted_element(x, slice(777, 787), 0.9))),
        uniform(12, (100_000,), low=0.5, high=2.0),
        "ten neighbours of a hundred thousand, by 10 %",
        0.1,
        modes=("rev",),
        closed=lambda x: [np.sinh(np.asarray(x, np.float64))],
    ),
    wrong(
        "last_row_dropped",
        lambda x: jnp.sum(jnp.sin(x[:-1])) + jnp.sum(distorted(jnp.sin(x[-1]), 0.0)),
        normal(3, (5, 3)),
        "off by one: the last row has no derivative",
        1.0,
    ),
    wrong(
        "softmax_diagonal",
        softmax_diagonal,
        at([1.0, 0.5, -1.0]),
        "off-diagonal terms forgotten",
        1.193,
        modes=("rev",),
    ),
    wrong(
        "softmax_passed_on",
        softmax_passed,
        at([1.0, 0.5, -1.0]),
        "the cotangent copied",
        1.014,
        modes=("rev",),
        source="pjreddie/darknet#96",
    ),
    wrong(
        "maximum_everywhere",
        maximum_everywhere,
        normal(9, (5,)),
        "to all in place of the largest",
        1.0,
        modes=("rev",),
    ),
    wrong(
        "maximum_first",
        maximum_first,
        at([1.0, 3.0, 2.0]),
        "to the first in place of the largest",
        1.0,
        modes=("rev",),
    ),
    wrong(
        "scalar_among_vectors",
        lambda x, s: jnp.sum(x**2) * distorted(s, 0.5),
        lambda t: (*normal(11, (50,))(t), array(t, 2.0)),
        "the scalar, beside a vector of fifty",
        0.5,
    ),
)
