"""The first operation that leaves the finite numbers, on the way that the program really goes."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gradlab.checking.nonfinite import Culprit, first_nonfinite

ZERO = np.float32(0)


def culprit(f: Any, *args: Any) -> Culprit | None:
    return first_nonfinite(jax.make_jaxpr(f)(*args), list(args))


@pytest.mark.parametrize(("index", "name"), [(0, "log"), (1, "rsqrt"), (2, None)])
def test_only_the_branch_that_is_taken_is_looked_at(index: int, name: str | None) -> None:
    branches = [jnp.log, jax.lax.rsqrt, jnp.sin]
    found = culprit(lambda i, x: jax.lax.switch(i, branches, x), np.int32(index), ZERO)
    assert (found and found.name) == name


def test_a_value_comes_before_a_derivative_and_the_first_before_later_ones() -> None:
    found = culprit(lambda x: jnp.log(x) + jnp.sqrt(x), ZERO)
    assert (found.name, found.of, found.at) == ("log", "value", (0.0,))
    found = culprit(lambda x: jnp.sqrt(x) + jnp.log(x), ZERO)
    assert (found.name, found.of, found.at) == ("sqrt", "derivative", (0.0,))


@pytest.mark.parametrize(("reverse", "at"), [(False, 0.0), (True, -1.0)])
def test_a_scan_is_followed_in_its_own_order(reverse: bool, at: float) -> None:
    def f(xs: Any) -> Any:
        return jax.lax.scan(lambda c, x: (c + jnp.log(x), c), 0.0, xs, reverse=reverse)[0]

    found = culprit(f, np.array([2, 0, 3, -1, 4], np.float32))
    assert found is not None
    assert found.at == (at,)


def test_a_where_counts_only_if_it_comes_later() -> None:
    before = culprit(lambda x: jnp.log(jnp.where(x > 1, x, 0)), ZERO)
    after = culprit(lambda x: jnp.where(x > 1, jnp.log(x), 0), ZERO)
    assert before is not None
    assert after is not None
    assert (before.guarded, after.guarded) == (False, True)


def test_a_program_that_stays_finite_has_no_culprit() -> None:
    assert culprit(lambda x: jnp.sum(jnp.sin(x)), np.ones(3, np.float32)) is None
