"""Smooth points that look like kinks, jumps or noise, and derivatives that are zero (section D).

|x|³ at 0 has the slope 0 from both sides. A product of rotations does not depend on its angle, so
that its derivative is 0 and AD says −1.4e-16. 1e200·sin x is as smooth as sin x.
"""

from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from gallery.case import Case, at
from gallery.family import Family, Rule, double, exact, spread, with_twins

SEED = 1307


def at_corners() -> Iterator[Case]:
    """Powers of |x| at 0, and p-norms with one zero: C¹, with a kink in a higher derivative."""
    rng = np.random.default_rng(SEED)
    for n in range(4):
        p, c = (3.0, 2.5, 3.5, 4.0)[n], round(rng.uniform(0.5, 2.0), 2)
        build = lambda rule, p=p, c=c: lambda x: jnp.sum(rule(c * jnp.abs(x) ** p + 0.5 * x))
        closed = lambda x, p=p, c=c: [
            c * p * np.abs(double(x)[0]) ** (p - 1) * np.sign(double(x)[0]) + 0.5
        ]
        args = at([0.0, *rng.uniform(0.5, 2, n % 2)])
        why = f"|x| to the power {p} at 0: smooth, slope 0 beside x/2"
        case = Case(f"field_power_{p}", build(exact), args, "right", why, closed=closed)
        yield from with_twins(build, case, spread(n, 1))
        flat = lambda x, p=p, c=c: jnp.sum(c * jnp.abs(x) ** p)
        zero = lambda x: [0 * double(x)[0]]
        why = f"|x| to the power {p} at 0: slope 0"
        yield Case(f"field_power_{p}_alone", flat, at([0.0]), "right", why, closed=zero)
        off = lambda x, p=p, c=c: (
            jnp.sum(c * jnp.abs(x) ** p) + 0.2 * (x - jax.lax.stop_gradient(x))[0]
        )
        why = "a term that is not there"
        yield Case(f"field_power_{p}_extra", off, at([0.0]), "wrong", why, closed=zero)
    for n in range(4):
        p, size = (3, 4, 2.5, 3)[n], int(rng.integers(3, 5))
        point = rng.uniform(0.5, 2.0, size) * rng.choice([-1, 1], size)
        point[rng.integers(size)] = 0.0
        build = lambda rule, p=p: lambda x: rule(jnp.linalg.norm(x, p))

        def closed_norm(x: Any, p: float = p) -> Any:
            (x,) = double(x)
            return [np.sign(x) * np.abs(x) ** (p - 1) * np.sum(np.abs(x) ** p) ** (1 / p - 1)]

        why = f"the {p}-norm with one zero"
        args = at(point.tolist())
        case = Case(f"field_norm_{p}_{n}", build(exact), args, "right", why, closed=closed_norm)
        yield from with_twins(build, case, spread(n, 1))


def rotation(angle: Any) -> Any:
    c, s = jnp.cos(angle), jnp.sin(angle)
    return jnp.stack([jnp.stack([c, -s]), jnp.stack([s, c])])


def flat_rotation(x: Any, rule: Rule) -> Any:
    """Return the trace of Q Qᵀ for a product Q of rotations by x: 2 for every x."""
    q = jnp.eye(2, dtype=x.dtype)
    for k in range(x.shape[0]):
        q = q @ rotation(x[k])
    return jnp.sum(q * rule(q))


def key_bias(b: Any, rule: Rule, seed: int) -> Any:
    """Return attention as a function of the keys' bias, which softmax takes away again."""
    rng = np.random.default_rng(seed)
    q, k, v = (jnp.asarray(rng.standard_normal((3, b.size)), b.dtype) for _ in range(3))
    scores = q @ k.T + rule(q @ b)[:, None]
    return jnp.sum(jnp.sin(jax.nn.softmax(scores, axis=-1) @ v))


def shifted_softmax(x: Any, rule: Rule, seed: int) -> Any:
    """Return a function of softmax(c + x) for one number x that is added to all."""
    c = np.random.default_rng(seed).standard_normal(4)
    y = jnp.asarray(c, x.dtype) + x[0]
    return jnp.sum(jnp.cos(3 * y - 3 * rule(jnp.sum(y) / 4)))


def unit_length(x: Any, rule: Rule, seed: int) -> Any:
    """Return |x/|x||² + |x/|x||⁴: 2, whatever x is."""
    del seed
    s = jnp.sum(x**2)
    return s / rule(s) + (s / rule(s)) ** 2


