"""What holds for every helper: jit, vmap, both modes of differentiation, dtypes.

To have a new helper tested so, and on eight devices (`test_devices.py`), add a line to HELPERS.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import gradlab

KEY = jax.random.key(0)


@dataclass(frozen=True)
class Helper:
    """A helper as a function of floating-point arrays, and what to call it with.

    `exact` says that the derivative is the true one, not a surrogate or a semi-gradient;
    `batched` which arguments have a leading axis of 8 that devices can share, `sums` that there
    is a sum in it, whose order depends on the shapes that a device sees.
    """

    f: Callable[..., Any]
    args: tuple[Any, ...]
    batched: tuple[int, ...] = ()
    exact: bool = True
    sums: bool = False

    def arrays(self, dtype: str) -> tuple[jax.Array, ...]:
        return tuple(jnp.asarray(arg, dtype) for arg in self.args)


LINE = np.linspace(-2.0, 2.0, 8)
PLANE = np.stack([LINE, LINE[::-1] + 0.3], axis=1)
VECTOR = np.array([0.3, -0.7])
TRANSITIONS = (PLANE, LINE, PLANE[::-1], np.linspace(0.0, 1.0, 8))
TRANSITION = (PLANE[1], 0.5, PLANE[2], 0.9)

HELPERS = {
    "sine_squared": Helper(gradlab.sine_squared, (LINE,), (0,)),
    "quadratic": Helper(gradlab.quadratic, (LINE,), (0,)),
    "wavy_bowl": Helper(gradlab.wavy_bowl, (LINE,), (0,)),
    "paraboloid": Helper(gradlab.paraboloid, (LINE, LINE + 3), (0, 1), sums=True),
    "nth_derivative": Helper(gradlab.nth_derivative(jnp.tanh, 3), (0.4,)),
    "random_walk": Helper(lambda mean, sd: gradlab.random_walk(mean, sd, KEY, 16), (0.1, 1.3)),
    "move_samples": Helper(
        partial(gradlab.move_samples, jax.grad(gradlab.wavy_bowl)), (LINE, 0.2), (0,)
    ),
    "move_samples in two dimensions": Helper(
        partial(gradlab.move_samples, jax.grad(gradlab.paraboloid)), (PLANE, 0.2), (0,)
    ),
    "descend": Helper(lambda x, s: gradlab.descend(gradlab.wavy_bowl, x, s, 5), (LINE, 0.2), (0,)),
    "descent_path": Helper(
        lambda x, s: gradlab.descent_path(gradlab.paraboloid, x, s, 5), (PLANE, 0.2), (0,)
    ),
    "predict": Helper(gradlab.predict, (VECTOR, 0.2, PLANE), (2,), sums=True),
    "logistic_loss": Helper(
        gradlab.logistic_loss, (VECTOR, 0.2, PLANE, np.arange(8) % 2 / 2), (2, 3), sums=True
    ),
    "linear_value": Helper(gradlab.linear_value, (VECTOR, PLANE[0])),
    "td_error": Helper(gradlab.td_error, (VECTOR, *TRANSITION)),
    "td_loss, target stopped": Helper(gradlab.td_loss, (VECTOR, *TRANSITION), exact=False),
    "td_loss": Helper(partial(gradlab.td_loss, stop_target=False), (VECTOR, *TRANSITION)),
    "straight_through": Helper(gradlab.straight_through(jnp.round), (LINE,), (0,), exact=False),
    "per_example_grads": Helper(
        gradlab.per_example_grads(partial(gradlab.td_loss, stop_target=False)),
        (VECTOR, *TRANSITIONS),
        (1, 2, 3, 4),
        sums=True,
    ),
    "straight_through, backward given": Helper(
        gradlab.straight_through(jnp.sign, jnp.tanh), (LINE,), (0,), exact=False
    ),
    "td_loss, value_fn given": Helper(
        partial(gradlab.td_loss, value_fn=lambda theta, s: jnp.tanh(theta @ s), stop_target=False),
        (VECTOR, *TRANSITION),
    ),
    "central_difference": Helper(
        lambda x, v: gradlab.central_difference(gradlab.paraboloid, x, direction=v, step=0.01),
        (LINE, LINE),
        (0, 1),
        sums=True,
    ),
}
DTYPES = ["float32", "float64"]


def for_helpers(keep: Callable[[Helper], Any] = lambda helper: True) -> pytest.MarkDecorator:
    names = [name for name, helper in HELPERS.items() if keep(helper)]
    return pytest.mark.parametrize("helper", [HELPERS[name] for name in names], ids=names)


def assert_close(got: Any, expected: Any, dtype: str, factor: float = 1.0) -> None:
    within = factor * 40 * float(jnp.finfo(dtype).eps)
    np.testing.assert_allclose(got, expected, rtol=within, atol=within)


def tangents(args: tuple[jax.Array, ...]) -> tuple[jax.Array, ...]:
    generator = np.random.default_rng(0)
    return tuple(jnp.asarray(generator.normal(size=x.shape), x.dtype) for x in args)


def test_every_helper_that_computes_is_in_the_table():
    tabular = {"load_penguins", "step_sweep"}
    checking = {"check_grads", "assert_grads", "GradientReport"}
    tested = {name.split(",")[0].split(" in ")[0] for name in HELPERS}
    assert tested == set(gradlab.__all__) - tabular - checking


@pytest.mark.parametrize("dtype", DTYPES)
@for_helpers()
def test_jit_gives_what_eager_gives_in_the_dtype_that_was_given(helper, dtype):
    with jax.enable_x64(True):
        args = helper.arrays(dtype)
        eager = helper.f(*args)
        assert eager.dtype == dtype
        jitted = jax.jit(helper.f)(*args)
        assert jitted.dtype == dtype
        assert_close(jitted, eager, dtype)


@for_helpers()
def test_vmap_gives_what_a_loop_gives(helper):
    args = map(np.asarray, helper.arrays("float32"))
    batch = [np.stack([x, 0.5 * x, x + np.float32(0.25)]) for x in args]
    mapped, f = jax.vmap(helper.f)(*map(jnp.asarray, batch)), jax.jit(helper.f)
    for i in range(3):
        assert_close(mapped[i], f(*(jnp.asarray(x[i]) for x in batch)), "float32")


@pytest.mark.parametrize("dtype", DTYPES)
@for_helpers()
def test_forward_and_reverse_mode_agree(helper, dtype):
    """⟨Jv, w⟩ = ⟨v, Jᵀw⟩."""

    @jax.jit  # one program for each helper, not one for each operation
    def both_modes(args, v):
        value, pushed = jax.jvp(helper.f, args, v)
        (w,) = tangents((value,))
        pulled = jax.vjp(helper.f, *args)[1](w)
        assert all(g.dtype == dtype for g in pulled)
        return jnp.vdot(pushed, w), sum(map(jnp.vdot, v, pulled))

    with jax.enable_x64(True):
        args = helper.arrays(dtype)
        forward, reverse = both_modes(args, tangents(args))
        assert_close(forward, reverse, dtype, factor=10)


@for_helpers()
def test_the_derivative_in_float64_is_the_slope_unless_it_is_chosen(helper):
    with jax.enable_x64(True):
        args, f = helper.arrays("float64"), jax.jit(helper.f)  # labels move, too
        v, step = tangents(args), 1e-5
        _, slope = jax.jvp(helper.f, args, v)
        ahead, behind = (
            f(*(x + h * t for x, t in zip(args, v, strict=True))) for h in (step, -step)
        )
        difference = (ahead - behind) / (2 * step)
    assert np.allclose(slope, difference, rtol=1e-6, atol=1e-7) == helper.exact


@for_helpers(lambda helper: helper.exact)
def test_the_checker_agrees_with_every_derivative(helper):
    report = gradlab.check_grads(helper.f, helper.arrays("float32"))
    assert report.ok, f"\n{report}"
    assert all(leaf.digits >= 4 for leaf in report.leaves), f"\n{report}"


@for_helpers(lambda helper: helper.exact)
def test_the_checker_agrees_with_every_second_derivative(helper):
    report = gradlab.check_grads(helper.f, helper.arrays("float32"), order=2, modes=("rev",))
    assert report.ok, f"\n{report}"


@for_helpers(lambda helper: not helper.exact)
def test_the_checker_sees_that_a_chosen_derivative_is_not_the_slope(helper):
    """The negative control of the tests above."""
    report = gradlab.check_grads(helper.f, helper.arrays("float32"))
    assert report.verdict == "wrong"
    assert any("deliberate" in leaf.hint for leaf in report.leaves), f"\n{report}"


def test_no_helper_touches_the_configuration_of_jax():
    before = {
        name: getattr(jax.config, name) for name in dir(jax.config) if name.startswith("jax_")
    }
    assert before["jax_numpy_dtype_promotion"] == "strict"
    for helper in HELPERS.values():
        helper.f(*helper.arrays("float32"))
    gradlab.step_sweep(jnp.sin, 1.0)
    with pytest.raises(TypeError):
        gradlab.central_difference(jnp.sin, 1)
    assert before == {name: getattr(jax.config, name) for name in before}
