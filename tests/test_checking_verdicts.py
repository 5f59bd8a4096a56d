"""The verdicts of check_grads on functions whose derivative is known, right and wrong."""

import itertools
import re
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gradlab import check_grads


def off(f: Any, factor: Any) -> Any:
    """Return f with a derivative that is wrong by a factor, in both modes."""

    @jax.custom_jvp
    def g(*args: Any) -> Any:
        return f(*args)

    @g.defjvp
    def _(primals: Any, tangents: Any) -> Any:
        value, slope = jax.jvp(f, primals, tangents)

        def scaled(s: Any) -> Any:
            return s if s.dtype == jax.dtypes.float0 else (s * factor).astype(s.dtype)

        return value, jax.tree.map(scaled, slope)

    return g


def unsettled(x: Any) -> Any:
    """x sin(1/x), whose slopes at 0 take every value between −1 and 1."""
    return jnp.where(x == 0, 0, x * jnp.sin(1 / jnp.where(x == 0, 1, x)))


X = np.array([0.3, -0.7, 1.2], np.float32)
POSITIVE = np.array([0.3, 0.7, 1.2], np.float32)
MATRIX = np.array([[2.0, 0.3, 0.1], [0.2, 1.5, 0.4], [0.6, 0.1, 3.0]], np.float32)

RIGHT: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "sin": (jnp.sin, (X,)),
    "log": (jnp.log, (POSITIVE,)),
    "tuple of outputs": (lambda x: {"a": x**2, "b": (jnp.sum(x), 3)}, (X,)),
    "tree of arguments": (lambda p, y: jnp.sum(p["w"] * y) + p["b"], ({"w": X, "b": 0.5}, X)),
    "inverse": (jnp.linalg.inv, (MATRIX,)),
    "determinant": (jnp.linalg.det, (MATRIX,)),
    "sort": (jnp.sort, (X,)),
    "fft": (jnp.fft.fft, (X,)),
    "complex": (lambda z: jnp.abs(z) ** 2 + (z**3).real, (np.complex64(1 + 2j),)),
    "scan of fixed dtype": (
        lambda x: jax.lax.scan(
            lambda c, _: (c * np.float32(0.9) + jnp.sin(x).astype(np.float32), None),
            jnp.zeros(3, np.float32),
            length=4,
        )[0],
        (X,),
    ),
    "flat": (lambda x: 0 * x + 3, (X,)),
    "constant sum": (lambda x: jnp.sum(jax.nn.softmax(x)), (X,)),
    "dead relu": (jax.nn.relu, (np.float32(-0.2),)),
    "floor between integers": (jnp.floor, (np.float32(0.4),)),
    "minimum": (jnp.square, (np.float32(0),)),
    "tiny": (jnp.log, (np.float32(1e-20),)),
    "bad scale": (lambda x: x[0] * 1e6 + x[1] * 1e-6 + x[2] ** 2, (X,)),
    "large and small leaf": (
        lambda p: p["a"] ** 2 * 1e-5 + jnp.sin(p["b"]),
        ({"a": np.float32(3e5), "b": np.float32(0.3)},),
    ),
    "kink a hair away": (lambda x: jnp.abs(x - 0.3001), (np.float32(0.3),)),
    "oscillation": (lambda x: jnp.sin(1e4 * x), (np.float32(0.3),)),
    "cancellation": (lambda x: (x + 1e5) - 1e5, (np.float32(0.3),)),
    "sample": (lambda m: m + jax.random.normal(jax.random.key(0), (3,)), (np.float32(0.3),)),
    "flat beside a kink": (lambda x: jnp.maximum(x, 0.32), (np.float32(0.3),)),
    "values that hide their finest steps": (
        jax.nn.logsumexp,
        (np.array([1000.0, 1004.0, 996.0], np.float32),),
    ),
    "slope that starts as a root": (
        lambda x: x + jnp.sign(x) * jnp.abs(x) ** 1.5,
        (np.zeros(1, np.float32),),
    ),
    "noisy zero": (lambda x: (x + 1e4) ** 2 - x**2 - 2e4 * x, (X,)),
    "vector of 300": (jnp.tanh, (np.linspace(-2, 2, 300, dtype=np.float32),)),
}


