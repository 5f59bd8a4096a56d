"""What a user reads, and what a wrong call is told."""

from typing import Any, cast

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import gradlab
from gradlab import assert_grads, check_grads

X = np.array([0.3, -0.7, 1.2], np.float32)


def stopped(x: Any) -> Any:
    return jnp.sum(x * jax.lax.stop_gradient(x))


def test_the_report_is_at_most_a_screen_and_puts_the_worst_first() -> None:
    report = check_grads(lambda p: sum(p[:-1]) + stopped(p[-1]), ([0.1 * i for i in range(20)],))
    lines = str(report).splitlines()
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 110
    assert "WRONG" in lines[0]
    assert "[0][19]" in lines[3]


def test_the_table_and_the_figure_show_the_same() -> None:
    report = check_grads(stopped, (X,))
    frame = report.to_frame()
    assert list(frame["verdict"]) == ["wrong"]
    assert "<table>" in report._repr_html_()
    ax = report.plot()
    assert ax.get_xscale() == "log"
    with pytest.raises(ValueError, match=r"path: got 'w', expected one of \[0\]"):
        report.plot("w")


def test_what_was_not_differentiated_is_named_in_text_and_in_the_table() -> None:
    args = (0.5, 3, jnp.arange(2), np.zeros(0, np.float32))
    report = check_grads(lambda x, n, k, empty: x**n + 0.0 * k[1].astype(float) + empty.sum(), args)
    assert report.skipped == ("[1]", "[2]", "[3]")
    for words in (str(report), report._repr_html_()):
        assert "not differentiated: [1], [2], [3]" in words


def test_leaves_that_the_table_leaves_out_are_counted() -> None:
    report = check_grads(lambda *x: sum(x), tuple(0.1 * i for i in range(40)))
    assert "… and 32 more leaves, the worst verdict among them: agree" in str(report)
    assert "… and 8 more leaves, the worst verdict among them: agree" in report._repr_html_()


def test_a_second_derivative_is_named_by_both_of_its_modes() -> None:
    report = check_grads(jnp.tanh, (0.5,), order=2)
    assert {leaf.mode for leaf in report.leaves} == {"rev", "rev over rev", "rev over fwd"}
    assert "[0] (2nd derivative, rev over fwd)" in str(report)
    said = " ".join(str(report).split())
    assert "second derivatives in forward mode are those of the slope of f along a fixed" in said
    assert "second derivatives in reverse mode are those of the gradient of f" in said


def test_what_is_odd_about_a_first_derivative_is_not_said_of_f() -> None:
    report = check_grads(lambda x: jax.nn.relu(x) ** 2, (0.0,), order=2)
    causes = {leaf.order: leaf.cause for leaf in report.leaves}
    assert causes[1] == ""
    assert causes[2].startswith("taking the first derivative as f, f has a kink here")


def test_only_a_row_that_is_wrong_says_that_it_is_of_forward_mode() -> None:
    assert "(forward)" not in str(check_grads(jnp.sin, (X,), modes=("fwd",)))
    assert "(forward)" in str(check_grads(stopped, (X,), modes=("fwd",)))


def test_a_second_derivative_is_asked_for_only_in_the_modes_that_there_are() -> None:
    @jax.custom_vjp
    def cube(x: Any) -> Any:
        return x**3

    cube.defvjp(lambda x: (cube(x), x), lambda x, c: (3 * x**2 * c,))
    report = check_grads(cube, (0.5,), order=2)
    assert report.verdict == "agree"
    assert not report.ok
    assert {leaf.mode for leaf in report.leaves} == {"rev", "rev over rev"}
    assert "forward mode (jax.jvp) raises an error" in str(report)
    assert check_grads(cube, (0.5,), order=2, modes=("rev",)).ok


def test_the_figure_shows_ad_inside_of_its_frame() -> None:
    ax = check_grads(lambda x: jnp.abs(x) + x, (0.0,)).plot()
    (line,) = (line for line in ax.lines if line.get_label() == "AD")
    low, high = ax.get_ylim()
    assert low < line.get_ydata()[0] < high


def test_there_is_no_truth_value() -> None:
    with pytest.raises(TypeError, match=r"write report\.ok"):
        bool(check_grads(jnp.sin, (0.3,)))


