"""What a helper costs: the program that an expert would write by hand, compiled once."""

import re
from collections import Counter
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import pytest
from compilations import compiled_by
from test_properties import for_helpers

from gradlab import (
    central_difference,
    check_grads,
    descend,
    descent_path,
    linear_value,
    logistic_loss,
    move_samples,
    nth_derivative,
    paraboloid,
    per_example_grads,
    predict,
    quadratic,
    random_walk,
    sine_squared,
    step_sweep,
    straight_through,
    td_error,
    td_loss,
    wavy_bowl,
)

KEY = jax.random.key(0)
LINE = jnp.linspace(-2.0, 2.0, 100)
THETA = jnp.array([0.3, -0.7, 0.2])
STATES = jnp.outer(jnp.cos(LINE), jnp.arange(1.0, 4.0))
BATCH = STATES, LINE, STATES[::-1], jnp.linspace(0.0, 1.0, 100)


def walk_by_hand(mean, sd, key):
    t = jnp.arange(1.0, 1001.0)
    return mean * t + sd * jnp.cumsum(jax.random.normal(key, (1000,)))


def bowl_by_hand(x):
    return jnp.sin(x) ** 2 + 0.05 * x**2


def step_by_hand(x, step_size):
    return x - step_size * jax.vmap(jax.grad(bowl_by_hand))(x)


def end_by_hand(x, step_size):
    return jax.lax.fori_loop(0, 20, lambda _, x: step_by_hand(x, step_size), x)


def path_by_hand(x, step_size):
    def step(x, _):
        x = step_by_hand(x, step_size)
        return x, x

    return jnp.concatenate([x[None], jax.lax.scan(step, x, length=20)[1]])


def loss_by_hand(theta, s_tm1, r_t, s_t, discount_t):
    target = jax.lax.stop_gradient(r_t + discount_t * (theta @ s_t))
    return (target - theta @ s_tm1) ** 2


def logistic_loss_by_hand(weights, bias, inputs, targets):
    logits = inputs @ weights + bias
    log_p, log_not_p = jax.nn.log_sigmoid(logits), jax.nn.log_sigmoid(-logits)
    return -jnp.sum(targets * log_p + (1 - targets) * log_not_p)


def central_difference_by_hand(x, step):
    return (jnp.tanh(x + step) - jnp.tanh(x - step)) / (2 * step)


@jax.custom_jvp
def round_by_hand(x):
    return jnp.round(x)


round_by_hand.defjvp(lambda x, x_dot: (round_by_hand(*x), *x_dot))


@dataclass(frozen=True)
class Pair:
    """A helper, the same by hand, arguments for both, and by which of them to differentiate."""

    helper: Any
    by_hand: Any
    args: tuple[Any, ...]
    argnums: tuple[int, ...] = (0, 1)


PAIRS = {
    "random_walk": Pair(
        lambda mean, sd, key: random_walk(mean, sd, key, 1000), walk_by_hand, (0.1, 1.3, KEY)
    ),
    "move_samples": Pair(partial(move_samples, jax.grad(wavy_bowl)), step_by_hand, (LINE, 0.2)),
    "descend": Pair(lambda x, s: descend(wavy_bowl, x, s, 20), end_by_hand, (LINE, 0.2)),
    "descent_path": Pair(lambda x, s: descent_path(wavy_bowl, x, s, 20), path_by_hand, (LINE, 0.2)),
    "td_loss": Pair(td_loss, loss_by_hand, (THETA, STATES[0], 0.5, STATES[1], 0.9), (0,)),
    "per_example_grads": Pair(
        per_example_grads(td_loss),
        jax.vmap(jax.grad(loss_by_hand), (None, 0, 0, 0, 0)),
        (THETA, *BATCH),
        (0, 1),
    ),
    "straight_through": Pair(straight_through(jnp.round), round_by_hand, (LINE,), (0,)),
    "sine_squared": Pair(sine_squared, lambda x: jnp.sin(x) ** 2, (LINE,), (0,)),
    "quadratic": Pair(quadratic, lambda x: x**2, (LINE,), (0,)),
    "wavy_bowl": Pair(wavy_bowl, bowl_by_hand, (LINE,), (0,)),
    "paraboloid": Pair(paraboloid, lambda x, c: jnp.sum(c * x**2), (LINE, LINE + 3)),
    "nth_derivative": Pair(
        nth_derivative(jnp.tanh, 3), jax.grad(jax.grad(jax.grad(jnp.tanh))), (0.4,), (0,)
    ),
    "predict": Pair(
        predict, lambda w, b, x: jax.nn.sigmoid(x @ w + b), (THETA, 0.2, STATES), (0, 1, 2)
    ),
    "logistic_loss": Pair(logistic_loss, logistic_loss_by_hand, (THETA, 0.2, STATES, LINE)),
    "linear_value": Pair(linear_value, jnp.dot, (THETA, STATES[0])),
    "td_error": Pair(
        td_error, lambda w, a, r, b, g: r + g * (w @ b) - w @ a, (THETA, *(x[5] for x in BATCH))
    ),
    "central_difference": Pair(
        lambda x, step: central_difference(jnp.tanh, x, step=step),
        central_difference_by_hand,
        (LINE, 0.01),
    ),
}
for_pairs = pytest.mark.parametrize("pair", PAIRS.values(), ids=PAIRS)