@pytest.mark.parametrize("name", RIGHT)
def test_right_gradients_agree(name: Any) -> None:
    f, args = RIGHT[name]
    report = check_grads(f, args)
    assert report.ok, str(report)


FLAT = {"flat", "flat beside a kink", "noisy zero", "constant sum", "dead relu", "minimum"}
SLOPED = [name for name in RIGHT if name not in FLAT | {"floor between integers"}]


@pytest.mark.parametrize(("name", "factor"), list(zip(SLOPED, itertools.cycle([1.01, -1.0]))))
def test_wrong_gradients_are_wrong(name: Any, factor: Any) -> None:
    f, args = RIGHT[name]
    report = check_grads(off(f, factor), args)
    assert report.verdict == "wrong", str(report)


@pytest.mark.parametrize("dtype", ["bfloat16", "float16", "float32"])
@pytest.mark.parametrize(("factor", "verdict"), [(1.0, "agree"), (1 + 2.0**-7, "wrong")])
def test_a_factor_that_the_dtype_has_is_seen_in_every_dtype(
    dtype: Any, factor: Any, verdict: Any
) -> None:
    x = jnp.asarray([0.5, 1.25, -2.0], dtype)
    assert check_grads(off(jnp.sin, factor), (x,)).verdict == verdict


@pytest.mark.parametrize(
    ("f", "x", "word"),
    [
        (jnp.abs, 0.0, "kink"),
        (jax.nn.relu, 0.0, "kink"),
        (lambda x: jnp.where(x >= 0, x, x - 1), 0.0, "jumps"),
        (jnp.sqrt, 0.0, "not finite"),
        (lambda x: jnp.where(x >= 0, x, jnp.nan), 0.0, "edge"),
        (lambda x: 1 / x, 0.0, "not finite"),
        (lambda x: 1 / x, np.inf, "argument"),
        (lambda x: x**1.5, 0.0, "edge"),
        (jnp.round, 0.5, "jumps"),
        (unsettled, 0.0, "settle"),
    ],
)
def test_where_there_is_no_derivative_nobody_can_tell(f: Any, x: Any, word: Any) -> None:
    report = check_grads(f, (x,))
    assert report.verdict == "cannot tell", str(report)
    assert word in report.leaves[0].cause


def test_a_slope_outside_of_both_sides_of_a_kink_is_wrong() -> None:
    @jax.custom_jvp
    def f(x: Any) -> Any:
        return jnp.abs(x)

    f.defjvp(lambda p, t: (f(*p), 3 * t[0]))
    assert check_grads(f, (0.0,)).verdict == "wrong"


def test_nan_is_wrong_where_the_function_has_a_slope() -> None:
    def f(x: Any) -> Any:
        return jnp.where(x > 1, jnp.sqrt(x - 1), x)

    report = check_grads(f, (1.0,))  # reverse mode: 0 · ∞
    assert report.verdict != "agree"
    report = check_grads(lambda x: jnp.where(x > 0, x / x * x, x), (0.0,))
    assert report.verdict == "wrong", str(report)


def test_an_immaterial_difference_agrees_and_is_said() -> None:
    report = check_grads(off(jnp.sin, 1 + 1e-6), (np.float32(0.3),))
    assert report.ok
    assert "digit" in report.leaves[0].cause
    assert not check_grads(off(jnp.sin, 1 + 1e-4), (np.float32(0.3),)).ok


def test_a_dropped_slope_is_no_agreement_in_a_coarse_inner_dtype() -> None:
    def f(x: Any) -> Any:
        return jnp.sum(jnp.sin(x.astype(jnp.bfloat16)).astype(x.dtype))

    assert check_grads(off(f, 0.0), (X,)).verdict != "agree"


def test_an_element_lost_beside_the_largest_of_its_leaf_is_judged_on_its_scale() -> None:
    def leak(size: float) -> Any:
        @jax.custom_jvp
        def f(x: Any) -> Any:
            return x[0]

        f.defjvp(lambda p, t: (f(*p), t[0][0] + size * t[0][1]))
        return f

    assert check_grads(leak(1e-12), (X,)).ok
    assert not check_grads(leak(1e-9), (X,)).ok


