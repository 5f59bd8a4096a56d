"""Programs run again: in float64, without chosen rules, and where their operations stand."""

from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from gradlab.checking.float64 import InFloat64
from gradlab.checking.jaxprs import CHOSEN, Rerun, Without, apart, operations, where

X = np.float32(0.3)


def widened(f: Any, *inputs: Any) -> tuple[Any, InFloat64, Any]:
    """Run f in float64; return its value, the run and the program."""
    jaxpr, consts = apart(jax.make_jaxpr(f)(*inputs))
    again = InFloat64()
    with jax.enable_x64(True):
        (value,) = again(jaxpr, consts, [again.number(x) for x in inputs])
        return value, again, jaxpr


def coarse(f: Any, *inputs: Any) -> set[str]:
    """Return the names of the operations that are not run in float64."""
    _, again, jaxpr = widened(f, *inputs)
    return {eqn.primitive.name for eqn in operations(jaxpr) if id(eqn) in again.coarse}


def half(x: Any) -> Any:
    return (x.astype(jnp.bfloat16) * jnp.bfloat16(1.7)).astype(jnp.float32)


def looped(x: Any) -> Any:
    step = lambda c, _: (jnp.sin(c) * jnp.float32(1.1), c)  # noqa: E731
    return lax.scan(step, x, length=5)[0]


def counted(x: Any) -> Any:
    go = lambda s: s[0] < 5  # noqa: E731
    return lax.while_loop(go, lambda s: (s[0] + 1, jnp.sin(s[1]) * jnp.float32(1.1)), (0, x))[1]


def branched(x: Any) -> Any:
    return lax.cond(x > 0, jnp.sin, jnp.cos, x)


@jax.custom_jvp
def ruled(x: Any) -> Any:
    return jnp.sin(x)


@ruled.defjvp
def _(primals: Any, tangents: Any) -> Any:
    return ruled(*primals), 7 * tangents[0]


def five_steps(x: float) -> float:
    for _ in range(5):
        x = np.sin(x) * np.float64(np.float32(1.1))
    return x


@pytest.mark.parametrize(
    ("f", "exact"),
    [
        (half, lambda x: x * np.float64(jnp.bfloat16(1.7))),
        (lambda x: x.astype(jnp.float16).astype(jnp.float32) ** 2, lambda x: x**2),
        (lambda x: lax.reduce_precision(x, 8, 7), lambda x: x),
        (looped, five_steps),
        (counted, five_steps),
        (branched, np.sin),
        (jax.jit(jnp.sin), np.sin),
        (jax.checkpoint(jnp.sin), np.sin),
        (ruled, np.sin),
        (lambda x: x * np.pi, lambda x: x * np.float64(np.float32(np.pi))),
    ],
    ids=["bfloat16", "float16", "reduce_precision", "scan", "while", "cond", "jit", "checkpoint",
         "custom_jvp", "constant"],
)  # fmt: skip
def test_a_program_runs_in_float64(f: Any, exact: Any) -> None:
    value, again, _ = widened(f, X)
    assert value.dtype == np.float64
    np.testing.assert_allclose(value, exact(np.float64(X)), rtol=1e-15)
    assert again.coarse == set()


def test_complex_numbers_run_in_complex128() -> None:
    value, _, _ = widened(lambda z: jnp.exp(z) * z, np.complex64(0.3 + 0.7j))
    z = np.complex128(np.complex64(0.3 + 0.7j))
    assert value.dtype == np.complex128
    np.testing.assert_allclose(value, np.exp(z) * z, rtol=1e-15)


def test_whole_numbers_keep_their_dtype() -> None:
    value, _, _ = widened(lambda x: (x * 10).astype(jnp.int32), X)
    assert value.dtype == np.int32


def test_random_numbers_stay_the_same() -> None:
    for draw in (jax.random.uniform, jax.random.normal, jax.random.exponential):
        f = lambda x, draw=draw: x + draw(jax.random.key(3), (100,))  # noqa: E731
        value, _, _ = widened(f, X)
        np.testing.assert_allclose(value, f(X), rtol=0, atol=1e-5)
        assert value.dtype == np.float64


