"""Answers and guesses are marked rightly, and what is wrong is said in a learner's words."""

import math
from dataclasses import dataclass
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gradlab.exercises import mark, reveal
from gradlab.exercises.wording import readable


def product(x, y):
    return x * y


def swapped(x, y):
    return y, x


IN_ORDER = "These are x and y in their own order."
CASES = ((1.7, 2.3), (-0.6, 3.1))


@pytest.fixture
def said(capsys):
    """Return a function that marks, or reveals, and returns what was printed."""

    def call(function, *args, **options):
        function(*args, **options)
        return capsys.readouterr().out

    return call


def no_return(x, y):
    y, x  # noqa: B018


def division(x, y):
    return x / (y - y)


def one_argument(x):
    return x


@pytest.mark.parametrize(
    "answer",
    [
        swapped,
        lambda x, y: [y, x],
        lambda x, y: np.array([y, x]),
        lambda x, y: (jnp.float32(y), jnp.float32(x)),
        lambda x, y: jnp.array([y, x]),
        jax.jit(swapped),
    ],
)
def test_the_right_numbers_are_correct_in_every_container(said, answer):
    assert said(mark, answer, *CASES, expected=jax.grad(product, (0, 1))) == "Correct.\n"


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (None, "Not yet: your function is still None."),
        (..., "Not yet: your function is still Ellipsis."),
        ("a word", 'Not yet: your function is the text "a word".'),
        (3.7, "Not yet: a function is asked for, and yours is 3.7."),
        (no_return, "Not yet: no_return returned None. Did you forget `return`?"),
        (lambda x, y: ..., "Did you forget `return`?"),
        (lambda x, y: "a word", 'At x = 1.7, y = 2.3, your answer is the text "a word"'),
        (lambda x, y: y, "your answer is the number 2.3, not 2 values in a tuple."),
        (lambda x, y: (y, x, x), "your answer is a tuple of 3, not 2 values in a tuple."),
        (lambda x, y: {"x": y}, "your answer is a dictionary, not 2 values in a tuple."),
        (lambda x, y: np.ones((2, 3)), "the part [0] of your answer has the shape (3,)"),
        (lambda x, y: (y, False), "These numbers differ"),
        (lambda x, y: (y, None), "the part [1] of your answer is None, not a single number."),
        (lambda x, y: (y, "x"), 'the part [1] of your answer is the text "x"'),
        (lambda x, y: (y, math.sin), "the part [1] of your answer is a function"),
        (division, "division stops with an error.\nZeroDivisionError"),
        (division, "This happened in the line\n    return x / (y - y)"),
        (one_argument, "one_argument stops with an error.\nTypeError"),
        (lambda x, y: (x, y), f"Not yet: {IN_ORDER}\nAt x = 1.7, y = 2.3:\n"),
        (lambda x, y: (-y, -x), "Not yet: Each number has the wrong sign."),
        (lambda x, y: (3 * y, 3 * x), "Not yet: Each number is 3 times the expected one."),
        (lambda x, y: (y, x + 1), "Not yet: These numbers differ from the expected ones."),
        (lambda x, y: (y, np.nan), "       yours  expected\n  [1]    nan       1.7\n"),
        (lambda x, y: (0.0, 0.0), "These numbers differ from the expected ones."),
    ],
)
def test_a_wrong_answer_is_told_in_a_sentence(said, answer, sentence):
    told = said(
        mark,
        answer,
        *CASES,
        expected=jax.grad(product, (0, 1)),
        mistakes={IN_ORDER: lambda x, y: (x, y)},
    )
    assert told.startswith("Not yet: ")
    assert sentence in told
    for internal in ("Tracer", "Traceback", " at 0x", "<function"):
        assert internal not in told


def test_the_place_and_both_numbers_are_shown(said):
    told = said(mark, lambda x, y: (y, x + 0.25), *CASES, expected=swapped)
    assert told.splitlines()[1:] == [
        "At x = 1.7, y = 2.3:",
        "       yours  expected",
        "  [1]   1.95       1.7",
    ]


def test_the_first_case_that_differs_is_shown(said):
    told = said(mark, lambda x, y: (abs(y), abs(x)), *CASES, expected=swapped)
    assert "At x = -0.6, y = 3.1:" in told