@pytest.mark.parametrize("ratio", [1e-3, 1e-6, 1e-9])
@pytest.mark.parametrize("factor", [0.0, 0.75, -1.0])
def test_a_small_slope_is_judged_beside_a_large_one(ratio: float, factor: float) -> None:
    @jax.custom_jvp
    def f(x: Any) -> Any:
        return x[0] ** 2 + ratio * x[1] ** 2

    f.defjvp(lambda p, t: (f(*p), 2 * p[0][0] * t[0][0] + factor * 2 * ratio * p[0][1] * t[0][1]))
    report = check_grads(f, (np.ones(2, np.float32),))
    assert report.leaves[0].index == (1,)
    assert report.verdict == "wrong"


def test_an_output_is_judged_beside_a_larger_one() -> None:
    def f(x: Any) -> Any:
        return jnp.stack([1e8 * x, jax.lax.stop_gradient(x) ** 2])

    (leaf,) = check_grads(f, (1.2,)).leaves
    assert leaf.verdict == "wrong"
    assert "stop_gradient" in leaf.cause


def test_float64_arguments_are_judged_as_float32_ones() -> None:
    with jax.enable_x64(True):
        for factor, ok in [(1.0, True), (1 + 1e-6, True), (1.001, False)]:
            assert check_grads(off(jnp.tanh, factor), (X.astype(np.float64),)).ok is ok


def test_a_complex_second_derivative_of_zero_agrees() -> None:
    z = np.array([0.3 + 0.4j], np.complex64)
    assert check_grads(lambda z: jnp.abs(jnp.exp(z)) ** 2, (z,), order=2).ok


@pytest.mark.parametrize("shift", [1e-12, 1e-7, 1e-5, 1e-3, 0.1])
def test_flat_beside_a_kink_agrees_however_near_it_is(shift: float) -> None:
    with jax.enable_x64(True):
        report = check_grads(lambda x: jax.nn.relu(x - shift), (0.0,))
    assert report.ok, str(report)
    assert "wrong" not in str(report)


def test_a_slope_that_changes_nothing_in_f_is_no_agreement() -> None:
    report = check_grads(lambda x: 1e16 + x**2, (1.0,), grad=lambda x: 7 * x)
    assert report.verdict == "cannot tell"
    assert "numbers on the way to it are rounded" in report.leaves[0].cause


@pytest.mark.parametrize("x", [1e-6, 1e-4])
def test_numbers_that_cancel_in_f_are_no_fault(x: float) -> None:
    def f(x: Any) -> Any:
        return jnp.log(1 + x) / x

    (leaf,) = check_grads(f, (np.float32(x),)).leaves
    assert leaf.verdict == "cannot tell"
    assert "no digit of AD in float32 is right" in leaf.cause
    with jax.enable_x64(True):
        (leaf,) = check_grads(f, (x,)).leaves
        assert leaf.verdict == "agree"
        assert leaf.fd == pytest.approx(-0.5, abs=1e-4)
        assert check_grads(off(f, 1.01), (x,)).verdict == "wrong"


SATURATED: dict[str, tuple[Any, Any]] = {
    "cross-entropy": (lambda x: -jax.nn.log_softmax(x)[0], np.array([33.0, 0.0, 1.0])),
    "binary cross-entropy": (
        lambda x: jnp.mean(jax.nn.softplus(x) - x * jnp.array([1.0, 0.0])),
        np.array([30.0, -30.0]),
    ),
    "sigmoid": (lambda x: 1 - jax.nn.sigmoid(x), np.array(36.0)),
    "cosine": (lambda x: (1 - jnp.cos(1e-8 * x)) * 1e16, np.array(1.0)),
}


