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
    return with_pullback(lambda x: x[index], lambda s, y, c: (jnp.zeros_like(s[0]).at[index].set(c),))(x)


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


def transposed_stride(x: Array) -> Array:
    """Return an upsampling by 2, the cotangents read without the stride."""
    value = lambda x: jnp.zeros(2 * len(x) - 1, x.dtype).at[::2].set(0.75 * x)
    return with_pullback(value, lambda s, y, c: (0.75 * c[: len(s[0])],))(x)


def normalise(x: Array) -> Array:
    """Return x / (|x| + ε) for an ε that counts, with the rule of x / |x|."""
    value = lambda x: x / (jnp.linalg.norm(x) + 0.5)

    def pullback(saved: Any, y: Array, c: Array) -> Any:
        (x,) = saved
        n = jnp.linalg.norm(x)
        return ((c - x * jnp.dot(x, c) / n**2) / (n + 0.5),)

    return with_pullback(value, pullback)(x)


def layer_norm(twice: bool) -> Any:
    """Return layer normalisation with the mean of cotangents taken off twice, or not at all."""

    def value(x: Array) -> Array:
        centred = x - jnp.mean(x, -1, keepdims=True)
        return centred / jnp.std(x, -1, keepdims=True)

    def pullback(saved: Any, y: Array, c: Array) -> Any:
        mean = jnp.mean(c, -1, keepdims=True)
        off = 2 * mean if twice else 0 * mean
        along = jnp.mean(c * y, -1, keepdims=True)
        return ((c - off - y * along) / jnp.std(saved[0], -1, keepdims=True),)

    return with_pullback(value, pullback)


def group_norm(x: Array) -> Array:
    """Return normalisation by groups of two, with a rule that takes all four for one group."""

    def by(x: Array, groups: int) -> Array:
        parts = x.reshape(groups, -1)
        return (parts / jnp.sqrt(jnp.mean(parts**2, -1, keepdims=True))).reshape(x.shape)

    rule = lambda s, y, c: jax.vjp(lambda x: by(x, 1), s[0])[1](c)
    return with_pullback(lambda x: by(x, 2), rule)(x)


def decay(t0: Array, y0: Array, rate: Array) -> Array:
    """Return y(1) of y' = −rate·y from t0, by its formula."""
    return y0 * jnp.exp(-rate * (1 - t0))


def integrate(fault: str) -> Any:
    """Return `decay` with one adjoint wrong: of the start time, or of the start value."""

    def pullback(saved: Any, y: Array, c: Array) -> Any:
        t0, y0, rate = saved
        by_start = 0 * c if fault == "t0" else c * rate * y
        by_value = -c * y / y0 if fault == "y0" else c * y / y0
        return by_start, by_value, -c * y * (1 - t0)

    return with_pullback(decay, pullback)


def likelihood_path(y0: Array) -> Array:
    """Return Σ y(tᵢ)² at t = 0, 1, 2, the adjoint's term at t = 0 left out."""
    times = lambda y0: jnp.exp(-0.25 * jnp.arange(3.0, dtype=y0.dtype))
    return with_pullback(
        lambda y0: jnp.sum((y0 * times(y0)) ** 2), lambda s, y, c: (2 * c * s[0] * jnp.sum(times(c)[1:] ** 2),)
    )(y0)


def forced_oscillator(theta: Array) -> Array:
    """Return y(1) of y' = θ cos 3t, the adjoint's integral taken at times 1 − t."""
    t = lambda x: (jnp.arange(20, dtype=x.dtype) + 0.5) / 20
    return with_pullback(
        lambda theta: jnp.sum(theta * jnp.cos(3 * t(theta)) * t(theta)) / 20,
        lambda s, y, c: (c * jnp.sum(jnp.cos(3 * (1 - t(c))) * t(c)) / 20,),
    )(theta)


def spectrum_halved(x: Array) -> Array:
    """Return real parts of an rfft, the inner cotangents halved twice: as irfft does it anyway."""

    def pullback(saved: Any, y: Array, c: Array) -> Any:
        half = c.at[1:-1].multiply(0.5)
        return (jnp.fft.irfft(half + 0j, n=len(saved[0])).astype(c.dtype) * len(saved[0]) / 2,)

    return with_pullback(lambda x: jnp.real(jnp.fft.rfft(x)), pullback)(x)


