"""The first look finds what the programs find one by one, and less is compiled for it."""

import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from compilations import compiled_by

from gradlab import check_grads
from gradlab.checking import preparation
from gradlab.checking.coordinates import Point, apart
from gradlab.checking.first_look import WIDEST, FirstLook, first_look
from gradlab.checking.ladder import make_bases
from gradlab.checking.lifting import settings, trace
from gradlab.checking.programs import Programs

BOTH = ("rev", "fwd")
WEIGHTS = np.array([[1.0, -0.5, 0.25], [0.0, 2.0, 1.0]])


@pytest.fixture(autouse=True)
def as_in_a_check() -> Iterator[None]:
    """Run every test with the settings that `check_grads` makes."""
    with settings():
        yield


@jax.custom_vjp
def cube(x: Any) -> Any:
    return x**3


cube.defvjp(lambda x: (x**3, x), lambda x, cotangent: (3 * x**2 * cotangent,))


@functools.partial(jax.custom_batching.custom_vmap)
def unbatched(x: Any) -> Any:
    return jnp.sum(jnp.sin(x))


@unbatched.def_vmap
def _(size: int, batched: Any, x: Any) -> Any:
    raise NotImplementedError("one at a time")


def made_ready(f: Callable[..., Any], *args: Any) -> tuple[Programs, Point, Any]:
    """Return the programs of a function, its arguments, and numbers by which they move."""
    point = apart(args, None)
    programs = Programs(trace(f, point.coordinates, point.reals, point.carried, lift=True))
    leaves = point.coordinates.moving
    flat = np.concatenate([np.asarray(r, np.float64).reshape(-1) for r in point.reals])
    return programs, point, make_bases(flat, [n.size for n in leaves], range(len(leaves)), 1)


def look_at(
    programs: Programs, point: Point, bases: Any, modes: Sequence[str] = BOTH, rows: Any = None
) -> FirstLook | None:
    """Take the first look."""
    flat = np.concatenate([np.asarray(r, np.float64).reshape(-1) for r in point.reals])
    x, carried = programs.traced.lift(point.reals), programs.traced.lift(point.carried)
    return first_look(programs, x, carried, bases, rows, point.coordinates.moving, flat, modes)


def few(x: Any, scale: Any = 2.0) -> Any:
    return jnp.sum(jnp.sin(x) * scale)


def many(tree: Any) -> Any:
    return jnp.sum(tree["w"] @ tree["x"]) + jnp.sum(jnp.tanh(tree["x"]) ** 2)


def several(x: Any) -> Any:
    return jnp.stack([jnp.sum(x**2), jnp.prod(x), jnp.sum(jnp.exp(x))])


TREE = {"w": np.linspace(-1, 1, 60, dtype=np.float32).reshape(5, 12), "x": np.ones(12, np.float32)}
X = np.array([0.3, -0.7, 1.2], np.float32)


@pytest.mark.parametrize(
    ("f", "args", "rows"),
    [(few, (X, np.float32(1.5)), None), (many, (TREE,), None), (several, (X,), WEIGHTS)],
    ids=["few elements", "many in two leaves", "rows of several outputs"],
)
def test_it_finds_what_the_programs_find_one_by_one(f: Any, args: Any, rows: Any) -> None:
    programs, point, bases = made_ready(f, *args)
    look = look_at(programs, point, bases, rows=rows)
    assert look is not None
    assert look.slopes is not None
    x, carried = programs.traced.lift(point.reals), programs.traced.lift(point.carried)
    close = functools.partial(np.testing.assert_allclose, rtol=1e-14, atol=1e-14)
    points = look.directions, look.which, look.steps
    close(look.values, programs.values(x, carried, bases, rows, *points))
    close(look.slopes, programs.push(x, carried, rows, bases, look.directions))
    jax.tree.map(close, look.pulled, programs.pull(x, carried, rows))