def test_numbers_that_look_alike_are_shown_with_more_digits(said):
    told = said(mark, 3.000004, expected=3.0, rtol=1e-7)
    assert told.splitlines()[-1].split() == ["3.000004", "3"]


def test_a_long_table_is_cut(said):
    told = said(mark, np.arange(20.0), expected=np.arange(20.0) + 0.5 * np.arange(20.0) ** 2)
    assert told.splitlines()[-1] == "  and 13 more"


def test_a_mistake_must_match_at_every_case(said):
    told = said(
        mark,
        lambda x, y: x if x > 0 else 7.0,
        *CASES,
        expected=lambda x, y: y,
        mistakes={"This is x.": lambda x, y: x},
    )
    assert "This is x." not in told


def test_a_mistake_that_raises_is_recognised_by_its_error(said):
    options = {
        "expected": jax.vmap(jax.grad(jnp.sin)),
        "mistakes": {"Use vmap.": jax.grad(jnp.sin)},
    }
    samples = (jnp.array([0.3, 1.2]),)
    told = said(mark, lambda x: jax.grad(jnp.sin)(x), samples, **options)
    assert told == "Not yet: Use vmap.\n"
    told = said(mark, lambda x: x.oops, samples, **options)
    assert told.startswith("Not yet: <lambda> stops with an error.\nAttributeError")


def test_a_mistake_and_another_form_are_two_sentences(said):
    told = said(mark, lambda x: ([x], 1.5), (2.5,), expected=lambda x: (x, np.ones(2)),
                mistakes={"One is missing.": lambda x: ([x], 1.5)})  # fmt: skip
    assert told.splitlines() == [
        "Not yet: One is missing.",
        "At x = 2.5, the part [1] of your answer is the number 1.5, not numbers of shape (2,).",
    ]


def test_what_a_function_returns_in_the_learners_function_may_lack_its_return(said):
    told = said(mark, lambda f: lambda x: None, (abs, 1.5), expected=lambda f, x: (f(x),),
                apply=lambda answer: lambda f, x: answer(f)(x))  # fmt: skip
    assert told.endswith("your answer is None. Did you forget `return`?\n")


def test_a_transposed_array_is_named(said):
    matrix = np.array([[1.5, 2.5], [3.5, 4.5]])
    assert "The array is transposed." in said(mark, matrix.T, expected=matrix)
    assert "It is transposed." in said(mark, np.ones((2, 3)), expected=np.ones((3, 2)))


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (6.0, "Correct."),
        (6, "Correct."),
        ([6.0], "Correct."),
        (jnp.array(6.0), "Correct."),
        (
            jnp.array([6.0]),
            "Not yet: your answer has the shape (1,), not a single number. Write [0]",
        ),
        (-6.0, "Not yet: The number has the wrong sign.\n"),
        (object(), "Not yet: your answer is an object of the class object, not a single"),
        (None, "Not yet: your answer is still None. Write it in the cell above and run it."),
        ("6.0", 'Not yet: your answer is the text "6.0". Write it without quotes.'),
        (abs, "Not yet: your answer is a function, not a single number."),
        (True, "Not yet: These numbers differ from the expected ones."),
    ],
)
def test_a_value_is_marked_without_cases(said, answer, told):
    assert said(mark, answer, expected=6.0).startswith(told)


def test_a_single_number_in_place_of_an_array_is_called_a_number(said):
    assert said(mark, jnp.array(2.5), expected=np.ones(3)) == (
        "Not yet: your answer is the number 2.5, not numbers of shape (3,).\n"
    )


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (" B", "Correct."),
        ("a", "Not yet: This text differs from the expected one.\n"),
        (2.0, "Not yet: your answer is the number 2, not a text."),
        (True, "Not yet: your answer is True, not a text."),
    ],
)
def test_a_letter_may_be_asked_for(said, answer, told):
    assert said(mark, answer, expected="b").startswith(told)


@jax.tree_util.register_dataclass
@dataclass
class Throw:
    height: float
    speed: float


