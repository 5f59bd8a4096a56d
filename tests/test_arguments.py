"""What counts as an array, and how a wrong one is named, traced or not."""

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest

from gradlab._arguments import (
    call,
    describe,
    is_array,
    known_numbers,
    require_array,
    require_count,
    require_function,
    require_numbers,
    require_shape,
)


@pytest.mark.parametrize(
    "x", [1, 2.0, True, 1j, np.float64(1.0), np.ones(2), jnp.ones(2), jax.random.key(0)]
)
def test_numbers_and_arrays_are_arrays_also_while_traced(x):
    assert is_array(x)
    jax.jit(lambda x: x if is_array(x) else pytest.fail("a tracer is an array"))(x)
    if isinstance(x, float):
        jax.grad(lambda x: x if is_array(x) else pytest.fail("a tracer is an array"))(x)


@pytest.mark.parametrize(
    "x", [[1.0], (1.0,), "1.0", None, {"a": 1.0}, jnp.sin, np.float64, pd.Series([1.0])]
)
def test_anything_else_is_not(x):
    assert not is_array(x)


@pytest.mark.parametrize(
    ("x", "name"),
    [
        (np.zeros((2, 3), np.float32), "float32 of shape (2, 3)"),
        (jnp.bfloat16(1.0), "bfloat16 of shape ()"),
        (np.zeros(2, ">f8"), ">f8 of shape (2,)"),
        (np.zeros(2, object), "object of shape (2,)"),
        (np.array(["a"]), "<U1 of shape (1,)"),
        (np.longdouble(1), f"{np.dtype(np.longdouble)} of shape ()"),
        (np.ma.zeros(2), "MaskedArray float64 of shape (2,)"),
        (jax.random.key(0), "key<fry> of shape ()"),
        (pd.Series([1.0]), "Series float64 of shape (1,)"),
        (pd.Series([1, None], dtype="Int64"), "Series Int64 of shape (2,)"),
        (pd.DataFrame({"a": [1.0]}), "DataFrame of shape (1, 1)"),
        (np.float64, "type <class 'numpy.float64'>"),
        (3, "int 3"),
        (None, "NoneType None"),
        (list(range(100)), "list [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, …"),
    ],
)
def test_a_wrong_argument_is_named_in_few_words(x, name):
    assert describe(x) == name


@pytest.mark.parametrize("n", [3, np.int64(3), jnp.array(3)])
def test_any_known_whole_number_counts(n):
    assert require_count("n", n, 3) == 3
    assert type(require_count("n", n, 3)) is int


def test_a_tuple_of_traced_arrays_is_named_by_what_is_in_it():
    seen = []
    jax.jit(lambda x: seen.append(describe((x, 2.0))) or x)(jnp.ones(3))
    assert seen == ["tuple of float32 of shape (3,), float 2.0"]


@pytest.mark.parametrize(
    ("x", "instead"),
    [
        (np.ones(2, ">f8"), "np.asarray(x, float)"),
        (np.array([1.0, 2.0], object), "np.asarray(x, float)"),
        (np.ones(2, np.longdouble), "np.asarray(x, float)"),
        (2**70, "np.asarray(x, float)"),
        (np.array(["a"]), "x=1.0"),
        (jax.random.key(0), "x=1.0"),
        (np.ma.ones(2), "x.filled(0.0), with the number that shall stand for what is masked"),
        (pd.Series([1.0]), "x.to_numpy()"),
        (pd.DataFrame({"a": [1.0]}), "x.to_numpy()"),
        (pd.Series([1.0], dtype=object), "x.to_numpy(float)"),
    ],
)
def test_what_jax_cannot_hold_is_refused_with_what_makes_numbers_of_it(x, instead):
    with pytest.raises(TypeError) as raised:
        require_array("x", x, "x=1.0")
    assert str(raised.value).startswith(f"x: got {describe(x)}, expected ")
    assert str(raised.value).endswith(f"; write {instead}")
    if "x.to" in instead or "np." in instead:  # and that does make an array of it
        require_array("x", eval(instead, {"x": x, "np": np}), "x=1.0")


@pytest.mark.parametrize("shape", [(3,), (4,), (3, 2), (5, 2)])
def test_letters_stand_for_any_length(shape):
    require_shape("x", np.ones(shape), "", ("n",), ("n", 2))
    for other in ((), (3, 3), (2, 2, 2)):
        with pytest.raises(ValueError, match=r"got shape .*, expected \(n,\) or \(n, 2\); write"):
            require_shape("x", np.ones(other), "", ("n",), ("n", 2))


@pytest.mark.parametrize(
    ("f", "takes"),
    [(lambda x: x, 1), (np.sin, 1), (jnp.sin, 1), (abs, 1), (max, 1), (lambda *x: x, 2)],
)
def test_what_can_be_called_so_passes(f, takes):
    require_function("f", f, takes=takes)
    require_function("f", f, takes=None)


@pytest.mark.parametrize(
    ("f", "signature"),
    [(lambda x, y: x, "(x, y)"), (lambda: 1, "()"), (lambda x, *, key: x, "(x, *, key)")],
)
def test_a_function_of_other_arguments_is_told_how_many(f, signature):
    with pytest.raises(TypeError) as raised:
        require_function("f", f)
    assert str(raised.value) == (
        f"f: got one of {signature}, expected a function of 1 argument; write "
        "lambda p: f(p[0], p[1])"
    )


def test_numbers_are_looked_at_where_they_are_known_and_only_there():
    def positive(x):
        require_numbers("x", x, lambda x: x > 0, "above 0", "x=1.0")
        return x

    positive(jnp.ones(3))
    jax.jit(positive)(-jnp.ones(3))
    with pytest.raises(ValueError, match=r"^x: got -2.0, expected above 0; write x=1.0$"):
        positive(jnp.array([1.0, -2.0]))


@pytest.mark.parametrize(
    "x",
    [
        [1, 2, 3],
        np.array([1, 2, 3], np.int8),
        jnp.array([1, 2, 3], jnp.bfloat16),
        pd.Series([1.0, 2.0, 3.0]),
        np.array([1, 2, 3], ">f4"),
    ],
)
def test_columns_that_people_have_become_numpy_numbers(x):
    numbers = known_numbers("x", x, "", ("n",))
    assert type(numbers) is np.ndarray
    assert numbers.dtype == float
    np.testing.assert_array_equal(numbers, [1, 2, 3])


def test_a_function_of_numpy_keeps_its_own_error_as_the_cause():
    with pytest.raises(TypeError) as raised:
        jax.jit(lambda x: call("f", np.sin, x))(1.0)
    assert str(raised.value) == (
        "f: got a function that needs known numbers, expected operations of JAX; write jnp.sin for "
        "np.sin, jnp.where for if"
    )
    assert isinstance(raised.value.__cause__, jax.errors.TracerArrayConversionError)
