"""Logistic regression: the seed's numbers, the textbook's gradient, and no log(0)."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gradlab import load_penguins, logistic_loss, predict

INPUTS = jnp.array(
    [[0.52, 1.12, 0.77], [0.88, -1.08, 0.15], [0.52, 0.06, -1.30], [0.74, -2.49, 1.39]]
)
TARGETS = jnp.array([True, True, False, True])
W, B = jnp.array([0.4, -0.3, 1.1]), jnp.float32(-0.2)


def seed_predict(W, b, inputs):
    """The prediction as seed 002 writes it."""
    return 0.5 * (jnp.tanh((jnp.dot(inputs, W) + b) / 2) + 1)


def seed_loss(W, b, inputs, targets):
    """The loss as seed 002 writes it."""
    predictions = seed_predict(W, b, inputs)
    targets = targets.astype(predictions.dtype)
    return -jnp.sum(jnp.log(predictions * targets + (1 - predictions) * (1 - targets)))


@pytest.mark.parametrize("scale", [0.0, 1.0, 3.0])
def test_prediction_loss_and_gradient_are_those_of_the_seed_where_these_are_finite(scale):
    w, b = scale * W, scale * B
    np.testing.assert_allclose(predict(w, b, INPUTS), seed_predict(w, b, INPUTS), rtol=1e-5)
    ours, theirs = (jax.value_and_grad(loss, (0, 1)) for loss in (logistic_loss, seed_loss))
    for got, expected in zip(
        jax.tree.leaves(ours(w, b, INPUTS, TARGETS)),
        jax.tree.leaves(theirs(w, b, INPUTS, TARGETS)),
        strict=True,
    ):
        np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-6)


def test_gradient_is_the_sum_of_residuals_times_inputs():
    with jax.enable_x64(True):
        inputs, w, b = (np.asarray(x, np.float64) for x in (INPUTS, W, B))
        y = np.asarray(TARGETS, np.float64)
        residuals = 1 / (1 + np.exp(-(inputs @ w + b))) - y
        by_w, by_b = jax.grad(logistic_loss, (0, 1))(w, b, inputs, y)
        np.testing.assert_allclose(by_w, residuals @ inputs, rtol=1e-13)
        np.testing.assert_allclose(by_b, residuals.sum(), rtol=1e-13)


@pytest.mark.parametrize("logit", [20.0, 200.0, 1e6])
@pytest.mark.parametrize("label", [True, False])
def test_saturated_logits_have_a_finite_loss_and_the_right_gradient(logit, label):
    """Where p rounds to 0 or 1, the seed's formula takes log(0)."""
    for z in (logit, -logit):
        inputs, targets = jnp.array([[1.0]]), jnp.array([label])
        loss, gradient = jax.value_and_grad(logistic_loss)(jnp.array([z]), 0.0, inputs, targets)
        margin = z if label else -z
        np.testing.assert_allclose(loss, np.logaddexp(0.0, -margin), rtol=1e-6, atol=1e-37)
        right = -np.exp(-np.logaddexp(0.0, margin)) * (1 if label else -1)  # p − y
        np.testing.assert_allclose(gradient, [right], rtol=1e-6, atol=1e-37)


def test_the_seed_formula_does_fail_where_ours_does_not():
    loss = seed_loss(jnp.array([200.0]), 0.0, jnp.array([[1.0]]), jnp.array([False]))
    assert not np.isfinite(loss)


@pytest.mark.parametrize("dtype", [bool, jnp.int32, jnp.float32])
def test_labels_of_any_dtype_give_the_same_loss(dtype):
    np.testing.assert_array_equal(
        logistic_loss(W, B, INPUTS, TARGETS.astype(dtype)), logistic_loss(W, B, INPUTS, TARGETS)
    )


def test_a_probable_label_costs_the_mean_over_both_labels():
    sure = [logistic_loss(W, B, INPUTS, jnp.full(4, label)) for label in (0.0, 1.0)]
    likely = logistic_loss(W, B, INPUTS, jnp.full(4, 0.25))
    np.testing.assert_allclose(likely, 0.75 * sure[0] + 0.25 * sure[1], rtol=1e-6)


def test_no_examples_cost_nothing():
    assert logistic_loss(W, B, jnp.zeros((0, 3)), jnp.zeros(0)) == 0.0


ONES = np.ones(3)


@pytest.mark.parametrize(
    ("args", "error", "message"),
    [
        (
            (jnp.array([1, 2, 3]), 0.0, INPUTS, TARGETS),
            TypeError,
            "W: got int32 of shape (3,), expected floating point; write jnp.array([1., 2.]), one "
            "weight for each feature",
        ),
        (
            (ONES, 0, INPUTS, TARGETS),
            TypeError,
            "b: got int 0, expected floating point; write b=0.0",
        ),
        (
            (np.ones((3, 1)), 0.0, INPUTS, TARGETS),
            ValueError,
            "W: got shape (3, 1), expected (d,); write W.reshape(-1), one weight for each feature",
        ),
        (
            (ONES, np.zeros(1), INPUTS, TARGETS),
            ValueError,
            "b: got shape (1,), expected (); write one bias, such as b[0]",
        ),
        (
            (ONES, 0.0, [[1.0, 2.0, 3.0]], TARGETS),
            TypeError,
            "inputs: got list [[1.0, 2.0, 3.0]], expected an array; write jnp.array([[1., 2.]])",
        ),
        (
            (ONES, 0.0, INPUTS[0], TARGETS),
            ValueError,
            "inputs: got shape (3,), expected (n, 3); write rows of as many features as W has "
            "weights, inputs[None] for one example",
        ),
        (
            (np.ones(2), 0.0, INPUTS, TARGETS),
            ValueError,
            "inputs: got shape (4, 3), expected (n, 2); write rows of as many features as W has "
            "weights, inputs[None] for one example",
        ),
        (
            (ONES, 0.0, INPUTS, [True] * 4),
            TypeError,
            "targets: got list [True, True, True, True], expected an array; write "
            "jnp.array([True, False])",
        ),
        (
            (ONES, 0.0, INPUTS, TARGETS[:, None]),
            ValueError,
            "targets: got shape (4, 1), expected (4,); write targets.reshape(-1), one label a row",
        ),
        (
            (ONES, 0.0, INPUTS, np.array([1, -1, 1, -1])),
            ValueError,
            "targets: got -1, expected 0 or 1; write targets == 1, or another comparison, to have "
            "booleans",
        ),
    ],
)
def test_logistic_loss_says_what_is_wrong(args, error, message):
    with pytest.raises(error) as raised:
        logistic_loss(*args)
    assert str(raised.value) == message


def test_penguins_are_all_there():
    penguins = load_penguins()
    assert penguins.shape == (344, 8)
    assert penguins["species"].value_counts().to_dict() == {
        "Adelie": 152,
        "Gentoo": 124,
        "Chinstrap": 68,
    }
    # Published summary: 342 measured penguins, mean body mass 4201.754 g, mean bill 43.92193 mm.
    assert penguins["body_mass_g"].count() == 342
    assert round(penguins["body_mass_g"].mean(), 3) == 4201.754
    assert round(penguins["bill_length_mm"].mean(), 5) == 43.92193
