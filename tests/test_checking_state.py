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
from jax.custom_derivatives import SymbolicZero

from gradlab import check_grads
from gradlab.checking.jaxprs import KEPT, Compiled

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


TRACED = "jaxpr_trace_duration"  # tracing again is how a changed global is seen


def cubed(x: Any) -> Any:
    return jnp.sum(jnp.tanh(x) * 3)


def with_a_rule(x: Any) -> Any:
    return jnp.sum(jax.nn.relu(x) ** 2 + jax.nn.softplus(x))


@pytest.mark.parametrize("f", [cubed, with_a_rule])
def test_a_second_call_compiles_nothing(f: Any) -> None:
    assert "backend" in compiled_by(check_grads, f, (X,))
    assert set(compiled_by(check_grads, f, (X + np.float32(0.1),))) <= {TRACED}


def test_a_function_written_again_is_the_same_program() -> None:
    check_grads(lambda x: jnp.sum(jnp.sinh(x)), (X,))
    assert set(compiled_by(check_grads, lambda x: jnp.sum(jnp.sinh(x)), (X,))) <= {TRACED}


def test_what_is_kept_is_bounded() -> None:
    kept = Compiled()
    for number in range(2 * KEPT):
        kept.of([jax.make_jaxpr(lambda x, n=number: x + n)(1.5).jaxpr])["a"] = 1
    assert len(kept._kept) == KEPT


def test_functions_that_cannot_be_traced_or_batched_are_checked() -> None:
    calls = []

    def branching(x: Any) -> Any:
        calls.append(1)
        return jnp.sin(x) if x > 0 else x

    report = check_grads(branching, (np.float32(0.5),))
    assert report.ok
    assert any("looks at its values" in note for note in report.notes)
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
    vars(package)["scale"] = 5.0
    assert check_grads(f, (3.0,)).leaves[0].ad == 5.0


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


def test_random_numbers_are_the_same_in_float64() -> None:
    def f(x: Any) -> Any:
        return x * jax.random.normal(jax.random.key(1), (3,))

    report = check_grads(f, (X,))
    assert report.ok
    assert report.leaves[0].cause == ""


def test_nan_in_the_callers_dtype_alone_is_wrong() -> None:
    def f(x: Any) -> Any:
        return jnp.where(x > 90, x, jnp.log1p(jnp.exp(x)))

    report = check_grads(f, (np.float32(100),))
    assert report.verdict == "wrong"
    assert "in float32, where f is finite" in report.leaves[0].cause


# A changed function is another function: a stale program would give the derivative of the old one.

FACTOR = {0: 2.0}
factor = 2.0


def by_global(x: Any) -> Any:
    return factor * x


def by_global_inside(x: Any) -> Any:
    return by_global(x) + 0


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


def with_array(by: float) -> Any:
    rows = np.full(3, by, np.float32)
    return lambda x: jnp.mean(rows * x)


def with_rule(by: float) -> Any:
    @jax.custom_jvp
    def f(x: Any) -> Any:
        return 2.0 * x

    f.defjvp(lambda p, t: (f(*p), by * t[0]))
    return f


@pytest.mark.parametrize(
    "make",
    [with_default, with_keyword_default, with_closure, with_partial, with_array, with_rule],
)
def test_a_function_of_another_number_is_another_function(make: Any) -> None:
    for by in (2.0, 5.0, 2.0):
        assert check_grads(make(by), (1.5,)).leaves[0].ad == by


@pytest.mark.parametrize("f", [by_global, by_global_inside, lambda x: by_global_inside(x)])
def test_a_changed_global_is_another_function(f: Any, monkeypatch: Any) -> None:
    for by in (2.0, 5.0):
        monkeypatch.setitem(globals(), "factor", by)
        assert check_grads(f, (1.5,)).leaves[0].ad == by


