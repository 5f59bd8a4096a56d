"""Right: sorting, gathering, scattering, segments, and cumulative operations."""

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from gallery.case import at, normal
from gallery.elementwise import right

INDEX = np.array([2, 0, 2, 4])  # one twice, two never


def scatter_last_wins(x: jax.Array, y: jax.Array) -> jax.Array:
    """Return x with y written over distinct places."""
    return x.at[jnp.asarray([3, 1])].set(y) ** 2


def soft_median(x: jax.Array) -> jax.Array:
    """Return the median of an odd number of elements, times their spread."""
    return jnp.median(x) * jnp.std(x)


CASES = (
    right(
        "sort",
        lambda x: jnp.sort(x) * jnp.arange(5, dtype=x.dtype),
        normal(1, (5,)),
        "a permutation",
    ),
    right(
        "sort_pairs",
        lambda k, v: lax.sort((k, v), num_keys=1)[1],
        normal(2, (5,), (5,)),
        "the keys have a derivative of exactly zero",
    ),
    right("argsort_gather", lambda x: x[jnp.argsort(-x)] ** 2, normal(3, (5,)), "integers inside"),
    right("top_k", lambda x: lax.top_k(x, 2)[0], normal(4, (6,)), "four slopes exactly zero"),
    right("median_spread", soft_median, normal(5, (5,)), "sort and statistics"),
    right(
        "quantile",
        lambda x: jnp.quantile(x, jnp.asarray(0.375, x.dtype)),
        normal(6, (7,)),
        "between two order statistics",
    ),
    right("max_axis", lambda x: jnp.max(x, axis=1), normal(7, (3, 4)), "no ties"),
    right("gather_repeated", lambda x: jnp.sin(x)[INDEX], normal(8, (5,)), "one element twice"),
    right(
        "take_along_axis",
        lambda x: jnp.take_along_axis(x, jnp.asarray([[1], [0], [1]]), axis=1),
        normal(9, (3, 2)),
        "one of each row",
    ),
    right(
        "scatter_add_repeated",
        lambda x, y: x.at[INDEX].add(y) ** 2,
        normal(10, (5,), (4,)),
        "adds twice at one place",
    ),
    right("scatter_set", scatter_last_wins, normal(11, (5,), (2,)), "overwritten slopes are zero"),
    right(
        "scatter_multiply",
        lambda x, y: x.at[jnp.asarray([0, 3])].multiply(y, unique_indices=True),
        normal(12, (5,), (2,)),
        "a product in place",
    ),
    right(
        "scatter_min",
        lambda x: jnp.ones(2, x.dtype).at[jnp.asarray([0, 1, 0])].min(x),
        at([0.5, 0.25, -1.0]),
        "a minimum over repeated places",
    ),
    right(
        "segment_sum",
        lambda x: jax.ops.segment_sum(x**2, jnp.asarray([0, 0, 1, 2, 1]), 4),
        normal(13, (5,)),
        "an empty segment",
    ),
    right(
        "segment_max",
        lambda x: jax.ops.segment_max(x, jnp.asarray([0, 0, 1, 1, 1]), 2),
        normal(14, (5,)),
        "no ties",
    ),
    right("cumsum_reversed", lambda x: jnp.cumsum(x[::-1]) ** 2, normal(15, (6,)), "O(n²) terms"),
    right(
        "cumprod_with_zero",
        lambda x: jnp.cumprod(x),
        at([2.0, 0.0, 3.0, -1.5]),
        "a zero: no division by x may be inside",
    ),
    right("prod_two_zeros", lambda x: jnp.prod(x), at([0.0, 2.0, 0.0]), "all slopes exactly zero"),
    right("cummax", lax.cummax, normal(16, (6,)), "constant stretches"),
    right("cumlogsumexp", lax.cumlogsumexp, normal(17, (5,)), "running softmax"),
    right(
        "dynamic_slice",
        lambda x: lax.dynamic_slice(x, (1,), (3,)) * x[2],
        normal(18, (6,)),
        "two elements never read",
    ),
    right(
        "roll_pad",
        lambda x: jnp.pad(jnp.roll(x, 2), 1, mode="reflect") ** 2,
        normal(19, (5,)),
        "reflected edges count twice",
    ),
    right(
        "interp",
        lambda x, y: jnp.interp(x, jnp.arange(4.0, dtype=x.dtype), y),
        lambda t: (*at([0.5, 2.25])(t), *normal(20, (4,))(t)),
        "by the place and by the values",
    ),
    right(
        "searchsorted_weight",
        lambda x: x * jnp.searchsorted(jnp.asarray([0.0, 1.0, 2.0], x.dtype), x).astype(x.dtype),
        at([0.5, 1.5]),
        "piecewise linear, jumps half a unit away",
    ),
    right(
        "one_hot_select",
        lambda x: jax.nn.one_hot(2, 5, dtype=x.dtype) @ x**3,
        normal(21, (5,)),
        "four slopes exactly zero",
    ),
    right(
        "tril_outer",
        lambda x: jnp.tril(jnp.outer(x, x)),
        normal(22, (4,)),
        "half of an outer product",
    ),
    right(
        "ragged_where",
        lambda x: jnp.where(jnp.arange(6) < 4, x, 0) ** 2,
        normal(23, (6,)),
        "a mask",
    ),
    right(
        "histogram_soft",
        lambda x: jnp.sum(jnp.exp(-((x[:, None] - jnp.arange(3, dtype=x.dtype)[None]) ** 2)), 0),
        normal(24, (4,)),
        "broadcast against bins",
    ),
    right(
        "extremum_index_free",
        lambda x: x[jnp.argmax(x)] - x[jnp.argmin(x)],
        normal(25, (5,)),
        "argmax, away from ties",
    ),
)
