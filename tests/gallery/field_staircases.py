"""Staircases: functions made of comparisons or of few digits, flat below a step, sloped above it.

A bisection only compares, so that JAX's derivative of it is 0. Its author writes the rule of the
root, 1/g'(m), which is the slope above the steps. Beside a smooth term the finest differences show
that term alone (section A2). Without a rule the derivative is missing (section B1).
"""

from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from gallery.case import Case, at
from gallery.family import Family, double

SEED = 1303
EITHER = ("cannot tell",)
# y = g(m), g' in NumPy, and a bracket for m.
MONOTONE: tuple[Any, ...] = (
    ("cubic", lambda m, np: m**3 + m, lambda m: 3 * m**2 + 1, 0.0, 2.0),
    ("tanh", lambda m, np: m + np.tanh(m), lambda m: 2 - np.tanh(m) ** 2, -10.0, 10.0),
    ("exp", lambda m, np: m + np.exp(m), lambda m: 1 + np.exp(m), -4.0, 2.0),
    ("sinh", lambda m, np: np.sinh(m), np.cosh, -3.0, 3.0),
)


def halvings(g: Any, low: float, high: float, count: int) -> Callable[[Any], Any]:
    """Return the root of g(m) = y by `count` halvings of a bracket: comparisons alone."""

    def solve(y: Any) -> Any:
        def body(_: int, ends: Any) -> Any:
            middle = (ends[0] + ends[1]) / 2
            above = g(middle, jnp) < y
            return jnp.where(above, middle, ends[0]), jnp.where(above, ends[1], middle)

        ends = (jnp.full_like(y, low), jnp.full_like(y, high))
        low_end, high_end = lax.fori_loop(0, count, body, ends)
        return (low_end + high_end) / 2

    return solve


def to_tolerance(g: Any, low: float, high: float, tolerance: float) -> Callable[[Any], Any]:
    """Return the same by a `while` loop, until the bracket is narrower than a tolerance."""

    def solve(y: Any) -> Any:
        def body(ends: Any) -> Any:
            middle = (ends[0] + ends[1]) / 2
            above = g(middle, jnp) < y
            return jnp.where(above, middle, ends[0]), jnp.where(above, ends[1], middle)

        ends = (jnp.full_like(y, low), jnp.full_like(y, high))
        ends = lax.while_loop(lambda e: jnp.max(e[1] - e[0]) > tolerance, body, ends)
        return (ends[0] + ends[1]) / 2

    return solve


def ruled(f: Callable[[Any], Any], slope: Callable[[Any, Any], Any]) -> Callable[[Any], Any]:
    """Return f with `slope(x, f(x))` as its derivative."""

    @jax.custom_jvp
    def with_rule(x: Any) -> Any:
        return f(x)

    @with_rule.defjvp
    def _(primals: Any, tangents: Any) -> Any:
        (x,), (x_dot,) = primals, tangents
        y = with_rule(x)
        return y, (slope(x, y) * x_dot).astype(y.dtype)

    return with_rule


def root_of(g: Any, low: float, high: float, y: np.ndarray) -> np.ndarray:
    """Return the root of g(m) = y, by two hundred halvings in NumPy."""
    ends = np.full_like(y, low), np.full_like(y, high)
    for _ in range(200):
        middle = (ends[0] + ends[1]) / 2
        above = g(middle, np) < y
        ends = np.where(above, middle, ends[0]), np.where(above, ends[1], middle)
    return ends[0]


def cut_to_float32(x: Any) -> Any:
    """Return sin x by NumPy in float32, as a simulator in another language computes it."""
    return _outside(x, lambda v: np.sin(np.asarray(v, np.float32)))


def six_digits(x: Any) -> Any:
    """Return sin x to six digits, as a simulator prints it."""
    return _outside(x, lambda v: np.round(np.sin(np.asarray(v, np.float64)), 6))


def _outside(x: Any, f: Callable[[Any], Any]) -> Any:
    shape = jax.ShapeDtypeStruct(x.shape, x.dtype)
    run = lambda v: f(v).astype(v.dtype)
    return jax.pure_callback(run, shape, x, vmap_method="sequential")


def quantised(levels: float) -> Callable[[Any], Any]:
    """Return rounding to multiples of 1/levels, as weights are stored."""
    return lambda w: jnp.round(w * levels) / levels


