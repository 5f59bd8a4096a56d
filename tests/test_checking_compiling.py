"""How the checker's programs are compiled: sooner where that pays, and by every XLA."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import gradlab
from gradlab.checking import compiling
from gradlab.checking.compiling import WIDE, compiled
from gradlab.checking.first_look import WIDEST
from gradlab.checking.programs import _rounded_up

SOON = compiling.OLDER | compiling.UNOPTIMISED


@pytest.fixture
def options(monkeypatch):
    """Return the options of every program that is jitted from now on."""
    given = []
    jit = jax.jit

    def spy(f, **keywords):
        given.append(keywords["compiler_options"])
        return jit(f, **keywords)

    monkeypatch.setattr(jax, "jit", spy)
    return given


@pytest.mark.parametrize(
    ("width", "expected"),
    [
        (0, {"xla_cpu_use_fusion_emitters": False, "xla_backend_optimization_level": 0}),
        (1, {"xla_cpu_use_fusion_emitters": False}),
        (WIDE - 1, {"xla_cpu_use_fusion_emitters": False}),
        (WIDE, {}),
    ],
)
def test_what_runs_little_is_compiled_soon(options, width, expected):
    compiled(jnp.sin, width=width)
    assert options[-1] == expected


@pytest.mark.parametrize("width", [0, 1, WIDE])
def test_a_program_computes_the_same_however_it_is_compiled(width):
    x = jnp.linspace(-2.0, 2.0, 50)
    f = jax.grad(lambda x: jnp.sum(jnp.tanh(x) * jnp.exp(x)))
    np.testing.assert_allclose(compiled(f, width=width)(x), f(x), rtol=1e-5)


def test_an_option_that_this_xla_does_not_have_is_left_out(options, monkeypatch):
    monkeypatch.setattr(compiling, "OLDER", {"xla_cpu_no_such_option": False})
    f = compiled(jnp.sin)
    assert options[-1] == compiling.UNOPTIMISED
    assert f(0.5) == pytest.approx(np.sin(0.5))


def test_a_check_asks_for_wide_programs_to_be_compiled_well(options):
    gradlab.check_grads(lambda x: jnp.sum(jnp.sin(x) * 1.25), (jnp.ones(WIDEST),))
    assert {} in options  # the values
    assert SOON in options  # the derivatives
    options.clear()
    gradlab.check_grads(lambda x: jnp.sum(jnp.sin(x) * 1.25), (jnp.ones(3),))
    assert options
    assert all(given == SOON for given in options)


def test_it_asks_for_so_where_values_at_many_points_are_wanted(options):
    def wrong(x):
        return jnp.sum(jnp.sin(x) * 1.25) + x[5] * jax.lax.stop_gradient(x[6])

    gradlab.check_grads(wrong, (jnp.ones(40),))
    assert all(given == SOON for given in options)
    options.clear()
    gradlab.check_grads(wrong, (jnp.ones(400),))
    assert compiling.OLDER in options


def test_it_asks_for_so_where_little_is_done_again_and_again(options):
    def looped(x):
        return jnp.sum(jax.lax.fori_loop(0, 5, lambda _, y: jnp.sin(y) * 1.25, x))

    gradlab.check_grads(looped, (jnp.ones(3),))
    assert compiling.OLDER in options


def test_programs_are_compiled_for_few_lengths_that_are_little_longer():
    lengths = [_rounded_up(number) for number in range(1, 5000)]
    assert all(n <= length <= 1.25 * n for n, length in enumerate(lengths, 1))
    assert lengths == sorted(lengths)
    assert all(len({m for m in lengths if 2**k < m <= 2 ** (k + 1)}) <= 4 for k in range(12))
