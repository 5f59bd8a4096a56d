"""How much a value and its slope jitter by rounding on the way: known where few numbers round."""

import gc
import weakref
from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gradlab.checking.cache import Cache
from gradlab.checking.coordinates import apart
from gradlab.checking.lifting import settings
from gradlab.checking.preparation import prepare
from gradlab.checking.rattling import rounding_noise, rounding_of_slope
from gradlab.checking.subject import Subject

EPS = 2.0**-52


@pytest.fixture(autouse=True)
def as_the_checker_runs() -> Iterator[None]:
    with settings():
        yield


def subject_of(f: Any, *args: Any) -> Subject:
    return prepare(f, apart(args, None), ("rev", "fwd"), 0, None, None, Cache(), lambda _: None)


def inside(how: str, f: Any) -> Any:
    return {
        "plain": f,
        "jit": jax.jit(f),
        "vmap": lambda x: jax.vmap(f)(x[None])[0],
        "cond": lambda x: jax.lax.cond(x > 0, f, lambda x: x, x),
        "scan": lambda x: jax.lax.scan(lambda c, _: (f(c), None), x, length=1)[0],
        "custom_jvp": with_rule(f),
    }[how]


def with_rule(f: Any) -> Any:
    ruled = jax.custom_jvp(f)
    ruled.defjvp(lambda p, t: (f(*p), 0.0 * t[0]))
    return ruled


HOW = ["plain", "jit", "vmap", "cond", "scan", "custom_jvp"]


@pytest.mark.parametrize("how", HOW)
def test_a_large_number_that_is_taken_away_leaves_its_rounding(how: str) -> None:
    f = inside(how, lambda x: (x + 2.0**20) - 2.0**20)
    (noise,) = rounding_noise(subject_of(f, 1.5))
    assert 0.5 * 2.0**20 * EPS < noise < 4 * 2.0**20 * EPS


@pytest.mark.parametrize("how", HOW)
def test_without_it_only_the_value_itself_is_rounded(how: str) -> None:
    (noise,) = rounding_noise(subject_of(inside(how, lambda x: x + 1), 1.5))
    assert noise < 10 * EPS


def test_operations_are_not_all_moved_the_same_way() -> None:
    """Then the two sums would be moved by as much, and their difference not at all."""
    (noise,) = rounding_noise(subject_of(lambda x: (x + 2.0**20) - (2.0**20 + x), 1.5))
    assert noise > 0.1 * 2.0**20 * EPS


def test_what_does_not_depend_on_x_is_not_moved() -> None:
    def f(x: Any, n: Any) -> Any:
        return 1e-3 * x + ((n / 3 + 2.0**36) - 2.0**36)

    (noise,) = rounding_noise(subject_of(f, 1.5, np.array(4)))
    assert noise < 100 * EPS


@pytest.mark.parametrize(
    "f",
    [
        lambda x: x * jnp.floor(x * 0.5),  # at an edge of the floor
        lambda x: jnp.where(x * 0.5 >= 1.0, 0.0, 1.0) + x,
        lambda x: jnp.sqrt(x * 0.5 - 1.0) + x,  # no number a unit below
    ],
)
def test_a_branch_that_a_unit_decides_is_no_rounding(f: Any) -> None:
    (noise,) = rounding_noise(subject_of(f, 2.0))
    assert noise < 1e-7


def test_a_loop_that_stops_at_a_tolerance_is_not_entered() -> None:
    def root(x: Any) -> Any:
        return jax.lax.while_loop(lambda c: c * c != x, lambda c: (c + x / c) / 2, x)

    (noise,) = rounding_noise(subject_of(root, 0.25))
    assert 0 < noise < 10 * EPS


def test_each_row_has_its_own() -> None:
    subject = subject_of(lambda x: jnp.stack([x, (x + 2.0**30) - 2.0**30]), 1.5)
    small, large = rounding_noise(subject)
    assert small < 10 * EPS < 2.0**29 * EPS < large


def test_rows_that_are_sums_have_the_noise_of_their_terms() -> None:
    x = np.linspace(1.0, 2.0, 40, dtype=np.float32)
    subject = subject_of(lambda x: (x + 2.0**30) - 2.0**30, x)
    noise = rounding_noise(subject)
    assert noise.shape == subject.value.shape == (16,)
    assert (noise > 0.01 * 2.0**30 * EPS).all()


def test_the_same_noise_is_measured_once() -> None:
    subject = subject_of(lambda x: x + 1, 1.5)
    assert rounding_noise(subject) is rounding_noise(subject)


def test_rounding_in_float32_is_that_of_float32() -> None:
    (noise,) = rounding_noise(subject_of(lambda x: x.astype(jnp.float32) * 3, np.float32(1.5)))
    assert 1e-8 < noise < 1e-5


def test_what_cannot_be_traced_has_no_noise_to_measure() -> None:
    subject = subject_of(lambda x: x if x > 0 else -x, 1.5)
    assert (rounding_noise(subject) == 0).all()
    assert rounding_of_slope(subject, [np.ones(())], np.ones(1)) == 0


def test_a_slope_jitters_where_numbers_cancel_in_it() -> None:
    def noise(x: float) -> float:
        subject = subject_of(lambda x: (1 - jnp.cos(x)) / x**2, x)
        return rounding_of_slope(subject, [np.ones(())], np.ones(1))

    assert noise(1.0) < 1e-14
    assert 1e-3 < noise(1e-5) < 1.0  # sin x / x² and 2 (1 − cos x) / x³ are 1e5


def test_an_infinite_value_beside_others_is_no_noise_and_warns_of_nothing() -> None:
    subject = subject_of(lambda x: jnp.stack([x + 1, 1 / (x - x)]), 1.5)
    assert (rounding_noise(subject) < 10 * EPS).all()


def test_what_is_compiled_keeps_no_numbers_of_the_subject() -> None:
    subject = subject_of(lambda x: jnp.sum(jnp.sin(x)), np.linspace(0.0, 1.0, 50, dtype=np.float32))
    rounding_noise(subject)
    rounding_of_slope(subject, [np.ones(50)], np.ones(1))
    programs, gone = subject.programs, weakref.ref(subject)
    assert programs.keys() == {"rattled values", "rattled slopes"}
    del subject
    gc.collect()
    assert gone() is None