def operations(f, args):
    """Return how often each operation, with the type of its result, is in the compiled program."""
    program = jax.jit(f).lower(*args).compile().as_text()
    return Counter(re.findall(r"= (.*?) ([\w-]+)\(", program))


def last(f):
    """Return a scalar of f whose gradient needs all that is before it."""
    return lambda *args: jnp.sum(jnp.sin(f(*args)))


@for_pairs
def test_the_program_is_the_one_that_is_written_by_hand(pair):
    by_hand = operations(pair.by_hand, pair.args)
    assert operations(pair.helper, pair.args) == by_hand
    more = operations(lambda *args: jnp.sin(pair.helper(*args)), pair.args)
    assert (more - by_hand).total() >= 1  # a negative control: one operation more is seen


@for_pairs
def test_the_program_of_the_gradient_is_the_one_that_is_written_by_hand(pair):
    helper, by_hand = (
        jax.value_and_grad(last(f), pair.argnums) for f in (pair.helper, pair.by_hand)
    )
    assert operations(helper, pair.args) == operations(by_hand, pair.args)


def test_the_ways_that_are_not_taken_are_other_programs():
    """Also negative controls: each gives the same values to within rounding."""

    def as_in_the_seed(mean, sd, key):
        return jnp.cumsum(mean + sd * jax.random.normal(key, (1000,)))

    def by_a_sum(x):
        return x + jax.lax.stop_gradient(jnp.round(x) - x)

    for name, other in {"random_walk": as_in_the_seed, "straight_through": by_a_sum}.items():
        pair = PAIRS[name]
        assert jnp.allclose(other(*pair.args), pair.helper(*pair.args), atol=1e-4)
        assert operations(other, pair.args) != operations(pair.helper, pair.args)


@for_helpers()
def test_new_values_compile_nothing(helper):
    def total(*args):
        return jnp.sum(helper.f(*args))

    args = helper.arrays("float32")
    others = tuple(0.9 * x + 0.01 for x in args)
    for f in (helper.f, jax.grad(total, helper.batched or 0)):
        f(*args)
        assert compiled_by(f, *others) == []


def landscape(x):
    return jnp.sum(jnp.tanh(x) * 3)


def stopped(x):
    return jnp.sum(x * jax.lax.stop_gradient(x))


def one_element_stopped(x):
    return jnp.sum(x.at[3].set(jax.lax.stop_gradient(x[3])) ** 2)


every_gradient = per_example_grads(td_loss)
CALLS = {
    "random_walk, another key": lambda v: random_walk(v, 1 + v, jax.random.key(int(8 * v)), 16),
    "move_samples": lambda v: move_samples(jax.grad(wavy_bowl), jnp.array([v, 1.0]), v),
    "descend": lambda v: descend(wavy_bowl, jnp.array([v, 1.0]), v, 5),
    "descent_path": lambda v: descent_path(wavy_bowl, jnp.array([v, 1.0]), v, 5),
    "nth_derivative": lambda v: nth_derivative(jnp.sin, 2)(v),
    "td_loss": lambda v: td_loss(THETA, v * STATES[0], v, STATES[1], v),
    "per_example_grads, made once": lambda v: every_gradient(v * THETA, *BATCH),
    "straight_through": lambda v: jax.grad(straight_through(jnp.round, jnp.tanh))(v),
    "central_difference": lambda v: central_difference(jnp.sin, v),
    "central_difference, step given": lambda v: central_difference(jnp.sin, v, step=v / 10),
    "step_sweep": lambda v: step_sweep(jnp.sin, v),
    "check_grads": lambda v: check_grads(landscape, (v * LINE,)),
    "check_grads of both orders": lambda v: check_grads(landscape, (v * LINE,), order=2),
    "check_grads of a lambda": lambda v: check_grads(lambda x: jnp.sum(x**3), (v * LINE,)),
    "check_grads of a stopped gradient": lambda v: check_grads(stopped, (v * LINE,)),
    "check_grads of a stopped element": lambda v: check_grads(one_element_stopped, (v * LINE,)),
    "check_grads of a gradient": lambda v: check_grads(jax.grad(landscape), (v * LINE[:3],)),
    "check_grads of a given gradient": lambda v: check_grads(
        landscape, (v * LINE,), grad=jax.grad(landscape)
    ),
    "check_grads of what a helper returns": lambda v: check_grads(
        every_gradient, (v * THETA, *(x[:2] for x in BATCH))
    ),
    "check_grads of a helper": lambda v: check_grads(
        partial(td_loss, stop_target=False), (THETA, v * STATES[0], v, STATES[1], v)
    ),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_new_numbers_compile_nothing(call):
    """As they are called by hand: with Python numbers, and with functions made at every call."""
    call(0.125)
    assert compiled_by(call, 0.25) == []
    assert compiled_by(call, 0.375) == []


@pytest.mark.parametrize(
    "call",
    [
        lambda v: descend(lambda x: x**2, jnp.array([v]), 0.1, 5),
        lambda v: per_example_grads(td_loss)(v * THETA, *BATCH),
        lambda v: random_walk(v, 1.0, KEY, int(80 * v)),
    ],
    ids=["landscape made anew", "per_example_grads made anew", "another number of steps"],
)
def test_what_the_docstrings_warn_of_compiles_again(call):
    """The negative control of the two tests above."""
    call(0.125)
    assert "backend" in compiled_by(call, 0.25)
