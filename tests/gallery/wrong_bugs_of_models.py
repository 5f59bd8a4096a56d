"""Wrong: bugs that were met in layers, likelihoods and solvers of public libraries, rebuilt."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from gallery.case import at, normal
from gallery.faults import with_pullback
from gallery.wrong_bugs import REV, bug


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
        lambda y0: jnp.sum((y0 * times(y0)) ** 2),
        lambda s, y, c: (2 * c * s[0] * jnp.sum(times(c)[1:] ** 2),),
    )(y0)


def forced_oscillator(theta: Array) -> Array:
    """Return y(1) of y' = θ cos 3t, the adjoint's integral taken at times 1 − t."""
    t = lambda x: (jnp.arange(20, dtype=x.dtype) + 0.5) / 20
    return with_pullback(
        lambda theta: jnp.sum(theta * jnp.cos(3 * t(theta)) * t(theta)) / 20,
        lambda s, y, c: (c * jnp.sum(jnp.cos(3 * (1 - t(c))) * t(c)) / 20,),
    )(theta)


def bernoulli_kl(rho: Array) -> Array:
    """Return a prior in log ρ, with the slope by ρ: the factor ρ of the logarithm is missing."""
    return with_pullback(
        lambda r: jnp.exp(r) ** 2 + r, lambda s, y, c: (c * (2 * jnp.exp(s[0]) + jnp.exp(-s[0])),)
    )(rho)


def convolution_weights(w: Array) -> Array:
    """Return a convolution whose weights' cotangents are divided by the number of places."""
    signal = lambda w: jnp.asarray([1.0, -2.0, 0.5, 3.0, 1.5], w.dtype)
    value = lambda w: jnp.correlate(signal(w), w, "valid")
    return with_pullback(value, lambda s, y, c: (jnp.correlate(signal(c), c, "valid") / len(c),))(w)


def picked_logit(logits: Array) -> Array:
    """Return log-probabilities of labels, all cotangents at the first row: a broadcast lost."""
    labels = np.array([2, 0, 1])
    value = lambda z: jax.nn.log_softmax(z)[labels]

    def pullback(saved: Any, y: Array, c: Array) -> Any:
        (z,) = saved
        return (jnp.zeros_like(z).at[labels[0]].set(jnp.sum(c)) - jax.nn.softmax(z) * jnp.sum(c),)

    return with_pullback(value, pullback)(logits)


CASES = (
    bug(
        "pytorch_transposed_stride",
        "pytorch/pytorch#63314",
        transposed_stride,
        normal(5, (4,)),
        "cotangents without the stride",
        0.4822,
        **REV,
    ),
    bug(
        "chainer_normalize_eps",
        "chainer/chainer#4190",
        normalise,
        at([1.0, -2.0, 0.5]),
        "ε is not in the rule",
        0.0572,
        **REV,
    ),
    bug(
        "tt_metal_layer_norm",
        "tenstorrent/tt-metal#53215",
        layer_norm(True),
        normal(6, (2, 4)),
        "a mean taken off twice",
        1.209,
        **REV,
    ),
    bug(
        "mlpack_batch_norm",
        "mlpack/mlpack#2474",
        layer_norm(False),
        normal(6, (2, 4)),
        "one of three terms missing",
        1.208,
        **REV,
    ),
    bug(
        "mamba_group_size",
        "state-spaces/mamba#547",
        group_norm,
        at([1.0, -0.5, 2.0, 0.25]),
        "one group for two",
        0.4192,
        **REV,
    ),
    bug(
        "stan_start_time",
        "stan-dev/math#1833",
        integrate("t0"),
        at(0.25, 1.5, 2.0),
        "the slope by t₀ left at 0",
        1.0,
        **REV,
    ),
    bug(
        "sciml_start_value",
        "SciML/SciMLSensitivity.jl#543",
        integrate("y0"),
        at(0.25, 1.5, 2.0),
        "the sign by y₀",
        2.0,
        **REV,
    ),
    bug(
        "sunode_first_observation",
        "pymc-devs/sunode#35",
        likelihood_path,
        at(1.5),
        "the first of three observations",
        0.5,
        **REV,
    ),
    bug(
        "dynamiqs_time_reversed",
        "dynamiqs/dynamiqs#51",
        forced_oscillator,
        at(1.5),
        "time runs the wrong way in the adjoint",
        1.787,
        **REV,
    ),
    bug(
        "stat_fem_log_factor",
        "alan-turing-institute/stat-fem#35",
        bernoulli_kl,
        at(0.75),
        "a factor of a logarithmic scale",
        0.5276,
        **REV,
    ),
    bug(
        "ctensor_weight_mean",
        "sebgao/cTensor#3",
        convolution_weights,
        at([0.5, 1.0]),
        "divided by the number of places",
        0.75,
        **REV,
    ),
    bug(
        "numpyro_categorical",
        "pyro-ppl/numpyro#400",
        picked_logit,
        at([0.5, 1.0, -0.5]),
        "a broadcast lost",
        1.102,
        **REV,
    ),
)
