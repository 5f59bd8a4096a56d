"""The checker's programs are compiled as the user's are: with JAX's default compilation."""

from typing import Any

import jax
import jax.numpy as jnp
import pytest

import gradlab
from gradlab.checking.first_look import WIDEST
from gradlab.checking.programs import _rounded_up


@pytest.mark.parametrize(
    "f",
    [
        lambda x: jnp.max(1.46 * x - 0.9),
        lambda x: jnp.min(1.46 * x - 0.9),
        lambda x: jnp.max((1.46 * x - 0.9).reshape(1, 3), axis=1)[0],
        lambda x: jnp.linalg.norm(1.46 * x - 0.9, ord=jnp.inf),
        lambda x: jnp.sum(jnp.where(1.46 * x - 0.9 == jnp.max(1.46 * x - 0.9), 1.46 * x - 0.9, 0)),
    ],
)
def test_an_extreme_of_what_is_computed_twice_agrees(f: Any) -> None:
    """Compiled without optimising, a value computed twice may differ from itself."""
    report = gradlab.check_grads(f, (jnp.array([0.27, 0.23, 1.66]),))
    assert report.verdict == "agree", str(report)


@pytest.mark.parametrize("size", [3, WIDEST])
def test_no_option_is_given_to_the_compiler(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    jit, options = jax.jit, []

    def spy(f: Any, **keywords: Any) -> Any:
        options.append(keywords)
        return jit(f, **keywords)

    monkeypatch.setattr(jax, "jit", spy)
    gradlab.check_grads(lambda x: jnp.sum(jnp.sin(x) * 1.25), (jnp.ones(size),))
    assert options
    assert not any(options)


def test_programs_are_compiled_for_few_lengths_that_are_little_longer():
    lengths = [_rounded_up(number) for number in range(1, 5000)]
    assert all(n <= length <= 1.25 * n for n, length in enumerate(lengths, 1))
    assert lengths == sorted(lengths)
    assert all(len({m for m in lengths if 2**k < m <= 2 ** (k + 1)}) <= 4 for k in range(12))
