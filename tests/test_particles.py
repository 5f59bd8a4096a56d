"""Particles go downhill as the formula says, in one compiled loop that can be differentiated."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gradlab import descend, descent_path, move_samples, paraboloid, quadratic, wavy_bowl


def half_curvature(curvature):
    """½λx², the landscape on which each step multiplies x by 1 − step_size·λ."""
    return lambda x: 0.5 * curvature * x**2


def test_one_step_is_the_formula():
    samples = jnp.linspace(-10.0, 10.0, 11)
    x = np.asarray(samples, np.float64)
    moved = move_samples(jax.grad(wavy_bowl), samples, 1)
    np.testing.assert_allclose(moved, x - (np.sin(2 * x) + 0.1 * x), rtol=1e-5, atol=1e-6)


def test_one_step_moves_particles_in_many_dimensions_each_by_its_own_gradient():
    samples = jnp.array([[1.0, -2.0, 3.0], [0.5, 0.0, -4.0]])
    moved = move_samples(jax.grad(paraboloid), samples, 0.25)
    np.testing.assert_array_equal(moved, 0.5 * samples)


@pytest.mark.parametrize("samples", [np.zeros(0), np.zeros((0, 2)), np.zeros((3, 0))])
def test_no_particles_stay_no_particles(samples):
    f = quadratic if samples.ndim == 1 else paraboloid
    assert move_samples(jax.grad(f), samples, 0.1).shape == samples.shape
    assert descend(f, samples, 0.1, 3).shape == samples.shape


@pytest.mark.parametrize("num_steps", [0, 1, 7])
@pytest.mark.parametrize(
    ("f", "samples"),
    [
        (wavy_bowl, jnp.linspace(-8.0, 8.0, 5)),
        (paraboloid, jnp.array([[1.0, -2.0], [0.5, 3.0], [0.0, 1.0]])),
    ],
)
def test_descent_is_repeated_move_samples(f, samples, num_steps):
    path = descent_path(f, samples, 0.1, num_steps)
    assert path.shape == (num_steps + 1, *samples.shape)
    expected = samples
    for row in path:
        np.testing.assert_allclose(row, expected, rtol=1e-5, atol=1e-6)
        expected = move_samples(jax.grad(f), expected, 0.1)
    np.testing.assert_array_equal(descend(f, samples, 0.1, num_steps), path[-1])


@pytest.mark.parametrize("curvature", [0.5, 4.0])
@pytest.mark.parametrize("scaled_step", [0.5, 1.0, 1.5, 2.5])
def test_descent_on_a_parabola_multiplies_by_one_minus_step_times_curvature(curvature, scaled_step):
    """Nocedal and Wright, ch. 3: monotone below 1/λ, oscillating below 2/λ, diverging above."""
    path = descent_path(half_curvature(curvature), jnp.array([3.0]), scaled_step / curvature, 6)[
        :, 0
    ]
    np.testing.assert_allclose(path, 3.0 * (1 - scaled_step) ** np.arange(7), rtol=1e-5)


def test_gradients_by_start_and_step_size_are_those_of_the_closed_form():
    curvature, step_size, num_steps = 2.0, 0.1, 5

    def end(x, step_size):
        return descend(half_curvature(curvature), x[None], step_size, num_steps)[0]

    by_start, by_step_size = jax.grad(end, (0, 1))(3.0, step_size)
    factor = 1 - step_size * curvature
    np.testing.assert_allclose(by_start, factor**num_steps, rtol=1e-5)
    expected = -3.0 * num_steps * curvature * factor ** (num_steps - 1)
    np.testing.assert_allclose(by_step_size, expected, rtol=1e-5)
    # Forward mode, and through the whole path: its last row has the same derivative.
    tangent = jax.jvp(lambda s: end(jnp.float32(3.0), s), (step_size,), (1.0,))[1]
    np.testing.assert_allclose(tangent, expected, rtol=1e-5)
    last_row = jax.grad(
        lambda s: descent_path(half_curvature(curvature), jnp.array([3.0]), s, num_steps)[-1, 0]
    )(step_size)
    np.testing.assert_allclose(last_row, expected, rtol=1e-5)


def test_descent_is_differentiable_by_what_the_landscape_closes_over():
    def end(curvature):
        return descend(half_curvature(curvature), jnp.array([3.0]), 0.1, 4)[0]

    expected = -3.0 * 4 * 0.1 * (1 - 0.1 * 2.0) ** 3
    np.testing.assert_allclose(jax.grad(end)(2.0), expected, rtol=1e-5)
    np.testing.assert_allclose(jax.jit(jax.grad(end))(2.0), expected, rtol=1e-5)


def test_new_values_do_not_trace_the_landscape_again():
    traced = []

    def f(x):
        traced.append(x)
        return x**2

    for start, step_size in ((1.0, 0.1), (2.0, 0.2), (3.0, 0.3)):
        descend(f, jnp.array([start]), step_size, 3)
        descent_path(f, jnp.array([start]), step_size, 3)
        if start == 1.0:
            once = len(traced)
    assert len(traced) == once


def test_ten_million_particles_need_no_memory_for_their_path():
    samples = jax.ShapeDtypeStruct((10_000_000,), jnp.float32)
    program = (
        jax.jit(lambda samples: descend(wavy_bowl, samples, 0.1, 1000)).lower(samples).compile()
    )
    memory = program.memory_analysis()
    positions = 4 * 10_000_000
    assert memory.output_size_in_bytes == positions
    assert memory.temp_size_in_bytes <= 3 * positions


@pytest.mark.parametrize("step_size", [0.5, 1, np.float64(0.5), jnp.float32(0.5)])
@pytest.mark.parametrize("dtype", [jnp.float16, jnp.bfloat16, jnp.float32])
def test_positions_keep_their_dtype_whatever_the_step_size_is(dtype, step_size):
    samples = jnp.array([1.0, 2.0], dtype)
    assert move_samples(jax.grad(quadratic), samples, step_size).dtype == dtype
    assert descend(quadratic, samples, step_size, 2).dtype == dtype


def test_a_landscape_is_read_once_so_a_changed_one_is_defined_anew():
    """The sharp bit of every compiled function, as the docstring says."""
    curvature = 1.0

    def f(x):
        return curvature * x**2

    start = jnp.array([1.0])
    assert descend(f, start, 0.1, 1) == np.float32(0.8)
    curvature = 2.0
    assert descend(f, start, 0.1, 1) == np.float32(0.8)
    assert descend(lambda x: f(x), start, 0.1, 1) == np.float32(0.6)


class Unhashable:
    __hash__ = None

    def __call__(self, x):
        return x**2

    def __repr__(self):
        return "Unhashable()"


PARTICLES = jnp.array([1.0, 2.0])
STATIC = (
    "expected a Python int that is known when the function is traced; write num_steps=10, or "
    "jax.jit(..., static_argnames='num_steps') under jit"
)


@pytest.mark.parametrize("follow", [descend, descent_path])
@pytest.mark.parametrize(
    ("f", "samples", "step_size", "num_steps", "error", "message"),
    [
        (
            quadratic,
            jnp.array([1, 2]),
            0.1,
            3,
            TypeError,
            "samples: got int32 of shape (2,), expected floating point; write jnp.array([1., 2.])",
        ),
        (
            quadratic,
            [1.0, 2.0],
            0.1,
            3,
            TypeError,
            "samples: got list [1.0, 2.0], expected an array; write jnp.array([1., 2.])",
        ),
        (
            quadratic,
            jnp.float32(1.0),
            0.1,
            3,
            ValueError,
            "samples: got shape (), expected (n,) or (n, d); write "
            "jnp.array([x]) for one particle x, samples.reshape(-1, d) for a grid of them",
        ),
        (
            quadratic,
            jnp.ones((2, 2, 2)),
            0.1,
            3,
            ValueError,
            "samples: got shape (2, 2, 2), expected (n,) or (n, d); write "
            "jnp.array([x]) for one particle x, samples.reshape(-1, d) for a grid of them",
        ),
        (
            quadratic,
            PARTICLES,
            jnp.array([0.1, 0.2]),
            3,
            ValueError,
            "step_size: got shape (2,), expected (); write one step size for all particles, "
            "such as 0.1",
        ),
        (
            quadratic,
            PARTICLES,
            "0.1",
            3,
            TypeError,
            "step_size: got str '0.1', expected an array; write one step size for all particles, "
            "such as 0.1",
        ),
        (
            None,
            PARTICLES,
            0.1,
            3,
            TypeError,
            "f: got NoneType None, expected a function; write the landscape itself, not its value",
        ),
        (
            Unhashable(),
            PARTICLES,
            0.1,
            3,
            TypeError,
            "f: got Unhashable Unhashable(), expected a hashable function; write lambda x: f(x)",
        ),
        (
            lambda x: x > 0,
            PARTICLES,
            0.1,
            3,
            TypeError,
            "f: the value it returned: got bool of shape (), expected floating point; write "
            "f(x).astype(float)",
        ),
        (
            quadratic,
            PARTICLES,
            0.1,
            -1,
            ValueError,
            "num_steps: got -1, expected a number from 0 to 2147483647; write num_steps=10, or "
            "jax.jit(..., static_argnames='num_steps') under jit",
        ),
        (quadratic, PARTICLES, 0.1, 2.0, TypeError, f"num_steps: got float 2.0, {STATIC}"),
        (
            quadratic,
            jnp.ones((3, 2)),
            0.1,
            3,
            ValueError,
            "f: the value it returned: got shape (2,), expected (); write a scalar, such as "
            "jnp.sum(f(x)), or jax.jacfwd(f) for the derivatives of a vector",
        ),
    ],
)
def test_descent_says_what_is_wrong(follow, f, samples, step_size, num_steps, error, message):
    with pytest.raises(error) as raised:
        follow(f, samples, step_size, num_steps)
    assert str(raised.value) == message


@pytest.mark.parametrize("follow", [descend, descent_path])
def test_a_traced_number_of_steps_is_refused_by_name(follow):
    with pytest.raises(TypeError) as raised:
        jax.jit(lambda n: follow(quadratic, PARTICLES, 0.1, n))(3)
    assert str(raised.value) == f"num_steps: got int32 of shape (), {STATIC}"


@pytest.mark.parametrize(
    ("gradient_func", "error", "complaint"),
    [
        # The landscape itself where its gradient belongs, too few partial derivatives, a tuple.
        (
            paraboloid,
            ValueError,
            ": the value it returned: got shape (), expected (2,)",
        ),
        (
            lambda x: x[:1],
            ValueError,
            ": the value it returned: got shape (1,), expected (2,)",
        ),
        (
            lambda x: (x, x),
            TypeError,
            ": the value it returned: got tuple of float32 of shape (2,), float32 of shape (2,), "
            "expected an array",
        ),
        (
            lambda x: jax.lax.complex(x, x),
            TypeError,
            ": the value it returned: got complex64 of shape (2,), expected floating point",
        ),
        (None, TypeError, ": got NoneType None, expected a function"),
    ],
)
def test_move_samples_refuses_what_is_not_a_gradient(gradient_func, error, complaint):
    with pytest.raises(error) as raised:
        move_samples(gradient_func, jnp.ones((3, 2)), 0.1)
    instead = "write jax.grad(f), where f takes one particle and returns a scalar"
    assert str(raised.value) == f"gradient_func{complaint}; {instead}"
