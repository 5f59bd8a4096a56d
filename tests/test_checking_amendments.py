"""What is said of a right rule that the caller's own dtype spoils, without JAX."""

from typing import Any

import numpy as np
import pytest
from synthetic import subject_of

from gradlab.checking.amendments import amended
from gradlab.checking.search import search
from gradlab.checking.subject import Native

X = np.array([0.3, 0.7])


def said(narrow: Any, value: float = 1.0) -> Any:
    """Return what is said where float64 is right, and this came out in the caller's dtype."""
    subject = subject_of(np.sin, X, {"rev": np.cos(X)})
    subject.native = Native(np.array(narrow, np.float64)[None], np.array([value]))
    (finding,) = search(subject)
    return amended(subject, finding)


@pytest.mark.parametrize("error", [0.0, 0.02, 0.04])
def test_a_few_percent_of_the_callers_dtype_are_not_worth_a_word(error: float) -> None:
    assert said(np.cos(X) * [1 + error, 1]) is None


@pytest.mark.parametrize(("error", "digits"), [(0.06, 1), (0.2, 0), (9.0, 0)])
def test_it_is_said_how_many_digits_are_left_in_the_callers_dtype(
    error: float, digits: int
) -> None:
    verdict, ad, cause, _ = said(np.cos(X) * [1 + error, 1])
    assert verdict == "agree"
    assert ad in np.cos(X)  # that in float64
    assert f"only {digits} digits are right" in cause


@pytest.mark.parametrize(("units", "told"), [(50, False), (80, True)])
def test_64_units_of_the_value_are_rounding(units: float, told: bool) -> None:
    value = 1e6
    slope = np.add(np.cos(X), [units * 2.0**-23 * value, 0])
    assert (said(slope, value) is not None) == told


@pytest.mark.parametrize("number", [np.inf, -np.inf, np.nan])
def test_an_overflow_in_the_callers_dtype_is_wrong(number: float) -> None:
    verdict, ad, cause, hint = said([np.cos(0.3), number])
    assert verdict == "wrong"
    np.testing.assert_equal(ad, number)
    assert cause == f"AD is {number} in float32, where f is finite; in float64 it is right"
    assert "too large or too small for float32" in hint


def test_a_value_that_overflows_in_the_callers_dtype_vouches_for_nothing() -> None:
    verdict, _, cause, _ = said(np.cos(X), value=np.inf)
    assert verdict == "cannot tell"
    assert "f itself is not finite in float32" in cause


def test_nothing_is_said_of_a_rule_that_is_wrong_anyhow() -> None:
    subject = subject_of(np.sin, X, {"rev": -np.cos(X)})
    subject.native = Native(np.full((1, 2), np.inf), np.ones(1))
    (finding,) = search(subject)
    assert amended(subject, finding) is None
