"""Per-example gradients are what a loop over the examples gives, for any loss and batch."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gradlab import logistic_loss, per_example_grads, td_loss


def squared_error(params, x, y):
    return (jnp.dot(params["w"], x) + params["b"] - y) ** 2


PARAMS = {"w": jnp.array([0.5, -1.0]), "b": jnp.float32(0.25)}
X, Y = jnp.array([[1.0, 2.0], [3.0, -1.0], [0.0, 0.5]]), jnp.array([1.0, 0.0, -2.0])


def test_each_row_is_the_gradient_of_that_example():
    grads = per_example_grads(squared_error)(PARAMS, X, Y)
    assert jax.tree.map(jnp.shape, grads) == {"w": (3, 2), "b": (3,)}
    for i in range(3):
        expected = jax.grad(squared_error)(PARAMS, X[i], Y[i])
        np.testing.assert_allclose(grads["w"][i], expected["w"], rtol=1e-6)
        np.testing.assert_allclose(grads["b"][i], expected["b"], rtol=1e-6)


def test_rows_sum_to_the_gradient_of_the_summed_loss():
    summed = jax.grad(lambda p: jax.vmap(squared_error, (None, 0, 0))(p, X, Y).sum())(PARAMS)
    grads = per_example_grads(squared_error)(PARAMS, X, Y)
    np.testing.assert_allclose(grads["w"].sum(axis=0), summed["w"], rtol=1e-6)
    np.testing.assert_allclose(grads["b"].sum(), summed["b"], rtol=1e-6)


def test_the_transition_of_the_seed_twice_gives_its_recorded_gradient_twice():
    twice = [
        jnp.stack([part, part]) for part in (jnp.array([1.0, 2, -1]), 1.0, jnp.array([2.0, 1, 0]))
    ]
    grads = per_example_grads(td_loss)(jnp.array([0.1, -0.1, 0.0]), *twice)
    np.testing.assert_allclose(grads, [[-2.4, -4.8, 2.4]] * 2, rtol=1e-6)


@pytest.mark.parametrize("stop_target", [True, False])
def test_five_batch_arguments_and_an_option_of_the_loss(stop_target):
    loss = partial(td_loss, stop_target=stop_target)
    batch = (jnp.eye(3), jnp.arange(3.0), jnp.eye(3)[::-1], jnp.array([1.0, 0.5, 0.0]))
    grads = per_example_grads(loss)(jnp.array([1.0, 2.0, 3.0]), *batch)
    for i in range(3):
        expected = jax.grad(loss)(jnp.array([1.0, 2.0, 3.0]), *(part[i] for part in batch))
        np.testing.assert_allclose(grads[i], expected, rtol=1e-6)


def test_several_arguments_can_be_params():
    def one_example(W, b, x, y):
        return logistic_loss(W, b, x[None], y[None])

    W, b, y = jnp.array([0.5, -1.0]), jnp.float32(0.1), jnp.array([True, False, True])
    by_w, by_b = per_example_grads(one_example, argnums=(0, 1))(W, b, X, y)
    residuals = 1 / (1 + np.exp(-(np.asarray(X) @ np.asarray(W) + 0.1))) - np.asarray(y)
    np.testing.assert_allclose(by_w, residuals[:, None] * np.asarray(X), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(by_b, residuals, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("argnums", [2, -1])
def test_params_can_stand_anywhere(argnums):
    grads = per_example_grads(lambda x, y, p: squared_error(p, x, y), argnums)(X, Y, PARAMS)
    expected = per_example_grads(squared_error)(PARAMS, X, Y)
    np.testing.assert_array_equal(grads["w"], expected["w"])


def test_an_example_can_be_a_pytree():
    grads = per_example_grads(lambda p, e: squared_error(p, e["x"], e["y"]))(
        PARAMS, {"x": X, "y": Y}
    )
    np.testing.assert_array_equal(grads["w"], per_example_grads(squared_error)(PARAMS, X, Y)["w"])


def test_new_values_do_not_trace_the_loss_again():
    traced = []

    def loss(w, x):
        traced.append(w)
        return w * x**2

    grads = per_example_grads(loss)
    for w in (1.0, 2.0, 3.0):
        np.testing.assert_array_equal(grads(w, jnp.array([1.0, 2.0])), [1.0, 4.0])
    assert len(traced) == 1


def test_a_batch_of_none_has_gradients_of_none():
    assert per_example_grads(squared_error)(PARAMS, X[:0], Y[:0])["w"].shape == (0, 2)


@pytest.mark.parametrize(
    ("argnums", "args", "error", "message"),
    [
        (
            0,
            (PARAMS, X, Y[:2]),
            ValueError,
            "argument 2: got shape (2,), expected (3,); write one row for each example, as "
            "argument 1 has, or jnp.full(n, value) to share one",
        ),
        (
            0,
            (PARAMS, {"features": X, "weight": Y[:1]}, Y),
            ValueError,
            "argument 1['weight']: got shape (1,), expected (3,); write one row for each example, "
            "as argument 1['features'] has, or jnp.full(n, value) to share one",
        ),
        (
            0,
            (PARAMS, X, 1.0),
            ValueError,
            "argument 2: got shape (), expected (3,); write one row for each example, as "
            "argument 1 has, or jnp.full(n, value) to share one",
        ),
        (
            0,
            ({"w": jnp.array([1, 2])}, X, Y),
            TypeError,
            "argument 0['w']: got int32 of shape (2,), expected floating point; write "
            "jnp.array([1., 2.])",
        ),
        (
            3,
            (PARAMS, X, Y),
            ValueError,
            "argnums: got 3, expected a number from -3 to 2; write grads(params, x, y), params "
            "first, or with argnums",
        ),
        (
            0,
            (PARAMS,),
            ValueError,
            "batch: got only params, expected a row for each example; write grads(params, x, y), "
            "params first, or with argnums",
        ),
    ],
)
def test_per_example_grads_says_what_is_wrong(argnums, args, error, message):
    with pytest.raises(error) as raised:
        per_example_grads(squared_error, argnums)(*args)
    assert str(raised.value) == message


@pytest.mark.parametrize("argnums", ["W", 1.5, (), (0, "b"), None])
def test_argnums_that_name_no_argument_are_refused_at_once(argnums):
    wrong = "b" if argnums == (0, "b") else argnums
    with pytest.raises(TypeError) as raised:
        per_example_grads(squared_error, argnums)
    assert str(raised.value) == (
        f"argnums: got {type(wrong).__name__} {wrong!r}, expected a Python int that is known when "
        "the function is traced; write argnums=0, or argnums=(0, 1) for two"
    )


def test_a_loss_that_is_no_function_or_not_real_is_refused():
    with pytest.raises(TypeError) as raised:
        per_example_grads(3.0)
    assert str(raised.value) == (
        "loss: got float 3.0, expected a function; write the function itself, not its value"
    )
    with pytest.raises(TypeError) as raised:
        per_example_grads(lambda w, x: x > w)(1.0, Y)
    assert str(raised.value) == (
        "loss: the value it returned: got bool of shape (), expected floating point; write "
        "loss(...).astype(float)"
    )


def test_a_loss_of_the_whole_batch_is_refused():
    with pytest.raises(ValueError, match="loss") as raised:
        per_example_grads(lambda w, x: w * x)(1.0, X)
    assert str(raised.value) == (
        "loss: the value it returned: got shape (2,), expected (); write a loss of one example, "
        "such as jnp.sum(...) over its parts"
    )


def test_the_compiled_program_can_be_looked_at():
    program = per_example_grads(squared_error).lower(PARAMS, X, Y).compile()
    np.testing.assert_allclose(
        program(PARAMS, X, Y)["w"], per_example_grads(squared_error)(PARAMS, X, Y)["w"]
    )


def test_a_loss_is_read_once_so_a_changed_global_needs_the_gradients_made_anew():
    scale = 1.0

    def loss(w, x):
        return scale * w * x

    grads = per_example_grads(loss)
    assert grads(1.0, jnp.ones(1)) == 1.0
    scale = 2.0
    assert grads(1.0, jnp.ones(1)) == 1.0
    assert per_example_grads(loss)(1.0, jnp.ones(1)) == 2.0
