"""Repeated derivatives are right, and of functions of one number only."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gradlab import nth_derivative


@pytest.mark.parametrize("n", range(7))
def test_nth_derivative_of_sine_is_sine_shifted_by_n_quarter_turns(n):
    with jax.enable_x64(True):
        derivative = nth_derivative(jnp.sin, n)(0.7)
        np.testing.assert_allclose(derivative, np.sin(0.7 + n * np.pi / 2), rtol=1e-13)


def test_nth_derivative_of_a_power_ends_in_its_factorial_and_then_zero():
    derivatives = [float(nth_derivative(lambda x: x**4, n)(2.0)) for n in range(6)]
    assert derivatives == [16.0, 32.0, 48.0, 48.0, 24.0, 0.0]


def test_nth_derivative_maps_over_many_points():
    x = jnp.linspace(-1.0, 1.0, 5)
    np.testing.assert_allclose(
        jax.vmap(nth_derivative(jnp.exp, 3))(x), np.exp(np.asarray(x)), rtol=1e-6
    )


def test_nth_derivative_keeps_the_dtype():
    assert nth_derivative(jnp.tanh, 2)(jnp.bfloat16(0.5)).dtype == jnp.bfloat16


@pytest.mark.parametrize(
    ("f", "n", "x", "error", "message"),
    [
        (
            jnp.sin,
            1.0,
            2.0,
            TypeError,
            "n: got float 1.0, expected a Python int that is known when the function is "
            "traced; write n=2, and jax.experimental.jet.jet for orders above 12",
        ),
        (
            jnp.sin,
            -1,
            2.0,
            ValueError,
            "n: got -1, expected a number from 0 to 12; write n=2, and "
            "jax.experimental.jet.jet for orders above 12",
        ),
        (
            jnp.tanh,
            60,
            2.0,
            ValueError,
            "n: got 60, expected a number from 0 to 12; write n=2, and "
            "jax.experimental.jet.jet for orders above 12",
        ),
        (
            lambda x: jnp.sin(x)[None],
            1,
            2.0,
            ValueError,
            "f: the value it returned: got shape (1,), expected (); write f(x)[0]",
        ),
        (
            lambda x, y: x * y,
            1,
            2.0,
            TypeError,
            "f: got one of (x, y), expected a function of 1 argument; write lambda p: f(p[0], "
            "p[1])",
        ),
        (
            jnp.sin,
            1,
            2,
            TypeError,
            "x: got int 2, expected floating point; write 2.0, with the decimal point",
        ),
        (
            jnp.sin,
            1,
            np.ones(3),
            ValueError,
            "x: got shape (3,), expected (); write jax.vmap(nth_derivative(f, n))(x) for many "
            "points",
        ),
        (
            lambda x: jnp.stack([x, x]),
            1,
            2.0,
            ValueError,
            "f: the value it returned: got shape (2,), expected (); write jax.jacfwd(f) for the "
            "derivatives of a vector",
        ),
        (
            lambda x: [x],
            0,
            2.0,
            TypeError,
            "f: the value it returned: got list [2.0], expected an array; write f(x)[0] for its "
            "first part, as has_aux=True is not known here",
        ),
    ],
)
def test_nth_derivative_says_what_is_wrong(f, n, x, error, message):
    with pytest.raises(error) as raised:
        nth_derivative(f, n)(x)
    assert str(raised.value) == message
