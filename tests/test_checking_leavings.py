"""What a check leaves behind: nothing."""

import functools
import gc
import tracemalloc
import warnings
import weakref
from typing import Any

import jax
import jax.numpy as jnp
import ml_dtypes
import numpy as np
import pytest

from gradlab import check_grads

W = np.array([0.5, -1.25, 2.0], np.float32)
DTYPES = [
    np.float64, np.float32, np.float16, ml_dtypes.bfloat16, np.int64, np.int32, np.int8,
    np.uint8, np.uint32, np.uint64, np.bool_, np.complex128, np.complex64,
]  # fmt: skip


def table(dtype: Any) -> np.ndarray:
    """Return data of a user: three rows of three."""
    return np.array([[1, 2, 0], [3, 1, 2], [0, 1, 1]]).astype(dtype)


@pytest.fixture(autouse=True)
def promotion():
    """Let arrays of different dtypes meet, as they do for most users."""
    with jax.numpy_dtype_promotion("standard"):
        yield


def loss(w: Any, data: Any) -> Any:
    """Return a loss that hands NumPy arrays of any dtype to JAX as they are."""
    return jnp.mean(jnp.abs(data @ w - 1) ** 2)


class Model:
    """An object with data, and a method that is differentiated."""

    def __init__(self, data: Any) -> None:
        self.data = data

    def loss(self, w: Any) -> Any:
        return loss(w, self.data)

    def __call__(self, w: Any) -> Any:
        return loss(w, self.data)


HELD: dict[str, Any] = {}  # a global that a function below reads

PLACES = {
    "closure": lambda data: lambda w: loss(w, data),
    "default": lambda data: lambda w, data=data: loss(w, data),
    "method": lambda data: Model(data).loss,
    "callable": lambda data: Model(data),
    "attribute": lambda data: (lambda model: lambda w: loss(w, model.data))(Model(data)),
    "partial": lambda data: functools.partial(loss, data=data),
    "dict": lambda data: (lambda held: lambda w: loss(w, held["rows"][0]))({"rows": [data]}),
    "jitted": lambda data: jax.jit(lambda w: loss(w, data)),
}


def bits(tree: Any) -> list[tuple[Any, bytes]]:
    """Return the dtypes and bits of all leaves."""
    return [(leaf.dtype, np.asarray(leaf).tobytes()) for leaf in jax.tree.leaves(tree)]


def next_lines(f: Any) -> list[Any]:
    """Return the bits of what a user may run next."""
    w = jnp.asarray(W)
    both = jax.value_and_grad(f)
    results = [f(w), jax.grad(f)(w), jax.jit(both)(w), jax.vmap(both)(jnp.stack([w, 2 * w]))]
    return [bits(result) for result in results]


@functools.cache
def without_check(place: str, dtype: Any = np.float64) -> list[Any]:
    """Return the same of data that no check has seen."""
    return next_lines(PLACES[place](table(dtype)))


@pytest.mark.parametrize("dtype", DTYPES, ids=lambda dtype: np.dtype(dtype).name)
def test_data_of_any_dtype_are_as_they_were(dtype: Any) -> None:
    data, same = table(dtype), table(dtype)
    f = PLACES["closure"](data)
    assert check_grads(f, (jnp.asarray(W),)).verdict == "agree"
    assert next_lines(f) == without_check("closure", dtype)
    assert data.dtype == same.dtype
    np.testing.assert_array_equal(data, same)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("first", ["check", "grad"])
def test_data_in_any_place_are_as_they_were(place: str, first: str) -> None:
    f = PLACES[place](table(np.float64))
    if first == "grad":
        jax.jit(jax.grad(f))(jnp.asarray(W))
    report = check_grads(f, (jnp.asarray(W),))
    assert report.verdict == "agree"
    assert next_lines(f) == without_check(place)


def of_a_global(w: Any) -> Any:
    return loss(w, HELD["data"])


