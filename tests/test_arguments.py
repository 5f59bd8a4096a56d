"""What counts as an array, and how a wrong one is named, traced or not."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gradlab._arguments import describe, is_array, require_count


@pytest.mark.parametrize(
    "x", [1, 2.0, True, 1j, np.float64(1.0), np.ones(2), jnp.ones(2), jax.random.key(0)]
)
def test_numbers_and_arrays_are_arrays_also_while_traced(x):
    assert is_array(x)
    jax.jit(lambda x: x if is_array(x) else pytest.fail("a tracer is an array"))(x)
    if isinstance(x, float):
        jax.grad(lambda x: x if is_array(x) else pytest.fail("a tracer is an array"))(x)


@pytest.mark.parametrize("x", [[1.0], (1.0,), "1.0", None, {"a": 1.0}, jnp.sin])
def test_anything_else_is_not(x):
    assert not is_array(x)


@pytest.mark.parametrize(
    ("x", "name"),
    [
        (np.zeros((2, 3), np.float32), "float32 of shape (2, 3)"),
        (jnp.bfloat16(1.0), "bfloat16 of shape ()"),
        (3, "int 3"),
        (None, "NoneType None"),
        (list(range(100)), "list [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, …"),
    ],
)
def test_a_wrong_argument_is_named_in_few_words(x, name):
    assert describe(x) == name


@pytest.mark.parametrize("n", [3, np.int64(3), jnp.array(3)])
def test_any_known_whole_number_counts(n):
    assert require_count("n", n, at_least=3) == 3
    assert type(require_count("n", n, at_least=3)) is int