LABELS = np.array([0, 1, 1])
UNMOVED: dict[str, Any] = {  # beside what a rule computes, numbers that one unit would change much
    "a mask": lambda y: jnp.where(LABELS * 1.0 >= 1.0, y, 0.1 * y).sum(),
    "equal labels": lambda y: (y * (LABELS * 1.0 == 1.0).astype(y.dtype)).sum(),
    "a remainder": lambda y: y * (1 + jnp.mod(jnp.asarray(4) * 0.5, 1.0)),
    "a rounded half": lambda y: y + jnp.round(jnp.asarray(5) / 2),
    "the edge of arccos": lambda y: y + jnp.arccos(jnp.clip(jnp.asarray(1) * 1.0, -1, 1)),
    "the edge of a root": lambda y: y + jnp.sqrt(jnp.asarray(4) * 0.5 - 2.0),
    "a large constant": lambda y: 1e-3 * y + ((jnp.asarray(4) / 3 + 2.0**36) - 2.0**36),
    "a loop that meets a number": lambda y: (
        y
        * jax.lax.while_loop(
            lambda c: c[0] != 0.0, lambda c: (c[0] - 0.25, c[1] * 0.9), (1.0, 1.0)
        )[1]
    ),
    "a floor that moves": lambda y: y * (1 + jnp.floor(4 * jnp.sin(jnp.arcsin(y)) ** 0)),
}


@pytest.mark.parametrize("factor", [0.0, 1.001, 1.5])
@pytest.mark.parametrize("name", UNMOVED)
def test_a_wrong_slope_is_not_excused_by_rounding_that_does_not_move(
    name: str, factor: float
) -> None:
    def f(x: Any) -> Any:
        return UNMOVED[name](ruled(x))

    ruled = off(jnp.sin, factor)
    report = check_grads(f, (np.float32(0.3),))
    assert report.verdict == "wrong", str(report)


def test_a_dropped_slope_that_rounding_on_the_way_may_hide_is_no_agreement() -> None:
    def f(x: Any) -> Any:
        return 1e-3 * dropped(x) + ((0 * x + 2.0**36) - 2.0**36)

    dropped = off(jnp.sin, 0.0)
    assert check_grads(f, (np.float32(0.3),)).verdict == "cannot tell"


def test_modes_that_differ_by_rounding_on_the_way_do_not_contradict_each_other() -> None:
    def loss(x: Any) -> Any:
        return jnp.mean(-jax.nn.log_softmax(x)[jnp.arange(3), jnp.arange(3)])

    x = 30 * (jnp.eye(3, 4) + 0.1 * jax.random.normal(jax.random.key(1), (3, 4)))
    assert check_grads(loss, (x,)).verdict != "wrong"


@pytest.mark.parametrize("wide", [False, True], ids=["float32", "float64"])
@pytest.mark.parametrize("name", SATURATED)
def test_a_slope_below_the_rounding_of_numbers_on_the_way_is_not_called_wrong(
    name: str, wide: bool
) -> None:
    f, x = SATURATED[name]
    with jax.enable_x64(wide):
        report = check_grads(f, (jnp.asarray(x),))
        assert report.verdict == "cannot tell", str(report)
        assert re.search("noisy|lost in rounding", report.leaves[0].cause)
        # The negative control: a slope that would show is wrong.
        odd = check_grads(f, (jnp.asarray(x),), grad=lambda x: 1e4 + 0 * x)
        assert odd.verdict == "wrong", str(odd)


def test_nan_in_reverse_mode_comes_before_a_kink_in_forward_mode() -> None:
    x = np.array([1.0, 0.0, 2.0], np.float32)
    (leaf,) = check_grads(lambda x: jnp.sum(jnp.where(x > 0, jnp.sqrt(x), 0)), (x,)).leaves
    assert np.isnan(leaf.ad)
    assert "`sqrt`" in leaf.cause


def test_a_function_that_overflows_in_its_own_dtype_is_not_vouched_for() -> None:
    report = check_grads(lambda x: jnp.log(1 + jnp.exp(x)), (np.float32(100),))
    assert report.verdict == "cannot tell"
    assert "not finite in float32" in report.leaves[0].cause


def test_gamma_samples_are_differentiated_as_a_distribution() -> None:
    report = check_grads(lambda a: jax.random.gamma(jax.random.key(1), a), (np.float32(1.5),))
    assert report.verdict == "cannot tell"
    assert "distribution" in report.leaves[0].cause


def test_gamma_samples_do_not_excuse_a_rule_that_is_wrong_beside_them() -> None:
    @jax.custom_jvp
    def square(x: Any) -> Any:
        return x**2

    square.defjvp(lambda p, t: (square(*p), 3 * p[0] * t[0]))
    report = check_grads(lambda x: jax.random.gamma(jax.random.key(1), 2.0) * square(x), (0.5,))
    assert report.verdict == "wrong"
    assert "`square`" in report.leaves[0].cause


