"""Right: decompositions and solves, symmetric arguments made inside so that any matrix will do."""

from typing import Any

import jax
import jax.numpy as jnp
import jax.scipy.linalg as sl
import numpy as np
from jax import lax

from gallery.case import array, at, normal
from gallery.elementwise import right


def positive(a: jax.Array) -> jax.Array:
    """Return a positive definite matrix made of `a`."""
    return a @ a.T + jnp.eye(a.shape[0], dtype=a.dtype)


def rank_one(a: jax.Array) -> jax.Array:
    """Return the best approximation of rank 1."""
    parts: Any = jnp.linalg.svd(a, full_matrices=False)
    return (parts[0][:, :1] * parts[1][None, :1]) @ parts[2][:1]


def hilbert(dtype: str) -> tuple[Any, ...]:
    """Make the Hilbert matrix of order 4, plus 1/128 of the unit one, and a right-hand side."""
    i = np.arange(4)
    return array(dtype, 1 / (1.0 + i[:, None] + i)) + jnp.eye(4, dtype=dtype) / 128, array(
        dtype, [1.0, -1.0, 2.0, 0.5]
    )


def conjugate_gradients(a: jax.Array, b: jax.Array) -> jax.Array:
    """Return A⁻¹b by JAX's conjugate gradients, differentiated implicitly."""
    matrix = positive(a)
    return jax.scipy.sparse.linalg.cg(lambda v: matrix @ v, b, tol=1e-12)[0]


def newton_schulz(a: jax.Array) -> jax.Array:
    """Return the inverse square root of a positive matrix by twelve coupled iterations."""
    matrix = positive(a)
    size = jnp.trace(matrix)
    unit = jnp.eye(len(a), dtype=a.dtype)

    def body(_: int, yz: Any) -> Any:
        y, z = yz
        t = (3 * unit - z @ y) / 2
        return y @ t, t @ z

    return lax.fori_loop(0, 12, body, (matrix / size, unit))[1] / jnp.sqrt(size)


CASES = (
    right(
        "matmul_chain", lambda a, b: jnp.tanh(a @ b) @ a, normal(1, (3, 3), (3, 3)), "twice used"
    ),
    right(
        "einsum",
        lambda a, b: jnp.einsum("ijk,kjl->il", a, b),
        normal(2, (2, 3, 2), (2, 3, 2)),
        "two contracted axes",
    ),
    right(
        "cholesky",
        lambda a: jnp.linalg.cholesky(positive(a)),
        normal(3, (3, 3)),
        "a lower triangle of outputs",
    ),
    right("inverse", lambda a: jnp.linalg.inv(positive(a)), normal(4, (3, 3)), "through an LU"),
    right("solve", lambda a, b: jnp.linalg.solve(positive(a), b), normal(5, (3, 3), (3,)), "both"),
    right("solve_ill_conditioned", jnp.linalg.solve, hilbert, "condition 200: slopes of 1e4"),
    right(
        "triangular_solve",
        lambda a, b: sl.solve_triangular(a + 3 * jnp.eye(3, dtype=a.dtype), b, lower=True),
        normal(6, (3, 3), (3, 2)),
        "the upper half is not read: exactly zero there",
    ),
    right(
        "cho_solve",
        lambda a, b: sl.cho_solve((jnp.linalg.cholesky(positive(a)), True), b),
        normal(7, (3, 3), (3,)),
        "a factor, then two solves",
    ),
    right("determinant", jnp.linalg.det, normal(8, (4, 4)), "by cofactors"),
    right("slogdet", lambda a: jnp.linalg.slogdet(a)[1], normal(9, (4, 4)), "sign left aside"),
    right(
        "eigvalsh", lambda a: jnp.linalg.eigvalsh(a + a.T), normal(10, (4, 4)), "distinct values"
    ),
    right(
        "eigh_projector",
        lambda a: (lambda v: v[:, :1] @ v[:, :1].T)(jnp.linalg.eigh(a + a.T)[1]),
        normal(11, (3, 3)),
        "vectors, in a form without their sign",
    ),
    right("svd_values", lambda a: jnp.linalg.svd(a, compute_uv=False), normal(12, (3, 4)), "wide"),
    right(
        "svd_low_rank",
        rank_one,
        normal(13, (4, 3)),
        "the best approximation of rank 1",
    ),
    right(
        "qr_r",
        lambda a: jnp.abs(jnp.linalg.qr(a)[1]),
        normal(14, (4, 3)),
        "signs of rows taken off",
    ),
    right("expm", lambda a: sl.expm(a), normal(15, (3, 3), scale=0.5), "Padé and squarings"),
    right("expm_frechet_size", lambda a: sl.expm(4 * a), normal(16, (3, 3)), "several squarings"),
    right("matrix_power", lambda a: jnp.linalg.matrix_power(a, 7), normal(17, (2, 2)), "curved"),
    right("pinv", jnp.linalg.pinv, normal(18, (4, 2)), "a pseudo-inverse of full rank"),
    right(
        "lstsq", lambda a, b: jnp.linalg.lstsq(a, b)[0], normal(19, (5, 2), (5,)), "through an svd"
    ),
    right("norm_nuclear", lambda a: jnp.linalg.norm(a, "nuc"), normal(20, (3, 3)), "sum of values"),
    right(
        "norm_spectral", lambda a: jnp.linalg.norm(a, 2), normal(21, (3, 3)), "the largest alone"
    ),
    right(
        "tridiagonal",
        lambda d: lax.linalg.tridiagonal_solve(
            jnp.concatenate([jnp.zeros(1, d.dtype), d[1:]]),
            d + 4,
            jnp.concatenate([d[:-1], jnp.zeros(1, d.dtype)]),
            d[:, None] ** 2,
        ),
        normal(22, (5,)),
        "one vector as all three diagonals and as the right-hand side",
    ),
    right(
        "conjugate_gradients",
        conjugate_gradients,
        normal(23, (4, 4), (4,)),
        "iterative, differentiated implicitly",
        rtol=1e-5,
    ),
    right("newton_schulz", newton_schulz, normal(24, (3, 3), scale=0.5), "a fixed loop of matmuls"),
    right(
        "gaussian_logpdf",
        lambda x, a: jax.scipy.stats.multivariate_normal.logpdf(x, jnp.zeros_like(x), positive(a)),
        normal(25, (3,), (3, 3)),
        "Cholesky and a solve",
    ),
    right(
        "kalman_gain",
        lambda p: p @ jnp.linalg.inv(p + jnp.eye(2, dtype=p.dtype)),
        at([[2.0, 0.5], [0.5, 1.0]]),
        "rational",
    ),
    right(
        "block_tikhonov",
        lambda a, mu: jnp.linalg.solve(a.T @ a + mu * jnp.eye(3, dtype=a.dtype), a.T).sum(),
        lambda t: (*normal(26, (4, 3))(t), *at(1e-3)(t)),
        "a small ridge, mu = 1e-3",
    ),
)
