"""Wrong: bugs that were met in public libraries, rebuilt from what their threads say of them.

Each names the thread. The functions here are our own; only the fault is theirs.
"""

from typing import Any

import jax
import jax.numpy as jnp
import jax.scipy.special as sp
import numpy as np
from jax import Array, lax

from gallery.case import Case, at, normal
from gallery.faults import with_pullback, with_pushforward
from gallery.wrong_factors import wrong


def bug(name: str, source: str, f: Any, args: Any, why: str, off: float, **more: Any) -> Case:
    """Return a case with a fault that was met at `source`."""
    return wrong(name, f, args, why, off, source=source, **more)


def remainder(x: Array, y: Array) -> Array:
    """Return lax.rem with −⌊x/y⌋ for its slope by y, wrong where signs differ."""
    rule = lambda p, t: t[0] - jnp.floor(p[0] / p[1]) * t[1]
    return with_pushforward(lax.rem, rule)(x, y)


def copysign(x: Array, y: Array) -> Array:
    """Return copysign with sign(y) for its slope by x, wrong where x < 0."""
    return with_pushforward(jnp.copysign, lambda p, t: t[0] * jnp.sign(p[1]) + 0 * t[1])(x, y)


def log_abs_sum(x: Array) -> Array:
    """Return log|Σ ±eˣ| without the sign of the sum in its rule."""
    b = lambda x: jnp.asarray([1.0, -1.0, 1.0], x.dtype)
    value = lambda x: jnp.log(jnp.abs(jnp.sum(b(x) * jnp.exp(x))))
    return with_pullback(value, lambda s, y, c: (c * b(c) * jnp.exp(s[0] - y),))(x)


def cumulative_product(x: Array) -> Array:
    """Return a running product whose rule divides by x, and says 0 for 0/0."""

    def pullback(saved: Any, y: Array, c: Array) -> Any:
        (x,) = saved
        sums = jnp.cumsum((y * c)[::-1])[::-1]
        return (jnp.where(x == 0, 0, sums / jnp.where(x == 0, 1, x)),)

    return with_pullback(jnp.cumprod, pullback)(x)


def gather_last(x: Array) -> Array:
    """Return x[index], with the cotangent of the last of repeated places only."""
    index = np.array([1, 0, 1, 2])
    return with_pullback(
        lambda x: x[index], lambda s, y, c: (jnp.zeros_like(s[0]).at[index].set(c),)
    )(x)


def scatter_all(x: Array, values: Array) -> Array:
    """Return x overwritten at repeated places, with a slope for values that were overwritten."""
    index = np.array([2, 2])
    return with_pullback(
        lambda x, v: x.at[2].set(v[1]), lambda s, y, c: (c.at[2].set(0), c[index])
    )(x, values)


def fill_repeated(x: Array, value: Array) -> Array:
    """Return x filled at a repeated place, its slope counted once for each repetition."""
    index = np.array([1, 1])
    return with_pullback(
        lambda x, v: x.at[1].set(v), lambda s, y, c: (c.at[1].set(0), jnp.sum(c[index]))
    )(x, value)


def spectrum_halved(x: Array) -> Array:
    """Return real parts of an rfft, the inner cotangents halved twice: as irfft does it anyway."""

    def pullback(saved: Any, y: Array, c: Array) -> Any:
        half = c.at[1:-1].multiply(0.5)
        return (jnp.fft.irfft(half + 0j, n=len(saved[0])).astype(c.dtype) * len(saved[0]) / 2,)

    return with_pullback(lambda x: jnp.real(jnp.fft.rfft(x)), pullback)(x)


def accumulated_once(x: Array) -> Array:
    """Return a place to which |x| is added twice, one of the two cotangents lost."""
    value = lambda x: jnp.zeros_like(x).at[0].add(jnp.abs(x[2])).at[0].add(jnp.abs(x[2]))
    return with_pullback(
        value, lambda s, y, c: (jnp.zeros_like(c).at[2].add(c[0] * jnp.sign(s[0][2])),)
    )(x)


def conjugated(z: Array) -> Array:
    """Return Re(z̄ w), with the rule of z: the imaginary part has the wrong sign."""
    w = lambda z: jnp.asarray([1 + 2j, 0.5 - 1j], z.dtype)
    return with_pullback(
        lambda z: jnp.sum(jnp.real(jnp.conj(z) * w(z))),
        lambda s, y, c: (lax.complex(c, 0 * c) * w(s[0]),),
    )(z)


