"""Right rules whose number, as the user runs them, is NaN, zero or of the wrong sign.

A derivative can be right in exact arithmetic and overflow in float32: sinh x / cosh x is NaN at
100. Such a gradient is never "agree", in any mode, with `grad=` and with random numbers (section
B2); nor is one whose every digit was lost, as that of x/(1 + x²) at 1e15 (section B3).
"""

from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from gallery.case import Case, at
from gallery.family import Family, double
from gallery.faults import distorted

SEED = 1305
NOT_A_NUMBER = ("NaN|nan|infinite|inf",)
SINGLE = ("float32",)


def nan(name: str, f: Any, args: Any, why: str, **more: Any) -> Case:
    """Return a case whose gradient is not finite as the user runs it."""
    options = {"dtypes": SINGLE, "says": NOT_A_NUMBER, **more}
    return Case(f"field_{name}", f, args, "unusable", why, **options)


# Name, f, a gradient by hand that overflows, and from where on.
BY_HAND: tuple[Any, ...] = (
    ("logcosh", lambda x: jnp.logaddexp(x, -x), lambda x: jnp.sinh(x) / jnp.cosh(x), np.tanh, 95),
    ("softplus", jax.nn.softplus, lambda x: jnp.exp(x) / (1 + jnp.exp(x)),
     lambda x: 1 / (1 + np.exp(-x)), 92),
    ("sqrt1px2", lambda x: jnp.hypot(1.0, x), lambda x: x**3 / (x**2 * jnp.sqrt(1 + x**2)),
     lambda x: x / np.hypot(1, x), 1e15),
    ("tanh", lambda x: x - jnp.tanh(x), lambda x: jnp.sinh(x) ** 2 / jnp.cosh(x) ** 2,
     lambda x: np.tanh(x) ** 2, 48),
)  # fmt: skip


def by_hand() -> Iterator[Case]:
    rng = np.random.default_rng(SEED)
    for n in range(8):
        label, f, g, true, edge = BY_HAND[n % len(BY_HAND)]
        closed = lambda x, true=true: [true(*double(x))]
        total = lambda x, f=f: jnp.sum(f(x))
        size = 1 + n % 3
        far = at((edge * rng.uniform(1.0, 1.6, size)).tolist())
        near = at(rng.uniform(0.3, 2.0, size).tolist())
        yield nan(f"overflow_{label}_{n}", total, far, "grad= overflows", grad=g, closed=closed)
        if n < 4:
            name, more = f"field_overflow_{label}_{n}", {"closed": closed, "dtypes": SINGLE}
            yield Case(f"{name}_near", total, near, "right", "where it does not", grad=g, **more)
            wrong = lambda x, g=g: 1.1 * g(x)
            yield Case(f"{name}_tenth_off", total, near, "wrong", "a tenth off", grad=wrong, **more)


def noisy_logistic(x: Any, w: Any, sign: float = 1.0) -> Any:
    """Return the mean of 1/(1 + exp(−z)), written so that exp overflows, at random inputs."""
    noise = jax.random.normal(jax.random.key(3), x.shape, jnp.float32)
    z = (x + 0.1 * noise.astype(x.dtype)) @ w
    return jnp.mean(sign / (1 + jnp.exp(-z)))


def with_random_numbers() -> Iterator[Case]:
    rng = np.random.default_rng(SEED + 1)
    for n in range(4):
        x = rng.uniform(0.8, 1.2, (3, 2))
        steep = at(x.tolist(), [-100.0 - 10 * n, 0.3])
        mild = at(x.tolist(), [-1.0 - n, 0.3])
        yield nan(f"random_{n}", noisy_logistic, steep, "exp overflows in jax.grad", coarse=SINGLE)
        name = f"field_random_{n}"
        yield Case(f"{name}_mild", noisy_logistic, mild, "right", "the same where it does not")
        wrong = lambda x, w: distorted(noisy_logistic(x, w), 0.8)
        yield Case(f"{name}_fifth_off", wrong, mild, "wrong", "its rule is a fifth off", off=0.2)


def in_one_mode() -> Iterator[Case]:
    """A norm of tiny numbers, whose squares are zero in float32, by modes that are asked for."""
    rng = np.random.default_rng(SEED + 2)
    norm = lambda x: jnp.sqrt(jnp.sum(x**2))
    closed = lambda x: [double(x)[0] / np.sqrt(np.sum(double(x)[0] ** 2))]
    for n in range(4):
        x = rng.standard_normal(2 + n % 3)
        for mode in ("fwd", "rev"):
            tiny, usual = at((1e-25 * x).tolist()), at(x.tolist())
            more = {"asked_modes": (mode,), "closed": closed}
            yield nan(f"tiny_norm_{mode}_{n}", norm, tiny, f"0/0 in {mode}", **more)
            name = f"field_usual_norm_{mode}_{n}"
            yield Case(name, norm, usual, "right", "the same at usual numbers", **more)
    f = lambda x: jnp.sqrt(distorted(jnp.sum(x**2), 0.7))
    more = {"asked_modes": ("fwd",), "closed": closed}
    yield Case("field_usual_norm_off", f, usual, "wrong", "three tenths off", **more)


# Name, f, derivative, and where float32 has no digit of it left.
LOST: tuple[Any, ...] = (
    ("x_over", lambda x: x / (1 + x**2), lambda x: (1 - x**2) / (1 + x**2) ** 2, 1e14, 1e16),
    ("one_over", lambda x: 1 / (1 + x**2), lambda x: -2 * x / (1 + x**2) ** 2, 1e10, 1e11),
    ("cube_over", lambda x: x**3 / (1 + x**4), lambda x: (3 * x**2 - x**6) / (1 + x**4) ** 2,
     3e5, 3e6),
    ("gap", lambda x: jnp.sqrt(x**2 + 1) - x, lambda x: x / np.sqrt(x**2 + 1) - 1, 1e4, 1e6),
)  # fmt: skip


def without_digits() -> Iterator[Case]:
    rng = np.random.default_rng(SEED + 3)
    for n in range(8):
        label, f, slope, low, high = LOST[n % len(LOST)]
        points = at(float(np.exp(rng.uniform(np.log(low), np.log(high)))))
        closed = lambda x, slope=slope: [slope(*double(x))]
        more = {"closed": closed, "dtypes": SINGLE}
        why = f"{label} where float32 has no digit of its slope"
        yield Case(f"field_lost_{label}_{n}", f, points, "unusable", why, **more)
        if n < 4:
            usual = at(float(rng.uniform(1.2, 4.0)))
            name = f"field_lost_{label}_{n}"
            yield Case(f"{name}_usual", f, usual, "right", "the same at usual numbers", **more)
            wrong = lambda x, f=f: distorted(f(x), 0.9)
            yield Case(f"{name}_tenth_off", wrong, usual, "wrong", "a tenth off", **more)


FAMILIES = (
    Family("overflow", "B2", (*by_hand(), *with_random_numbers(), *in_one_mode())),
    Family("digits", "B3", tuple(without_digits())),
)
