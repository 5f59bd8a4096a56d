"""A program that is run again with some derivatives changed keeps its values."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gradlab.checking.rewriting import sites, without

X = np.array([0.3, -0.7, 1.2], np.float32)
stop = jax.lax.stop_gradient


def reversed_scan(x: Any) -> Any:
    """Σ with weights that depend on the order, and outputs that do."""
    end, ys = jax.lax.scan(lambda c, y: (2 * c + stop(y), c * y), 0.0, x, reverse=True)
    return end + ys[0] + 10 * ys[-1]


def scan_of_constants(x: Any) -> Any:
    return jax.lax.scan(lambda c, y: (c + x[0] * stop(y), None), x[1], x)[0]


def while_of_constants(x: Any) -> Any:
    """A condition and a body that use different numbers from outside of the loop."""
    first, last = x[0], x[2]
    return jax.lax.while_loop(
        lambda c: c[0] < 5 + first,
        lambda c: (c[0] + last, stop(c[1]) * last + first),
        (last, x[1]),
    )[1]


def third_branch(x: Any) -> Any:
    branches = [lambda y: 2 * y, lambda y: 3 * y, lambda y: y * stop(y)]
    return jnp.sum(jax.lax.switch(2, branches, x))


def called(x: Any) -> Any:
    return jnp.sum(jax.jit(lambda y, z: y * stop(z))(x, x + 1))


@pytest.mark.parametrize(
    "f", [reversed_scan, scan_of_constants, while_of_constants, third_branch, called]
)
def test_a_switch_changes_derivatives_and_no_value(f: Any) -> None:
    closed = jax.make_jaxpr(f)(X)
    found = list(sites(closed.jaxpr))
    assert [site.kind for site in found] == ["stop_gradient"]
    run = without(closed, found)

    def slopes(switch: float) -> Any:
        def switched(x: Any) -> Any:
            return run(np.full(1, switch, np.float32), x)[0]

        value, slope = jax.jvp(switched, (X,), (np.ones(3, np.float32),))
        np.testing.assert_allclose(value, f(X), rtol=1e-6)
        return slope

    def plain(x: Any) -> Any:
        return without_stops(f)(x)

    ones = np.ones(3, np.float32)
    np.testing.assert_allclose(slopes(0.0), jax.jvp(f, (X,), (ones,))[1], rtol=1e-5)
    np.testing.assert_allclose(slopes(1.0), jax.jvp(plain, (X,), (ones,))[1], rtol=1e-5)
    assert abs(slopes(1.0) - slopes(0.0)) > 0.1


def without_stops(f: Any) -> Any:
    """Return f with the identity in place of `stop`."""

    def plain(x: Any) -> Any:
        kept = globals()["stop"]
        globals()["stop"] = lambda y: y
        try:
            return f(x)
        finally:
            globals()["stop"] = kept

    return plain


@pytest.mark.parametrize(("switch", "slope"), [(0.0, 7.0), (1.0, 4.0), (0.5, 5.5)])
def test_a_switch_blends_a_rule_with_what_jax_does_by_itself(switch: float, slope: float) -> None:
    @jax.custom_jvp
    def square(x: Any) -> Any:
        return x * x

    square.defjvp(lambda p, t: (square(*p), 7 * t[0]))
    closed = jax.make_jaxpr(square)(np.float32(2))
    run = without(closed, list(sites(closed.jaxpr)))
    given = np.full(1, switch, np.float32)
    assert jax.grad(lambda x: run(given, x)[0])(np.float32(2)) == slope