def bernoulli_kl(rho: Array) -> Array:
    """Return a prior in log ρ, with the slope by ρ: the factor ρ of the logarithm is missing."""
    return with_pullback(lambda r: jnp.exp(r) ** 2 + r, lambda s, y, c: (c * (2 * jnp.exp(s[0]) + jnp.exp(-s[0])),))(rho)


def convolution_weights(w: Array) -> Array:
    """Return a convolution whose weights' cotangents are divided by the number of places."""
    signal = lambda w: jnp.asarray([1.0, -2.0, 0.5, 3.0, 1.5], w.dtype)
    value = lambda w: jnp.correlate(signal(w), w, "valid")
    return with_pullback(value, lambda s, y, c: (jnp.correlate(signal(c), c, "valid") / len(c),))(w)


def accumulated_once(x: Array) -> Array:
    """Return a place to which |x| is added twice, one of the two cotangents lost."""
    value = lambda x: jnp.zeros_like(x).at[0].add(jnp.abs(x[2])).at[0].add(jnp.abs(x[2]))
    return with_pullback(value, lambda s, y, c: (jnp.zeros_like(c).at[2].add(c[0] * jnp.sign(s[0][2])),))(x)


def picked_logit(logits: Array) -> Array:
    """Return log-probabilities of labels, all cotangents at the first row: a broadcast lost."""
    labels = np.array([2, 0, 1])
    value = lambda z: jax.nn.log_softmax(z)[labels]

    def pullback(saved: Any, y: Array, c: Array) -> Any:
        (z,) = saved
        return (jnp.zeros_like(z).at[labels[0]].set(jnp.sum(c)) - jax.nn.softmax(z) * jnp.sum(c),)

    return with_pullback(value, pullback)(logits)


def conjugated(z: Array) -> Array:
    """Return Re(z̄ w), with the rule of z: the imaginary part has the wrong sign."""
    w = lambda z: jnp.asarray([1 + 2j, 0.5 - 1j], z.dtype)
    return with_pullback(lambda z: jnp.sum(jnp.real(jnp.conj(z) * w(z))), lambda s, y, c: (c * w(s[0]),))(z)


def complex_points(dtype: str) -> tuple[Any, ...]:
    """Make two complex numbers."""
    real, imaginary = normal(1, (2,), (2,))(dtype)
    return (lax.complex(real, imaginary),)


docs_example = with_pullback(lambda x, y: jnp.sin(x) * y, lambda s, v, c: (c * jnp.cos(s[0]) * s[1], -c * jnp.sin(s[0])))
log_sigmoid = with_pullback(jax.nn.log_sigmoid, lambda s, y, c: (jnp.where(s[0] == 0, 0, c * jax.nn.sigmoid(-s[0])),))
xlogy = with_pushforward(sp.xlogy, lambda p, t: jnp.where(p[0] == 0, 0, t[0] * jnp.log(p[1]) + p[0] / p[1] * t[1]))
REV: dict[str, Any] = {"modes": ("rev",)}

