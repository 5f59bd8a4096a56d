"""What a check meets while it looks at a function: objects and modules of any kind, constants."""

import sys
import types
from typing import Any
from unittest.mock import MagicMock

import jax
import jax.numpy as jnp
import numpy as np
import pandas
import pytest

from gradlab import assert_grads, check_grads

W = np.array([0.5, -1.25, 2.0], np.float32)


class Dotdict(dict):
    """Settings whose missing attributes are None."""

    __getattr__ = dict.get


class Strict(dict):
    """Settings whose attributes are keys."""

    def __getattr__(self, name: str) -> Any:
        return self[name]


class Endless:
    """An object that answers every attribute with another one of its kind."""

    scale = 2.0

    def __getattr__(self, name: str) -> "Endless":
        return Endless()


def things() -> dict[str, Any]:
    """Return objects whose attributes never end, or raise what is not expected."""
    mock, package, ring = MagicMock(), types.ModuleType("package"), [2.0]
    mock.scale = package.scale = 2.0  # type: ignore[attr-defined]
    package.inner = types.ModuleType("package.inner")  # type: ignore[attr-defined]
    package.inner.package = package
    ring.append(ring)  # type: ignore[arg-type]
    return {
        "dotdict": Dotdict(scale=2.0), "strict": Strict(scale=2.0), "endless": Endless(),
        "mock": mock, "package": package, "ring": ring, "pandas": pandas, "itself": THIS,
    }  # fmt: skip


THIS = sys.modules[__name__]
SAYS = {
    "dotdict": "jnp.sum(thing.scale * x**2)",
    "strict": "jnp.sum(thing.scale * x**2)",
    "endless": "jnp.sum(thing.scale * x**2)",
    "mock": "jnp.sum(thing.scale * x**2)",
    "package": "jnp.sum(x**2) * len(thing.inner.package.__name__)",
    "ring": "jnp.sum(thing[0] * x**2)",
    "pandas": "jnp.sum(x**2) * len(thing.core.frame.DataFrame.__name__)",
    "itself": "jnp.sum(x**2) * len(thing.THIS.__name__)",
}
# How f holds the thing. pytest looks at a module's own globals, which some things do not stand.
HELD = {
    "global": "lambda x: {said}",
    "closure": "(lambda thing: lambda x: {said})(thing)",
    "default": "lambda x, thing=thing: {said}",
    "attribute": "(lambda model: lambda x: (lambda thing: {said})(model.data))(model)",
}
FORBIDDING = [(name, held) for name in ("strict", "endless", "mock") for held in HELD]
OTHERS = [(name, "global") for name in SAYS if name not in ("strict", "endless", "mock")]


@pytest.mark.parametrize(("name", "held"), [*OTHERS, *FORBIDDING])
def test_objects_and_modules_of_any_kind_are_no_obstacle(name: str, held: str) -> None:
    thing = things()[name]
    names = {"jnp": jnp, "thing": thing, "model": types.SimpleNamespace(data=thing)}
    f = eval(HELD[held].format(said=SAYS[name]), names)
    assert check_grads(f, (jnp.asarray(W),)).verdict == "agree"


@pytest.mark.parametrize(
    "f",
    [
        lambda x: jnp.sum(jnp.ones(jnp.asarray([1, 2]).sum()) * x**2),
        lambda x: jnp.sum(x[: int(jnp.asarray(2))] ** 3),
        lambda x: jnp.sum(x**2) if jnp.asarray(1.0) > 0 else x,
        lambda x: jnp.sum(x.reshape(tuple(jnp.asarray([3, 1]).tolist())) ** 2),
    ],
    ids=["ones", "slice", "branch", "reshape"],
)
def test_shapes_and_branches_may_come_from_constants(f: Any) -> None:
    assert_grads(f, (jnp.asarray(W),))


def powers(x: Any, n: Any) -> Any:
    if n > 2:
        return jnp.sum(x**3) * n
    return jnp.sum(x**2)


@pytest.mark.parametrize("n", [3, 3.0, np.float32(3), np.int64(3), jnp.float32(3)])
def test_an_argument_that_is_not_asked_about_stays_concrete(n: Any) -> None:
    with jax.numpy_dtype_promotion("standard"):  # as most people have it
        report = check_grads(powers, (jnp.asarray(W), n), argnums=0)
    assert report.verdict == "agree"
    assert [leaf.path for leaf in report.leaves] == ["[0]"]


def test_a_function_that_returns_another_shape_elsewhere_is_checked() -> None:
    assert_grads(lambda x: jnp.sum(x[x > 0.9] ** 2), (jnp.array([0.5, 1.0, 1.5]),))
    assert_grads(lambda x: x[x > 0.9] ** 2, (jnp.array([0.5, 1.0, 1.5]),), allow=("cannot tell",))
