"""Random walks: one long one, its gradient, and many side by side.

Findings on two cores of a CPU (JAX 0.10.2), for what is not in the helper because it is longer or
slow on another device:

- Of a walk of 10⁶ steps its numbers take 0.55 to 0.6, the sum the rest. So no gradient of its last
  position can take less, and one that needs no position before the last, of mean·n + sd·Σε, takes
  just that: 0.55.
- The sum alone, against `cumsum`: a `lax.scan` of single steps 0.5 (but 10⁶ steps one after the
  other on a GPU, and a hundred times its rounding error), blocks of 64 by a product with a triangle
  of ones 0.6, a sum along each of 1000 rows 0.8 and of the rows' ends on top 0.95.
- 10⁴ walks of 10³ steps side by side, against `vmap`: a step at a time 0.41, ten 0.28, twenty 0.25,
  fifty 0.23, two hundred 0.36; of 10⁴ steps 0.4 to 0.5, about what it takes to draw and keep as
  many numbers. A product with a triangle in place of the inner loop gains nothing.
"""

import math
from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.contest import EXPERT, NO_OVERHEAD, OURS, Contest, decades, installed
from benchmarks.timing import NumPyRun, Program, TorchRun
from gradlab import random_walk

MEAN, SD, KEY = 0.1, 2.0, jax.random.key(0)
MOST_COMPILED = 10**4  # steps: the gradient of a cumsum of steps compiles for minutes at 10⁷