def polar_slope(a: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the derivative by A of Σ wᵢⱼ Uᵢⱼ, U the orthogonal factor of A = U P.

    With A = W Σ Vᵀ it is dU = W ((M − Mᵀ)ᵢⱼ / (σᵢ + σⱼ)) Vᵀ, M = Wᵀ dA V.
    """
    left, s, right = np.linalg.svd(a)
    m = (left.T @ weights @ right.T) / (s[:, None] + s[None, :])
    return left @ (m - m.T) @ right


def polar() -> Iterator[Case]:
    """The orthogonal factor of a diagonal matrix, with numbers of both signs."""
    rng = np.random.default_rng(SEED + 4)
    for n in range(8):
        signs = rng.choice([-1, 1], 2 + n % 2)
        sizes = np.cumsum(rng.uniform(0.4, 1.0, signs.size))
        weights = np.round(rng.standard_normal((signs.size, signs.size)), 1)

        def build(rule: Rule, w: Any = weights) -> Any:
            factor = lambda a: jax.scipy.linalg.polar(a, method="svd")[0]
            return lambda a: jnp.sum(jnp.asarray(w, a.dtype) * rule(factor(a)))

        closed = lambda a, w=weights: [polar_slope(*double(a), w)]
        args = at(np.diag(signs * sizes).tolist())
        why = "the orthogonal factor of a diagonal matrix"
        case = Case(f"field_polar_{n}", build(exact), args, "right", why, closed=closed, rtol=1e-5)
        yield from with_twins(build, case, spread(n, 1))


def flat() -> Iterator[Case]:
    """Functions that do not depend on what they are differentiated by; the twins drop a term."""
    rng = np.random.default_rng(SEED + 1)
    forms = (
        ("rotations", lambda x, r, seed: flat_rotation(x, r)),
        ("key_bias", key_bias),
        ("softmax", shifted_softmax),
        ("length", unit_length),
    )
    for n in range(8):
        label, f = forms[n % 4]
        size = {"softmax": 1, "rotations": 2 + n // 4}.get(label, 3)
        build = lambda rule, f=f, n=n: lambda x: f(x, rule, n)
        args = at(rng.uniform(0.4, 1.6, size).tolist())
        closed = lambda x: [0 * double(x)[0]]
        why = f"{label}: the derivative is 0, AD's is rounding"
        case = Case(f"field_flat_{label}_{n}", build(exact), args, "right", why, closed=closed)
        # A rotation's terms vanish one by one, and so do a common shift's within softmax.
        faults = () if label in ("rotations", "key_bias") else spread(n, 1)
        yield from with_twins(build, case, faults)
    tilt = lambda x: flat_rotation(x, exact) + 0.1 * jnp.sum(x - jax.lax.stop_gradient(x))
    args = at([0.5, 0.75])
    yield Case("field_flat_rotations_tilted", tilt, args, "wrong", "an extra term", closed=closed)


def expanded(power: int, root: float, scale: float) -> Any:
    """Return scale·(x − root)^power up to the root and 0 beyond, multiplied out."""
    coefficients = scale * np.poly([root] * power)

    def f(x: Any, rule: Rule) -> Any:
        inner = jnp.polyval(jnp.asarray(coefficients, x.dtype), x)
        return jnp.sum(rule(jnp.where(x < root, inner, 0)) + 0.25 * x)

    return f


def at_edges() -> Iterator[Case]:
    """A polynomial with a root of high order at its edge: what it jumps by is rounding."""
    rng = np.random.default_rng(SEED + 2)
    for n in range(8):
        power, root = 3 + n % 4, float(rng.integers(8, 20)) / 8
        f = expanded(power, root, round(rng.uniform(0.5, 2.0), 2))
        build = lambda rule, f=f: lambda x: f(x, rule)
        closed = lambda x: [0 * double(x)[0] + 0.25]
        why = f"a root of order {power} at the edge {root}"
        case = Case(
            f"field_edge_{power}_{n}", build(exact), at([root]), "right", why,
            closed=closed, rtol=1e-4,
        )  # fmt: skip
        yield case
        wrong = lambda x, f=f: f(x, exact) - 0.05 * jnp.sum(x - jax.lax.stop_gradient(x))
        yield Case(
            f"field_edge_{power}_{n}_off", wrong, at([root]), "wrong", "a fifth off", closed=closed
        )


def large() -> Iterator[Case]:
    """Numbers near the end of what float64 can hold, whose squares it cannot."""
    rng = np.random.default_rng(SEED + 3)
    forms: tuple[Any, ...] = (
        ("sine", lambda x, c, r: c * jnp.sin(r(x)), lambda x, c: c * np.cos(x), (0.2, 1.2)),
        ("exp", lambda x, c, r: jnp.exp(r(x)), lambda x, c: np.exp(x), (350, 700)),
        ("small", lambda x, c, r: r(jnp.sin(x)) / c, lambda x, c: np.cos(x) / c, (0.2, 1.2)),
    )  # fmt: skip
    for n in range(9):
        label, f, slope, between = forms[n % 3]
        c = 10.0 ** rng.integers(160, 290)
        build = lambda rule, f=f, c=c: lambda x: jnp.sum(f(x, c, rule))
        closed = lambda x, slope=slope, c=c: [slope(*double(x), c)]
        args = at(rng.uniform(*between, 1 + n % 2).tolist())
        case = Case(
            f"field_large_{label}_{n}", build(exact), args, "right", f"{label}, c = {c:.0e}",
            dtypes=("float64",), closed=closed,
        )  # fmt: skip
        yield from with_twins(build, case, spread(n, 1))


FAMILIES = (
    Family("corners", "D", tuple(at_corners())),
    Family("flat", "D", tuple(flat())),
    Family("polar", "D", tuple(polar())),
    Family("edges", "D", tuple(at_edges())),
    Family("large", "D", tuple(large())),
)
