"""How people call a check: with what they have at hand, and with what they mistake for it."""

import dataclasses
import re
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gradlab import assert_grads, check_grads

X = np.array([0.5, 1.25, -2.0], np.float32)
ROWS = np.array([[1.0, 2.0, 0.5], [-1.0, 0.25, 1.5]], np.float32)


class Layer(NamedTuple):
    """A layer with a function among its leaves, as modules of some libraries have it."""

    weight: Any
    activation: Any

    def __call__(self, x: Any) -> Any:
        return self.activation(self.weight @ x)


@jax.tree_util.register_dataclass
@dataclasses.dataclass
class State:
    """A state of training: parameters, a count, a key, a name that is no leaf."""

    params: Any
    count: Any
    key: Any
    name: str = dataclasses.field(default="net", metadata={"static": True})


def layer() -> Layer:
    return Layer(jnp.asarray(ROWS), jnp.tanh)


def state() -> State:
    return State({"w": jnp.asarray(ROWS), "b": jnp.zeros(2)}, jnp.asarray(3), jax.random.key(0))


def state_loss(state: State, x: Any) -> Any:
    noise = jax.random.normal(state.key, (2,))
    y = state.params["w"] @ x + state.params["b"] + noise
    return jnp.mean(y**2) / state.count if state.name == "net" else jnp.nan


def layer_loss(layer: Layer, x: Any) -> Any:
    return jnp.sum(layer(x) ** 2)


TREES = {
    "layer": (layer_loss, lambda: (layer(), X)),
    "state": (state_loss, lambda: (state(), X)),
    "list": (lambda tree, x: jnp.sum(tree[0]["w"] @ x) * tree[1], lambda: ([{"w": ROWS}, 2.5], X)),
    "none": (lambda tree, x: jnp.sum(tree["w"] @ x), lambda: ({"w": ROWS, "b": None}, X)),
    "it returned str": (
        lambda tree, x: jnp.sum(tree["w"] @ x),
        lambda: ({"w": ROWS, "name": "net"}, X),
    ),
}


@pytest.mark.parametrize("tree", TREES)
@pytest.mark.parametrize("argnums", [0, (1, 0), -2, None])
def test_argnums_takes_any_tree(tree: str, argnums: Any) -> None:
    f, make = TREES[tree]
    with jax.numpy_dtype_promotion("standard"):
        report = check_grads(f, make(), argnums=argnums)
    assert report.verdict == "agree"
    places = {leaf.path[:3] for leaf in report.leaves}
    assert places == ({"[0]"} if argnums in (0, -2) else {"[0]", "[1]"})


@pytest.mark.parametrize("tree", ["list", "none"])
@pytest.mark.parametrize("argnums", [0, (0, 1)])
def test_a_fault_in_a_tree_is_found_under_its_path(tree: str, argnums: Any) -> None:
    f, make = TREES[tree]
    wrong = lambda tree, x: f(tree, jax.lax.stop_gradient(x)) + jnp.sum(x * 0)  # noqa: E731
    with jax.numpy_dtype_promotion("standard"):
        assert check_grads(wrong, make(), argnums=0).verdict == "agree"
        report = check_grads(wrong, make(), argnums=(0, 1))
    assert [leaf.path for leaf in report.leaves if leaf.verdict == "wrong"] == ["[1]"]


def square(x: Any) -> Any:
    return jnp.sum(x**2) + x[0] * x[1]


def with_aux(x: Any) -> Any:
    return square(x), {"rows": 3, "mean": jnp.mean(x)}


def two(w: Any, x: Any) -> Any:
    return jnp.sum(jnp.tanh(w @ x))


def cube(z: Any) -> Any:
    return z**3 + 2j * z


Z = np.complex64(0.5 + 1.25j)

GRADIENTS = {
    "grad": (square, (X,), jax.grad(square), {}),
    "value_and_grad": (square, (X,), jax.value_and_grad(square), {}),
    "jitted": (square, (X,), jax.jit(jax.value_and_grad(square)), {}),
    "grad_aux": (with_aux, (X,), jax.grad(with_aux, has_aux=True), {"has_aux": True}),
    "both_aux": (with_aux, (X,), jax.value_and_grad(with_aux, has_aux=True), {"has_aux": True}),
    "gradient_alone": (with_aux, (X,), jax.grad(square), {"has_aux": True}),
    "argnums": (two, (ROWS, X), jax.grad(two, (0, 1)), {}),
    "one": (two, (ROWS, X), jax.grad(two), {"argnums": 0}),
    "one_value": (two, (ROWS, X), jax.value_and_grad(two, 1), {"argnums": 1}),
    "tuple": (two, (ROWS, X), jax.value_and_grad(two, (0,)), {"argnums": (0,)}),
    "holomorphic": (cube, (Z,), jax.grad(cube, holomorphic=True), {}),
    "tree": (lambda p: square(p["x"]), ({"x": X},), lambda p: {"x": jax.grad(square)(p["x"])}, {}),
    "numpy": (square, (X,), lambda x: np.asarray(jax.grad(square)(x)), {}),
}


@pytest.mark.parametrize("name", GRADIENTS)
def test_a_gradient_may_be_what_people_have_at_hand(name: str) -> None:
    f, args, gradient, options = GRADIENTS[name]
    assert_grads(f, args, grad=gradient, **options)