def test_what_is_changed_in_place_is_seen(monkeypatch: Any) -> None:
    rows = np.ones(3, np.float32)

    def f(x: Any) -> Any:
        return FACTOR[0] * jnp.sum(rows * x)

    assert check_grads(f, (1.5,)).leaves[0].ad == 6.0
    rows[:] = 2.0
    assert check_grads(f, (1.5,)).leaves[0].ad == 12.0
    monkeypatch.setitem(FACTOR, 0, 3.0)
    assert check_grads(f, (1.5,)).leaves[0].ad == 18.0


def test_a_rule_that_is_replaced_makes_another_function() -> None:
    @jax.custom_jvp
    def f(x: Any) -> Any:
        return x * x

    f.defjvp(lambda p, t: (f(*p), 2 * p[0] * t[0]))
    assert check_grads(f, (1.5,)).verdict == "agree"
    f.defjvp(lambda p, t: (f(*p), 3 * p[0] * t[0]))
    assert check_grads(f, (1.5,)).verdict == "wrong"


def test_no_stale_program_is_judged() -> None:
    def power(x: Any, n: int) -> Any:
        return x**n

    for n in (2, 3, 2):
        assert check_grads(power, (2.0, n)).leaves[0].ad == n * 2.0 ** (n - 1)


@jax.custom_vjp
def only_backwards(x: Any) -> Any:
    return jnp.sum(x**3)


only_backwards.defvjp(lambda x: (jnp.sum(x**3), x), lambda x, g: (3 * g * x**2,))


def test_a_mode_that_is_missing_at_one_point_is_asked_for_at_another() -> None:
    def f(x: Any) -> Any:
        return only_backwards(x) if x > 0 else x**2

    assert [mode for mode, _ in check_grads(f, (1.0,)).raised] == ["fwd"]
    assert check_grads(f, (-1.0,)).raised == ()


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


def test_a_mode_that_one_of_two_leaves_lacks_is_told_and_not_judged() -> None:
    @jax.custom_vjp
    def size(x: Any) -> Any:
        return jnp.abs(x)

    size.defvjp(lambda x: (size(x), None), lambda _, c: (c * 1.0,))
    report = check_grads(lambda x, y: size(x) + jnp.sin(y), (0.0, 1.0))
    assert [leaf.verdict for leaf in report.leaves] == ["cannot tell", "agree"]
    assert "f has a kink here" in report.leaves[0].cause
    report = check_grads(lambda x, y: size(x) + y, (0.5, 1.0))
    assert report.verdict == "agree"
    assert not report.ok
    assert [mode for mode, _ in report.raised] == ["fwd"]


def test_derivatives_that_exist_one_by_one_but_not_together_are_no_crash() -> None:
    @jax.custom_jvp
    def product(x: Any, y: Any) -> Any:
        return x * y

    def rule(primals: Any, tangents: Any) -> Any:
        moving = [not isinstance(t, SymbolicZero) for t in tangents]
        if all(moving):
            raise NotImplementedError("one at a time")
        (x, y), place = primals, moving.index(True)
        return x * y, (y, x)[place] * tangents[place]

    product.defjvp(rule, symbolic_zeros=True)
    report = check_grads(product, (2.0, 3.0))
    assert report.verdict == "cannot tell"
    assert "one at a time" in report.leaves[0].cause
    assert check_grads(product, (2.0, 3.0), argnums=1).ok


def test_few_steps_of_a_coarse_dtype_stay_close() -> None:
    seen = []

    def f(x: Any) -> Any:
        if x[0] < 9:  # run on numbers, one by one
            seen.append(float(jnp.max(jnp.abs(jax.lax.stop_gradient(x)))))
        return jnp.sum(jnp.sin(x))

    check_grads(f, (jnp.linspace(0.5, 1.0, 40).astype(jnp.float16),))
    assert 1.0 < max(seen) < 2.0


def test_rounding_on_the_way_is_not_looked_for_where_there_is_no_program() -> None:
    with jax.enable_x64(True):
        report = check_grads(lambda x: jnp.abs(x) if x < 9 else x, (0.0,))
    assert "f has a kink here" in report.leaves[0].cause
    assert not any("could not be looked for" in note for note in report.notes)
