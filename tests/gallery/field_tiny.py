"""Tiny values, which a scale or a square loses, and pseudo-inverses of nearly singular matrices.

`exp(−x²/2)` far out is 1e-150 and has a derivative to all digits, which is larger than anything
that an absolute bound such as 1e-20 leaves visible (section A4). The pseudo-inverse of a matrix of
low rank has a derivative as long as its small singular values stay cut off (section A5).
"""

from collections.abc import Iterator
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax.scipy.stats import norm

from gallery.case import Case
from gallery.family import Family, Rule, double, spread, with_twins

SEED, SINGULAR = 1302, 8
BELL = lambda x: np.exp(-x * x / 2) / np.sqrt(2 * np.pi)

# Name, function of (x, rule), derivative, and between which points in which dtype.
TAILS: tuple[Any, ...] = (
    ("bell", lambda x, r: jnp.exp(-r(x * x) / 2), lambda x: -x * np.exp(-x * x / 2), 25, 28),
    ("pdf", lambda x, r: norm.pdf(r(x)), lambda x: -x * BELL(x), -37, -27),
    ("cdf", lambda x, r: norm.cdf(r(x)), BELL, -36, -28),
    ("logsf", lambda x, r: norm.logsf(r(x)), lambda x: -BELL(x), -36, -28),
    ("sech", lambda x, r: 1 / jnp.cosh(r(x)), lambda x: -2 * np.exp(-x), 200, 340),
    ("power", lambda x, r: r(x) ** 5, lambda x: 5 * x**4, 1e-58, 1e-55),
    ("logistic", lambda x, r: jnp.exp(r(x)) / (1 + jnp.exp(x)), np.exp, -680, -300),
)  # fmt: skip


def tails() -> Iterator[Case]:
    rng = np.random.default_rng(SEED)
    for n in range(2 * len(TAILS)):
        label, f, slope, low, high = TAILS[n % len(TAILS)]
        point = rng.uniform(low, high, 1 + n % 3)
        args = lambda dtype, x=point: (jnp.asarray(x, dtype),)
        build = lambda rule, f=f: lambda x: jnp.sum(f(x, rule))
        closed = lambda x, slope=slope: [slope(*double(x))]
        why = f"{label} where it is tiny"
        faults = spread(n, 1) if label != "logistic" else ("stopped", "sign")
        case = Case(
            f"field_tiny_{label}_{n}", build(lambda v: v), args, "right", why,
            dtypes=("float64",), closed=closed, rtol=1e-4,
        )  # fmt: skip
        yield from with_twins(build, case, faults)


def pseudo_inverse_slope(a: np.ndarray, rank: int, weights: np.ndarray) -> np.ndarray:
    """Return the derivative of Σ wᵢⱼ Pᵢⱼ by A, P the pseudo-inverse, at constant rank.

    dP = −P dA P + P Pᵀ dAᵀ (1 − A P) + (1 − P A) dAᵀ Pᵀ P (Golub and Pereyra, 1973).
    """
    u, s, vt = np.linalg.svd(a, full_matrices=False)
    a = u[:, :rank] * s[:rank] @ vt[:rank]
    p = vt[:rank].T / s[:rank] @ u[:, :rank].T
    left, right = np.eye(len(a)) - a @ p, np.eye(a.shape[1]) - p @ a
    first = -(p.T @ weights @ p.T)
    return first + left @ weights.T @ p @ p.T + p.T @ p @ weights.T @ right


def singular() -> Iterator[Case]:
    rng = np.random.default_rng(SEED + 1)
    for n in range(SINGULAR):
        shape = ((3, 3), (4, 3), (3, 5), (4, 4))[n % 4]
        rank = 1 + (n >= 4)
        factors = rng.uniform(0.4, 1.5, (shape[0], rank)), rng.standard_normal((rank, shape[1]))
        matrix, w = factors[0] @ factors[1], np.round(rng.standard_normal(shape[::-1]), 2)
        args = lambda dtype, a=matrix: (jnp.asarray(a, dtype),)

        def build(rule: Rule, w: Any = w) -> Any:
            return lambda a: jnp.sum(jnp.asarray(w, a.dtype) * rule(jnp.linalg.pinv(a)))

        def closed(a: Any, rank: int = rank, w: Any = w) -> Any:
            return [pseudo_inverse_slope(*double(a), rank, w)]

        case = Case(
            f"field_pinv_{n}", build(lambda v: v), args, "right",
            f"pseudo-inverse of a {shape} matrix of rank {rank}, as float32 rounds it",
            dtypes=("float32",), closed=closed, tolerated=("cannot tell",),
        )  # fmt: skip
        yield from with_twins(build, case, spread(n, 1), tolerated=("cannot tell",))


FAMILIES = (
    Family("tiny", "A4", tuple(tails())),
    Family("pinv", "A5", tuple(singular())),
)
