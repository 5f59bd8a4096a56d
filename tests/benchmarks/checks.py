"""What `check_grads` costs, beside JAX's own check and beside differences of every element.

f is a sum of tanh(x)·x over float32 numbers. Where its derivative is right, ours looks along random
directions, as JAX's check does along one, and says what it could not see in one element; a loop of
differences looks at every element. Where one element is wrong by 1 %, ours must look at them to
find it, as SciPy and numdifftools do, too.
A first call is in a process of its own. It includes compilation, and the import of what checks:
`import gradlab` leaves that out.
"""

import json
import sys
from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import gradlab
from benchmarks.contest import OURS, Contest, decades, installed, normal
from benchmarks.timing import Process, growth, seconds

THEIRS = "jax.test_util.check_grads"
STEP = 1e-2
MOST_IN_A_LOOP, MOST_IN_A_SLOW_LOOP = 10**4, 10**3  # elements, two calls of f for each
MOST_IN_NUMDIFFTOOLS = 10**2  # elements, some fifty calls of f for each


def contests(most: int = 10**8) -> Iterator[Contest]:
    """Yield contests of no more than so many elements."""
    for n in decades(1, 6, most):
        yield later(n)
    for n in decades(1, 5, most):
        yield every_element(n)
    for n in decades(1, 5, most)[::2]:
        yield first(n)


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


def right(x: Any) -> None:
    """Check a right gradient."""
    assert gradlab.check_grads(total, (x,)).ok


def wrong(x: Any) -> None:
    """Check a wrong one, and find the element."""
    (leaf,) = gradlab.check_grads(faulty, (x,)).leaves
    assert leaf.index == (len(x) // 3,)


def right_by_jax(x: Any) -> None:
    """Check the same right one with JAX's own, along one direction and in both modes."""
    from jax.test_util import check_grads

    check_grads(total, (x,), 1, atol=1e9, rtol=1e9)  # no verdict wanted; infinity is refused


FIRST = {OURS: right, "gradlab, one element wrong": wrong, THEIRS: right_by_jax}


def later(n: int) -> Contest:
    """Return the contest of checks whose programs have been compiled, of a right gradient."""
    x, jitted = normal(n), jax.jit(total)
    y = jnp.asarray(x)
    runs = {OURS: lambda: right(y), THEIRS: lambda: right_by_jax(y)}
    if n <= MOST_IN_A_LOOP:
        runs["loop, f jitted"] = lambda: loop(jitted, x)
    if n <= MOST_IN_A_SLOW_LOOP:
        runs["loop"] = lambda: loop(total, x)
    at_most = {THEIRS: 0.1, "loop": 0.01} if n == 10**3 else {}
    return Contest("check_grads, later calls", n, runs, at_most, same=False)


def every_element(n: int) -> Contest:
    """Return the contest of checks that find one wrong element."""
    x = normal(n)
    jitted = jax.jit(total)
    runs: dict[str, Callable[[], Any] | None] = {OURS: lambda: wrong(jnp.asarray(x))}
    if n <= MOST_IN_A_LOOP:
        runs["loop, f jitted"] = lambda: loop(jitted, x)
        runs["SciPy's approx_fprime"] = in_scipy(jitted, x)
    if n <= MOST_IN_A_SLOW_LOOP:
        runs["loop"] = lambda: loop(total, x)
    if n <= MOST_IN_NUMDIFFTOOLS:
        runs["numdifftools' Gradient"] = in_numdifftools(jitted, x)
    runs["jax.test_util (finds nothing)"] = lambda: right_by_jax(x)
    return Contest("check_grads, one element wrong", n, runs, same=False)


def loop(f: Callable[[Any], Any], x: Any) -> Any:
    """Return central differences by every element."""
    gradient = np.empty_like(x)
    for i in range(len(x)):
        step = np.zeros_like(x)
        step[i] = STEP
        gradient[i] = (f(x + step) - f(x - step)) / (2 * STEP)
    return gradient


def in_scipy(f: Callable[[Any], Any], x: Any) -> Callable[[], Any] | None:
    """Return what computes the same with SciPy, one-sided."""
    scipy = installed("scipy.optimize")
    return scipy and (lambda: scipy.approx_fprime(x, f, STEP))


def in_numdifftools(f: Callable[[Any], Any], x: Any) -> Callable[[], Any] | None:
    """Return what computes the same with numdifftools, which looks for the step itself."""
    numdifftools = installed("numdifftools")
    return numdifftools and (lambda: numdifftools.Gradient(lambda x: float(f(x)))(x))


def first(n: int) -> Contest:
    """Return the contest of first calls."""
    runs = {name: Process("-m", "benchmarks.checks", name, str(n)) for name in FIRST}
    at_most = {THEIRS: 0.35} if n == 10**3 else {}
    return Contest("check_grads, first call", n, runs, at_most, same=False)


def main(name: str, n: int) -> None:
    """Print how long a first call takes, and how much the peak of the memory grows by it."""
    x = jnp.asarray(normal(n))
    jax.block_until_ready(total(x))
    took: list[float] = []
    grown = growth(lambda: took.append(seconds(lambda: FIRST[name](x))))
    print(json.dumps([*took, grown]))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
