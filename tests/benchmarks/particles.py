"""Gradient descent of many particles: where they arrive, and the path that they take.

With many particles the sines are nearly the whole cost. JAX differentiates sin²x to 2 sin x cos x;
who simplifies that on paper to sin 2x needs one of them, and NumPy's sine is faster than XLA's on a
CPU. Both rivals with a slope found by hand show how much that is; it is no overhead of a helper.
Written as (1 − cos 2x)/2, the wave costs one sine as well; blocks of particles or unrolled loops
gain nothing. More than 10⁸ particles times steps, or 10⁷ positions of a path, are left out: they
take minutes, at the same cost for each.
"""

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.contest import EXPERT, NO_OVERHEAD, OURS, Contest, decades, installed
from benchmarks.timing import NumPyRun, Program, TorchRun
from gradlab import descend, descent_path, move_samples, wavy_bowl

STEP_SIZE = 0.1
SLOPE = jax.grad(wavy_bowl)
LONGEST_PATH = 10**7  # positions
LOOPS = {10: (10, 10**3), 100: (10**3, 10**5), 1000: (10,)}  # steps: particles


def contests(most: int = 10**8) -> Iterator[Contest]:
    """Yield contests of no more than so many particles times steps."""
    for num_steps in decades(1, 3):
        for n in decades(1, 6, most // num_steps):
            yield descent(n, num_steps)
    for num_steps in decades(1, 3):
        for n in decades(1, 6, min(most, LONGEST_PATH) // num_steps):
            yield path(n, num_steps)


def starts(n: int) -> Any:
    """Return n particles from −6 to 6."""
    return np.linspace(-6, 6, n, dtype=np.float32)


def by_hand(samples: Any, num_steps: int, keep: bool) -> Any:
    """Return the descent as a `lax.scan`, written out."""

    def step(x: Any, _: None) -> Any:
        x = x - STEP_SIZE * jax.vmap(SLOPE)(x)
        return x, x if keep else None

    last, path = jax.lax.scan(step, samples, length=num_steps)
    return jnp.concatenate([samples[None], path]) if keep else last


def on_paper(samples: Any, num_steps: int) -> Any:
    """Return the descent with the slope simplified on paper: one sine where JAX takes two."""

    def step(_: Any, x: Any) -> Any:
        return x - STEP_SIZE * (jnp.sin(2 * x) + 0.1 * x)

    return jax.lax.fori_loop(0, num_steps, step, samples)


def in_optax(optax: Any, samples: Any, num_steps: int, keep: bool) -> Any:
    """Return the descent by optax, or its path."""
    sgd = optax.sgd(STEP_SIZE)

    def step(carried: Any, _: None) -> Any:
        x, state = carried
        updates, state = sgd.update(jax.vmap(SLOPE)(x), state)
        x = optax.apply_updates(x, updates)
        return (x, state), x if keep else None

    (last, _), path = jax.lax.scan(step, (samples, sgd.init(samples)), length=num_steps)
    return jnp.concatenate([samples[None], path]) if keep else last


def slope_in_numpy(x: Any) -> Any:
    """Return the derivative of sin²x + 0.05x², found on paper: sin 2x + 0.1x."""
    return np.sin(2 * x) + np.float32(0.1) * x


def in_numpy(x: Any, num_steps: int) -> Any:
    """Return the descent with a slope found on paper."""
    for _ in range(num_steps):
        x = x - np.float32(STEP_SIZE) * slope_in_numpy(x)
    return x


def path_in_numpy(x: Any, num_steps: int) -> Any:
    """Return its path."""
    path = np.empty((num_steps + 1, *x.shape), x.dtype)
    path[0] = x
    for before, after in itertools.pairwise(path):
        after[:] = before - np.float32(STEP_SIZE) * slope_in_numpy(before)
    return path


def in_torch(torch: Any, samples: Any, num_steps: int, keep: bool) -> Any:
    """Return the descent by PyTorch, or its path."""

    def step(x: Any) -> Any:
        x = x.detach().requires_grad_()
        (slope,) = torch.autograd.grad((torch.sin(x) ** 2 + 0.05 * x**2).sum(), x)
        return x.detach() - STEP_SIZE * slope

    x = torch.from_numpy(samples)
    return torch.stack(path_by_loop(x, num_steps, step)) if keep else loop(x, num_steps, step)


def loop(samples: Any, num_steps: int, step: Callable[[Any], Any]) -> Any:
    """Return the descent as a Python loop."""
    for _ in range(num_steps):
        samples = step(samples)
    return samples


def path_by_loop(samples: Any, num_steps: int, step: Callable[[Any], Any]) -> list[Any]:
    """Return its path."""
    return list(itertools.accumulate(range(num_steps), lambda x, _: step(x), initial=samples))


def seed_step(samples: Any) -> Any:
    """Take one step as the seed did, with nothing compiled."""
    return move_samples(jax.grad(wavy_bowl), samples, STEP_SIZE)


def descent(n: int, num_steps: int) -> Contest:
    """Return the contest of where the particles arrive."""
    optax, torch = installed("optax"), installed("torch")
    samples, x = starts(n), jnp.asarray(starts(n))
    jitted_step = jax.jit(seed_step)
    runs = {
        OURS: Program(lambda x: descend(wavy_bowl, x, STEP_SIZE, num_steps), x),
        EXPERT: Program(lambda x: by_hand(x, num_steps, keep=False), x),
        "JAX, slope by hand": Program(lambda x: on_paper(x, num_steps), x),
        "optax in a scan": optax and Program(lambda x: in_optax(optax, x, num_steps, False), x),
        "NumPy, slope by hand": NumPyRun(lambda: in_numpy(samples, num_steps)),
        "PyTorch": torch and TorchRun(lambda: in_torch(torch, samples, num_steps, False)),
    }
    if n in LOOPS[num_steps]:
        runs["loop of move_samples"] = lambda: loop(x, num_steps, seed_step)
        runs["loop of jitted steps"] = lambda: loop(x, num_steps, jitted_step)
    slowest = {"loop of move_samples": 1 / 40_000} if (n, num_steps) == (10, 1000) else {}
    return Contest(f"descend, {num_steps} steps", n, runs, NO_OVERHEAD | slowest)


def path(n: int, num_steps: int) -> Contest:
    """Return the contest of every position on the way."""
    optax, torch = installed("optax"), installed("torch")
    samples, x = starts(n), jnp.asarray(starts(n))
    runs = {
        OURS: Program(lambda x: descent_path(wavy_bowl, x, STEP_SIZE, num_steps), x),
        EXPERT: Program(lambda x: by_hand(x, num_steps, keep=True), x),
        "optax in a scan": optax and Program(lambda x: in_optax(optax, x, num_steps, True), x),
        "NumPy, slope by hand": NumPyRun(lambda: path_in_numpy(samples, num_steps)),
        "PyTorch": torch and TorchRun(lambda: in_torch(torch, samples, num_steps, True)),
    }
    if n in LOOPS[num_steps]:
        runs["loop of move_samples"] = lambda: jnp.stack(path_by_loop(x, num_steps, seed_step))
    return Contest(f"descent_path, {num_steps} steps", n, runs, NO_OVERHEAD)
