"""The causes that the report names."""

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
    assert "stop_gradient removed a term" in report.leaves[0].cause, str(report)


@pytest.mark.parametrize("how", ["plain", "jit", "scan"])
def test_a_wrong_custom_rule_is_named(how: Any) -> None:
    @jax.custom_vjp
    def swish(x: Any) -> Any:
        return x * jax.nn.sigmoid(x)

    swish.defvjp(lambda x: (swish(x), x), lambda x, g: (1.1 * g * jax.nn.sigmoid(x),))
    report = check_grads(inside(how, lambda x: swish(jax.nn.relu(x) + x)), (X,))
    assert "custom_vjp rule of `swish` is wrong" in report.leaves[0].cause, str(report)


def test_a_deliberate_surrogate_is_called_one() -> None:
    leaf = check_grads(straight_through(jnp.round), (X,)).leaves[0]
    assert "surrogate" in leaf.cause
    assert "deliberate" in leaf.hint


def test_the_operation_that_makes_nan_is_named() -> None:
    assert "`sqrt` at 0" in check_grads(jnp.linalg.norm, (np.zeros(3, np.float32),)).leaves[0].cause


def test_no_cause_is_named_where_none_is_known() -> None:
    @jax.custom_jvp
    def f(x: Any) -> Any:
        return jax.pure_callback(np.sin, jax.ShapeDtypeStruct(x.shape, x.dtype), x)

    f.defjvp(lambda p, t: (f(*p), -jnp.cos(p[0]) * t[0]))
    leaf = check_grads(f, (X,)).leaves[0]
    assert leaf.verdict == "wrong"
    assert "rule" not in leaf.cause
    assert "sign" in leaf.hint
