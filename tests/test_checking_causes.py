"""The causes that the report names."""

import re
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gradlab import check_grads, straight_through

X = np.array([0.3, -0.7, 1.2], np.float32)


def inside(how: Any, f: Any) -> Any:
    return {
        "plain": f,
        "jit": jax.jit(f),
        "checkpoint": jax.checkpoint(f),
        "vmap": jax.vmap(f),
        "scan": lambda x: jax.lax.scan(lambda c, _: (f(c), None), x, length=2)[0],
        "cond": lambda x: jax.lax.cond(x[0] > 0, f, lambda x: x, x),
        "fori": lambda x: jax.lax.fori_loop(0, 2, lambda _, c: f(c), x),
    }[how]


@pytest.mark.parametrize("how", ["plain", "jit", "checkpoint", "vmap", "scan", "cond", "fori"])
def test_stop_gradient_is_named(how: Any) -> None:
    report = check_grads(inside(how, lambda x: x * jax.lax.stop_gradient(x)), (X,))
    cause = report.leaves[0].cause
    assert (
        cause
        == f"stop_gradient ({report.leaves[0].where}) removed a term: without it AD is what FD says"
    )
    assert re.fullmatch(r".*test_checking_causes\.py:\d+", report.leaves[0].where)


@pytest.mark.parametrize("how", ["plain", "jit", "scan"])
def test_a_wrong_custom_rule_is_named(how: Any) -> None:
    @jax.custom_vjp
    def swish(x: Any) -> Any:
        return x * jax.nn.sigmoid(x)

    swish.defvjp(lambda x: (swish(x), x), lambda x, g: (1.1 * g * jax.nn.sigmoid(x),))
    report = check_grads(inside(how, lambda x: swish(jax.nn.relu(x) + x)), (X,))
    assert re.search(r"rule of `swish` \(.*\.py:\d+\) is wrong", report.leaves[0].cause), str(
        report
    )


def test_a_deliberate_surrogate_is_called_one() -> None:
    leaf = check_grads(straight_through(jnp.round), (X,)).leaves[0]
    assert "surrogate" in leaf.cause
    assert "deliberate" in leaf.hint


def test_the_operation_that_makes_nan_is_named() -> None:
    assert "`sqrt` at 0" in check_grads(jnp.linalg.norm, (np.zeros(3, np.float32),)).leaves[0].cause


def test_a_rule_over_a_callback_is_named_if_it_is_the_only_one() -> None:
    @jax.custom_jvp
    def f(x: Any) -> Any:
        return jax.pure_callback(np.sin, jax.ShapeDtypeStruct(x.shape, x.dtype), x)

    f.defjvp(lambda p, t: (f(*p), -jnp.cos(p[0]) * t[0]))
    leaf = check_grads(f, (X,)).leaves[0]
    assert leaf.verdict == "wrong"
    named = (
        r"AD is not the slope of f, and the custom_jvp rule of `f` \(.*py:\d+\) is the only rule"
    )
    assert re.match(named, leaf.cause)
    assert "sign" in leaf.hint


def ruled(f: Any, rule: Any) -> Any:
    """Return f with a rule of its own for reverse mode."""
    g = jax.custom_vjp(f)
    g.defvjp(lambda *args: (f(*args), args), rule)
    return g


def test_one_of_several_rules_is_named() -> None:
    def right(x: Any) -> Any:
        return jnp.sin(x)

    def wrong(x: Any) -> Any:
        return jnp.exp(x)

    g = ruled(right, lambda args, c: (c * jnp.cos(*args),))
    h = ruled(wrong, lambda args, c: (1.01 * c * jnp.exp(*args),))
    (leaf,) = check_grads(lambda x: jnp.sum(g(h(x))), (X,)).leaves
    assert "`wrong`" in leaf.cause
    assert "`right`" not in leaf.cause


def test_every_leaf_is_given_its_own_culprit() -> None:
    def f(*leaves: Any) -> Any:
        return sum(jnp.sum(x * jax.lax.stop_gradient(x)) for x in leaves)

    report = check_grads(f, (X, 2 * X, 3 * X))
    assert all("removed a term" in leaf.cause for leaf in report.leaves)


