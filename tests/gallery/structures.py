"""Right: pytrees, integer leaves, auxiliary outputs, many leaves, empty leaves, whole networks."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from gallery.case import array, at, normal
from gallery.elementwise import right


class Layer(NamedTuple):
    """Weights of a dense layer."""

    w: jax.Array
    b: jax.Array


def network(dtype: str) -> tuple[Any, ...]:
    """Make two layers, inputs and integer labels."""
    w1, b1, w2, b2, x = normal(1, (3, 4), (4,), (4, 2), (2,), (5, 3))(dtype)
    return [Layer(w1, b1), Layer(w2, b2)], x, jnp.asarray([0, 1, 1, 0, 1])


def cross_entropy(layers: list[Layer], x: jax.Array, labels: jax.Array) -> jax.Array:
    """Return the loss of a small classifier."""
    hidden = jnp.tanh(x @ layers[0].w + layers[0].b[None])
    logits = hidden @ layers[1].w + layers[1].b[None]
    return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(logits), labels[:, None], 1))


def layer_norm(x: jax.Array, gain: jax.Array, bias: jax.Array) -> jax.Array:
    """Return layer normalisation over the last axis."""
    centred = x - jnp.mean(x, -1, keepdims=True)
    spread = jnp.sqrt(jnp.mean(centred**2, -1, keepdims=True) + 1e-5)
    return gain[None] * centred / spread + bias[None]


def attention(q: jax.Array, k: jax.Array, v: jax.Array) -> jax.Array:
    """Return causal attention of one head."""
    scores = jnp.where(jnp.tri(len(q), dtype=bool), q @ k.T / 2.0, -1e9)
    return jax.nn.softmax(scores, axis=-1) @ v


def embedding_loss(table: jax.Array, tokens: jax.Array) -> jax.Array:
    """Return a loss of looked-up rows; the rows that are not looked up have slope zero."""
    return jnp.sum(jnp.tanh(table[tokens]) ** 2)


def ring_energy(x: jax.Array) -> jax.Array:
    """Return the Lennard-Jones energy of points, each pair once."""
    i, j = jnp.triu_indices(len(x), 1)
    r2 = jnp.sum((x[i] - x[j]) ** 2, -1)
    return jnp.sum(r2**-6 - 2 * r2**-3)


CASES = (
    right("network", cross_entropy, network, "a list of named tuples, and integer labels"),
    right("layer_norm", layer_norm, normal(2, (3, 5), (5,), (5,)), "three terms in the slope"),
    right(
        "layer_norm_tiny_spread",
        lambda x: layer_norm(1e-4 * x, jnp.ones(4, x.dtype), jnp.zeros(4, x.dtype)),
        normal(3, (2, 4)),
        "epsilon as large as the variance",
    ),
    right("attention", attention, normal(4, (4, 2), (4, 2), (4, 3)), "a causal mask of −1e9"),
    right(
        "softmax_temperature",
        lambda x, t: jax.nn.softmax(x / t),
        at([1.0, 2.0, -1.0], 0.125),
        "sharp, so that its terms cancel",
        coarse=("float32",),
    ),
    right(
        "embedding",
        embedding_loss,
        lambda t: (*normal(5, (6, 2))(t), jnp.asarray([1, 4, 1])),
        "rows used twice, once and never",
    ),
    right(
        "dictionary_in_and_out",
        lambda p: {"u": p["a"] * p["b"], "v": (jnp.sum(p["a"]), p["b"][0])},
        lambda t: ({"a": array(t, [1.0, 2.0]), "b": array(t, [0.5, -1.0])},),
        "pytree outputs",
    ),
    right(
        "auxiliary_output",
        lambda x: (jnp.sum(x**3), {"norm": jnp.round(x)}),
        at([1.0, -2.0]),
        "the second output has no derivative",
        has_aux=True,
    ),
    right(
        "integer_output", lambda x: (jnp.sin(x), jnp.argmax(x)), at([1.0, 2.0]), "an integer output"
    ),
    right(
        "boolean_argument",
        lambda flag, x: jnp.where(flag, x, 2 * x),
        lambda t: (jnp.asarray([True, False]), *at([1.0, 3.0])(t)),
        "a boolean leaf to skip",
    ),
    right(
        "unused_argument",
        lambda x, y: jnp.sum(x**2),
        at([1.0, 2.0], [5.0]),
        "a leaf without effect",
    ),
    right(
        "empty_leaf",
        lambda x, y: jnp.sum(x**2) + jnp.sum(y),
        lambda t: (*at([1.0, 2.0])(t), jnp.zeros((0,), t)),
        "a leaf of no elements",
    ),
    right(
        "argnums_second",
        lambda x, y: jnp.sum(jnp.round(x) * y**2),
        at([1.5, 2.5], [1.0, 3.0]),
        "the first argument has no derivative, and is not asked for",
        argnums=1,
    ),
    right(
        "many_leaves",
        lambda p: sum(jnp.sum(jnp.sin(k * v)) for k, v in enumerate(p, 1)),
        lambda t: ([*normal(6, *[(2,)] * 12)(t)],),
        "twelve leaves",
    ),
    right(
        "none_in_pytree",
        lambda p: jnp.sum(p["w"] ** 2) * (1 if p["b"] is None else 2),
        lambda t: ({"w": array(t, [1.0, 2.0]), "b": None},),
        "a missing leaf",
    ),
    right(
        "pair_energy", ring_energy, at([[0.0, 0.0], [1.125, 0.0], [0.0, 1.0], [1.0, 1.25]]), "steep"
    ),
    right(
        "scalar_python_float",
        lambda x, a: jnp.sum(a * x**2),
        lambda t: (*at([1.0, 2.0])(t), array(t, 1.5)),
        "a scalar beside a vector",
    ),
    right(
        "two_million_ignored",
        lambda x: jnp.sum(x[:3] ** 2),
        normal(7, (60,)),
        "57 of 60 slopes exactly zero",
    ),
    right("second_tanh", lambda x: jnp.sum(jnp.tanh(x) ** 2), at([0.5, -1.5]), "order 2", order=2),
    right(
        "second_quadratic",
        lambda x, y: x @ x + (x @ y) ** 2,
        normal(8, (2,), (2,)),
        "order 2, two leaves",
        order=2,
    ),
    right("second_logsumexp", jax.nn.logsumexp, at([1.0, 2.0, 0.5]), "order 2", order=2),
    right(
        "second_linear", lambda x: jnp.sum(3 * x), at([1.0, 2.0]), "order 2: exactly zero", order=2
    ),
    right(
        "second_solve",
        lambda a, b: jnp.linalg.solve(a @ a.T + jnp.eye(2, dtype=a.dtype), b),
        normal(9, (2, 2), (2,)),
        "order 2, linear algebra",
        order=2,
    ),
    right(
        "second_scan",
        lambda w: jax.lax.scan(lambda h, _: (jnp.tanh(w * h + 1), None), w, None, length=5)[0],
        at([0.5, -1.25]),
        "order 2, through a scan",
        order=2,
    ),
    right(
        "second_norm",
        lambda x: jnp.linalg.norm(x),
        at([3.0, -4.0]),
        "order 2, away from 0",
        order=2,
    ),
)
