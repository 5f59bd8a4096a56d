"""Functions of which `jax.grad` or `jax.jvp` raises: a mode that the user does not have.

A forward derivative that agrees is no pass for a user whose next line is `jax.grad(f)`. The
headline says that the mode raises; `assert_grads` passes only if `modes` leaves it out (section
B4).
"""

from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.experimental import sparse

from gallery.case import Case, at
from gallery.family import FAULTS, Family, Rule, double, exact
from gallery.faults import with_pullback

SEED = 1306
REVERSE = ("rev|reverse|jax.grad",)


def repeated_sine(count: int) -> Any:
    """Return sin applied `count` times by a `while` loop, which JAX cannot transpose."""

    def f(x: Any, rule: Rule) -> Any:
        body = lambda c: (rule(jnp.sin(c[0])), c[1] + 1)
        return lax.while_loop(lambda c: c[1] < count, body, (x, 0))[0]

    return f


def repeated_sine_slope(count: int) -> Any:
    def slope(x: np.ndarray) -> np.ndarray:
        y, product = x, np.ones_like(x)
        for _ in range(count):
            y, product = np.sin(y), product * np.cos(y)
        return product

    return slope


def outside(x: Any, rule: Rule) -> Any:
    """Return exp by NumPy with a forward rule that leaves JAX, too: it has no transpose."""

    def call(f: Any, *args: Any) -> Any:
        shape = jax.ShapeDtypeStruct(args[0].shape, args[0].dtype)
        return jax.pure_callback(f, shape, *args, vmap_method="broadcast_all")

    @jax.custom_jvp
    def exp(x: Any) -> Any:
        return call(lambda v: np.exp(np.asarray(v)), x)

    @exp.defjvp
    def _(primals: Any, tangents: Any) -> Any:
        slope = lambda v, d: np.exp(np.asarray(v)) * np.asarray(d)
        return exp(*primals), call(slope, *primals, *tangents)

    return rule(exp(x))


def sparse_product(matrix: Any) -> Any:
    """Return the sum of a product of two sparse matrices, the first with x as its numbers."""
    places, there = np.argwhere(matrix != 0), np.argwhere(matrix.T != 0)
    numbers = matrix.T[matrix.T != 0]

    def f(x: Any, rule: Rule) -> Any:
        a = sparse.BCOO((rule(x), jnp.asarray(places)), shape=matrix.shape)
        b = sparse.BCOO((jnp.asarray(numbers, x.dtype), jnp.asarray(there)), shape=matrix.T.shape)
        return jnp.sum((a @ b).todense())

    return f, lambda x: matrix.sum(0)[places[:, 1]] + 0 * x


def forward_only() -> Iterator[tuple[str, Any, Any, np.ndarray]]:
    """Yield a name, what makes f from a rule, its slope, and a point."""
    rng = np.random.default_rng(SEED)
    for n in range(4):
        count, point = int(rng.integers(2, 6)), rng.uniform(0.3, 1.4, 1 + n % 3)
        f = repeated_sine(count)
        build = lambda rule, f=f: lambda x: jnp.sum(f(x, rule))
        yield f"while_{count}_times", build, repeated_sine_slope(count), point
    for n in range(3):
        build = lambda rule: lambda x: jnp.sum(outside(x, rule))
        yield "callback", build, np.exp, rng.uniform(-1, 1, 1 + n)
    for n in range(3):
        matrix = rng.integers(1, 4, (2 + n, 3)) * (rng.random((2 + n, 3)) < 0.6).astype(float)
        matrix[0, 0] = 2.0
        f, slope = sparse_product(matrix)
        build = lambda rule, f=f: lambda x: f(x, rule)
        yield "sparse", build, slope, rng.uniform(0.5, 2.0, int(np.sum(matrix != 0)))


def cases() -> Iterator[Case]:
    wrong = ("half", "tenth_off")
    for n, (label, build, slope, point) in enumerate(forward_only()):
        closed = lambda x, slope=slope: [slope(*double(x))]
        name = f"field_no_reverse_{label}_{n}"
        more = {"modes": ("fwd",), "closed": closed, "dtypes": ("float32",)}
        args = at(point.tolist())
        why = "jax.grad raises"
        yield Case(
            name, build(exact), args, "right", why, passes=False, headline=REVERSE,
            tolerated=("cannot tell",), **more,
        )  # fmt: skip
        asked = {"asked_modes": ("fwd",), **more}
        yield Case(
            f"{name}_asked", build(exact), args, "right", "forward alone", passes=True, **asked
        )
        fault = wrong[n % 2]
        rule = FAULTS[fault]
        yield Case(
            f"{name}_{fault}", build(rule), args, "wrong", "its rule is off", passes=False, **more
        )
    rng = np.random.default_rng(SEED + 1)
    for n in range(3):
        x = at(rng.uniform(0.4, 1.2, 2).tolist())
        closed = lambda x: [np.cos(*double(x))]
        more = {"modes": ("rev",), "closed": closed, "dtypes": ("float32",)}
        for kind, factor in (("right", 1.0), ("wrong", 0.9)):
            pull = lambda args, y, c, factor=factor: (c * factor * jnp.cos(args[0]),)
            f = lambda x, pull=pull: jnp.sum(with_pullback(jnp.sin, pull)(x))
            name = f"field_no_forward_{kind}_{n}"
            yield Case(name, f, x, kind, "a custom_vjp: jax.jvp raises", **more)


FAMILIES = (Family("raising", "B4", tuple(cases())),)