def test_a_slope_of_zero_in_one_element_is_not_taken_for_a_surrogate() -> None:
    matmul = ruled(jnp.matmul, lambda args, c: (c @ args[1], args[0].T @ c))  # without .T
    a, b = np.array([[1, 2], [3, 4]], np.float32), np.array([[1, 0], [2, 3]], np.float32)
    leaf = check_grads(matmul, (a, b)).worst_first()[0]
    assert "is wrong" in leaf.cause
    assert "deliberate" not in leaf.hint


def test_a_minimum_is_not_taken_for_a_flat_stretch() -> None:
    @jax.custom_jvp
    def f(x: Any) -> Any:
        return jnp.cos(x)

    f.defjvp(lambda p, t: (f(*p), 0.01 * t[0]))
    (leaf,) = check_grads(f, (0.0,)).leaves
    assert re.match(r"the custom_jvp rule of `f` \(.*py:\d+\) is wrong", leaf.cause)


def test_a_wrong_transpose_without_batching_is_a_fault_of_reverse_mode() -> None:
    scale = jnp.array([2.0, 3.0])

    def f(x: Any) -> Any:
        linear = jax.custom_derivatives.linear_call
        return linear(lambda r, t: r * t, lambda r, c: -c * r, scale, x)

    (leaf,) = check_grads(f, (np.ones(2, np.float32),)).leaves
    assert leaf.verdict == "wrong"
    assert leaf.cause == "reverse mode is wrong where forward mode agrees with FD"


def test_a_small_difference_beside_a_loop_may_be_that_of_the_loop() -> None:
    def root(a: Any) -> Any:
        return jax.lax.while_loop(
            lambda x: jnp.abs(x * x - a) > 1e-2, lambda x: 0.5 * (x + a / x), jnp.ones_like(a)
        )

    exact = ruled(root, lambda args, c: (0.5 * c / jnp.sqrt(*args),))
    (leaf,) = check_grads(exact, (np.float32(2.3),)).leaves
    assert leaf.verdict == "cannot tell"
    assert "may stop at a tolerance" in leaf.cause
    half = ruled(root, lambda args, c: (0.25 * c / jnp.sqrt(*args),))
    assert check_grads(half, (np.float32(2.3),)).verdict == "wrong"


def test_only_the_rules_that_are_wrong_are_blamed() -> None:
    def sine(name: str, factor: float) -> Any:
        def f(x: Any) -> Any:
            return jnp.sin(x)

        f.__name__ = name
        return ruled(f, lambda args, c: (factor * c * jnp.cos(*args),))

    a, b, c = sine("alpha", 1.0), sine("beta", 2.0), sine("gamma", 3.0)
    (leaf,) = check_grads(lambda x: a(x) + b(x) * c(x), (0.5,)).leaves
    assert "`beta`" in leaf.cause
    assert "`gamma`" in leaf.cause
    assert "`alpha`" not in leaf.cause


def test_a_rule_that_returns_another_value_is_wrong() -> None:
    square = jax.custom_vjp(lambda x: x * x)
    square.defvjp(lambda x: (x * x + 1, x), lambda x, c: (2 * x * c,))
    (leaf,) = check_grads(square, (1.5,)).leaves
    assert leaf.verdict == "wrong"
    assert "another value" in leaf.cause


def test_a_rule_that_forgets_its_cotangent_is_wrong() -> None:
    assert not check_grads(ruled(lambda x: x * x, lambda args, c: (2 * args[0],)), (1.5,)).ok


@pytest.mark.parametrize("tangent", [jnp.abs, lambda t: t * jnp.abs(t), lambda t: 1.0 + 0 * t])
def test_a_rule_that_is_not_linear_in_its_tangents_is_wrong(tangent: Any) -> None:
    @jax.custom_jvp
    def sine(x: Any) -> Any:
        return jnp.sin(x)

    sine.defjvp(lambda p, t: (sine(*p), jnp.cos(p[0]) * tangent(t[0])))
    for x in (jnp.array(0.3), jnp.linspace(0.1, 1.0, 40)):
        report = check_grads(lambda x: jnp.sum(sine(x)), (x,), modes=("fwd",))
        assert report.verdict == "wrong", str(report)
        assert "`sine`" in report.leaves[0].cause


