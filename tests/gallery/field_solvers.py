"""Solvers that stop at a tolerance: AD is the derivative of the solution to that tolerance.

An ODE solver that chooses its steps by an error estimate repeats or drops a step when a parameter
moves, so that its value jumps by about the tolerance. Its derivative, at steps taken as given, is
that of the solution (section A6).
"""

from collections.abc import Callable, Iterator
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

from gallery.case import Case, at
from gallery.family import Family, Rule, double, exact, with_twins

SEED = 1309
MOST_STEPS = 96
Field = Callable[[Any, Any], Any]


def adaptive(field: Field, rtol: float, rule: Rule) -> Callable[[Any, Any], Any]:
    """Return y(1) from (parameters, y(0)) by Heun's method with steps chosen by their error.

    The controller is behind a stop_gradient, as in libraries; a scan that may stop doing anything
    leaves both modes of AD possible.
    """

    def solve(theta: Any, y0: Any) -> Any:
        def step(state: Any, _: Any) -> Any:
            t, h, y = state
            h = jnp.minimum(h, 1 - t)
            k1 = field(theta, y)
            k2 = field(theta, y + h * k1)
            after = y + h * rule(k1 + k2) / 2
            error = jnp.max(jnp.abs(h * (k2 - k1) / 2) / (1e-2 * rtol + rtol * jnp.abs(y)))
            error = lax.stop_gradient(error)
            good = (error <= 1) & (t < 1)
            grown = h * jnp.clip(0.9 / jnp.sqrt(error + 1e-6), 0.2, 5.0)
            now = jnp.where(good, t + h, t), lax.stop_gradient(jnp.where(t < 1, grown, h))
            return (*now, jnp.where(good, after, y)), None

        start = (jnp.zeros((), y0.dtype), jnp.full((), 0.1, y0.dtype), y0)
        return lax.scan(step, start, None, length=MOST_STEPS)[0][2]

    return solve


FIELDS: dict[str, tuple[Any, Any, Any]] = {
    # f(θ, y), and its derivatives by θ and by y
    "linear": (lambda p, y: -p * y, lambda p, y: -y, lambda p, y: -p + 0 * y),
    "logistic": (lambda p, y: p * y * (1 - y), lambda p, y: y - y**2, lambda p, y: p - 2 * p * y),
    "cubic": (lambda p, y: -p * y**3, lambda p, y: -(y**3), lambda p, y: -3 * p * y**2),
    "driven": (lambda p, y: p - y**2, lambda p, y: 1 + 0 * y, lambda p, y: -2 * y),
}  # fmt: skip


def sensitivities(label: str, theta: float, y: np.ndarray) -> tuple[float, np.ndarray]:
    """Return ∂Σy(1)/∂θ and ∂Σy(1)/∂y(0) by 4,000 Runge–Kutta steps of y, y_θ and y_y."""
    field, by_theta, by_y = FIELDS[label]

    def slope(s: np.ndarray) -> np.ndarray:
        y, a, b = s
        return np.stack([
            field(theta, y), by_theta(theta, y) + by_y(theta, y) * a, by_y(theta, y) * b
        ])  # fmt: skip

    s, n = np.stack([y, 0 * y, 0 * y + 1]), 4000
    for _ in range(n):
        k1 = slope(s)
        k2 = slope(s + k1 / (2 * n))
        k3 = slope(s + k2 / (2 * n))
        s = s + (k1 + 2 * k2 + 2 * k3 + slope(s + k3 / n)) / (6 * n)
    return float(np.sum(s[1])), s[2]


def cases() -> Iterator[Case]:
    rng = np.random.default_rng(SEED)
    for n in range(8):
        label = tuple(FIELDS)[n % len(FIELDS)]
        rtol = (1e-2, 1e-3)[n // 4]
        start = rng.uniform(0.6, 1.8), rng.uniform(0.3, 0.8, 1 + n % 2).tolist()

        def build(rule: Rule, label: str = label, rtol: float = rtol) -> Any:
            return lambda theta, y0: jnp.sum(adaptive(FIELDS[label][0], rtol, rule)(theta, y0))

        def closed(theta: Any, y0: Any, label: str = label) -> Any:
            return [
                np.asarray(g) for g in sensitivities(label, *map(np.asarray, double(theta, y0)))
            ]

        case = Case(
            f"field_adaptive_{label}_{n}", build(exact), at(*start), "right",
            f"{label} equation, solved to {rtol}", closed=closed, rtol=5 * rtol,
            tolerated=("cannot tell",),
        )  # fmt: skip
        yield from with_twins(build, case, (("half", "stopped", "sign")[n % 3],), tolerated=())


FAMILIES = (Family("solvers", "A6", tuple(cases())),)