@pytest.mark.parametrize(
    ("answer", "expected", "sentence"),
    [
        ({"m": 1.5, "v": [2.0]}, {"m": 1.5, "v": np.array([2.0])}, "Correct."),
        ({"m": 1.5}, {"m": 1.5, "v": 2.0}, 'has other keys than "m", "v"'),
        ([1.5, 2.0], {"m": 1.5, "v": 2.0}, 'not a dictionary with the keys "m", "v"'),
        ({"m": 1.5, "v": 3.0}, {"m": 1.5, "v": 2.0}, '["v"]      3         2'),
        (Throw(1.5, 2.5), Throw(1.5, 2.5), "Correct."),
        (Throw(1.5, 2.5), Throw(1.5, 2.0), ".speed    2.5         2"),
        ((1.5, 2.5), Throw(1.5, 2.5), "not a Throw"),
        ([[1.5, 2.5], [3.5, 4.5]], np.array([[1.5, 2.5], [3.5, 4.5]]), "Correct."),
        ([[1.5], [3.5, 4.5]], np.array([[1.5, 2.5], [3.5, 4.5]]), "is a list of 2"),
        (1.5 + 2.5j, np.complex64(1.5 + 2.5j), "Correct."),
        (np.array([np.inf, 1.5]), np.array([np.inf, 1.5]), "Correct."),
        (True, np.True_, "Correct."),
        (jnp.array(1.5), np.array([1.5, 2.5]), "is the number 1.5, not numbers of shape (2,)."),
        ([0.5, 1.5], np.array([-0.0, 1.5]), "  [0]    0.5         0"),
    ],
)
def test_containers_are_compared_place_by_place(said, answer, expected, sentence):
    assert sentence in said(mark, answer, expected=expected)


def test_zeros_are_compared_to_the_size_of_the_rest(said):
    expected = np.array([0.0, 1000.0])
    assert said(mark, np.array([5e-4, 1000.0]), expected=expected) == "Correct.\n"
    assert said(mark, np.array([5e-3, 1000.0]), expected=expected).startswith("Not yet")


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (lambda x: np.tanh(x), "It calls a NumPy function"),
        (lambda x: math.tanh(x), "It needs a number that JAX does not know yet"),
        (lambda x: None, "Did you forget `return`?"),
        (lambda x: "text", "Return numbers."),
        (lambda x: jnp.array([x]), "Gradient only defined for scalar-output functions"),
        (None, "your function is still None"),
        (jnp.tanh, "Correct."),
    ],
)
def test_what_is_applied_to_the_answer_does_not_show(said, answer, sentence):
    told = said(mark, answer, (0.7,), expected=lambda x: 1 - jnp.tanh(x) ** 2, apply=jax.grad)
    assert sentence in told


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (lambda x: x * one_argument, "for *: 'an array' and 'function'"),
        (lambda x: x * jnp.tanh, "for *: 'an array' and 'function'"),
        (lambda x: jax.jvp(jnp.tanh, jnp.ones(2), jnp.ones(2)), "found an array and an array"),
        (lambda x: jax.grad(lambda x: [x])(0.25), "Output was [0.25]."),
        (lambda x: jax.vmap(jnp.add)(jnp.ones(2), jnp.ones(3)), "one axis had size 3"),
    ],
)
def test_what_jax_says_of_an_answer_is_told_without_its_internals(said, answer, sentence):
    printed = said(mark, answer, (0.7,), expected=jnp.cos, apply=jax.jit)
    told = " ".join(printed.partition("\nThis happened in the line")[0].split())
    assert sentence in told
    for internal in ("Tracer", "ArrayImpl", "Array(", " at 0x", "jaxlib", "dtype="):
        assert internal not in told


@pytest.mark.parametrize(
    ("function", "named"),
    [
        (one_argument, "the function one_argument"),
        (no_return, "the function no_return"),
        ((lambda: lambda: 1)(), "the function <lambda>"),
        (math.sin, "the function sin"),
        ("".join, "the function join"),
        ([].append, "the function append"),
        (pytest.fixture, "the function fixture"),
        (Path().exists, "the function exists"),
    ],
)
def test_a_function_in_a_message_has_its_name_alone(function, named):
    assert readable(f"got {function!r}, here") == f"got {named}, here"


@pytest.mark.parametrize(
    "slopes", [lambda g: g, lambda g: None, lambda g: (g, g), lambda g: (2 * [g],)]
)
def test_a_rule_that_returns_something_else_than_its_slopes_is_told_in_a_sentence(said, slopes):
    @jax.custom_vjp
    def same(x):
        return x

    same.defvjp(lambda x: (x, None), lambda kept, g: slopes(g))
    told = said(mark, same, (0.7,), expected=lambda x: 1.0, apply=jax.grad)
    assert "must return a tuple with one slope for each argument" in " ".join(told.split())