def programs() -> Iterator[tuple[str, Any, Any, Any, Any, tuple[str, ...]]]:
    """Yield a name, a staircase, its slope from (x, y), that in NumPy from x, points, dtypes."""
    rng = np.random.default_rng(SEED)
    for n in range(6):
        label, g, slope, low, high = MONOTONE[n % len(MONOTONE)]
        count = int(rng.integers(14, 24))
        roots = rng.uniform(0.3, 1.2, 1 + n % 2)
        true = lambda x, g=g, s=slope, low=low, high=high: 1 / s(root_of(g, low, high, x))
        rule = lambda x, y, g=g: 1 / jax.vmap(jax.grad(lambda m: g(m, jnp)))(y)
        solve = halvings(g, low, high, count)
        yield f"bisection_{label}_{count}", solve, rule, true, g(roots, np), ("float32", "float64")
    sine = (lambda x, y: jnp.cos(x)), np.cos
    yield "simulator_float32", cut_to_float32, *sine, rng.uniform(0.2, 1.3, 2), ("float64",)
    yield "simulator_digits", six_digits, *sine, rng.uniform(0.2, 1.3, 2), ("float64",)
    one = (lambda x, y: jnp.ones_like(x)), np.ones_like
    for levels in (2.0**13, 2.0**16):
        name, points = f"quantised_{levels:.0f}", rng.uniform(-1, 1, 3)
        yield name, quantised(levels), *one, points, ("float64",)


def beside_smooth() -> Iterator[Case]:
    """A staircase with its rule, plus c·x²; the twins have a rule of zeros or a factor."""
    rng = np.random.default_rng(SEED + 1)
    for n, (label, stairs, slope, true, point, dtypes) in enumerate(programs()):
        c = round(rng.uniform(0.01, 0.3), 3)
        closed = lambda x, true=true, c=c: [true(*double(x)) + 2 * c * double(x)[0]]

        def build(factor: float, f: Any = stairs, s: Any = slope, c: float = c) -> Any:
            rule = ruled(f, lambda x, y: factor * s(x, y))
            return lambda x: jnp.sum(rule(x) + c * x**2)

        make = at(np.asarray(point).tolist())
        more = {"dtypes": dtypes, "closed": closed, "rtol": 1e-2, "tolerated": EITHER}
        why = f"{label} with a smooth term of {c}·x²"
        yield Case(f"field_stairs_{label}_{n}", build(1.0), make, "right", why, **more)
        for fault, factor in (("zero", 0.0), ("double", 2.0)):
            why = f"{label}, its slope {factor} times"
            name = f"field_stairs_{label}_{n}_{fault}"
            yield Case(name, build(factor), make, "wrong", why, **more)


def without_rule() -> Iterator[Case]:
    """A bisection whose derivative is missing; the right twins have the rule of the root."""
    rng = np.random.default_rng(SEED + 2)
    for n in range(10):
        label, g, slope, low, high = MONOTONE[n % len(MONOTONE)]
        point = g(rng.uniform(0.2, 1.2, 1 + n % 2), np)
        if n < 6:
            count = (10, 16, 22, 28, 36, 40)[n]
            solve, modes, kind = halvings(g, low, high, count), ("fwd", "rev"), f"{count} halvings"
        else:
            tolerance = (1e-3, 1e-5, 1e-6, 1e-8)[n - 6]
            solve, modes = to_tolerance(g, low, high, tolerance), ("fwd",)
            kind = f"a tolerance of {tolerance}"
        scale = round(rng.uniform(0.5, 2.0), 2)

        def build(f: Any, scale: float = scale) -> Any:
            return lambda y: scale * jnp.sum(f(y))

        def closed(
            y: Any, s: Any = slope, g: Any = g, e: Any = (low, high), c: float = scale
        ) -> Any:
            return [c / s(root_of(g, *e, *double(y)))]

        # A bracket of 1e-8 is below the spacing of float32, where the loop would not end.
        dtypes = ("float64",) if n >= 7 else ("float32", "float64")
        more = {"dtypes": dtypes, "closed": closed, "rtol": 2e-2, "modes": modes}
        make = at(np.asarray(point).tolist())
        ask = None if modes != ("fwd",) else ("fwd",)
        yield Case(
            f"field_comparisons_{label}_{n}", build(solve), make, "wrong",
            f"{kind} without a rule: AD is 0", tolerated=EITHER, asked_modes=ask, **more,
        )  # fmt: skip
        rule = lambda x, y, g=g: 1 / jax.vmap(jax.grad(lambda m: g(m, jnp)))(y)
        yield Case(
            f"field_comparisons_{label}_{n}_ruled", build(ruled(solve, rule)), make, "right",
            f"{kind} with the rule of the root", tolerated=EITHER,
            **(more | {"modes": ("fwd", "rev")}),
        )  # fmt: skip


FAMILIES = (
    Family("staircases", "A2", tuple(beside_smooth())),
    Family("comparisons", "B1", tuple(without_rule())),
)