def complex_points(dtype: str) -> tuple[Any, ...]:
    """Make two complex numbers."""
    real, imaginary = normal(1, (2,), (2,))(dtype)
    return (lax.complex(real, imaginary),)


docs_example = with_pullback(
    lambda x, y: jnp.sin(x) * y, lambda s, v, c: (c * jnp.cos(s[0]) * s[1], -c * jnp.sin(s[0]))
)


log_sigmoid = with_pullback(
    jax.nn.log_sigmoid, lambda s, y, c: (jnp.where(s[0] == 0, 0, c * jax.nn.sigmoid(-s[0])),)
)


xlogy = with_pushforward(
    sp.xlogy, lambda p, t: jnp.where(p[0] == 0, 0, t[0] * jnp.log(p[1]) + p[0] / p[1] * t[1])
)


REV: dict[str, Any] = {"modes": ("rev",)}


CASES = (
    bug(
        "jax_docs_sine",
        "jax-ml/jax#3213",
        docs_example,
        at(0.5, 2.0),
        "a sign in a documented example",
        2.0,
        **REV,
    ),
    bug(
        "jax_rem",
        "jax-ml/jax#11466",
        remainder,
        at([5.5, -7.0, 7.0], [2.0, 3.0, 2.5]),
        "wrong where the signs differ",
        0.3333,
    ),
    bug(
        "jax_log_sigmoid_at_zero",
        "jax-ml/jax#2140",
        log_sigmoid,
        at([0.0, 1.0]),
        "0 for ½ at x = 0 alone",
        1.0,
        **REV,
    ),
    bug(
        "jax_i0_at_zero",
        "jax-ml/jax#40628",
        lambda t: sp.i0(2 * t - 1),
        at(0.5),
        "JAX's own: 2 for 0, in an even function",
        1.0,
    ),
    wrong("jax_spence_at_one", sp.spence, at(1.0), "JAX's own: 0 for −1 at x = 1", 1.0),
    bug(
        "jax_digamma_negative",
        "jax-ml/jax#37635",
        sp.digamma,
        at([-16.5, -2.5]),
        "JAX's own: the trigamma function below 0",
        1.006,
    ),
    bug(
        "jax_beta_at_one",
        "jax-ml/jax#15598",
        lambda a: xlogy(a - 1, jnp.full_like(a, 0.25)) - sp.gammaln(a),
        at([1.0, 2.0]),
        "x log y without a slope at x = 0",
        1.713,
    ),
    bug(
        "mooncake_copysign",
        "chalk-lab/Mooncake.jl#1195",
        copysign,
        at([-5.0, 5.0], [3.0, 3.0]),
        "tested for x > 0 only",
        2.0,
    ),
    bug(
        "autograd_logsumexp_sign",
        "HIPS/autograd#809",
        log_abs_sum,
        at([0.5, 2.0, 0.25]),
        "the sign of a negative sum",
        2.0,
        **REV,
    ),
    bug(
        "tensorflow_cumprod_zero",
        "tensorflow/tensorflow#119430",
        cumulative_product,
        at([2.0, 0.0, 3.0]),
        "0 for the slope at a zero",
        1.0,
        **REV,
    ),
    bug(
        "pytorch_gather_repeated",
        "pytorch/pytorch#1631",
        gather_last,
        normal(2, (3,)),
        "the last of repeated places",
        0.5375,
        **REV,
    ),
    bug(
        "pytorch_index_copy",
        "pytorch/pytorch#473",
        scatter_all,
        normal(3, (4,), (2,)),
        "a slope for what was overwritten",
        1.0,
        **REV,
    ),
    bug(
        "pytorch_index_fill",
        "pytorch/pytorch#57006",
        fill_repeated,
        lambda t: (*normal(4, (3,))(t), *at(1.5)(t)),
        "counted twice",
        0.5,
        **REV,
    ),
    bug(
        "pytorch_fft_halved",
        "locuslab/pytorch_fft#38",
        spectrum_halved,
        normal(7, (6,)),
        "the ends of half a spectrum",
        0.5,
        **REV,
    ),
    bug(
        "pytorch_compile_accumulate",
        "pytorch/pytorch#136662",
        accumulated_once,
        at([1.0, 2.0, -3.0]),
        "one of two additions",
        0.5,
        **REV,
    ),
    bug(
        "chainrules_conj",
        "JuliaDiff/ChainRules.jl#19",
        conjugated,
        complex_points,
        "conj with the rule of the identity",
        1.789,
        **REV,
    ),
)