def test_a_value_kept_from_an_earlier_call_is_named(said):
    kept = []

    def answer(x):
        kept.append(x)
        return jnp.sum(kept[0] * x)

    told = said(mark, answer, (0.7,), (0.9,), expected=jnp.cos, apply=jax.grad)
    assert "an earlier call left in a variable" in told


def test_requirements_are_asked_in_their_order_after_the_values(said):
    options = {
        "expected": lambda x: 2 * x,
        "requirements": {"First.": lambda f: f(1.0) == 2.0, "Second.": lambda f: f(3.5) == 7.0},
    }
    assert said(mark, lambda x: 2 * x, (1.7,), **options) == "Correct.\n"
    assert said(mark, lambda x: 3 * x, (1.7,), **options).startswith("Not yet: These")
    odd = lambda x: 2 * x if x < 3 else 0.0  # noqa: E731
    assert said(mark, odd, (1.7,), **options) == "Not yet: Second.\n"
    cracked = lambda x: 2 * x if x == 1.7 else x.oops  # noqa: E731
    assert "AttributeError" in said(mark, cracked, (1.7,), **options)


def test_requirements_alone_can_decide(said):
    options = {
        "requirements": {"A step must not be negative.": lambda step: step > 0},
        "mistakes": {"This is the largest step that converges.": 2.0},
    }
    assert said(mark, 2.5, **options) == "Correct.\n"
    assert "must not be negative" in said(mark, -1.5, **options)
    assert "largest step" in said(mark, 2.0, **options)
    assert "still None" in said(mark, None, **options)


def test_the_lessons_own_faults_are_errors():
    with pytest.raises(TypeError, match="no requirements"):
        mark(1.0)
    with pytest.raises(TypeError, match=r"write \(x,\)"):
        mark(jnp.sin, 1.0, expected=jnp.cos)
    with pytest.raises(ZeroDivisionError):
        mark(jnp.sin, (1.0,), expected=lambda x: 1 / 0)


@pytest.mark.parametrize(
    ("guess", "told"),
    [
        (None, "The answer is 6. The slope is 2x."),
        (6, "Yes. The answer is 6. The slope is 2x."),
        (5.9, "Yes. The answer is 6."),
        (7.0, "Not quite: your guess is 1 too large.\nThe answer is 6."),
        (5.0, "Not quite: your guess is 1 too small.\nThe answer is 6."),
        (9.0, "Not quite: 9 is the value.\nThe answer is 6."),
        ("six", 'Not yet: your guess is the text "six", not a single number.\n'),
        ((1, 2), "Not yet: your guess has the shape (2,), not a single number.\n"),
    ],
)
def test_a_number_is_revealed_with_the_difference_explained(said, guess, told):
    printed = said(
        reveal, guess, jnp.float32(6.0), why="The slope is 2x.", mistakes={"9 is the value.": 9.0}
    )
    assert printed.startswith(told)
    assert ("The answer is" in printed) == ("Not yet" not in printed)


@pytest.mark.parametrize(
    ("guess", "told"),
    [
        (None, "The answer is b. So it is.\nNot a: It stops.\nNot c: It turns.\n"),
        ("b", "Yes. The answer is b. So it is.\n"),
        (" B ", "Yes. The answer is b. So it is.\n"),
        ("a", "Not quite: It stops.\nThe answer is b. So it is.\n"),
        ("z", "Not quite: your guess is z.\nThe answer is b. So it is.\n"),
        (2, "Not yet: your guess is the number 2, not a text.\n"),
    ],
)
def test_a_choice_is_revealed_with_a_sentence_for_each_letter(said, guess, told):
    options = {"why": "So it is.", "mistakes": {"It stops.": "a", "It turns.": "c"}}
    assert said(reveal, guess, "b", **options) == told


def test_several_numbers_can_be_guessed(said):
    assert said(reveal, None, (3,)) == "The answer is (3,).\n"
    assert "not 1 value in a tuple" in said(reveal, 3, (3,))
    assert said(reveal, (3, 2), (3, 2)) == "Yes. The answer is (3, 2).\n"
    assert (
        said(reveal, (2, 3), (3, 2)) == "Not quite: your guess is (2, 3).\nThe answer is (3, 2).\n"
    )
