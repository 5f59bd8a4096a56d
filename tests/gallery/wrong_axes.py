"""Wrong: along the wrong axis, at the wrong place, with the wrong transpose."""

from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import Array

from gallery.case import at, normal, uniform
from gallery.faults import with_pullback
from gallery.wrong_factors import wrong


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


def bias_not_summed(x: Array, b: Array) -> Array:
    """Return x + b, b broadcast, with the first row for the sum over rows."""
    return with_pullback(lambda x, b: x + b[None], lambda s, y, c: (c, c[0]))(x, b)


def sort_unsorted(x: Array) -> Array:
    """Return sorted elements whose cotangents go back as they came, unpermuted."""
    return with_pullback(jnp.sort, lambda a, y, c: (c,))(x)


def inverse_permutation(x: Array) -> Array:
    """Return permuted elements whose cotangents go back by the permutation, not its inverse."""
    order = np.array([2, 0, 1, 4, 3])
    return with_pullback(lambda x: x[order], lambda a, y, c: (c[order],))(x)


CASES = (
    wrong(
        "shift_by_one",
        shifted_pullback(1),
        normal(4, (6,)),
        "cotangents one place too far: their sum is right",
        1.084,
        modes=("rev",),
    ),
    wrong(
        "shift_hidden_by_sum",
        lambda x: jnp.sum(shifted_pullback(1)(x)),
        at([0.5, 0.53125, 0.5, 0.5]),
        "slopes nearly equal, so that the shift is hardly seen",
        0.01756,
        modes=("rev",),
    ),
    wrong(
        "swapped_elements",
        lambda x: with_pullback(
            lambda x: x[0] ** 2 * x[1],
            lambda s, y, c: (c * jnp.stack([s[0][0] ** 2, 2 * s[0][0] * s[0][1]]),),
        )(x),
        at([1.5, 2.0]),
        "two partial derivatives swapped",
        0.625,
        modes=("rev",),
    ),
    wrong(
        "swapped_arguments",
        with_pullback(lambda x, y: x**2 * y, lambda s, v, c: (c * s[0] ** 2, 2 * c * s[0] * s[1])),
        at(1.5, 2.0),
        "two arguments swapped",
        0.625,
        modes=("rev",),
    ),
    wrong(
        "normalise_wrong_axis",
        normalise_rows,
        uniform(5, (3, 3), low=0.5, high=1.5),
        "sum over rows for columns",
        1.198,
        modes=("rev",),
    ),
    wrong(
        "matmul_untransposed",
        matmul_untransposed,
        normal(6, (2, 3), (3, 3)),
        "B for Bᵀ, B square",
        1.255,
        modes=("rev",),
    ),
    wrong(
        "transpose_of_square",
        with_pullback(lambda x: jnp.sin(x).T, lambda s, y, c: (c * jnp.cos(s[0]),)),
        normal(7, (3, 3)),
        "a square transposed, its cotangent not",
        0.2741,
        modes=("rev",),
    ),
    wrong(
        "bias_not_summed",
        bias_not_summed,
        normal(8, (4, 3), (3,)),
        "first row for the sum of a broadcast",
        0.8,
        modes=("rev",),
    ),
    wrong(
        "sort_unsorted",
        sort_unsorted,
        at([3.0, 1.0, 2.0]),
        "cotangents not permuted back",
        0.1964,
        modes=("rev",),
    ),
    wrong(
        "inverse_permutation",
        inverse_permutation,
        normal(10, (5,)),
        "the permutation for its inverse",
        0.1964,
        modes=("rev",),
    ),
    wrong(
        "flipped_kernel",
        with_pullback(
            lambda w: jnp.convolve(jnp.asarray([1, -2, 0.5, 3], w.dtype), w, "valid"),
            lambda s, y, c: (
                jnp.convolve(jnp.asarray([1, -2, 0.5, 3], c.dtype)[::-1], c, "valid")[::-1],
            ),
        ),
        at([0.5, 1.0, -1.5]),
        "convolution for correlation",
        1.307,
        modes=("rev",),
    ),
)