def test_what_leaves_jax_keeps_its_dtype_and_is_known_to_be_coarse() -> None:
    seen = []

    def on_host(x: Any) -> Any:
        seen.append(np.asarray(x).dtype)
        return np.sin(x)

    f = lambda x: 2 * jax.pure_callback(on_host, jax.ShapeDtypeStruct((), np.float32), x)  # noqa: E731
    value, _, _ = widened(f, X)
    assert value.dtype == np.float64
    assert seen == [np.float32]
    assert coarse(f, X) == {"pure_callback"}


def test_what_raises_at_a_far_step_is_not_a_number() -> None:
    def on_host(x: Any) -> Any:
        raise ValueError(f"{x} is outside")

    f = lambda x: jax.pure_callback(on_host, jax.ShapeDtypeStruct((), np.float32), x)  # noqa: E731
    value, _, _ = widened(f, X)
    assert np.isnan(value)


def test_a_gradient_runs_in_float64_with_the_rules_that_a_person_chose() -> None:
    value, _, _ = widened(jax.grad(lambda x: ruled(x) ** 2), X)
    np.testing.assert_allclose(value, 2 * np.sin(np.float64(X)) * 7, rtol=1e-15)


@pytest.mark.parametrize("f", [half, looped, counted, branched, ruled, jax.jit(jnp.sin)])
def test_a_program_that_runs_again_as_it_is_gives_the_same_bits(f: Any) -> None:
    jaxpr, consts = apart(jax.make_jaxpr(f)(X))
    (value,) = Rerun()(jaxpr, consts, [X])
    np.testing.assert_array_equal(value, f(X))
    assert value.dtype == np.float32


# Without some rules


def stopped(x: Any) -> Any:
    return x * lax.stop_gradient(x)


def scanned(f: Any) -> Any:
    return lambda x: lax.scan(lambda c, _: (f(c), None), x, length=1)[0]


def in_while(f: Any) -> Any:
    return lambda x: lax.fori_loop(0, 1, lambda _, c: f(c), x)


INSIDE = {
    "alone": lambda f: f,
    "jit": jax.jit,
    "scan": scanned,
    "while": in_while,
    "cond": lambda f: lambda x: lax.cond(x > 0, f, lambda y: y, x),
    "checkpoint": jax.checkpoint,
    "scan of jit": lambda f: scanned(jax.jit(f)),
}


@pytest.mark.parametrize("inside", INSIDE)
@pytest.mark.parametrize(
    ("f", "with_it", "without"),
    [(ruled, 7.0, np.cos(0.3)), (stopped, 0.3, 0.6)],
    ids=["custom_jvp", "stop_gradient"],
)
def test_what_jax_does_by_itself_is_found_wherever_a_rule_stands(
    inside: str, f: Any, with_it: float, without: float
) -> None:
    jaxpr, consts = apart(jax.make_jaxpr(INSIDE[inside](f))(X))
    sites = [eqn for eqn in operations(jaxpr) if eqn.primitive.name in CHOSEN]
    assert len(sites) == 1

    def slope(chosen: Any) -> Any:
        again = lambda x: Without(chosen)(jaxpr, consts, [x])[0]  # noqa: E731
        return jax.jvp(again, (X,), (np.float32(1),))[1]

    np.testing.assert_allclose(slope([]), with_it, rtol=1e-6)
    np.testing.assert_allclose(slope(sites), without, rtol=1e-6)


# Lines


@pytest.mark.parametrize("inside", INSIDE)
def test_an_operation_names_its_line(inside: str) -> None:
    def f(x: Any) -> Any:
        return jnp.tan(x) + 1  # here

    jaxpr, _ = apart(jax.make_jaxpr(INSIDE[inside](f))(X))
    (eqn,) = (e for e in operations(jaxpr) if e.primitive.name == "tan")
    path, _, line = where(jaxpr, eqn).rpartition(":")
    assert Path(path).name == Path(__file__).name
    assert Path(__file__).read_text().splitlines()[int(line) - 1].endswith("# here")
