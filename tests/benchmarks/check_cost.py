"""What `check_grads` costs, beside `jax.test_util.check_grads` and a loop of differences.

    python tests/benchmarks/check_cost.py [--largest 1000000]

f is a sum of tanh(x)·x over float32 arrays. Three questions, each of all n elements:

- `along`: everything is right; ours looks along one random direction in float64.
- `each`: one element is wrong by 1 %, so ours asks them one by one (up to 4096) or halves.
- `loop`: a Python loop of central differences, two calls of f for each element.

A first call is in a process of its own and includes compilation. Memory is how much the peak of a
process grew by the first call. Evaluations are points at which f was evaluated.
"""

import argparse
import functools
import json
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

sys.path.insert(0, str(Path(__file__).parent))

from timing import medians, seconds

import gradlab
from gradlab.checking.programs import Programs

ONE_BY_ONE = 10_000  # elements of which a loop is still worth waiting for
FEWER_ROUNDS = 3


def total(x: Any) -> Any:
    """Return Σ tanh(x)·x."""
    return jnp.sum(jnp.tanh(x) * x)


@jax.custom_jvp
def faulty(x: Any) -> Any:
    """Return the same, with a derivative that is wrong by 1 % in one element."""
    return total(x)


@faulty.defjvp
def _(primals: Any, tangents: Any) -> Any:
    (x,), (t,) = primals, tangents
    return faulty(x), jnp.vdot(jax.grad(total)(x).at[len(x) // 3].multiply(1.01), t)


def point(n: int) -> Any:
    """Return n float32 numbers."""
    return jnp.asarray(np.random.default_rng(0).normal(size=n), jnp.float32)


def along(x: Any) -> Any:
    """Check a right gradient."""
    report = gradlab.check_grads(total, (x,))
    assert report.ok


def each(x: Any) -> Any:
    """Check a wrong one, and find the element."""
    (leaf,) = gradlab.check_grads(faulty, (x,)).leaves
    assert leaf.index == (len(x) // 3,)


def jax_check(x: Any) -> Any:
    """Check the same with JAX's own, along one direction."""
    from jax.test_util import check_grads

    check_grads(total, (x,), 1, atol=np.inf, rtol=np.inf)


def loop(x: Any, f: Callable[..., Any] = total) -> Any:
    """Take a central difference by every element."""
    for i in range(len(x)):
        step = np.zeros(len(x), np.float32)
        step[i] = 1e-2
        (f(x + step) - f(x - step)) / 2e-2


RIVALS = {"along": along, "each": each, "jax": jax_check}


def first_call(name: str, n: int) -> None:
    """Print the seconds of a first call, and how much memory it took, in bytes."""
    x = point(n)
    jax.block_until_ready(total(x))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    took = seconds(lambda: RIVALS[name](x))
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    print(json.dumps([took, grown * 1024]))


def evaluations(run: Callable[[Any], Any], x: Any) -> int:
    """Count the points at which a check evaluates f."""
    number, values = 0, Programs.values

    def counted(self: Any, *args: Any) -> Any:
        nonlocal number
        number += len(args[-1])
        return values(self, *args)

    Programs.values = counted  # type: ignore[method-assign]
    try:
        run(x)
    finally:
        Programs.values = values  # type: ignore[method-assign]
    return number


HEADER = (
    f"{'n':>8} | {'first: along':>12} {'each':>6} {'jax, s':>7} | {'MB: along':>9} {'each':>6} "
    f"{'jax':>6} | {'later: along':>12} {'each':>7} {'jax, ms':>8} | {'loop/along':>10} "
    f"{'jitted':>7} | {'evaluations: along':>18} {'each':>8}"
)


def row(n: int) -> str:
    """Measure everything for arrays of n elements."""
    first = []
    for name in RIVALS:
        command = [sys.executable, __file__, "--first", name, str(n)]
        first.append(json.loads(subprocess.check_output(command, text=True)))
    x, jitted = point(n), jax.jit(total)
    rounds = 9 if n <= ONE_BY_ONE else FEWER_ROUNDS
    later = medians({name: functools.partial(run, x) for name, run in RIVALS.items()}, rounds)
    loops = ["–", "–"]
    if n <= ONE_BY_ONE:
        both = {"plain": lambda: loop(x), "jitted": lambda: loop(x, jitted)}
        loops = [f"{t / later['along']:.0f}" for t in medians(both, FEWER_ROUNDS).values()]
    (t1, m1), (t2, m2), (t3, m3) = first
    return (
        f"{n:>8} | {t1 / t3:>12.2f} {t2 / t3:>6.2f} {t3:>7.2f} | {m1 / 1e6:>9.0f} {m2 / 1e6:>6.0f} "
        f"{m3 / 1e6:>6.0f} | {later['along'] / later['jax']:>12.2f} "
        f"{later['each'] / later['jax']:>7.2f} {1e3 * later['jax']:>8.2f} | {loops[0]:>10} "
        f"{loops[1]:>7} | {evaluations(along, x):>18} {evaluations(each, x):>8}"
    )


def main() -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--largest", type=int, default=1_000_000)
    parser.add_argument("--first", nargs=2, metavar=("NAME", "N"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.first:
        first_call(options.first[0], int(options.first[1]))
        return
    print("`first` and `later`: parts of the time of jax.test_util.check_grads at the same n")
    print(HEADER)
    n = 10
    while n <= options.largest:
        print(row(n), flush=True)
        n *= 10


if __name__ == "__main__":
    main()
