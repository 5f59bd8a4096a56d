"""The cells of the five seed notebooks, with gradlab's names, print what they printed.

Random numbers of the seeds were drawn by the generator that was JAX's default before 0.5.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import grad, value_and_grad

from gradlab import (
    logistic_loss,
    move_samples,
    nth_derivative,
    paraboloid,
    per_example_grads,
    predict,
    quadratic,
    random_walk,
    sine_squared,
    straight_through,
    td_loss,
    wavy_bowl,
)


@pytest.fixture(autouse=True)
def old_random_numbers():
    with jax.threefry_partitionable(False):
        yield


def test_seed_000_first_gradients():
    assert grad(lambda x: x)(6.0) == 1.0
    assert grad(lambda x: x + 1.0)(5.0) == 1.0
    assert grad(lambda x, y: x * y, [0, 1])(1.5, 4.0) == (4.0, 1.5)


@pytest.mark.parametrize("key", [jax.random.PRNGKey(0), jax.random.key(0)])
def test_seed_000_gradient_of_the_last_value_of_a_walk(key):
    value, (by_mean, by_sd) = value_and_grad(
        lambda mean, sd, k, n: random_walk(mean, sd, k, n)[-1], [0, 1]
    )(0.0, 1.0, key, 128)
    assert by_mean == 128
    np.testing.assert_allclose(by_sd, value, rtol=1e-6)


def test_seed_001_particles():
    f_grad = jax.grad(wavy_bowl)
    samples = jax.random.uniform(jax.random.PRNGKey(1), shape=(10,), minval=-10, maxval=10)
    new_samples = move_samples(f_grad, samples, 1)
    new_samples_2 = move_samples(f_grad, new_samples, 1)
    np.testing.assert_array_equal(new_samples, samples - jax.vmap(f_grad)(samples))
    heights = [float(wavy_bowl(x).mean()) for x in (samples, new_samples, new_samples_2)]
    assert heights[0] > heights[1] > heights[2]


def test_seed_001_gradient_of_two_variables():
    by_x, by_y = jax.grad(lambda x, y: sine_squared(x) + 0.05 * quadratic(y), (0, 1))(1.0, 3.0)
    np.testing.assert_allclose([by_x, by_y], [0.90929735, 0.3], rtol=1e-6)


def test_seed_002_derivatives_of_derivatives():
    tanh = [nth_derivative(jnp.tanh, n)(2.0) for n in (1, 2, 3)]
    np.testing.assert_allclose(tanh, [0.070650816, -0.13621868, 0.25265405], rtol=1e-6)
    cubic = [nth_derivative(lambda x: x**3 + 2 * x**2 - 3 * x + 1, n) for n in (1, 2, 3, 4)]
    assert [float(derivative(1.0)) for derivative in cubic] == [4.0, 10.0, 6.0, 0.0]
    assert [float(derivative(2.0)) for derivative in cubic] == [17.0, 16.0, 6.0, 0.0]  # seed 003


def test_seed_002_logistic_regression():
    inputs = jnp.array(
        [[0.52, 1.12, 0.77], [0.88, -1.08, 0.15], [0.52, 0.06, -1.30], [0.74, -2.49, 1.39]]
    )
    targets = jnp.array([True, True, False, True])
    key, W_key, b_key = jax.random.split(jax.random.key(0), 3)
    W, b = jax.random.normal(W_key, (3,)), jax.random.normal(b_key, ())

    def loss(W, b):
        return logistic_loss(W, b, inputs, targets)

    loss_value, (W_grad, b_grad) = value_and_grad(loss, (0, 1))(W, b)
    np.testing.assert_allclose(loss_value, 3.051938533782959, rtol=1e-6)
    np.testing.assert_allclose(W_grad, [-0.16965583, -0.8774644, -1.4901346], rtol=2e-6)
    np.testing.assert_allclose(b_grad, -0.29227245, rtol=2e-6)
    assert predict(W, b, inputs).shape == (4,)

    in_a_dict = grad(lambda p: loss(p["W"], p["b"]))({"W": W, "b": b})
    np.testing.assert_array_equal(in_a_dict["W"], W_grad)
    np.testing.assert_array_equal(in_a_dict["b"], b_grad)

    # Finite differences with eps 1e-4 in float32: recorded −0.29325485 and −0.2002716. They are
    # round-off from the third digit on, so what can be held is how far they are off.
    eps = 1e-4
    by_b = (loss(W, b + eps / 2) - loss(W, b - eps / 2)) / eps
    key, subkey = jax.random.split(key)
    vec = jax.random.normal(subkey, W.shape)
    unitvec = vec / jnp.sqrt(jnp.vdot(vec, vec))
    by_W = (loss(W + eps / 2 * unitvec, b) - loss(W - eps / 2 * unitvec, b)) / eps
    np.testing.assert_allclose(jnp.vdot(W_grad, unitvec), -0.19909117, rtol=2e-6)
    for difference, recorded in ((by_b, -0.29325485), (by_W, -0.2002716)):
        np.testing.assert_allclose(difference, recorded, atol=4 * 2.4e-7 / eps)


THETA, S_TM1 = jnp.array([0.1, -0.1, 0.0]), jnp.array([1.0, 2.0, -1.0])
R_T, S_T = jnp.array(1.0), jnp.array([2.0, 1.0, 0.0])


def test_seed_003_hessian_of_a_dot_product():
    hessian = jax.jacfwd(jax.grad(lambda x: jnp.dot(x, x)))(jnp.array([1.0, 2.0, 3.0]))
    np.testing.assert_array_equal(hessian, 2 * np.eye(3))


def test_seed_003_td_loss_without_and_with_stop_gradient():
    residual = jax.grad(lambda *args: td_loss(*args, stop_target=False))(THETA, S_TM1, R_T, S_T)
    np.testing.assert_allclose(residual, [2.4, -2.4, 2.4], rtol=1e-6)
    stopped = jax.grad(td_loss)(THETA, S_TM1, R_T, S_T)
    np.testing.assert_allclose(stopped, [-2.4, -4.8, 2.4], rtol=1e-6)


def test_seed_003_straight_through():
    straight_through_f = straight_through(jnp.round)
    assert jnp.round(3.2) == straight_through_f(3.2) == 3.0
    assert jax.grad(jnp.round)(3.2) == 0.0
    assert jax.grad(straight_through_f)(3.2) == 1.0


def test_seed_003_per_example_gradients():
    batch = [jnp.stack([part, part]) for part in (S_TM1, R_T, S_T)]
    expected = np.array([[-2.4, -4.8, 2.4]] * 2)
    np.testing.assert_allclose(per_example_grads(td_loss)(THETA, *batch), expected, rtol=1e-6)
    dtdloss_dtheta = jax.grad(td_loss)
    almost = jax.vmap(dtdloss_dtheta)(jnp.stack([THETA, THETA]), *batch)
    np.testing.assert_allclose(almost, expected, rtol=1e-6)
    inefficient = jax.vmap(dtdloss_dtheta, in_axes=(None, 0, 0, 0))(THETA, *batch)
    np.testing.assert_allclose(inefficient, expected, rtol=1e-6)


def test_seed_004_paraboloids():
    points = jnp.array([[0.2, 0.3], [2.4, 3.6], [4.4, 2.1]])
    for x, recorded in zip(points, [[0.4, 0.6], [4.8, 7.2], [8.8, 4.2]], strict=True):
        np.testing.assert_allclose(grad(paraboloid)(x), recorded, rtol=1e-6)
    x, coefficients = jnp.array([2.0, 1.0, 3.0, 2.0, 4.0]), jnp.array([3, 2, 5, 1, 4])
    np.testing.assert_array_equal(grad(paraboloid)(x, coefficients), [12, 4, 30, 4, 32])


def test_seed_004_jacobian_of_an_affine_map_is_its_matrix():
    key1, key2 = jax.random.split(jax.random.PRNGKey(137))
    x, matrix = jax.random.uniform(key1, (10,)), jax.random.uniform(key2, (20, 10))
    assert jnp.all(jax.jacfwd(lambda x: matrix @ x)(x) == matrix)