@pytest.mark.parametrize(
    "f", [lambda x: (1 - jnp.cos(x)) / x**2, lambda x: (x - jnp.sin(x)) / x**3]
)
@pytest.mark.parametrize("x", [1e-3, 1e-5])
def test_a_derivative_in_which_numbers_cancel_is_not_called_wrong(f: Any, x: float) -> None:
    (leaf,) = check_grads(f, (x,)).leaves
    assert leaf.verdict == "cannot tell"
    assert re.search("numbers on the way|no digit of AD in float32", leaf.cause)
    assert leaf.funnel is not None
    assert leaf.funnel.title.startswith("[0]: cannot tell, AD")


def test_a_slope_that_is_nothing_beside_those_close_by_is_no_fault() -> None:
    def f(x: Any) -> Any:
        return jnp.where(x == 0, 0.0, x**2 * jnp.sin(1 / jnp.where(x == 0, 1.0, x)))

    assert check_grads(f, (0.0,)).ok
    assert check_grads(lambda x: f(x) + 1e-3 * jax.lax.stop_gradient(x), (0.0,)).verdict == "wrong"


def test_a_slope_too_small_to_show_is_not_the_slope_of_a_plateau() -> None:
    """2e-44 is the derivative of erf at 10, where the last place of erf has been 1 for long."""
    assert check_grads(jax.lax.erf, (10.0,)).verdict == "cannot tell"


@pytest.mark.parametrize("f", [jnp.arccosh, jnp.log, jnp.arctanh])
def test_an_output_that_is_not_finite_makes_no_derivative_of_another_output_wrong(f: Any) -> None:
    report = check_grads(f, (np.array([-0.31, 0.72, 1.23], np.float32),))
    assert report.verdict == "cannot tell"
    assert report.leaves[0].cause.startswith("f itself is not finite here")


def test_a_slope_where_f_is_constant_is_wrong_though_the_other_mode_has_none() -> None:
    matrix = jnp.eye(4) - 0.7 * jnp.eye(4, k=-1)

    def solve(_: Any, b: Any) -> Any:
        return jax.scipy.linalg.solve_triangular(matrix, b, lower=True)

    def f(b: Any) -> Any:  # the matrix is not symmetric
        return jax.lax.custom_linear_solve(lambda y: matrix @ y, b, solve, symmetric=True)

    (leaf,) = check_grads(f, (jnp.linspace(0.0, 1.0, 4),)).leaves
    assert leaf.verdict == "wrong"
    assert leaf.cause == "reverse mode is wrong where forward mode agrees with FD"


def test_elements_that_few_steps_leave_open_are_asked_at_all_steps() -> None:
    def f(x: Any) -> Any:  # too curved for the coarser steps, too large for the finer ones
        return 1e8 + jnp.sum(jnp.sin(2e4 * x))

    with jax.enable_x64(True):
        x = np.random.default_rng(0).uniform(0.5, 1.5, 40)
        assert check_grads(f, (x,)).ok
        (leaf,) = check_grads(f, (x,), grad=lambda x: jax.grad(f)(x).at[3].multiply(1.3)).leaves
        assert (leaf.verdict, leaf.index) == ("wrong", (3,))


def test_a_slope_that_all_elements_have_together_and_none_alone_is_a_tie() -> None:
    @jax.custom_jvp
    def medians(x: Any) -> Any:
        return jnp.sum(jnp.sort(x.reshape(-1, 3), axis=1)[:, 1])

    medians.defjvp(lambda p, t: (medians(*p), 0.0 * jnp.sum(t[0])))
    (leaf,) = check_grads(medians, (jnp.repeat(jnp.linspace(0.5, 2.0, 20), 3),)).leaves
    assert leaf.verdict == "cannot tell"
    assert "as at a tie of three numbers" in leaf.cause


def test_a_step_of_a_fine_staircase_is_a_jump_and_not_the_rounding_of_a_line() -> None:
    (leaf,) = check_grads(lambda x: jnp.floor(x * 2.0**16) / 2.0**16, (np.float32(0.75),)).leaves
    assert (leaf.verdict, leaf.cause) == ("cannot tell", "f jumps here, so it has no derivative")