def test_a_where_that_hides_nan_from_the_value_only_is_told_its_cure() -> None:
    x = np.array([0.5, 2.0], np.float32)
    (leaf,) = check_grads(lambda x: jnp.where(x < 1, jnp.sqrt(1 - x * x), 0), (x,)).leaves
    assert leaf.verdict == "wrong"
    assert "a second `where` in front of it" in leaf.hint
    (leaf,) = check_grads(lambda x: jnp.sum(jnp.sqrt(x * x)), (np.zeros(1),)).leaves
    assert leaf.hint.startswith("square the norm")


def test_a_rule_with_a_wrong_sign_is_said_to_have_one() -> None:
    @jax.custom_jvp
    def square(x: Any) -> Any:
        return x**2

    square.defjvp(lambda p, t: (square(*p), -2 * p[0] * t[0]))
    (leaf,) = check_grads(square, (0.7,)).leaves
    assert "`square`" in leaf.cause
    assert "a sign is wrong" in leaf.hint


def test_an_index_out_of_range_is_asked_about() -> None:
    (leaf,) = check_grads(lambda x: jnp.sum(x[jnp.array([0, 2, 9])] ** 2), (X,)).leaves
    assert (leaf.verdict, leaf.index) == ("wrong", (2,))
    assert "is an index out of range?" in leaf.hint


@pytest.mark.parametrize(
    ("f", "x", "kink"),
    [
        (jnp.linalg.norm, np.zeros(3, np.float32), True),
        (jnp.std, np.ones(3, np.float32), True),
        (lambda x: jnp.sqrt(x**4), np.float32(0.0), False),
        (lambda x: jnp.sqrt(jnp.abs(x)), np.float32(0.0), False),  # its slopes have no limit
    ],
)
def test_a_kink_is_told_beside_a_derivative_that_is_no_number(f: Any, x: Any, kink: bool) -> None:
    (leaf,) = check_grads(f, (x,)).leaves
    assert re.search(r"the derivative of `sqrt` at 0( \(.*\))? is not finite", leaf.cause)
    assert ("f has a kink here" in leaf.cause) == kink


# What AD is in place of FD


def with_rule(f: Any, slope: Any) -> Any:
    """Give a function of one array with a scalar value a rule of its own."""
    ruled = jax.custom_vjp(f)
    ruled.defvjp(lambda w: (f(w), w), lambda w, g: (g * slope(w),))
    return ruled


def hint_on(f: Any, w: Any) -> str:
    (leaf,) = check_grads(f, (w,)).leaves
    assert leaf.verdict == "wrong"
    return leaf.hint


ROWS = np.random.default_rng(0).normal(size=(7, 3)).astype(np.float32)


@pytest.mark.parametrize(
    ("factor", "said"),
    [
        (
            7.0,
            "AD is 7 times FD here, and 7 is the length or size of an array: "
            "is it the gradient of a sum, where f is a mean?",
        ),
        (
            3.0,
            "AD is 3 times FD here, and 3 is the length or size of an array: "
            "is it the gradient of a sum, where f is a mean?",
        ),
        (
            1 / 7,
            "AD is FD / 7 here, and 7 is the length or size of an array: "
            "is it the gradient of a mean, where f is a sum?",
        ),
        (
            1 / 21,
            "AD is FD / 21 here, and 21 is the length or size of an array: "
            "is it the gradient of a mean, where f is a sum?",
        ),
        (7.01, ""),
        (5.0, ""),
        (-7.0, ""),
        (4.0, ""),
        (-1.0, "AD is −1 times FD here: a sign is wrong"),
        (0.0, "AD is 0 where f has a slope: a term was dropped"),
    ],
)
def test_a_sum_in_place_of_a_mean_is_seen_by_the_number_of_rows(factor: float, said: str) -> None:
    def loss(w: Any) -> Any:
        return jnp.mean(jnp.sin(ROWS @ w))

    assert hint_on(with_rule(loss, lambda w: factor * jax.grad(loss)(w)), X) == said


