"""Small steps that are swallowed by large numbers, in float64.

An eigenvector of B + s·I does not depend on s, yet with s = 1e7 the matrix keeps nine digits of B:
differences at fine steps see rounding alone, and only the coarser ones the slope (section A3).
"""

from collections.abc import Iterator
from typing import Any

import jax.numpy as jnp
import numpy as np

from gallery.case import Case, at
from gallery.family import Family, Rule, double, spread, with_twins

SEED = 1304


def symmetric(rng: np.random.Generator, size: int) -> np.ndarray:
    """Draw a symmetric matrix whose eigenvalues are not close to each other."""
    while True:
        a = np.round(rng.standard_normal((size, size)), 1)
        a = (a + a.T) / 2
        if np.min(np.diff(np.linalg.eigvalsh(a))) > 0.4:
            return a


def vector_slope(b: np.ndarray, e: np.ndarray, t: float, i: int, k: int) -> float:
    """Return the derivative by t of (vᵢ)ₖ² for B + t E: vᵢ' = Σⱼ vⱼ (vⱼᵀ E vᵢ)/(λᵢ − λⱼ)."""
    values, v = np.linalg.eigh(b + t * e)
    slope = sum(
        v[k, j] * (v[:, j] @ e @ v[:, i]) / (values[i] - values[j]) for j in range(len(b)) if j != i
    )
    return 2 * v[k, i] * slope


def eigenvectors() -> Iterator[Case]:
    rng = np.random.default_rng(SEED)
    for n in range(6):
        size, shift = 2 + n % 3, 10.0 ** (5 + n % 4)
        b, e = symmetric(rng, size), np.zeros((size, size))
        p, q = rng.choice(size, 2, replace=False)
        e[p, q] = e[q, p] = 1.0
        i, k, start = int(rng.integers(size)), int(rng.integers(size)), float(rng.uniform(-1, 1))
        if abs(vector_slope(b, e, start, i, k)) < 0.02:
            i, k = (i + 1) % size, (k + 1) % size

        def build(rule: Rule, b: Any = b, e: Any = e, s: float = shift, ik: Any = (i, k)) -> Any:
            def f(t: Any) -> Any:
                m = jnp.asarray(b + s * np.eye(len(b)), t.dtype) + t * jnp.asarray(e, t.dtype)
                return rule(jnp.linalg.eigh(m)[1][ik[1], ik[0]] ** 2)

            return f

        closed = lambda t, b=b, e=e, i=i, k=k: [np.asarray(vector_slope(b, e, *double(t), i, k))]
        why = f"eigenvector {i} of a {size} × {size} matrix shifted by {shift:.0e}"
        case = Case(
            f"field_shifted_eigenvector_{n}", build(lambda v: v), at(start), "right", why,
            dtypes=("float64",), closed=closed, rtol=1e-5,
        )  # fmt: skip
        yield from with_twins(build, case, spread(n))


# A smooth function of z = (x + s) − s, and its derivative.
SHIFTED: tuple[Any, ...] = (
    ("sine", lambda x, s, r: jnp.sin(r((x + s) - s)), np.cos),
    ("tanh", lambda x, s, r: r(jnp.tanh((x - s) + s)), lambda x: 1 - np.tanh(x) ** 2),
    ("variance", lambda x, s, r: r((x + s) ** 2 - s * s - 2 * s * x), lambda x: 2 * x),
    ("logsumexp", lambda x, s, r: r(jnp.logaddexp(x + s, s) - s), lambda x: 1 / (1 + np.exp(-x))),
)  # fmt: skip


def sums() -> Iterator[Case]:
    rng = np.random.default_rng(SEED + 1)
    for n in range(8):
        label, f, slope = SHIFTED[n % len(SHIFTED)]
        s = 10.0 ** rng.integers(5, 9) if label != "variance" else 10.0 ** rng.integers(3, 6)
        point = rng.uniform(0.3, 1.5, 1 + n % 3)
        build = lambda rule, f=f, s=float(s): lambda x: jnp.sum(f(x, s, rule))
        case = Case(
            f"field_swallowed_{label}_{n}", build(lambda v: v), at(point.tolist()), "right",
            f"{label} of what {s:.0e} was added to and taken from", dtypes=("float64",),
            closed=lambda x, slope=slope: [slope(*double(x))], rtol=1e-4,
        )  # fmt: skip
        yield from with_twins(build, case, spread(n, 1))


FAMILIES = (Family("swallowed", "A3", (*eigenvectors(), *sums())),)