def contests(most: int = 10**8) -> Iterator[Contest]:
    """Yield contests of no more than so many steps in all."""
    for n in decades(2, 7, most):
        yield one_walk(n)
    for n in decades(2, 7, most):
        yield gradient(n)
    yield compilation(min(10**6, most))
    walks = min(10**4, most // 10)
    for n in decades(0, 4, most // walks):
        yield many_walks(walks, n)


def ours(n: int) -> Callable[..., Any]:
    """Return a walk of n steps as a function of what can be differentiated, and the key."""
    return lambda mean, sd, key: random_walk(mean, sd, key, n)


def by_hand(n: int) -> Callable[..., Any]:
    """Return the same, written out."""

    def walk(mean: Any, sd: Any, key: Any) -> Any:
        t = jnp.arange(1, n + 1, dtype=jnp.float32)
        return mean * t + sd * jnp.cumsum(jax.random.normal(key, (n,)))

    return walk


def seed(n: int) -> Callable[..., Any]:
    """Return the same as it was first written: a sum of steps."""
    return lambda mean, sd, key: jnp.cumsum(jax.random.normal(key, (n,)) * sd + mean)


def gradient_of_last(walk: Callable[..., Any]) -> Callable[..., Any]:
    """Return value and gradient of the last position of a walk."""
    return jax.value_and_grad(lambda mean, sd, key: walk(mean, sd, key)[-1], (0, 1))


def one_walk(n: int) -> Contest:
    """Return the contest of one walk."""
    torch = installed("torch")
    rng = np.random.default_rng(0)

    def in_numpy() -> Any:
        return np.cumsum(rng.standard_normal(n, np.float32) * np.float32(SD) + np.float32(MEAN))

    runs = {
        OURS: Program(ours(n), MEAN, SD, KEY),
        EXPERT: Program(by_hand(n), MEAN, SD, KEY),
        "cumsum of steps": Program(seed(n), MEAN, SD, KEY),
        "NumPy": NumPyRun(in_numpy),
        "PyTorch": torch and TorchRun(lambda: torch.cumsum(torch.randn(n) * SD + MEAN, 0)),
    }
    return Contest("random_walk", n, runs, NO_OVERHEAD, same=False)


def gradient(n: int) -> Contest:
    """Return the contest of the gradient of one walk's last position."""
    torch = installed("torch")

    def in_torch() -> Any:
        mean, sd = (torch.tensor(x, requires_grad=True) for x in (MEAN, SD))
        last = torch.cumsum(torch.randn(n) * sd + mean, 0)[-1]
        return last.detach(), *torch.autograd.grad(last, (mean, sd))

    runs = {
        OURS: Program(gradient_of_last(ours(n)), MEAN, SD, KEY),
        EXPERT: Program(gradient_of_last(by_hand(n)), MEAN, SD, KEY),
        "cumsum of steps, no gradient": Program(seed(n), MEAN, SD, KEY),
        "the numbers alone": Program(lambda key: jax.random.normal(key, (n,)), KEY),
        "PyTorch": torch and TorchRun(in_torch),
    }
    if n <= MOST_COMPILED:
        runs["cumsum of steps"] = Program(gradient_of_last(seed(n)), MEAN, SD, KEY)
    at_most = NO_OVERHEAD | ({"cumsum of steps, no gradient": 0.6} if n == 10**6 else {})
    return Contest("random_walk, gradient", n, runs, at_most, same=False)


def compilation(n: int) -> Contest:
    """Return the contest of compiling the gradient, against compiling a walk without it."""

    def compiling(f: Callable[..., Any]) -> Callable[[], Any]:
        # A function that jit has not seen, so that it has no program for it.
        return lambda: jax.jit(lambda *args: f(*args)).lower(MEAN, SD, KEY).compile()

    plain = "cumsum of steps, no gradient"
    runs = {
        OURS: compiling(gradient_of_last(ours(n))),
        EXPERT: compiling(gradient_of_last(by_hand(n))),
        plain: compiling(seed(n)),
    }
    if n <= MOST_COMPILED:
        runs["cumsum of steps"] = compiling(gradient_of_last(seed(n)))
    return Contest("random_walk, compile gradient", n, runs, {plain: 2.5}, same=False)


def side_by_side(walks: int, n: int, keep: bool = True) -> Callable[..., Any]:
    """Return all walks in a loop over time: draw up to twenty steps of each, then add them.

    The positions are kept, and the numbers of twenty steps: 4 bytes a sample and some 500 a walk,
    or with `keep=False` the latter alone.
    """
    at_once = steps_at_once(n)

    def run(mean: Any, sd: Any, key: Any) -> Any:
        def one_step(position: Any, noise: Any) -> Any:
            position = position + mean + sd * noise
            return position, position if keep else None

        def some_steps(position: Any, key: Any) -> Any:
            return jax.lax.scan(one_step, position, jax.random.normal(key, (at_once, walks)))

        keys = jax.random.split(key, n // at_once)
        last, path = jax.lax.scan(some_steps, jnp.zeros(walks), keys)
        return path.reshape(n, walks) if keep else last

    return run


def steps_at_once(n: int) -> int:
    """Return how many of n steps to draw at once; of a single one, all would be on one core."""
    return math.gcd(n, 20)


def numbers_side_by_side(walks: int, n: int) -> Callable[..., Any]:
    """Return the drawing and keeping of the numbers of all walks, which nobody can do without."""

    def draw(key: Any) -> Any:
        return jax.random.normal(key, (steps_at_once(n), walks))

    return lambda key: jax.lax.map(draw, jax.random.split(key, n // steps_at_once(n)))


def many_walks(walks: int, n: int) -> Contest:
    """Return the contest of many walks: by `vmap` over keys, which is simple, or frugally."""
    torch = installed("torch")
    rng = np.random.default_rng(0)
    keys = jax.random.split(KEY, walks)

    def in_numpy() -> Any:
        steps = rng.standard_normal((walks, n), np.float32) * np.float32(SD) + np.float32(MEAN)
        return np.cumsum(steps, axis=1)

    vmapped = jax.vmap(ours(n), in_axes=(None, None, 0))
    runs = {
        OURS: Program(side_by_side(walks, n), MEAN, SD, KEY),
        "vmap of random_walk": Program(vmapped, MEAN, SD, keys),
        "the numbers alone": Program(numbers_side_by_side(walks, n), KEY),
        "last positions only": Program(side_by_side(walks, n, keep=False), MEAN, SD, KEY),
        "NumPy": NumPyRun(in_numpy),
        "PyTorch": torch and TorchRun(lambda: torch.cumsum(torch.randn(walks, n) * SD + MEAN, 1)),
    }
    at_most = {"vmap of random_walk": 0.35} if walks * n == 10**8 else {}
    return Contest(f"{walks:,} walks as in lesson 13", walks * n, runs, at_most, same=False)
