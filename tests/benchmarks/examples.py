"""Per-example gradients of the temporal-difference loss."""

import math
from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp

from benchmarks.contest import EXPERT, NO_OVERHEAD, OURS, Contest, installed, normal
from benchmarks.timing import Program, TorchRun
from gradlab import per_example_grads, td_loss

MOST_NUMBERS = 2**26  # in the states of one batch: 256 MiB
LONGEST_LOOP = 1024  # examples
OVER_BATCH = (None, 0, 0, 0)


def contests(most: int = 10**8) -> Iterator[Contest]:
    """Yield contests of no more than so many numbers in the states of one batch."""
    for d in (3, 64, 1024):
        for n in (32, 1024, 32_768, 1_000_000):
            if n * d <= min(most, MOST_NUMBERS):
                yield transitions(n, d)


def loss(theta: Any, s_tm1: Any, r_t: Any, s_t: Any) -> Any:
    """Return the loss of one transition, written out."""
    return (jax.lax.stop_gradient(r_t + theta @ s_t) - theta @ s_tm1) ** 2


def on_paper(theta: Any, s_tm1: Any, r_t: Any, s_t: Any) -> Any:
    """Return the gradients of a batch by their formula."""
    delta = r_t + s_t @ theta - s_tm1 @ theta
    return -2 * delta[:, None] * s_tm1


def loss_in_rlax(rlax: Any, theta: Any, s_tm1: Any, r_t: Any, s_t: Any) -> Any:
    """Return the loss of one transition, with the error from rlax."""
    return rlax.td_learning(theta @ s_tm1, r_t, jnp.ones_like(r_t), theta @ s_t) ** 2


def in_torch(torch: Any, *args: Any) -> Any:
    """Return what computes the gradients of a batch with `torch.func`."""

    def loss(theta: Any, s_tm1: Any, r_t: Any, s_t: Any) -> Any:
        return ((r_t + theta @ s_t).detach() - theta @ s_tm1) ** 2

    gradients = torch.func.vmap(torch.func.grad(loss), in_dims=OVER_BATCH)
    tensors = [torch.from_numpy(x) for x in args]
    return TorchRun(lambda: gradients(*tensors))


def transitions(n: int, d: int) -> Contest:
    """Return the contest of n transitions between states of d features."""
    rlax, torch = installed("rlax"), installed("torch")
    on_host = [normal(d) / math.sqrt(d), normal(n, d), normal(n, seed=1), normal(n, d, seed=2)]
    args = [jnp.asarray(x) for x in on_host]

    vmapped = jax.vmap(jax.grad(loss), OVER_BATCH)
    with_rlax = jax.vmap(jax.grad(lambda *args: loss_in_rlax(rlax, *args)), OVER_BATCH)
    runs = {
        OURS: Program(per_example_grads(td_loss), *args),
        EXPERT: Program(vmapped, *args),
        "formula by hand": Program(on_paper, *args),
        "rlax under vmap": rlax and Program(with_rlax, *args),
        "vmap without jit": lambda: vmapped(*args),
        "PyTorch, torch.func": torch and in_torch(torch, *on_host),
    }
    if n <= LONGEST_LOOP:
        theta, one = args[0], jax.jit(jax.grad(loss))
        runs["loop of jitted grad"] = lambda: jnp.stack(
            [one(theta, *row) for row in zip(*args[1:], strict=True)]
        )
    at_most = NO_OVERHEAD | ({"PyTorch, torch.func": 0.06} if (n, d) == (1024, 3) else {})
    return Contest(f"per_example_grads, d = {d}", n, runs, at_most)
