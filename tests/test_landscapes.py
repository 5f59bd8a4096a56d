"""The landscapes have the values and the slopes that their formulas say."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import gradlab

X = np.linspace(-6.0, 6.0, 49)


@pytest.mark.parametrize(
    ("f", "value", "slope"),
    [
        (gradlab.sine_squared, np.sin(X) ** 2, np.sin(2 * X)),
        (gradlab.quadratic, X**2, 2 * X),
        (gradlab.wavy_bowl, np.sin(X) ** 2 + 0.05 * X**2, np.sin(2 * X) + 0.1 * X),
    ],
)
def test_landscape_and_its_slope_are_the_formula(f, value, slope):
    with jax.enable_x64(True):
        np.testing.assert_allclose(f(X), value, rtol=1e-14, atol=1e-15)
        np.testing.assert_allclose(jax.vmap(jax.grad(f))(X), slope, rtol=1e-13, atol=1e-14)


def test_landscapes_take_plain_numbers():
    assert gradlab.quadratic(3) == 9
    assert float(gradlab.sine_squared(0)) == 0.0
    assert float(gradlab.wavy_bowl(0)) == 0.0


def test_paraboloid_sums_over_every_element_whatever_the_shape():
    x = jnp.arange(6.0).reshape(2, 3)
    assert gradlab.paraboloid(x) == 55.0
    np.testing.assert_array_equal(jax.grad(gradlab.paraboloid)(x), 2 * np.arange(6.0).reshape(2, 3))


def test_paraboloid_hessian_has_twice_the_coefficients_on_its_diagonal():
    coefficients = jnp.array([3.0, -2.0, 0.5])
    hessian = jax.hessian(gradlab.paraboloid)(jnp.ones(3), coefficients)
    np.testing.assert_array_equal(hessian, np.diag([6.0, -4.0, 1.0]))


def test_paraboloid_is_linear_in_its_coefficients():
    x = jnp.array([1.0, 2.0, 3.0])
    gradient = jax.grad(gradlab.paraboloid, argnums=1)(x, jnp.ones(3))
    np.testing.assert_array_equal(gradient, x**2)


def test_paraboloid_takes_whole_number_coefficients_in_the_dtype_of_x():
    x = jnp.array([2.0, 1.0], jnp.bfloat16)
    assert gradlab.paraboloid(x, jnp.array([3, 2])).dtype == jnp.bfloat16


@pytest.mark.parametrize(
    ("args", "error", "message"),
    [
        (
            ([1.0, 2.0],),
            TypeError,
            "x: got list [1.0, 2.0], expected an array; write jnp.array([1., 2.])",
        ),
        (
            (np.ones(2), [1.0, 2.0]),
            TypeError,
            "coefficients: got list [1.0, 2.0], expected an array; write jnp.array([3., 0.5])",
        ),
        (
            (np.ones((2, 1)), np.ones(2)),
            ValueError,
            "coefficients: got shape (2,), expected (2, 1); write one coefficient for each "
            "element of x",
        ),
    ],
)
def test_paraboloid_says_what_is_wrong(args, error, message):
    with pytest.raises(error) as raised:
        gradlab.paraboloid(*args)
    assert str(raised.value) == message


@pytest.mark.parametrize("f", [gradlab.sine_squared, gradlab.quadratic, gradlab.wavy_bowl])
def test_elementwise_landscapes_say_what_is_wrong(f):
    with pytest.raises(TypeError) as raised:
        f([1.0])
    assert str(raised.value) == "x: got list [1.0], expected an array; write jnp.array([1., 2.])"
