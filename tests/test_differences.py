"""Central differences are as good as their dtype allows, and the sweep shows why."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gradlab import central_difference, step_sweep

# Where the third derivative is of the order of the first, the error of the best step is about
# eps^⅔ times a small number; ten times that is allowed.
WITHIN = {"float32": 10 * 2.4e-5, "float64": 10 * 3.7e-11}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("f", "derivative"),
    [
        (jnp.sin, np.cos),
        (jnp.exp, np.exp),
        (jnp.tanh, lambda x: 1 - np.tanh(x) ** 2),
        (lambda x: x**3, lambda x: 3 * x**2),
    ],
)
@pytest.mark.parametrize("x", [-1.3, 0.0, 0.4, 2.0])
def test_default_step_gives_the_digits_that_the_dtype_has(dtype, f, derivative, x):
    with jax.enable_x64(True):
        estimate = central_difference(f, jnp.array(x, dtype))
        assert estimate.dtype == dtype
        np.testing.assert_allclose(estimate, derivative(x), rtol=WITHIN[dtype], atol=WITHIN[dtype])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_default_step_grows_with_x(dtype):
    """At x = 10⁵, a step of eps^⅓ would be lost in the rounding of x."""
    with jax.enable_x64(True):
        x = jnp.array(1e5, dtype)
        estimate = central_difference(lambda x: x**2, x)
        np.testing.assert_allclose(estimate, 2e5, rtol=WITHIN[dtype])
        fixed = central_difference(lambda x: x**2, x, step=float(jnp.finfo(dtype).eps ** (1 / 3)))
        assert abs(fixed / 2e5 - 1) > abs(estimate / 2e5 - 1)


def test_the_points_lie_one_step_to_either_side():
    points = []
    central_difference(lambda x: points.append(float(x)) or x, 1.0, step=0.25)
    assert sorted(points) == [0.75, 1.25]


@pytest.mark.parametrize("step", [0.5, 0.125])
def test_a_cubic_shows_the_truncation_error_of_the_formula(step):
    """(f(x+h) − f(x−h)) / 2h of x³ is 3x² + h², so h²/6 times the third derivative."""
    assert central_difference(lambda x: x**3, 2.0, step=step) == 12.0 + step**2


def test_direction_picks_a_partial_derivative_and_its_length_is_a_factor():
    def f(x):
        return x[0] ** 2 * x[1]

    x = jnp.array([3.0, 2.0])
    first, second, both, tripled = (
        central_difference(f, x, direction=jnp.array(v))
        for v in ([1.0, 0], [0, 1.0], [1.0, 1], [0, 3.0])
    )
    np.testing.assert_allclose([first, second, both, tripled], [12, 9, 21, 27], rtol=1e-4)
    np.testing.assert_allclose(central_difference(f, x), both)


@pytest.mark.parametrize("large", [1e4, -1e4, 1e6])
def test_an_element_that_does_not_move_does_not_coarsen_the_step(large):
    x, v = {"a": jnp.array([1.0, large]), "b": large}, {"a": jnp.array([1.0, 0.0]), "b": 0.0}
    estimate = central_difference(lambda x: jnp.sin(x["a"][0]) + 0 * x["b"], x, direction=v)
    np.testing.assert_allclose(estimate, np.cos(1.0), rtol=WITHIN["float32"])


def test_step_grows_with_x_below_zero_as_above():
    ahead, behind = (central_difference(lambda x: x**3, x) for x in (1e5, -1e5))
    assert ahead == behind


def test_a_direction_of_another_dtype_is_used_in_that_of_x():
    with jax.enable_x64(True):
        x, v = jnp.ones(2, jnp.float32), np.ones(2, np.float64)
        assert central_difference(jnp.sum, x, direction=v).dtype == jnp.float32


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
def test_length_of_the_direction_costs_no_accuracy(scale):
    estimate = central_difference(jnp.sin, 1.0, direction=jnp.float32(scale))
    np.testing.assert_allclose(estimate, scale * np.cos(1.0), rtol=WITHIN["float32"])


def test_pytrees_in_and_out():
    x = {"a": jnp.array([1.0, 2.0]), "b": jnp.float32(3.0)}
    v = {"a": jnp.array([0.5, -1.0]), "b": jnp.float32(2.0)}

    def f(x):
        return {"product": x["a"] * x["b"], "sum": x["a"].sum()}

    estimate = central_difference(f, x, direction=v)
    _, tangent = jax.jvp(f, (x,), (v,))
    for got, expected in zip(jax.tree.leaves(estimate), jax.tree.leaves(tangent), strict=True):
        np.testing.assert_allclose(got, expected, rtol=WITHIN["float32"], atol=1e-4)


def test_mixed_dtypes_take_the_step_of_the_coarsest():
    with jax.enable_x64(True):
        x = {"single": jnp.float32(1.0), "double": jnp.float64(1.0)}
        estimate = central_difference(lambda x: x["single"].astype(float) * x["double"], x)
        np.testing.assert_allclose(estimate, 2.0, rtol=WITHIN["float32"])


def test_default_step_works_inside_jit_vmap_and_grad():
    x = jnp.array([-3.0, 0.2, 40.0])
    mapped = jax.jit(jax.vmap(lambda x: central_difference(jnp.sin, x)))(x)
    one_by_one = [central_difference(jnp.sin, each) for each in x]
    np.testing.assert_allclose(mapped, one_by_one, atol=WITHIN["float32"])
    second = jax.vmap(jax.grad(lambda x: central_difference(jnp.sin, x)))(x)
    np.testing.assert_allclose(second, -jnp.sin(x), atol=1e-2)


def test_no_direction_at_all_has_slope_zero():
    assert central_difference(jnp.sin, 1.0, direction=0.0) == 0.0


def test_sweep_is_a_u():
    sweep = step_sweep(jnp.tanh, 2.0)
    assert list(sweep.columns) == ["step", "estimate", "error"]
    assert sweep["step"].is_monotonic_decreasing
    best = sweep["error"].idxmin()
    assert 1e-3 < sweep["step"][best] < 0.1
    rounding = sweep["error"][sweep["step"] < 1e-5].median()
    truncation = sweep["error"].iloc[0]
    assert rounding > 100 * sweep["error"][best]
    assert truncation > 100 * sweep["error"][best]


def test_truncation_error_in_the_sweep_falls_as_the_square_of_the_step():
    with jax.enable_x64(True):
        sweep = step_sweep(jnp.exp, jnp.float64(0.0), steps=[1e-1, 1e-2, 1e-3])
        np.testing.assert_allclose(sweep["error"], np.square(sweep["step"]) / 6, rtol=1e-2)
        np.testing.assert_allclose(sweep["estimate"] - 1, sweep["error"], rtol=1e-6)


def test_sweep_reaches_further_down_in_float64():
    with jax.enable_x64(True):
        single, double = (step_sweep(jnp.sin, jnp.array(1.0, t)) for t in ("float32", "float64"))
    assert 1e-7 < single["step"].min() < 1e-6
    assert 1e-16 < double["step"].min() < 1e-15
    assert double["error"].min() < 1e-9 < single["error"].min()


def test_sweep_follows_a_direction_through_a_pytree():
    x = {"a": jnp.array([1.0, 2.0]), "b": jnp.float32(3.0)}
    v = {"a": jnp.array([0.0, 1.0]), "b": jnp.float32(0.0)}
    sweep = step_sweep(lambda x: x["b"] * jnp.sum(x["a"] ** 2), x, direction=v, steps=[1e-2])
    np.testing.assert_allclose(sweep["estimate"], 12.0, rtol=1e-4)
    np.testing.assert_allclose(sweep["error"], 0.0, atol=1e-3)


def test_default_sweep_starts_at_the_size_of_x():
    assert step_sweep(jnp.sin, 0.5)["step"].iloc[0] == 1.0
    assert step_sweep(jnp.sin, -300.0)["step"].iloc[0] == 300.0
    assert step_sweep(jnp.sin, -300.0, direction=2.0)["step"].iloc[0] == 150.0


def test_a_sweep_of_no_steps_has_no_rows_of_numbers():
    sweep = step_sweep(jnp.sin, 0.5, steps=[])
    assert sweep.shape == (0, 3)
    assert all(dtype.kind == "f" for dtype in sweep.dtypes)


def test_sweep_takes_functions_with_python_branches():
    sweep = step_sweep(lambda x: x**2 if x > 0 else 0 * x, 2.0, steps=[1e-2])
    np.testing.assert_allclose(sweep["estimate"], 4.0, rtol=1e-4)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: central_difference(jnp.sin, 1),
            TypeError,
            "x: got int 1, expected floating point; write 2.0 or jnp.array([1., 2.])",
        ),
        (
            lambda: central_difference(jnp.sum, {"w": jnp.array([1, 2])}),
            TypeError,
            "x['w']: got int32 of shape (2,), expected floating point; write 2.0 or "
            "jnp.array([1., 2.])",
        ),
        (
            lambda: central_difference(jnp.sum, jnp.ones(3), direction=jnp.ones(2)),
            ValueError,
            "direction: got shape (2,), expected (3,); write one number for each element of x",
        ),
        (
            lambda: central_difference(jnp.sum, {"w": 1.0}, direction=1.0),
            ValueError,
            "direction: got PyTreeDef(*), expected PyTreeDef({'w': *}), the structure of x; write "
            "one number for each element of x",
        ),
        (
            lambda: central_difference(jnp.sin, 1.0, step=0),
            ValueError,
            "step: got 0, expected a positive number; write step=1e-3",
        ),
        (
            lambda: central_difference(jnp.sin, 1.0, step=-1e-3),
            ValueError,
            "step: got -0.001, expected a positive number; write step=1e-3",
        ),
        (
            lambda: central_difference(jnp.sin, 1.0, step=1j),
            TypeError,
            "step: got complex 1j, expected real numbers; write one step, or gradlab.step_sweep "
            "for many",
        ),
        (
            lambda: central_difference(jnp.sin, 1.0, direction=1),
            TypeError,
            "direction: got int 1, expected floating point; write jnp.array([1., 0.])",
        ),
        (
            lambda: central_difference(2.0, 1.0),
            TypeError,
            "f: got float 2.0, expected a function; write the function itself, not its value",
        ),
        (
            lambda: step_sweep(jnp.sin, 1.0, steps=0.1),
            ValueError,
            "steps: got shape (), expected (n,); write steps=[1e-1, 1e-2]",
        ),
        (
            lambda: step_sweep(jnp.sin, 1.0, steps="12"),
            TypeError,
            "steps: got str '12', expected real numbers; write steps=[1e-1, 1e-2]",
        ),
        (
            lambda: step_sweep(np.sin, 1.0),
            TypeError,
            "f: got a function that needs known numbers, expected operations of JAX; write jnp.sin "
            "for np.sin, jnp.where for if",
        ),
        (
            lambda: step_sweep(jnp.sin, 1.0, steps=jnp.array([0.0, 0.1])),
            ValueError,
            "steps: got 0.0, expected a positive number; write steps=1e-3",
        ),
        (
            lambda: central_difference(jnp.sin, 1.0, step=jnp.array([1e-2, 1e-3])),
            ValueError,
            "step: got shape (2,), expected (); write one step, or gradlab.step_sweep for many",
        ),
        (
            lambda: central_difference(jnp.round, 1.0, step="1e-3"),
            TypeError,
            "step: got str '1e-3', expected an array; write one step, or gradlab.step_sweep for "
            "many",
        ),
        (
            lambda: central_difference(lambda x: x > 0, 1.0),
            TypeError,
            "f: the value it returned: got bool of shape (), expected floating point; write "
            "f(x).astype(float)",
        ),
        (
            lambda: step_sweep(lambda x: x, jnp.ones(2)),
            ValueError,
            "f: the value it returned: got shape (2,), expected (); write one component of it, "
            "such as lambda x: f(x)[0]",
        ),
        (
            lambda: central_difference(jnp.sum, {}),
            ValueError,
            "x: got {}, expected at least one number; write 2.0 or jnp.array([1., 2.])",
        ),
    ],
)
def test_differences_say_what_is_wrong(call, error, message):
    with pytest.raises(error) as raised:
        call()
    assert str(raised.value) == message