def test_assert_grads_raises_the_report() -> None:
    with pytest.raises(AssertionError, match="removed a term"):
        assert_grads(stopped, (X,))
    with pytest.raises(AssertionError, match="kink"):
        assert_grads(jnp.abs, (0.0,))
    assert_grads(jnp.abs, (0.0,), allow=("cannot tell",))


def test_the_output_that_is_wrong_is_named() -> None:
    report = check_grads(lambda x: x**2, (X,), grad=lambda x: jnp.diag(2 * x).at[1, 2].add(1.0))
    assert report.leaves[0].index == (2,)
    assert "(seen in output, element 1)" in str(report)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: check_grads(jnp.sin, cast(Any, X)), TypeError, r"write \(x,\) for one"),
        (lambda: check_grads(jnp.sin, (1,)), TypeError, "a floating-point number"),
        (lambda: check_grads(jnp.sin, (X,), argnums=1), ValueError, "args has 1 entry"),
        (lambda: check_grads(jnp.sin, (X,), modes="rev"), ValueError, r'write \("rev",\)'),
        (lambda: check_grads(jnp.sin, (X,), order=3), ValueError, "expected 1 or 2"),
        (lambda: check_grads(lambda x: 3, (X,)), TypeError, "got int 3|returned int 3"),
        (lambda: check_grads(jnp.sum, (X,), grad=lambda x: x[:2]), ValueError, r"expected \(3,\)"),
        (lambda: check_grads(jnp.sum, (X,), grad=lambda x: None), ValueError, "got NoneType None"),
        (lambda: check_grads(jnp.sum, (X,), grad=lambda x: {"a": x}), ValueError, r"got {'a': \*}"),
        (
            lambda: check_grads(jnp.sin, (0.5,), grad=lambda x: X),
            ValueError,
            "got the gradients of 3 outputs, expected 1, as f has; .*jax.grad",
        ),
        (
            lambda: check_grads(lambda x, y: x.sum() * y, (X, 0.5), grad=lambda x, y: (x, X)),
            ValueError,
            r"got shapes \(3,\) for args\[0\] and \(3,\) for args\[1\], .* \(3,\) and \(\)",
        ),
        (lambda: jax.jit(lambda x: check_grads(jnp.sum, (x,)))(X), TypeError, "outside of jax.jit"),
        (lambda: assert_grads(jnp.sin, (X,), allow="agree"), ValueError, "allow: got"),
    ],
)
def test_wrong_calls_are_told_what_to_write(call: Any, error: Any, message: Any) -> None:
    with pytest.raises(error, match=message):
        call()


def test_what_f_raises_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        check_grads(lambda x: x / (1 // 0), (X,))


def test_the_names_are_public() -> None:
    assert {"check_grads", "assert_grads", "GradientReport"} <= set(gradlab.__all__)


@pytest.mark.parametrize(("factor", "label"), [(3.0, "slope − 3"), (-3.0, "slope + 3")])
def test_the_figure_takes_the_slope_away_without_two_signs(factor: float, label: str) -> None:
    ax = check_grads(lambda x: factor * x, (1.0,)).plot()
    assert ax.get_ylabel() == label


def test_a_mode_that_raises_fails_unless_it_is_left_out_or_allowed() -> None:
    @jax.custom_vjp
    def cube(x: Any) -> Any:
        return x**3

    cube.defvjp(lambda x: (cube(x), x), lambda x, c: (3 * x**2 * c,))
    with pytest.raises(AssertionError, match=r"forward mode .* raises an error"):
        assert_grads(cube, (0.5,))
    assert_grads(cube, (0.5,), modes=("rev",))
    assert_grads(cube, (0.5,), allow=("cannot tell",))


def test_a_figure_that_cannot_be_drawn_says_why() -> None:
    report = check_grads(lambda x: np.float32(np.sin(x)), (0.5,))
    with pytest.raises(ValueError, match="JAX has no derivative of f, so there is nothing to draw"):
        report.plot()


def test_a_dtype_on_the_way_is_not_called_that_of_the_argument() -> None:
    with jax.enable_x64(True):
        (leaf,) = check_grads(lambda x: x.astype(jnp.float32) ** 20, (np.float64(1e3),)).leaves
    assert leaf.cause == (
        "f itself is not finite in the coarser dtype on the way; in float64, where it is, AD agrees"
    )