def test_data_in_a_global_are_as_they_were(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(HELD, "data", table(np.float64))
    expected = next_lines(lambda w: loss(w, table(np.float64)))
    assert check_grads(of_a_global, (jnp.asarray(W),)).verdict == "agree"
    assert next_lines(of_a_global) == expected


@pytest.mark.parametrize(
    "program",
    [
        lambda x, i: jnp.sum(x[i] ** 2),
        lambda x, i: jnp.sum(x.at[i].add(1.0) ** 2),
        lambda x, i: jnp.sum(jnp.take(x, i) ** 3),
        lambda x, i: jnp.sum(jax.ops.segment_sum(x, i, num_segments=3) ** 2),
        lambda x, i: jnp.sum(jax.nn.one_hot(i, 3, dtype=x.dtype) @ x) ** 2,
        lambda x, i: jnp.sum(jnp.interp(x, np.linspace(-3.3, 3.3, 7), np.arange(7.0) ** 2)),
        lambda x, i: jnp.sum(np.linspace(0, 1, 3) * x**2),
    ],
)  # fmt: skip
def test_indices_and_knots_are_as_they_were(program: Any) -> None:
    index, same = np.array([0, 2, 1], np.int64), np.array([0, 2, 1], np.int64)
    f, twin = functools.partial(program, i=index), functools.partial(program, i=same)
    assert check_grads(f, (jnp.asarray(W),)).verdict == "agree"
    assert next_lines(f) == next_lines(twin)


def test_other_functions_of_the_same_data_are_as_they_were() -> None:
    data = table(np.float64)
    check_grads(lambda w: loss(w, data), (jnp.asarray(W),))

    def other(w: Any, data: Any) -> Any:
        return jnp.sum(jnp.sin(data @ w) * data[0])

    given = functools.partial(other, data=data)
    assert next_lines(given) == next_lines(functools.partial(other, data=table(np.float64)))


def test_data_among_the_arguments_are_as_they_were() -> None:
    batch = {"x": table(np.float64), "labels": np.array([0, 2, 1], np.int64)}

    def classified(w: Any, batch: Any) -> Any:
        scores = jax.nn.log_softmax(batch["x"] * w)
        return -jnp.mean(jnp.take_along_axis(scores, batch["labels"][:, None], axis=1))

    def with_rows(w: Any) -> Any:
        return classified(w, {"x": table(np.float64), "labels": np.array([0, 2, 1], np.int64)})

    with jax.numpy_rank_promotion("allow"):
        assert check_grads(classified, (jnp.asarray(W), batch), argnums=0).verdict == "agree"
        assert next_lines(lambda w: classified(w, batch)) == next_lines(with_rows)
    assert batch["labels"].dtype == np.int64


def test_settings_are_as_they_were() -> None:
    before = dict(jax.config.values)
    check_grads(lambda w: loss(w, table(np.float64)), (jnp.asarray(W),))
    check_grads(lambda x: jax.lax.stop_gradient(x) * x, (0.5,))
    with pytest.raises(ZeroDivisionError):
        check_grads(lambda x: x / (1 // 0), (0.5,))
    assert dict(jax.config.values) == before


def use_and_drop(place: str) -> Any:
    """Return a weak reference to data that were in a function that was checked."""
    data = table(np.float64)
    f = PLACES[place](data)
    assert check_grads(f, (jnp.asarray(W),)).verdict == "agree"
    wrong = jax.custom_jvp(f)
    wrong.defjvp(lambda p, t: (f(*p), 2 * jnp.sum(t[0])))
    assert check_grads(wrong, (jnp.asarray(W),)).verdict == "wrong"  # its cause is looked for
    return weakref.ref(data)


@pytest.mark.parametrize("place", PLACES)
def test_data_die_when_their_user_drops_them(place: str) -> None:
    alive = use_and_drop(place)
    gc.collect()
    assert alive() is None


def test_arguments_die_when_their_user_drops_them() -> None:
    w = np.array(W)
    alive = weakref.ref(w)
    report = check_grads(lambda w: loss(w, table(np.float64)), (w,))
    del w
    gc.collect()
    assert alive() is None
    assert report.ok


def test_checks_in_a_loop_grow_memory_by_nothing() -> None:
    f, w = PLACES["closure"](table(np.float64)), jnp.asarray(W)

    def run(count: int) -> None:
        for _ in range(count):
            check_grads(f, (w,))
        gc.collect()

    run(5)
    arrays = len(jax.live_arrays())
    tracemalloc.start()
    try:
        grown = []
        for _ in range(4):  # JAX's own tables double now and then
            before, _ = tracemalloc.get_traced_memory()
            run(40)
            grown.append(tracemalloc.get_traced_memory()[0] - before)
    finally:
        tracemalloc.stop()
    assert min(grown) < 40 * 500  # a report alone has more
    assert len(jax.live_arrays()) <= arrays


def not_negative(x: Any) -> Any:
    """Return x, and raise from within a compiled program where it is negative, as equinox does."""

    def look(v: Any) -> Any:
        if np.any(np.asarray(v) < 0):
            raise ValueError("negative")
        return np.asarray(v)

    @jax.custom_jvp
    def looked_at(x: Any) -> Any:
        shape = jax.ShapeDtypeStruct(x.shape, x.dtype)
        return jax.pure_callback(look, shape, x, vmap_method="expand_dims")

    looked_at.defjvp(lambda p, t: (looked_at(*p), t[0]))
    return looked_at(x)


def test_far_steps_that_raise_in_a_callback_print_nothing(capfd: Any, caplog: Any) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        report = check_grads(
            lambda x: jnp.sum(jnp.sqrt(not_negative(x))), (jnp.asarray([0.25, 1.5]),)
        )
    assert report.verdict == "agree"
    assert capfd.readouterr() == ("", "")
    assert caught == []
    assert caplog.records == []


def test_far_steps_that_warn_in_a_callback_print_nothing(capfd: Any, caplog: Any) -> None:
    def f(x: Any) -> Any:
        shape = jax.ShapeDtypeStruct(x.shape, x.dtype)
        return jax.pure_callback(
            lambda v: np.log(np.asarray(v)), shape, x, vmap_method="expand_dims"
        )

    ruled = jax.custom_jvp(f)
    ruled.defjvp(lambda p, t: (ruled(*p), t[0] / p[0]))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        report = check_grads(lambda x: jnp.sum(ruled(x)), (jnp.asarray([0.25, 1.5]),))
    assert report.verdict == "agree"
    assert capfd.readouterr() == ("", "")
    assert caught == []
    assert caplog.records == []