def weigh(w: Any) -> Any:
    return jnp.sum(jnp.tanh(w @ jnp.array([0.3, -0.8, 1.1])) ** 3)


MATRICES = np.random.default_rng(1).normal(size=(2, 3, 3)).astype(np.float32)


@pytest.mark.parametrize("w", [MATRICES[0], MATRICES], ids=["a matrix", "a batch of them"])
def test_a_missing_transpose_is_named(w: Any) -> None:
    rule = with_rule(weigh, lambda w: jnp.swapaxes(jax.grad(weigh)(w), -1, -2))
    assert hint_on(rule, w).startswith("AD is the transpose of what FD says")


@pytest.mark.parametrize("w", [MATRICES[0], MATRICES], ids=["a matrix", "a batch of them"])
def test_a_gradient_along_symmetric_changes_is_called_one(w: Any) -> None:
    def symmetric(w: Any) -> Any:
        slope = jax.grad(weigh)(w)
        return (slope + jnp.swapaxes(slope, -1, -2)) / 2

    assert "AD is right along symmetric changes" in hint_on(with_rule(weigh, symmetric), w)

    def folded(w: Any) -> Any:  # and so it is
        return weigh((w + jnp.swapaxes(w, -1, -2)) / 2)

    assert check_grads(with_rule(folded, jax.grad(folded)), (w,), modes=("rev",)).ok


@pytest.mark.parametrize("at", [(0, 1), (1, 1)])
def test_one_wrong_element_of_a_matrix_is_not_called_a_transpose(at: Any) -> None:
    rule = with_rule(weigh, lambda w: jax.grad(weigh)(w).at[at].multiply(1.3))
    assert hint_on(rule, MATRICES[0]) == ""


def test_a_flipped_gradient_of_a_vector_or_an_oblong_matrix_is_not_called_a_transpose() -> None:
    for w in (MATRICES[0, 0], MATRICES[0, :2]):
        rule = with_rule(weigh, lambda w: jnp.flip(jax.grad(weigh)(w)))
        assert "transpose" not in hint_on(rule, w)


def test_a_small_error_beside_a_symmetric_slope_is_not_called_a_transpose() -> None:
    report = check_grads(
        lambda m: 1000 * jnp.trace(m) + 0.05 * m[0, 1],
        (MATRICES[0],),
        grad=lambda m: 1000 * jnp.eye(3),
    )
    assert report.verdict == "wrong"
    assert "transpose" not in report.leaves[0].hint
    assert "symmetric" not in report.leaves[0].hint


def test_a_wrong_sign_in_forward_mode_may_be_a_rule_that_is_not_linear() -> None:
    @jax.custom_jvp
    def f(x: Any) -> Any:
        return x**2

    f.defjvp(lambda p, t: (f(*p), 2 * p[0] * jnp.abs(t[0])))
    (leaf,) = check_grads(f, (1.5,), modes=("fwd",)).leaves
    assert "a sign is wrong, or the rule is not linear in its tangents" in leaf.hint


def test_a_transpose_is_seen_in_a_matrix_of_many_elements() -> None:
    weights = jax.random.normal(jax.random.key(0), (8, 8))

    def f(m: Any) -> Any:
        return jnp.sum(weights * jnp.sin(m))

    (leaf,) = check_grads(f, (0.1 * weights,), grad=lambda m: jax.grad(f)(m).T).leaves
    assert "is the transpose of what FD says" in leaf.hint


def test_a_difference_that_does_not_matter_is_told_with_the_digits_that_agree() -> None:
    (leaf,) = check_grads(jnp.sin, (0.5,), grad=lambda x: (1 + 1e-5) * jnp.cos(x)).leaves
    assert (leaf.verdict, leaf.cause) == ("agree", "AD and FD differ, but they agree to 5.0 digits")
