"""Ties of three: points without a derivative at which AD gives a limit of gradients (section E).

The median of three equal numbers has a kink in every direction but (1, 1, 1). AD's answer is the
gradient of some neighbour, or a mean of such; it is not wrong, and nothing is flat there.
"""

from collections.abc import Iterator
from typing import Any

import jax.numpy as jnp
import numpy as np

from gallery.case import Case, at
from gallery.family import Family
from gallery.faults import distorted

SEED = 1308
FORMS = ("median", "extremes", "weighted", "interp", "middle", "largest_two")


def form(label: str, weights: np.ndarray) -> Any:
    """Return a function of numbers that are sorted or compared somewhere."""
    w = lambda x: jnp.asarray(weights[: x.size], x.dtype)
    return {
        "median": jnp.median,
        "extremes": lambda x: jnp.max(x) + jnp.min(x),
        "weighted": lambda x: jnp.sum(jnp.sort(x) * w(x)),
        "interp": lambda x: jnp.interp(x[0], x[1:], w(x)[1:]),
        "middle": lambda x: jnp.sort(x)[1] * 2 + jnp.sum(x**2),
        "largest_two": lambda x: jnp.sum(jnp.sort(x)[-2:] * w(x)[:2]),
    }[label]


def cases() -> Iterator[Case]:
    rng = np.random.default_rng(SEED)
    for n in range(2 * len(FORMS)):
        label = FORMS[n % len(FORMS)]
        weights = np.array([1.0, 2.0, 4.0, 7.0, 11.0]) * round(rng.uniform(0.5, 1.5), 2)
        f, value = form(label, weights), float(rng.integers(-8, 9)) / 4
        x = np.full(3, value)
        if label == "median" and n >= len(FORMS):
            x = np.append(x, [value - 1, value + 1])
        if label == "interp":
            x = np.array([value, value, value, value + 1])
        why = f"{label} of three equal numbers"
        words = ("f is flat",)
        args = at(x.tolist())
        yield Case(f"field_tie_{label}_{n}", f, args, "none", why, never_says=words)
        if n >= len(FORMS):
            continue
        apart = at((x + np.array([0.0, 0.5, -0.5, 1.0, 2.0])[: x.size]).tolist())
        if label == "interp":
            apart = at([value + 0.25, value, value + 1, value + 2.5])
        name = f"field_apart_{label}_{n}"
        yield Case(name, f, apart, "right", "the same numbers apart: no tie")
        wrong = lambda x, f=f: distorted(f(x), 0.9)
        yield Case(f"{name}_tenth_off", wrong, apart, "wrong", "apart, a tenth off", off=0.1)
    closed = lambda x: [2 * np.asarray(x, np.float64)]
    cancelling, args = lambda x: jnp.sum(jnp.sort(x) ** 2), at([1.5, 1.5, 1.5])
    why = "a tie that cancels"
    yield Case("field_tie_cancels", cancelling, args, "right", why, closed=closed)


FAMILIES = (Family("ties", "E", tuple(cases())),)