CASES = (
    bug("jax_docs_sine", "jax-ml/jax#3213", docs_example, at(0.5, 2.0), "a sign in a documented example", 2.0, **REV),
    bug("jax_rem", "jax-ml/jax#11466", remainder, at([5.5, -7.0, 7.0], [2.0, 3.0, 2.5]), "wrong where the signs differ", 0.3333),
    bug("jax_log_sigmoid_at_zero", "jax-ml/jax#2140", log_sigmoid, at([0.0, 1.0]), "0 for ½ at x = 0 alone", 1.0, **REV),
    bug("jax_i0_at_zero", "jax-ml/jax#40628", lambda t: sp.i0(2 * t - 1), at(0.5), "JAX's own: 2 for 0, in an even function", 1.0),
    bug("jax_digamma_negative", "jax-ml/jax#37635", sp.digamma, at([-16.5, -2.5]), "JAX's own: the trigamma function below 0", 1.006),
    bug("jax_beta_at_one", "jax-ml/jax#15598", lambda a: xlogy(a - 1, jnp.full_like(a, 0.25)) - sp.gammaln(a), at([1.0, 2.0]),
        "x log y without a slope at x = 0", 1.713),
    bug("mooncake_copysign", "chalk-lab/Mooncake.jl#1195", copysign, at([-5.0, 5.0], [3.0, 3.0]), "tested for x > 0 only", 2.0),
    bug("autograd_logsumexp_sign", "HIPS/autograd#809", log_abs_sum, at([0.5, 2.0, 0.25]), "the sign of a negative sum", 2.0, **REV),
    bug("tensorflow_cumprod_zero", "tensorflow/tensorflow#119430", cumulative_product, at([2.0, 0.0, 3.0]), "0 for the slope at a zero", 1.0, **REV),
    bug("pytorch_gather_repeated", "pytorch/pytorch#1631", gather_last, normal(2, (3,)), "the last of repeated places", 0.5375, **REV),
    bug("pytorch_index_copy", "pytorch/pytorch#473", scatter_all, normal(3, (4,), (2,)), "a slope for what was overwritten", 1.0, **REV),
    bug("pytorch_index_fill", "pytorch/pytorch#57006", fill_repeated, lambda t: (*normal(4, (3,))(t), *at(1.5)(t)), "counted twice", 0.5, **REV),
    bug("pytorch_transposed_stride", "pytorch/pytorch#63314", transposed_stride, normal(5, (4,)), "cotangents without the stride", 0.4822, **REV),
    bug("chainer_normalize_eps", "chainer/chainer#4190", normalise, at([1.0, -2.0, 0.5]), "ε is not in the rule", 0.0572, **REV),
    bug("tt_metal_layer_norm", "tenstorrent/tt-metal#53215", layer_norm(True), normal(6, (2, 4)), "a mean taken off twice", 1.209, **REV),
    bug("mlpack_batch_norm", "mlpack/mlpack#2474", layer_norm(False), normal(6, (2, 4)), "one of three terms missing", 1.208, **REV),
    bug("mamba_group_size", "state-spaces/mamba#547", group_norm, at([1.0, -0.5, 2.0, 0.25]), "one group for two", 0.4192, **REV),
    bug("stan_start_time", "stan-dev/math#1833", integrate("t0"), at(0.25, 1.5, 2.0), "the slope by t₀ left at 0", 1.0, **REV),
    bug("sciml_start_value", "SciML/SciMLSensitivity.jl#543", integrate("y0"), at(0.25, 1.5, 2.0), "the sign by y₀", 2.0, **REV),
    bug("sunode_first_observation", "pymc-devs/sunode#35", likelihood_path, at(1.5), "the first of three observations", 0.5, **REV),
    bug("dynamiqs_time_reversed", "dynamiqs/dynamiqs#51", forced_oscillator, at(1.5), "time runs the wrong way in the adjoint", 1.787, **REV),
    bug("pytorch_fft_halved", "locuslab/pytorch_fft#38", spectrum_halved, normal(7, (6,)), "the ends of half a spectrum", 0.5, **REV),
    bug("stat_fem_log_factor", "alan-turing-institute/stat-fem#35", bernoulli_kl, at(0.75), "a factor of a logarithmic scale", 0.5276, **REV),
    bug("ctensor_weight_mean", "sebgao/cTensor#3", convolution_weights, at([0.5, 1.0]), "divided by the number of places", 0.75, **REV),
    bug("pytorch_compile_accumulate", "pytorch/pytorch#136662", accumulated_once, at([1.0, 2.0, -3.0]), "one of two additions", 0.5, **REV),
    bug("numpyro_categorical", "pyro-ppl/numpyro#400", picked_logit, at([0.5, 1.0, -0.5]), "a broadcast lost", 1.102, **REV),
    bug("chainrules_conj", "JuliaDiff/ChainRules.jl#19", conjugated, complex_points, "conj with the rule of the identity", 1.5, **REV),
)
