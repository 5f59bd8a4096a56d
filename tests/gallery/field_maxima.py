"""A maximum over values that are computed again beside it, as in `max(a·x − b)` and its relatives.

The comparison of the values with their maximum must see the same bits on both sides. A compiler
that fuses one side and not the other returns NaN or zero for a right gradient (section A1).
"""

from collections.abc import Callable, Iterator
from typing import Any

import jax.numpy as jnp
import numpy as np

from gallery.case import Case, at
from gallery.family import Family, Rule, double, spread, with_twins

SEED, MEMBERS = 1301, 12
# A function of (x, a, b) and its derivative by x, in NumPy; the first argument is the namespace.
Inner = tuple[str, Callable[..., Any], Callable[..., Any]]

INNER: tuple[Inner, ...] = (
    ("affine", lambda _, x, a, b: a * x - b, lambda x, a, b: a + 0 * x),
    ("square", lambda _, x, a, b: a * x * x - b, lambda x, a, b: 2 * a * x),
    ("sine", lambda m, x, a, b: m.sin(a * x) - b, lambda x, a, b: a * np.cos(a * x)),
    (
        "ratio",
        lambda _, x, a, b: a * x / (b + x * x),
        lambda x, a, b: a * (b - x**2) / (b + x**2) ** 2,
    ),
)


def pick(y: Any, form: str) -> np.ndarray:
    """Return the derivative of each form of maximum by y."""
    unit = np.zeros(y.size)
    flat = np.ravel(y)
    if form == "pool":
        rows = flat.reshape(-1, 2)
        unit.reshape(-1, 2)[np.arange(len(rows)), np.argmax(rows, 1)] = 1
    elif form == "min":
        unit[np.argmin(flat)] = 1
    elif form == "norm_inf":
        i = np.argmax(np.abs(flat))
        unit[i] = np.sign(flat[i])
    elif form == "spread":
        unit[np.argmax(flat)], unit[np.argmin(flat)] = 1, -1
    else:
        unit[np.argmax(flat)] = 1
    return unit.reshape(y.shape)


FORMS: dict[str, Callable[[Any], Any]] = {
    "max": jnp.max,
    "min": jnp.min,
    "pool": lambda y: jnp.sum(jnp.max(y.reshape(-1, 2), axis=1)),
    "norm_inf": lambda y: jnp.linalg.norm(y, ord=jnp.inf),
    "where": lambda y: jnp.sum(jnp.where(y == jnp.max(y), y, 0)),
    "spread": lambda y: jnp.max(y) - jnp.min(y),
}


def untied(rng: np.random.Generator, size: int, inner: Inner) -> tuple[Any, float, float]:
    """Draw a point at which no two of the values, or of their sizes, are nearly equal."""
    while True:
        x = np.round(rng.uniform(-2.5, 2.5, size) * 32) / 32
        a, b = round(rng.uniform(0.4, 2.2), 2), round(rng.uniform(0.3, 1.5), 2)
        y = np.abs(inner[1](np, x, a, b))
        slopes = np.abs(inner[2](x, a, b))
        if np.min(np.diff(np.sort(y))) > 0.05 and np.min(slopes) > 0.05:
            return x, a, b


def draw() -> Iterator[Case]:
    rng = np.random.default_rng(SEED)
    forms = list(FORMS)
    for n in range(MEMBERS):
        form, inner = forms[n % len(forms)], INNER[(n + n // len(forms)) % len(INNER)]
        point, a, b = untied(rng, 2 * int(rng.integers(2, 4)), inner)

        def build(
            rule: Rule, form: str = form, g: Any = inner[1], a: float = a, b: float = b
        ) -> Any:
            return lambda x: FORMS[form](rule(g(jnp, x, a, b)))

        def closed(x: Any, form: str = form, inner: Any = inner, a: float = a, b: float = b) -> Any:
            (x,) = double(x)
            return [pick(inner[1](np, x, a, b), form) * inner[2](x, a, b)]

        name = f"field_{form}_{inner[0]}_{n}"
        why = f"{form} of {inner[0]} values, a = {a}, b = {b}"
        case = Case(name, build(lambda v: v), at(point.tolist()), "right", why, closed=closed)
        yield from with_twins(build, case, spread(n))


FAMILIES = (Family("maxima", "A1", tuple(draw())),)