def test_it_answers_for_its_own_points_only() -> None:
    look = look_at(*made_ready(few, X))
    assert look is not None
    directions, which, steps = look.directions, look.which, look.steps
    assert look.has(list(directions), which.copy(), steps.copy())
    assert not look.has(directions[::-1], which, steps)
    assert not look.has(directions, which[::-1], steps)
    assert not look.has(directions, which, 2 * steps)


def test_a_mode_that_was_not_asked_for_is_left_out() -> None:
    forward, reverse = (look_at(*made_ready(few, X), modes=(mode,)) for mode in ("fwd", "rev"))
    assert forward is not None
    assert reverse is not None
    assert (forward.pulled is None, forward.slopes is None) == (True, False)
    assert (reverse.pulled is None, reverse.slopes is None) == (False, True)


def test_what_has_no_forward_mode_is_looked_at_without() -> None:
    programs, point, bases = made_ready(lambda x: jnp.sum(cube(x)), X)
    look = look_at(programs, point, bases)
    assert look is not None
    assert look.pulled is not None
    assert look.slopes is None
    np.testing.assert_allclose(look.pulled[2][0][0], 3.0 * X.astype(float) ** 2)
    assert programs.together[BOTH] is None  # and it is not tried again
    assert look_at(programs, point, bases, modes=("fwd",)) is None


@pytest.mark.parametrize(
    ("f", "args"),
    [
        (few, (np.ones(WIDEST, np.float32),)),
        (lambda x: jnp.sum(unbatched(x)), (X,)),
        (lambda x: x if x > 0 else -x, (np.float32(2),)),
        (lambda x: jax.lax.fori_loop(0, 9, lambda _, c: jnp.sin(c), jnp.sum(x)), (X,)),
        (lambda x: jnp.sum(x.astype(jnp.bfloat16)), (np.ones(40, np.float32),)),
        (few, (np.float32(1), np.float32(1e-20))),
    ],
    ids=[
        "wide arrays",
        "no batching",
        "looks at values",
        "a loop",
        "no short ladder in bfloat16",
        "a ladder of its own for each",
    ],
)
def test_where_one_program_does_not_do_there_is_none(f: Any, args: Any) -> None:
    assert look_at(*made_ready(f, *args)) is None
    assert check_grads(f, args).verdict != "wrong"


def test_more_points_than_fit_into_a_batch_are_left_to_the_programs() -> None:
    programs, point, bases = made_ready(few, X)
    assert look_at(programs, point, bases) is not None
    programs.batch = 10
    assert look_at(programs, point, bases) is None


def test_arrays_just_below_the_widest_do() -> None:
    assert look_at(*made_ready(few, np.ones(WIDEST - 1, np.float32))) is not None


def programs_of_a_check(factor: float) -> int:
    """Count the programs of a function that was never checked before."""
    events = compiled_by(lambda: check_grads(lambda x: few(x) * factor, (X,)))
    return events.count("backend")


def test_a_first_check_compiles_two_programs_and_four_without_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    check_grads(few, (X,))  # what is compiled once for all
    assert programs_of_a_check(1.01) == 2
    monkeypatch.setattr(preparation, "first_look", lambda *_: None)
    assert programs_of_a_check(1.02) == 4


def test_an_accident_is_not_remembered() -> None:
    calls: list[int] = []

    def on_host(x: Any) -> Any:
        calls.append(1)
        if len(calls) == 1:
            raise ValueError("only this once")
        return np.sum(np.sin(x), axis=-1)

    @jax.custom_jvp
    def f(x: Any) -> Any:
        shape = jax.ShapeDtypeStruct((), x.dtype)
        return jax.pure_callback(on_host, shape, x, vmap_method="expand_dims")

    f.defjvp(lambda x, x_dot: (f(*x), jnp.vdot(jnp.cos(x[0]), x_dot[0])))
    programs, point, bases = made_ready(f, X)
    first, second = look_at(programs, point, bases), look_at(programs, point, bases)
    assert first is not None
    assert second is not None
    assert (first.slopes is None, second.slopes is None) == (True, False)
