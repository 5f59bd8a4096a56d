"""A random walk is the sum of its steps, and so is its gradient."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gradlab import random_walk

KEY = jax.random.key(0)


def seed_walk(mean, sd, key, num_steps):
    """The walk as seed 000 writes it."""
    return jnp.cumsum(jax.random.normal(key, (num_steps,)) * sd + mean)


@pytest.mark.parametrize("make_key", [jax.random.key, jax.random.PRNGKey])
@pytest.mark.parametrize(("mean", "sd"), [(0.0, 1.0), (0.5, 2.0), (-3.0, 0.0)])
def test_walk_is_that_of_the_seed(make_key, mean, sd):
    walk = random_walk(mean, sd, make_key(3), 128)
    assert walk.shape == (128,)
    np.testing.assert_allclose(walk, seed_walk(mean, sd, make_key(3), 128), rtol=1e-5, atol=1e-4)


def test_typed_and_legacy_keys_draw_the_same_walk():
    typed, legacy = jax.random.key(5), jax.random.PRNGKey(5)
    np.testing.assert_array_equal(
        random_walk(0.1, 1.0, typed, 16), random_walk(0.1, 1.0, legacy, 16)
    )


@pytest.mark.parametrize("num_steps", [1, 2, 128])
@pytest.mark.parametrize(("mean", "sd"), [(0.0, 1.0), (0.5, 2.0)])
def test_gradient_of_the_end_is_the_number_of_steps_and_the_noise(num_steps, mean, sd):
    key = jax.random.key(1)
    noise = np.asarray(jax.random.normal(key, (num_steps,)), np.float64)
    by_mean, by_sd = jax.grad(lambda m, s: random_walk(m, s, key, num_steps)[-1], (0, 1))(mean, sd)
    assert by_mean == num_steps
    np.testing.assert_allclose(by_sd, noise.sum(), rtol=1e-5, atol=1e-5)


def test_with_mean_zero_and_sd_one_the_gradient_by_sd_is_the_walk_itself():
    key = jax.random.key(2)
    by_sd = jax.jacfwd(lambda sd: random_walk(0.0, sd, key, 64))(1.0)
    np.testing.assert_array_equal(by_sd, random_walk(0.0, 1.0, key, 64))


def test_many_walks_spread_as_the_square_root_of_the_steps():
    keys = jax.random.split(jax.random.key(0), 4000)
    ends = jax.jit(jax.vmap(lambda key: random_walk(0.5, 2.0, key, 25)[-1]))(keys)
    standard_error = 2.0 * 5 / np.sqrt(4000)
    assert abs(float(ends.mean()) - 12.5) < 4 * standard_error
    assert abs(float(ends.std()) - 10.0) < 4 * 10 / np.sqrt(2 * 4000)


def test_pathwise_gradient_of_the_second_moment_has_variance_four_and_the_score_function_thirty():
    """E[x²] for x ~ N(mean, 1) at mean 1: both estimate 2, with variances 4 and 30 (exact)."""
    keys = jax.random.split(jax.random.key(0), 100_000)

    def one_step(mean, key):
        return random_walk(mean, 1.0, key, 1)[0]

    pathwise = jax.vmap(jax.grad(lambda m, k: one_step(m, k) ** 2), (None, 0))(1.0, keys)
    x = jax.vmap(one_step, (None, 0))(1.0, keys)
    score_function = x**2 * (x - 1.0)
    for estimate, variance in ((pathwise, 4.0), (score_function, 30.0)):
        assert abs(float(estimate.mean()) - 2.0) < 5 * np.sqrt(variance / len(keys))
        assert abs(float(estimate.var()) / variance - 1) < 0.1


@pytest.mark.parametrize("dtype", [jnp.float16, jnp.bfloat16, jnp.float32])
def test_walk_has_the_dtype_of_its_parameters(dtype):
    assert random_walk(dtype(0.5), dtype(1.0), jax.random.key(0), 8).dtype == dtype
    assert random_walk(dtype(0.5), 1.0, jax.random.key(0), 8).dtype == dtype


def test_whole_python_numbers_make_a_float_walk():
    walk = random_walk(0, 1, jax.random.key(0), 8)
    np.testing.assert_array_equal(walk, random_walk(0.0, 1.0, jax.random.key(0), 8))


def test_both_parameters_have_a_say_in_the_dtype():
    with jax.enable_x64(True):
        walk = random_walk(jnp.float32(0.0), 1.0, KEY, 8)
        assert walk.dtype == jnp.float32
        np.testing.assert_array_equal(walk, np.cumsum(jax.random.normal(KEY, (8,), jnp.float32)))
        assert random_walk(0.0, jnp.float32(1.0), KEY, 8).dtype == jnp.float32
        assert random_walk(0.0, 1.0, KEY, 8).dtype == jnp.float64


@pytest.mark.parametrize("sd", [-2.0, np.float32(-2.0), jnp.float32(-2.0), float("nan")])
def test_a_negative_sd_is_refused_where_it_is_known(sd):
    with pytest.raises(ValueError, match="sd") as raised:
        random_walk(0.0, sd, KEY, 8)
    assert str(raised.value) == f"sd: got {np.float32(sd)}, expected at least 0; write abs(sd)"
    under_jit = jax.jit(lambda sd: random_walk(0.0, sd, KEY, 8))(sd)  # it is not known, and mirrors
    np.testing.assert_array_equal(under_jit, -random_walk(0.0, 2.0, KEY, 8) * (1 if sd < 0 else sd))


def test_gradient_of_a_long_walk_is_exact_and_compiles():
    value_and_grad = jax.value_and_grad(lambda m, s, k: random_walk(m, s, k, 1_000_000)[-1], (0, 1))
    value, (by_mean, by_sd) = jax.jit(value_and_grad)(0.0, 1.0, jax.random.key(0))
    assert by_mean == 1_000_000
    np.testing.assert_allclose(by_sd, value, rtol=1e-6)


NOT_A_KEY = "expected a random key; write jax.random.key(0)"
STATIC = (
    "expected a Python int that is known when the function is traced; write num_steps=10, or "
    "jax.jit(..., static_argnames='num_steps') under jit"
)
FROM_ONE = (
    "expected a number from 1 to 2147483647; write num_steps=10, or jax.jit(..., "
    "static_argnames='num_steps') under jit"
)
ONE_KEY = (
    "a batch, expected one key; write "
    "jax.vmap(lambda key: random_walk(mean, sd, key, num_steps))(keys)"
)


@pytest.mark.parametrize(
    ("args", "error", "message"),
    [
        (
            (np.array(0), 1.0, KEY, 8),
            TypeError,
            "mean: got int64 of shape (), expected floating point; write mean=1.0",
        ),
        (
            (1j, 1.0, KEY, 8),
            TypeError,
            "mean: got complex 1j, expected floating point; write mean=1.0",
        ),
        (
            (0.0, "1", KEY, 8),
            TypeError,
            "sd: got str '1', expected an array; write sd=1.0",
        ),
        (
            (0.0, np.ones(2), KEY, 8),
            ValueError,
            "sd: got shape (2,), expected (); write jax.vmap(random_walk, ...) over the values "
            "of sd",
        ),
        ((0.0, 1.0, 0, 8), TypeError, f"key: got int 0, {NOT_A_KEY}"),
        (
            (0.0, 1.0, np.zeros(2, np.uint8), 8),
            TypeError,
            f"key: got uint8 of shape (2,), {NOT_A_KEY}",
        ),
        ((0.0, 1.0, np.uint32(3), 8), TypeError, f"key: got uint32 of shape (), {NOT_A_KEY}"),
        ((0.0, 1.0, None, 8), TypeError, f"key: got NoneType None, {NOT_A_KEY}"),
        ((0.0, 1.0, jnp.ones(2), 8), TypeError, f"key: got float32 of shape (2,), {NOT_A_KEY}"),
        (
            (0.0, 1.0, jax.random.split(KEY, 3), 8),
            ValueError,
            f"key: got key<fry> of shape (3,), {ONE_KEY}",
        ),
        (
            (0.0, 1.0, jax.random.split(jax.random.PRNGKey(0), 3), 8),
            ValueError,
            f"key: got uint32 of shape (3, 2), {ONE_KEY}",
        ),
        ((0.0, 1.0, KEY, 8.0), TypeError, f"num_steps: got float 8.0, {STATIC}"),
        ((0.0, 1.0, KEY, 0), ValueError, f"num_steps: got 0, {FROM_ONE}"),
        ((0.0, 1.0, KEY, 2**62), ValueError, f"num_steps: got {2**62}, {FROM_ONE}"),
        ((0.0, 1.0, KEY, 2**64), ValueError, f"num_steps: got {2**64}, {FROM_ONE}"),
        (
            (0.0, 1.0, np.zeros(3, np.uint32), 8),
            TypeError,
            f"key: got uint32 of shape (3,), {NOT_A_KEY}",
        ),
    ],
)
def test_random_walk_says_what_is_wrong(args, error, message):
    with pytest.raises(error) as raised:
        random_walk(*args)
    assert str(raised.value) == message


def test_a_traced_number_of_steps_is_refused_by_name():
    with pytest.raises(TypeError) as raised:
        jax.jit(random_walk)(0.0, 1.0, KEY, 8)
    assert str(raised.value) == f"num_steps: got int32 of shape (), {STATIC}"
