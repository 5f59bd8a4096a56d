"""Straight through: exactly the values of one function, exactly the derivative of another."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gradlab import straight_through

X = jnp.array(
    [
        -jnp.inf,
        -1e30,
        -2.5,
        -0.3,
        -1e-30,
        -0.0,
        0.0,
        1e-30,
        0.1,
        0.5,
        1.5,
        3.2,
        16777217.0,
        1e30,
        jnp.inf,
    ]
)


def bits(x):
    return np.asarray(x).view(np.int32)


@pytest.mark.parametrize(
    "f",
    [
        jnp.round,
        jnp.sign,
        lambda x: 0.1 * jnp.sign(x),
        lambda x: jnp.where(x > 0, 1e-30, -1e30),
        lambda x: 1 / x,
        lambda x: x * jnp.nan,
        lambda x: -x * 0,
    ],
)
def test_values_are_those_of_f_bit_for_bit(f):
    """Also at ±inf and ±0, and where x + (f(x) − x) would round."""
    surrogate = straight_through(f)
    np.testing.assert_array_equal(bits(surrogate(X)), bits(f(X)))
    np.testing.assert_array_equal(bits(jax.jit(surrogate)(X)), bits(jax.jit(f)(X)))
    np.testing.assert_array_equal(bits(jax.vmap(surrogate)(X)), bits(jax.vmap(f)(X)))
    value, _ = jax.vjp(surrogate, X)
    np.testing.assert_array_equal(bits(value), bits(f(X)))


def test_the_formula_with_a_sum_is_not_exact():
    """What the module's own way is better than: x + (f(x) − x)."""
    y = 0.1 * jnp.sign(X)
    assert (bits(X + (y - X)) != bits(y)).any()


@pytest.mark.parametrize("f", [jnp.round, jnp.sign, lambda x: 0.1 * jnp.sign(x), jnp.floor])
def test_derivative_is_exactly_one_in_forward_and_in_reverse(f):
    surrogate = straight_through(f)
    ones = np.ones(X.shape)
    np.testing.assert_array_equal(jax.vmap(jax.grad(surrogate))(X), ones)
    np.testing.assert_array_equal(jax.jit(jax.vmap(jax.grad(surrogate)))(X), ones)
    np.testing.assert_array_equal(jax.jvp(surrogate, (X,), (jnp.ones_like(X),))[1], ones)
    np.testing.assert_array_equal(jax.jacrev(surrogate)(X[2:6]), np.eye(4))
    np.testing.assert_array_equal(jax.hessian(surrogate)(0.3), 0.0)


@pytest.mark.parametrize(
    ("backward", "slope"),
    [
        (jnp.tanh, lambda x: 1 - np.tanh(x) ** 2),
        (lambda x: jnp.clip(x, -1.0, 1.0), lambda x: (np.abs(x) < 1) * 1.0),
        (lambda x: 3.0 * x, lambda x: np.full_like(x, 3.0)),
    ],
)
def test_derivative_is_that_of_the_backward_function_if_given(backward, slope):
    x = jnp.array([-2.0, -0.7, 0.2, 1.9])
    surrogate = straight_through(jnp.sign, backward)
    np.testing.assert_array_equal(surrogate(x), jnp.sign(x))
    np.testing.assert_allclose(jax.vmap(jax.grad(surrogate))(x), slope(np.asarray(x)), rtol=1e-5)
    tangent = jax.jvp(surrogate, (x,), (2 * jnp.ones_like(x),))[1]
    np.testing.assert_allclose(tangent, 2 * slope(np.asarray(x)), rtol=1e-5)


def test_the_identity_stays_the_derivative_in_higher_orders():
    """d²/dx² of y², with y = round(x) and dy = dx, is 2, as for the identity."""
    surrogate = straight_through(jnp.round)
    assert jax.grad(jax.grad(lambda x: surrogate(x) ** 2))(1.3) == 2.0
    assert jax.jvp(jax.grad(lambda x: surrogate(x) ** 3), (1.3,), (1.0,))[1] == 6.0


def test_functions_may_return_plain_numbers():
    assert jax.grad(straight_through(lambda x: 3.0))(1.5) == 1.0
    assert jax.grad(straight_through(lambda x: x, lambda x: 0.0))(1.5) == 0.0


@pytest.mark.parametrize(
    ("f", "backward", "name"), [("sin", None, "f"), (jnp.sin, 1.0, "backward")]
)
def test_what_is_no_function_is_refused_at_once(f, backward, name):
    with pytest.raises(TypeError, match=f"^{name}: got .*, expected a function; write jnp"):
        straight_through(f, backward)


def test_second_derivative_is_that_of_the_backward_function():
    curvature = jax.grad(jax.grad(straight_through(jnp.sign, jnp.tanh)))(0.5)
    np.testing.assert_allclose(curvature, jax.grad(jax.grad(jnp.tanh))(0.5), rtol=1e-6)


def test_f_is_never_differentiated():
    """Neither for x, so that a callback will do, nor for what f closes over."""

    def rounded(x):
        return jax.pure_callback(np.round, jax.ShapeDtypeStruct(x.shape, x.dtype), x)

    assert jax.grad(straight_through(rounded))(3.2) == 1.0

    def quantised(x, scale):
        return straight_through(lambda x: jnp.round(x / scale) * scale)(x)

    assert quantised(3.2, 0.5) == 3.0
    assert jax.grad(quantised, (0, 1))(3.2, 0.5) == (1.0, 0.0)


def test_derivatives_pass_through_to_what_comes_before_and_after():
    surrogate = straight_through(jnp.round)
    assert jax.grad(lambda x: surrogate(2 * x) ** 2)(1.6) == 2 * 3.0 * 2


def test_a_coarser_dtype_is_kept_in_value_and_converted_in_derivative():
    surrogate = straight_through(lambda x: x.astype(jnp.bfloat16))
    x = jnp.float32(1.001)
    assert surrogate(x).dtype == jnp.bfloat16
    gradient = jax.grad(lambda x: surrogate(x).astype(jnp.float32))(x)
    assert gradient.dtype == jnp.float32
    assert gradient == 1.0


@pytest.mark.parametrize(
    ("f", "backward", "x", "error", "message"),
    [
        (
            jnp.round,
            None,
            jnp.array([1, 2]),
            TypeError,
            "x: got int32 of shape (2,), expected floating point; write jnp.array([1., 2.])",
        ),
        (
            jnp.sum,
            None,
            jnp.ones(3),
            ValueError,
            "f: the value it returned: got shape (), expected (3,); write a function that acts on "
            "each element",
        ),
        (
            jnp.sign,
            jnp.sum,
            jnp.ones(3),
            ValueError,
            "backward: the value it returned: got shape (), expected (3,); write a function that "
            "acts on each element",
        ),
        (
            lambda x: x > 0,
            None,
            jnp.ones(3),
            TypeError,
            "f: the value it returned: got bool of shape (3,), expected floating point; write "
            "f(x).astype(x.dtype)",
        ),
    ],
)
def test_straight_through_says_what_is_wrong(f, backward, x, error, message):
    with pytest.raises(error) as raised:
        straight_through(f, backward)(x)
    assert str(raised.value) == message