@pytest.mark.parametrize("name", GRADIENTS)
def test_and_is_judged(name: str) -> None:
    f, args, gradient, options = GRADIENTS[name]

    def off(*args: Any) -> Any:
        tenth_more = lambda g: 1.1 * g if np.result_type(g).kind in "fc" else g  # noqa: E731
        return jax.tree.map(tenth_more, gradient(*args))

    assert check_grads(f, args, grad=off, **options).verdict == "wrong"


def test_a_gradient_in_float64_by_numpy_is_taken_as_it_is() -> None:
    gradient = lambda x: 2 * np.asarray(x, np.float64) + np.array([x[1], x[0], 0])  # noqa: E731
    assert_grads(square, (X,), grad=gradient)


def test_a_key_may_be_of_either_kind() -> None:
    reports = [
        check_grads(square, (X,), key=key) for key in (jax.random.key(1), jax.random.PRNGKey(1))
    ]
    assert [report.verdict for report in reports] == ["agree", "agree"]


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"order": "2"}, (TypeError, ValueError), "order: got '2', expected 1 or 2"),
        ({"order": 1.5}, (TypeError, ValueError), "order: got 1.5, expected 1 or 2"),
        ({"order": None}, (TypeError, ValueError), "order: got None, expected 1 or 2"),
        ({"order": np.array([1, 2])}, (TypeError, ValueError), "order: got "),
        ({"modes": 3}, (TypeError, ValueError), "modes: got 3"),
        ({"modes": None}, (TypeError, ValueError), "modes: got None"),
        ({"modes": ()}, (TypeError, ValueError), "modes: got "),
        ({"modes": ("forward",)}, (TypeError, ValueError), "modes: got "),
        ({"modes": ([1],)}, (TypeError, ValueError), "modes: got "),
        ({"modes": np.array([1.0, 2.0])}, (TypeError, ValueError), "modes: got "),
        ({"key": 3}, (TypeError, ValueError), "key: got int 3, .*jax.random.key"),
        ({"key": "seed"}, (TypeError, ValueError), "key: got str 'seed', .*jax.random.key"),
        ({"key": X}, (TypeError, ValueError), "key: got .*jax.random.key"),
        (
            {"argnums": 1},
            ValueError,
            "argnums: got 1, expected a number from 0 to 0, because args has 1 entry",
        ),
        ({"argnums": "x"}, (TypeError, ValueError), "argnums: got 'x'"),
        ({"argnums": 0.0}, (TypeError, ValueError), "argnums: got 0.0"),
        ({"argnums": ()}, (TypeError, ValueError), "argnums: got "),
        ({"grad": X}, TypeError, "grad: got .*expected a function"),
        ({"grad": lambda x: x[:2]}, ValueError, r"expected \(3,\)"),
        ({"grad": lambda x: (x, x)}, ValueError, "grad"),
        ({"has_aux": True}, (TypeError, ValueError), "expected a pair, because has_aux is True"),
        ({"has_aux": "yes"}, (TypeError, ValueError), "has_aux: got str 'yes'"),
    ],
)
def test_a_wrong_option_gets_one_clear_sentence(options: Any, error: Any, words: str) -> None:
    with pytest.raises(error, match=words) as raised:
        check_grads(square, (X,), **options)
    well_said(str(raised.value))


@pytest.mark.parametrize("allow", [3, None, "agree", ("maybe",), ([1],), np.array([1.0, 2.0])])
def test_a_wrong_allowance_gets_one_clear_sentence(allow: Any) -> None:
    with pytest.raises((TypeError, ValueError), match="allow: got ") as raised:
        assert_grads(square, (X,), allow=allow)
    well_said(str(raised.value))


@pytest.mark.parametrize(
    ("f", "args", "words"),
    [
        (square, X, r"write \(x,\)"),
        (square, [X], "tuple"),
        (square, (), "got an empty tuple"),
        (square, (np.array([1, 2]),), "a floating-point number"),
        (square, ("abc",), "a floating-point number"),
        (3, (X,), "f: got int 3, expected a function"),
        (lambda x: None, (X,), "it returned None"),
        (lambda x: "text", (X,), "it returned str 'text'"),
        (lambda x: jnp.argmax(x), (X,), "it returned int32 of shape"),
    ],
)
def test_a_wrong_call_gets_one_clear_sentence(f: Any, args: Any, words: str) -> None:
    with pytest.raises((TypeError, ValueError), match=words) as raised:
        check_grads(f, args)
    well_said(str(raised.value))


def well_said(message: str) -> None:
    """Assert that a message is short, whole, and without what only the checker's authors know."""
    assert len(message) < 250
    assert message.count("(") == message.count(")")
    internals = r"Traced<|JitTracer|object at 0x|ufunc|truth value of an array|_src|there are 1 "
    assert not re.search(internals, message)


def test_the_gradient_of_two_arguments_with_aux_is_told_from_value_and_aux() -> None:
    def f(x: Any, y: Any) -> Any:
        return x * y, x + y

    for make in (jax.value_and_grad, jax.grad):
        assert check_grads(f, (2.0, 3.0), grad=make(f, (0, 1), has_aux=True), has_aux=True).ok
        swapped = make(lambda x, y: f(x * x, y), (0, 1), has_aux=True)
        assert check_grads(f, (2.0, 3.0), grad=swapped, has_aux=True).verdict == "wrong"
