"""Wrong: in one leaf of many, one element of a thousand, along the wrong axis, at the wrong place."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from gallery.case import Case, array, at, normal, uniform
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


def one_of(n: int, index: int, factor: float, dtype: str = "") -> Any:
    """Return Σ cosh x with the derivative of one element wrong."""
    del n, dtype
    return lambda x: jnp.sum(jnp.cosh(distorted_element(x, index, factor)))


def shifted_pullback(shift: int) -> Any:
    """Return sin, with its cotangents rolled by one place or more."""
    return with_pullback(jnp.sin, lambda a, y, c: (jnp.roll(c * jnp.cos(a[0]), shift),))


def normalise_rows(x: Array) -> Array:
    """Return rows that sum to one, with the sum over the wrong axis in the rule."""

    def value(x: Array) -> Array:
        return x / jnp.sum(x, 1, keepdims=True)

    def pullback(args: Any, y: Array, c: Array) -> Any:
        total = jnp.sum(args[0], 1, keepdims=True)
        return ((c - jnp.sum(c * y, 0, keepdims=True)) / total,)

    return with_pullback(value, pullback)(x)


def matmul_untransposed(a: Array, b: Array) -> Array:
    """Return a @ b, with Bᵀ forgotten where B is square and shapes do not tell."""
    return with_pullback(jnp.matmul, lambda s, y, c: (c @ s[1], s[0].T @ c))(a, b)


def softmax_diagonal(x: Array) -> Array:
    """Return a softmax whose rule has the diagonal of its Jacobian only."""
    return with_pullback(jax.nn.softmax, lambda a, y, c: (c * y * (1 - y),))(x)


def softmax_passed(x: Array) -> Array:
    """Return a softmax whose rule passes the cotangent on."""
    return with_pullback(jax.nn.softmax, lambda a, y, c: (c,))(x)


def bias_not_summed(x: Array, b: Array) -> Array:
    """Return x + b, b broadcast, with the first row for the sum over rows."""
    return with_pullback(lambda x, b: x + b[None], lambda s, y, c: (c, c[0]))(x, b)


def maximum_everywhere(x: Array) -> Array:
    """Return the maximum, with the cotangent given to every element."""
    return with_pullback(jnp.max, lambda a, y, c: (c * jnp.ones_like(a[0]),))(x)


def maximum_first(x: Array) -> Array:
    """Return the maximum, with the cotangent given to the first element."""
    return with_pullback(jnp.max, lambda a, y, c: (jnp.zeros_like(a[0]).at[0].set(c),))(x)


def sort_unsorted(x: Array) -> Array:
    """Return sorted elements whose cotangents go back as they came, unpermuted."""
    return with_pullback(jnp.sort, lambda a, y, c: (c,))(x)


def inverse_permutation(x: Array) -> Array:
    """Return permuted elements whose cotangents go back by the permutation, not its inverse."""
    order = np.array([2, 0, 1, 4, 3])
    return with_pullback(lambda x: x[order], lambda a, y, c: (c[order],))(x)


CASES = (
    wrong("one_leaf_dropped", one_leaf(0.0), leaves(12), "the second use of leaf w05 of twelve is not seen", 0.5319),
    wrong("one_leaf_one_percent", one_leaf(0.98), leaves(12), "one leaf of twelve by a percent", 0.01064),
    wrong("large_leaf_sign", lambda a, b: jnp.sum(distorted((a / 3e5) ** 2, -1.0)) + jnp.sum(b**2), at([3e5, 2e5], [1.0]),
          "a leaf of size 3e5 beside one of size 1", 2.0, source="climate-analytics-lab/jax-gcm#820"),
    wrong("small_leaf_sign", lambda a, b: 1e6 * jnp.sum(a**2) + 1e-2 * jnp.sum(distorted(b**2, -1.0)), at([1.0], [0.5, 2.0]),
          "a leaf whose slope is 1e-8 of the other's", 2.0),
    wrong("one_of_1000_dropped", one_of(1000, 617, 0.0), normal(2, (1000,)), "one of a thousand is zero", 1.0),
    wrong("one_of_1000_ten_percent", one_of(1000, 123, 0.9), normal(2, (1000,), shift=1.5), "one of a thousand by 10 %", 0.1),
    wrong("one_of_1000_one_percent", one_of(1000, 999, 0.99), normal(2, (1000,), shift=1.5), "the last by 1 %", 0.01),
    wrong("last_row_dropped", lambda x: jnp.sum(jnp.sin(x[:-1])) + jnp.sum(distorted(jnp.sin(x[-1]), 0.0)), normal(3, (5, 3)),
          "off by one: the last row has no derivative", 1.0),
    wrong("shift_by_one", shifted_pullback(1), normal(4, (6,)), "cotangents one place too far: their sum is right", 1.084,
          modes=("rev",)),
    wrong("shift_hidden_by_sum", lambda x: jnp.sum(shifted_pullback(1)(x)), at([0.5, 0.53125, 0.5, 0.5]),
          "slopes nearly equal, so that the shift is hardly seen", 0.01756, modes=("rev",)),
    wrong("swapped_elements", lambda x: with_pullback(lambda x: x[0] ** 2 * x[1], lambda s, y, c: (
        c * jnp.stack([s[0][0] ** 2, 2 * s[0][0] * s[0][1]]),))(x), at([1.5, 2.0]), "two partial derivatives swapped", 0.625,
          modes=("rev",)),
    wrong("swapped_arguments", with_pullback(lambda x, y: x**2 * y, lambda s, v, c: (c * s[0] ** 2, 2 * c * s[0] * s[1])),
          at(1.5, 2.0), "two arguments swapped", 0.625, modes=("rev",)),
    wrong("normalise_wrong_axis", normalise_rows, uniform(5, (3, 3), low=0.5, high=1.5), "sum over rows for columns", 1.198,
          modes=("rev",)),
    wrong("matmul_untransposed", matmul_untransposed, normal(6, (2, 3), (3, 3)), "B for Bᵀ, B square", 1.255, modes=("rev",)),
    wrong("transpose_of_square", with_pullback(lambda x: jnp.sin(x).T, lambda s, y, c: (c * jnp.cos(s[0]),)), normal(7, (3, 3)),
          "a square transposed, its cotangent not", 0.2741, modes=("rev",)),
    wrong("softmax_diagonal", softmax_diagonal, at([1.0, 0.5, -1.0]), "off-diagonal terms forgotten", 1.193, modes=("rev",)),
    wrong("softmax_passed_on", softmax_passed, at([1.0, 0.5, -1.0]), "the cotangent copied", 1.014, modes=("rev",),
          source="pjreddie/darknet#96"),
    wrong("bias_not_summed", bias_not_summed, normal(8, (4, 3), (3,)), "first row for the sum of a broadcast", 0.8,
          modes=("rev",)),
    wrong("maximum_everywhere", maximum_everywhere, normal(9, (5,)), "to all in place of the largest", 1.0, modes=("rev",)),
    wrong("maximum_first", maximum_first, at([1.0, 3.0, 2.0]), "to the first in place of the largest", 1.0, modes=("rev",)),
    wrong("sort_unsorted", sort_unsorted, at([3.0, 1.0, 2.0]), "cotangents not permuted back", 0.1964, modes=("rev",)),
    wrong("inverse_permutation", inverse_permutation, normal(10, (5,)), "the permutation for its inverse", 0.1964, modes=("rev",)),
    wrong("flipped_kernel", with_pullback(lambda w: jnp.convolve(jnp.asarray([1, -2, 0.5, 3], w.dtype), w, "valid"),
          lambda s, y, c: (jnp.convolve(jnp.asarray([1, -2, 0.5, 3], c.dtype)[::-1], c, "valid")[::-1],)), at([0.5, 1.0, -1.5]),
          "convolution for correlation", 1.307, modes=("rev",)),
    wrong("scalar_among_vectors", lambda x, s: jnp.sum(x**2) * distorted(s, 0.5), lambda t: (*normal(11, (50,))(t), array(t, 2.0)),
          "the scalar, beside a vector of fifty", 0.5),
)
