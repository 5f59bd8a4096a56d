"""The TD loss has two gradients, and each leads where the textbook says."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gradlab import linear_value, td_error, td_loss

residual_loss = partial(td_loss, stop_target=False)
THETA, S_TM1 = jnp.array([0.1, -0.1, 0.0]), jnp.array([1.0, 2.0, -1.0])
R_T, S_T = jnp.float32(1.0), jnp.array([2.0, 1.0, 0.0])


def test_td_error_and_update_of_the_seed_transition_are_the_published_ones():
    """JAX documentation, “Higher-order derivatives”: δ = 1.2, δ∇v = [1.2, 2.4, −1.2]."""
    np.testing.assert_allclose(td_error(THETA, S_TM1, R_T, S_T), 1.2, rtol=1e-6)
    update = -0.5 * jax.grad(td_loss)(THETA, S_TM1, R_T, S_T)
    np.testing.assert_allclose(update, [1.2, 2.4, -1.2], rtol=1e-6)


@pytest.mark.parametrize("discount", [0.0, 0.9, 1.0])
def test_td_loss_is_the_squared_td_error_whether_or_not_the_target_is_stopped(discount):
    delta = R_T + discount * THETA @ S_T - THETA @ S_TM1
    for loss in (td_loss, residual_loss):
        np.testing.assert_allclose(loss(THETA, S_TM1, R_T, S_T, discount), delta**2, rtol=1e-6)


@pytest.mark.parametrize("discount", [0.0, 0.9, 1.0])
def test_gradients_are_those_of_the_docstring(discount):
    delta = np.float32(td_error(THETA, S_TM1, R_T, S_T, discount))
    semi = jax.grad(td_loss)(THETA, S_TM1, R_T, S_T, discount)
    np.testing.assert_allclose(semi, -2 * delta * S_TM1, rtol=1e-6, atol=1e-6)
    residual = jax.grad(residual_loss)(THETA, S_TM1, R_T, S_T, discount)
    expected = -2 * delta * (S_TM1 - np.float32(discount) * S_T)
    np.testing.assert_allclose(residual, expected, rtol=1e-6, atol=1e-6)


def test_gradients_agree_where_the_episode_ends():
    """With discount 0 there is no value in the target to differentiate."""
    semi, residual = (
        jax.grad(loss)(THETA, S_TM1, R_T, S_T, 0.0) for loss in (td_loss, residual_loss)
    )
    np.testing.assert_array_equal(semi, residual)


def test_stopping_the_target_stops_every_path_through_it():
    by_reward, by_next_state, by_discount = jax.grad(td_loss, (2, 3, 4))(
        THETA, S_TM1, R_T, S_T, 0.9
    )
    assert by_reward == 0.0
    assert by_discount == 0.0
    np.testing.assert_array_equal(by_next_state, np.zeros(3))


def network_value(theta, state):
    return jnp.sum(jnp.tanh(state @ theta["hidden"]) * theta["out"]) + theta["bias"]


def test_any_value_function_and_any_pytree_of_parameters():
    theta = {
        "hidden": jnp.full((3, 2), 0.1),
        "out": jnp.array([1.0, -2.0]),
        "bias": jnp.float32(0.5),
    }
    loss = partial(td_loss, value_fn=network_value)
    delta = td_error(theta, S_TM1, R_T, S_T, 0.9, value_fn=network_value)
    slope = jax.grad(network_value)(theta, S_TM1)
    gradient = jax.grad(loss)(theta, S_TM1, R_T, S_T, 0.9)
    for got, by_value in zip(jax.tree.leaves(gradient), jax.tree.leaves(slope), strict=True):
        np.testing.assert_allclose(got, -2 * delta * by_value, rtol=1e-5)


def test_states_may_be_indices_of_a_table():
    loss = partial(td_loss, value_fn=lambda theta, state: theta[state])
    gradient = jax.grad(loss)(jnp.zeros(3), 1, 1.0, 2)
    np.testing.assert_array_equal(gradient, [0.0, -2.0, 0.0])


A, B, C, END = np.eye(4, 3)
A_SPLIT = (
    np.stack([A, B, A, C]),
    np.array([0, 1.0, 0, 0]),
    np.stack([B, END, C, END]),
    np.array([1.0, 0, 1, 0]),
)


@pytest.mark.parametrize(
    ("loss", "values", "mean_squared_error"),
    [(td_loss, [0.5, 1.0, 0.0], 1 / 8), (residual_loss, [0.5, 0.75, 0.25], 1 / 16)],
)
def test_a_split_example_ends_where_the_textbook_says(loss, values, mean_squared_error):
    """Sutton and Barto (2018), example 11.2: the smaller error belongs to the wrong values."""
    losses = jax.vmap(loss, (None, 0, 0, 0, 0))
    gradient = jax.jit(jax.grad(lambda theta: losses(theta, *A_SPLIT).mean()))
    theta = jnp.zeros(3)
    for _ in range(200):
        theta = theta - 0.5 * gradient(theta)
    np.testing.assert_allclose(theta, values, atol=1e-5)
    np.testing.assert_allclose(losses(theta, *A_SPLIT).mean(), mean_squared_error, atol=1e-5)


def test_first_episode_of_the_five_state_walk_changes_only_its_last_state():
    """Sutton and Barto (2018), exercise 6.3: by 0.1 · 0.5 = 0.05 at α = 0.1, all values from ½."""
    states = np.vstack([np.eye(5, dtype=np.float32), np.zeros(5, np.float32)])
    theta = jnp.full(5, 0.5)
    for s_tm1, s_t in ((2, 1), (1, 2), (2, 1), (1, 0), (0, 5)):  # C B C B A, then the left end
        discount = 0.0 if s_t == 5 else 1.0
        theta = theta + 0.1 * -0.5 * jax.grad(td_loss)(
            theta, states[s_tm1], 0.0, states[s_t], discount
        )
    np.testing.assert_allclose(theta, [0.45, 0.5, 0.5, 0.5, 0.5], rtol=1e-6)


def test_five_state_walk_is_a_fixed_point_at_its_true_values():
    """Sutton and Barto (2018), example 6.2: true values 1/6 … 5/6; from ½ the error is √(1/18)."""
    true = np.arange(1, 6) / 6
    np.testing.assert_allclose(np.sqrt(np.mean((0.5 - true) ** 2)), np.sqrt(1 / 18))
    left, right = np.eye(5, k=-1), np.eye(5, k=1)  # rows of zeros where the episode ends
    rewards = np.array([0.0, 0, 0, 0, 1])
    with jax.enable_x64(True):
        gradients = jax.vmap(jax.grad(td_loss), (None, 0, 0, 0))
        to_left = gradients(true, np.eye(5), np.zeros(5), left)
        to_right = gradients(true, np.eye(5), rewards, right)
        np.testing.assert_allclose(to_left + to_right, np.zeros((5, 5)), atol=1e-15)


def test_baird_counterexample_diverges_as_published():
    """Sutton and Barto (2018), figure 11.2 right: expected updates, α = 0.01, γ = 0.99."""
    features = np.zeros((7, 8))
    features[:6, :6], features[:6, 7] = 2 * np.eye(6), 1
    features[6, 6], features[6, 7] = 1, 2
    with jax.enable_x64(True):
        losses = jax.vmap(td_loss, (None, 0, None, None, None))
        gradient = jax.jit(jax.grad(lambda w: losses(w, features, 0.0, features[6], 0.99).mean()))

        def sweep(w):
            return w - 0.01 * 0.5 * gradient(w)

        w = sweep(jnp.array([1.0, 1, 1, 1, 1, 1, 10, 1]))
        np.testing.assert_allclose(w, [1.025371] * 6 + [9.999829, 1.075771], atol=1e-6)
        w = jax.lax.fori_loop(0, 6000, lambda _, w: sweep(w), w)
        growth = jnp.linalg.norm(sweep(w)) / jnp.linalg.norm(w)
        np.testing.assert_allclose(growth, 1.0023925, atol=1e-7)


BATCH = "write one real number, and jax.vmap(...) for a batch of transitions"


@pytest.mark.parametrize("function", [td_error, td_loss])
@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"r_t": np.ones(2)}, ValueError, f"r_t: got shape (2,), expected (); {BATCH}"),
        (
            {"discount_t": np.ones(2)},
            ValueError,
            f"discount_t: got shape (2,), expected (); {BATCH}",
        ),
        (
            {"value_fn": 3.0},
            TypeError,
            "value_fn: got float 3.0, expected a function; write a function of (theta, state)",
        ),
        ({"r_t": [1.0]}, TypeError, f"r_t: got list [1.0], expected an array; {BATCH}"),
        (
            {"theta": [0.1, -0.1, 0.0]},
            TypeError,
            "theta: got list [0.1, -0.1, 0.0], expected an array; write jnp.array([0.1, -0.1]), "
            "or value_fn=... for other parameters",
        ),
        (
            {"theta": np.ones((3, 1))},
            ValueError,
            "theta: got shape (3, 1), expected (d,); write theta.reshape(-1), one weight for each "
            "feature",
        ),
        (
            {"s_t": np.ones((4, 3))},
            ValueError,
            "s_t: got shape (4, 3), expected (3,); write as many features as theta has weights, "
            "and jax.vmap(...) for a batch of states",
        ),
        (
            {"value_fn": lambda theta, state: theta * state},
            ValueError,
            f"value_fn: the value it returned: got shape (3,), expected (); {BATCH}",
        ),
    ],
)
def test_td_says_what_is_wrong(function, changes, error, message):
    arguments = {"theta": THETA, "s_tm1": S_TM1, "r_t": R_T, "s_t": S_T} | changes
    with pytest.raises(error) as raised:
        function(**arguments)
    assert str(raised.value) == message


def test_linear_value_is_the_dot_product_and_its_gradient_the_state():
    assert linear_value(THETA, S_TM1) == np.float32(0.1) - np.float32(0.2)
    np.testing.assert_array_equal(jax.grad(linear_value)(THETA, S_TM1), S_TM1)


def test_a_traced_stop_target_is_refused_by_name():
    with pytest.raises(TypeError) as raised:
        jax.jit(lambda stop: td_loss(THETA, S_TM1, R_T, S_T, stop_target=stop))(True)
    assert (
        str(raised.value)
        == "stop_target: got bool of shape (), expected True or False, known when the function is "
        "traced; write functools.partial(td_loss, stop_target=False) under jit"
    )
