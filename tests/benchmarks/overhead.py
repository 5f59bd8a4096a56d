"""Helpers beside what a JAX expert writes instead, where the other modules do not say it.

First as parts of a compiled program, at every size. Then called by themselves from Python, where
a call also pays for looking at its arguments: some 50 µs, once for a call of any size.
"""

from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp

import gradlab
from benchmarks import examples, particles, walks
from benchmarks.contest import EXPERT, NO_OVERHEAD, OURS, Contest, decades, normal
from benchmarks.timing import Program

FEW = 10


def contests(most: int = 10**8) -> Iterator[Contest]:
    """Yield contests of no more than so many elements."""
    for n in decades(2, 7, most):
        yield one_step(n)
        yield surrogate(n)
        yield derivative(n)
        yield difference(n)
    for n in decades(2, 6, most):
        yield loss(n)
    yield from called()


def against(helper: str, size: int, ours: Any, by_hand: Any, *args: Any) -> Contest:
    """Return the contest of two functions of the same arguments."""
    runs = {OURS: Program(ours, *args), EXPERT: Program(by_hand, *args)}
    return Contest(helper, size, runs, NO_OVERHEAD)


def one_step(n: int) -> Contest:
    """Return the contest of one step of descent."""
    slope = particles.SLOPE

    def ours(x: Any, step_size: Any) -> Any:
        return gradlab.move_samples(slope, x, step_size)

    def by_hand(x: Any, step_size: Any) -> Any:
        return x - step_size * jax.vmap(slope)(x)

    return against("move_samples", n, ours, by_hand, jnp.asarray(particles.starts(n)), 0.1)


@jax.custom_jvp
def rounded(x: Any) -> Any:
    """Round, with the derivative of the identity."""
    return jnp.round(x)


rounded.defjvps(lambda tangent, value, x: tangent)


def surrogate(n: int) -> Contest:
    """Return the contest of a gradient through a rounding."""
    through = gradlab.straight_through(jnp.round)
    functions = (jax.value_and_grad(lambda x, f=f: jnp.sum(f(x) ** 2)) for f in (through, rounded))
    return against("straight_through, gradient", n, *functions, 3 * normal(n))


def derivative(n: int) -> Contest:
    """Return the contest of the third derivative at many points."""
    ours = jax.vmap(gradlab.nth_derivative(jnp.tanh, 3))
    by_hand = jax.vmap(jax.grad(jax.grad(jax.grad(jnp.tanh))))
    return against("nth_derivative, n = 3", n, ours, by_hand, normal(n))


def difference(n: int) -> Contest:
    """Return the contest of a central difference with a step that is given."""

    def f(x: Any) -> Any:
        return jnp.sum(jnp.tanh(x) * x)

    def ours(x: Any, v: Any) -> Any:
        return gradlab.central_difference(f, x, direction=v, step=1e-2)

    def by_hand(x: Any, v: Any) -> Any:
        return (f(x + 1e-2 * v) - f(x - 1e-2 * v)) / 2e-2

    return against("central_difference", n, ours, by_hand, normal(n), normal(n, seed=1))


def loss(n: int) -> Contest:
    """Return the contest of the gradient of a logistic regression with four features."""

    def by_hand(W: Any, b: Any, inputs: Any, targets: Any) -> Any:
        z = inputs @ W + b
        log_likelihood = targets * jax.nn.log_sigmoid(z) + (1 - targets) * jax.nn.log_sigmoid(-z)
        return -jnp.sum(log_likelihood)

    args = jnp.ones(4), jnp.float32(0.5), normal(n, 4), jnp.round(normal(n) % 1)
    functions = (jax.value_and_grad(f, (0, 1)) for f in (gradlab.logistic_loss, by_hand))
    return against("logistic_loss, gradient", n, *functions, *args)


def called() -> Iterator[Contest]:
    """Yield contests of helpers that are called from Python, with next to nothing to compute."""
    x = jnp.asarray(particles.starts(FEW))
    descent = jax.jit(lambda x: particles.by_hand(x, FEW, keep=False))
    by_hand = jax.jit(jax.vmap(jax.grad(examples.loss), examples.OVER_BATCH))
    ours = gradlab.per_example_grads(gradlab.td_loss)
    args = jnp.ones(3), normal(FEW, 3), normal(FEW), normal(FEW, 3, seed=1)
    walk = walks.MEAN, walks.SD, walks.KEY
    for helper, ours, by_hand in (
        (
            "descend",
            lambda: gradlab.descend(gradlab.wavy_bowl, x, particles.STEP_SIZE, FEW),
            lambda: descent(x),
        ),
        ("per_example_grads", lambda ours=ours: ours(*args), lambda f=by_hand: f(*args)),
        (
            "random_walk",
            lambda: gradlab.random_walk(*walk, FEW),
            lambda: walks.by_hand(FEW)(*walk),
        ),
    ):
        yield Contest(f"{helper}, called from Python", FEW, {OURS: ours, EXPERT: by_hand})
