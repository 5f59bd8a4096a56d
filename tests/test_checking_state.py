"""JAX's settings are the caller's, before, during an exception and after; nothing recompiles."""

import functools
import threading
import types
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from unittest import mock

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from compilations import compiled_by

from gradlab import check_grads
from gradlab.checking.cache import MOST, Cache, fingerprint
from gradlab.checking.check import _cache

X = np.array([0.3, -0.7, 1.2], np.float32)


def settings() -> Any:
    config: Any = jax.config
    return (
        config.jax_enable_x64,
        config.jax_numpy_dtype_promotion,
        config.jax_debug_nans,
        config.jax_default_matmul_precision,
        jnp.asarray(1.0).dtype,
        str(np.random.get_state()),
    )


def test_settings_are_untouched_also_after_an_exception() -> None:
    before = settings()
    check_grads(jnp.sin, (X,))
    assert settings() == before
    with pytest.raises(ZeroDivisionError):
        check_grads(lambda x: x / (1 // 0), (X,))
    assert settings() == before


def test_another_thread_sees_nothing_of_the_lift() -> None:
    seen, stop = [], threading.Event()

    def watch() -> Any:
        while not stop.is_set():
            seen.append(jnp.asarray(1.0).dtype)

    thread = threading.Thread(target=watch)
    thread.start()
    check_grads(lambda x: jnp.sin(x) * 2, (X,))
    stop.set()
    thread.join()
    assert set(seen) == {np.dtype("float32")}


def test_debug_nans_of_the_caller_does_not_stop_a_check() -> None:
    with jax.debug_nans(True):
        assert check_grads(jnp.log, (np.float32(0.1),)).ok


def test_disable_jit_and_transfer_guard_of_the_caller_do_not_stop_a_check() -> None:
    x = jnp.asarray(X)
    with jax.disable_jit():
        assert check_grads(jnp.sin, (x,)).ok
    with jax.transfer_guard("disallow"):
        assert check_grads(jnp.sin, (x,)).ok


def test_two_threads_get_the_reports_that_one_gets() -> None:
    def wrong(x: Any) -> Any:
        return x * jax.lax.stop_gradient(x)

    functions = [jnp.sin, wrong, jnp.tanh, jnp.abs, lambda x: jnp.sum(x**3), jnp.floor] * 2
    alone = [str(check_grads(f, (X,))) for f in functions]
    before = settings()
    with ThreadPoolExecutor(max_workers=2) as pool:
        together = list(pool.map(lambda f: str(check_grads(f, (X,))), functions))
    assert together == alone
    assert settings() == before


def test_a_second_call_compiles_nothing() -> None:
    def f(x: Any) -> Any:
        return jnp.sum(jnp.tanh(x) * 3)

    assert "backend" in compiled_by(check_grads, f, (X,))
    assert compiled_by(check_grads, f, (X + np.float32(0.1),)) == []


def test_a_changed_closure_is_another_function() -> None:
    scale = 1.0

    def f(x: Any) -> Any:
        return scale * x

    first = fingerprint(f)
    assert first == fingerprint(f)
    scale = 2.0
    assert fingerprint(f) != first
    assert check_grads(f, (3.0,)).leaves[0].ad == 2.0


def test_what_may_change_in_place_is_not_kept() -> None:
    weights = np.ones(3, np.float32)
    assert fingerprint(lambda x: weights * x) is None
    assert fingerprint(lambda x: jnp.sin(x)) is not None


def test_the_cache_is_bounded() -> None:
    cache = Cache()
    for key in range(2 * MOST):
        cache.get(key, object)
    assert len(cache._values) == MOST


def test_functions_that_cannot_be_traced_or_batched_are_checked() -> None:
    calls = []

    def branching(x: Any) -> Any:
        calls.append(1)
        return jnp.sin(x) if x > 0 else x

    report = check_grads(branching, (np.float32(0.5),))
    assert report.ok
    assert any("looks at values" in note for note in report.notes)
    report = check_grads(
        lambda x: jax.pure_callback(np.sin, jax.ShapeDtypeStruct((), x.dtype), x), (0.5,)
    )
    assert report.verdict == "cannot tell"
    assert "Pure callbacks" in report.leaves[0].cause


@pytest.mark.parametrize(
    ("f", "args"),
    [
        (lambda x: x * jax.lax.cond(x > 0, lambda: 1.0, lambda: 2.0), (0.5,)),
        (lambda x: jnp.sum(x[x > 0] ** 2), (X,)),
        (lambda x, n: sum(x**i for i in range(n)), (0.5, np.int32(3))),
    ],
)
def test_branches_without_operands_masks_and_ranges_get_a_verdict(f: Any, args: Any) -> None:
    assert check_grads(f, args).ok


def test_a_changed_number_of_a_module_is_another_function(monkeypatch: Any) -> None:
    settings = types.ModuleType("settings")
    vars(settings)["k"] = 2.0
    monkeypatch.setitem(globals(), "settings_of_somebody", settings)

    def f(x: Any) -> Any:
        return settings_of_somebody.k * x  # noqa: F821 - set by the test

    assert check_grads(f, (1.0,)).leaves[0].ad == 2.0
    vars(settings)["k"] = 5.0
    assert check_grads(f, (1.0,)).leaves[0].ad == 5.0


def test_a_module_that_imports_itself_is_no_obstacle(monkeypatch: Any) -> None:
    package, part = types.ModuleType("package"), types.ModuleType("package.part")
    vars(package).update(package=package, part=part, scale=2.0)
    vars(part).update(package=package, shift=1.0)
    monkeypatch.setitem(globals(), "package_of_somebody", package)

    def f(x: Any) -> Any:
        its = package_of_somebody  # noqa: F821 - set by the test
        return its.package.scale * x + its.part.package.part.shift

    assert check_grads(f, (3.0,)).ok
    first = fingerprint(f)
    assert first is not None
    vars(part)["shift"] = 5.0
    assert fingerprint(f) != first


class Answers(dict):
    """Has any attribute that it is asked for, or raises what it likes."""

    def __getattr__(self, name: str) -> Any:
        if self.get("raises"):
            raise KeyError(name)
        return self.get(name, Answers(always=True) if self.get("always") else None)


@pytest.mark.parametrize(
    "answers",
    [Answers, lambda: Answers(raises=True), lambda: Answers(always=True), mock.MagicMock],
    ids=["none", "raises", "always", "mock"],
)
def test_an_object_that_answers_everything_is_no_obstacle(answers: Any) -> None:
    setting = answers()
    assert check_grads(lambda x: x * (1 if setting is None else 3), (3.0,)).ok


def test_leaves_without_elements_are_no_obstacle() -> None:
    report = check_grads(lambda a, b: jnp.sum(a) + jnp.sum(b), (np.zeros(0, np.float32), X))
    assert [leaf.path for leaf in report.leaves] == ["[1]"]
    assert report.ok


def test_other_random_numbers_in_float64_are_no_loss_of_digits() -> None:
    def f(x: Any) -> Any:
        return x * jax.random.normal(jax.random.key(1), (3,))

    report = check_grads(f, (X,))
    assert report.ok
    assert report.leaves[0].cause == ""
    assert any("other numbers" in note for note in report.notes)


def test_nan_in_the_callers_dtype_alone_is_wrong() -> None:
    def f(x: Any) -> Any:
        return jnp.where(x > 90, x, jnp.log1p(jnp.exp(x)))

    report = check_grads(f, (np.float32(100),))
    assert report.verdict == "wrong"
    assert "in float32, where f is finite" in report.leaves[0].cause


# A changed function is another function: a stale program would give the derivative of the old one.

factor = 2.0


def scaled_by_global(x: Any) -> Any:
    return factor * x


def inner(x: Any) -> Any:
    return factor * x


def scaled_inside(x: Any) -> Any:
    return inner(x) + 0


def with_default(by: float) -> Any:
    def f(x: Any, by: float = by) -> Any:
        return by * x

    return f


def with_keyword_default(by: float) -> Any:
    def f(x: Any, *, by: float = by) -> Any:
        return by * x

    return f


def with_closure(by: float) -> Any:
    def inside(x: Any) -> Any:
        return by * x

    return lambda x: inside(x)


def with_partial(by: float) -> Any:
    return functools.partial(lambda by, x: by * x, by)


def with_keyword_of_partial(by: float) -> Any:
    return functools.partial(lambda x, by: by * x, by=by)


@pytest.mark.parametrize(
    "make",
    [with_default, with_keyword_default, with_closure, with_partial, with_keyword_of_partial],
)
def test_a_function_of_another_number_is_another_function(make: Any) -> None:
    assert fingerprint(make(2.0)) is not None
    assert fingerprint(make(2.0)) != fingerprint(make(5.0))


@pytest.mark.parametrize("make", [with_default, with_keyword_default, with_closure])
def test_a_function_written_again_is_the_same_function(make: Any) -> None:
    assert fingerprint(make(2.0)) == fingerprint(make(2.0))


@pytest.mark.parametrize("f", [scaled_by_global, scaled_inside, lambda x: scaled_inside(x)])
def test_a_changed_global_is_another_function(f: Any, monkeypatch: Any) -> None:
    first = fingerprint(f)
    assert first == fingerprint(f) is not None
    monkeypatch.setitem(globals(), "factor", 5.0)
    assert fingerprint(f) != first


def test_functions_with_other_operations_or_constants_are_other_functions() -> None:
    functions = [lambda x: x + 2.0, lambda x: x * 2.0, lambda x: x * 3.0]
    assert len({fingerprint(f) for f in functions}) == 3


def test_one_is_not_true_and_not_one_point_zero() -> None:
    assert len({fingerprint(with_closure(one)) for one in (1, 1.0, True)}) == 3


@pytest.mark.parametrize("held", [[1.0], {"a": 1.0}, np.ones(2), types.SimpleNamespace(a=1)])
def test_what_can_be_changed_in_place_makes_a_function_unknown(held: Any) -> None:
    assert fingerprint(with_closure(held)) is None
    assert fingerprint(with_default(held)) is None
    assert fingerprint(held) is None


def test_a_rule_that_is_replaced_makes_another_function() -> None:
    @jax.custom_jvp
    def f(x: Any) -> Any:
        return x * x

    f.defjvp(lambda p, t: (f(*p), 2 * p[0] * t[0]))
    first = fingerprint(f)
    f.defjvp(lambda p, t: (f(*p), 3 * p[0] * t[0]))
    assert fingerprint(f) != first


def test_no_stale_program_is_judged() -> None:
    def power(x: Any, n: int) -> Any:
        return x**n

    for n in (2, 3, 2):
        assert check_grads(power, (2.0, n)).leaves[0].ad == n * 2.0 ** (n - 1)


@jax.custom_vjp
def only_backwards(x: Any) -> Any:
    return jnp.sum(x**3)


only_backwards.defvjp(lambda x: (jnp.sum(x**3), x), lambda x, g: (3 * g * x**2,))


def test_a_mode_that_is_missing_keeps_nothing_of_the_checks_that_miss_it() -> None:
    _cache.clear()
    x = jnp.linspace(0.5, 1.0, 5)
    for _ in range(4):
        check_grads(only_backwards, (x,))
    errors = [p._push_error for p in _cache._values.values() if getattr(p, "_push_error", None)]
    depths = []
    for error in errors:
        step, depth = error.__traceback__, 0
        while step is not None:
            step, depth = step.tb_next, depth + 1
        depths.append(depth)
    assert depths
    assert max(depths) < 10  # one check's, not four's


def test_a_mode_that_is_missing_at_one_point_is_asked_for_at_another() -> None:
    def f(x: Any) -> Any:
        return only_backwards(x) if x > 0 else x**2

    assert any("forward mode skipped" in note for note in check_grads(f, (1.0,)).notes)
    notes = check_grads(f, (-1.0,)).notes
    assert not any("forward mode skipped" in note for note in notes)


def test_a_rule_that_fails_in_a_batch_while_it_runs_is_asked_row_by_row() -> None:
    def on_host(x: Any, push: Any) -> Any:
        if x.shape != (3,):
            raise ValueError("this rule takes three numbers")
        return np.cos(x) * push

    @jax.custom_jvp
    def f(x: Any) -> Any:
        return jnp.sum(jnp.sin(x))

    @f.defjvp
    def rule(primals: Any, tangents: Any) -> Any:
        (x,), (push,) = primals, tangents
        shape = jax.ShapeDtypeStruct(x.shape, x.dtype)
        pushed = jax.pure_callback(on_host, shape, x, push, vmap_method="expand_dims")
        return f(x), jnp.sum(pushed)

    report = check_grads(f, (jnp.arange(3.0),), modes=("fwd",))
    assert report.verdict == "agree"
