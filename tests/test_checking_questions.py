"""What is asked of a subject, and which differences between two derivatives matter."""

from typing import Any

import numpy as np
import pytest
from synthetic import UNIT, subject_of

from gradlab.checking.ladder import Direction
from gradlab.checking.questions import Asked, ask
from gradlab.checking.subject import Subject

X = np.array([0.3, 0.7])


def first_of(subject: Subject) -> list[Asked]:
    """Ask about the first element."""
    return ask(subject, [Direction(0, 0, 1)])


def told(asked: Asked) -> tuple[str, str]:
    return str(asked.answers.verdict[0]), str(asked.answers.cause[0])


# What is material


@pytest.mark.parametrize(("error", "verdict"), [(1e-5, "agree"), (3e-5, "wrong")])
def test_a_difference_is_material_above_two_in_a_hundred_thousand(
    error: float, verdict: str
) -> None:
    subject = subject_of(np.sin, X, {"rev": np.cos(X) * (1 + error)})
    assert told(first_of(subject)[0])[0] == verdict


@pytest.mark.parametrize("eps", [2.0**-7, 2.0**-10, 2.0**-23])
def test_in_a_coarse_dtype_half_of_the_digits_are_material(eps: float) -> None:
    assert subject_of(np.asarray, X, {"rev": [1, 1]}, eps=eps).material == eps**0.5


def slope_of_1_beside(
    largest: float, missing: float, user_eps: float, *, approximates: bool
) -> str:
    """Return the verdict on a slope that is off beside one which is so much larger."""
    gradient = np.array([1 + missing, largest])
    subject = subject_of(
        np.asarray, X, {"rev": gradient}, user_eps=user_eps, approximates=approximates
    )
    return told(first_of(subject)[0])[0]


@pytest.mark.parametrize("user_eps", [2.0**-23, 2.0**-52])
@pytest.mark.parametrize(("units", "verdict"), [(0.9, "agree"), (1.1, "wrong")])
@pytest.mark.parametrize(
    ("approximates", "unit", "largest"), [(False, 2.0**-36, 1e9), (True, 2.0**-24, 1e6)]
)
def test_little_is_lost_beside_the_largest_slope_and_more_where_f_may_stop_at_a_tolerance(
    approximates: bool, unit: float, largest: float, user_eps: float, units: float, verdict: str
) -> None:
    error = units * unit * largest
    assert slope_of_1_beside(largest, error, user_eps, approximates=approximates) == verdict


def test_a_slope_is_small_beside_the_root_of_the_callers_precision_of_the_largest() -> None:
    subject = subject_of(np.asarray, X, {"rev": [1.0, -1e6]})
    assert subject.scale(0)[0] == 2.0**-11.5 * 1e6 * UNIT


# Modes


@pytest.mark.parametrize(("error", "once"), [(5e-13, True), (3e-12, False)])
def test_modes_that_differ_by_their_rounding_are_judged_once(error: float, once: bool) -> None:
    slope = np.cos(X)
    reverse, forward = first_of(subject_of(np.sin, X, {"rev": slope, "fwd": slope * (1 + error)}))
    assert (forward.answers is reverse.answers) == once


@pytest.mark.parametrize("wrong", ["rev", "fwd"])
def test_each_mode_is_judged_by_itself(wrong: str) -> None:
    gradients = {mode: np.cos(X) * (1.1 if mode == wrong else 1.0) for mode in ("rev", "fwd")}
    for asked in first_of(subject_of(np.sin, X, gradients)):
        assert told(asked)[0] == ("wrong" if asked.mode == wrong else "agree")


@pytest.mark.parametrize(("sigmas", "cause"), [(5.0, False), (20.0, True)])
def test_modes_may_differ_by_ten_times_the_noise(sigmas: float, cause: bool) -> None:
    subject = subject_of(
        lambda x: x + 1e-4 * (x * 2.0**60 % 3 - 1), [0.0], {"rev": [1.0], "fwd": [1.0]}
    )
    sigma = first_of(subject)[0].view.sigma[0]
    apart = sigmas * sigma / UNIT
    subject.derivatives[0].gradient[0, 0] += apart / 2
    subject.derivatives[1].gradient[0, 0] -= apart / 2
    assert (told(first_of(subject)[0]) == ("wrong", "modes")) == cause


def test_a_mode_that_is_wrong_by_itself_is_no_difference_of_modes() -> None:
    gradients = {"rev": 2 * np.cos(X), "fwd": np.cos(X)}
    assert told(first_of(subject_of(np.sin, X, gradients))[0]) == ("wrong", "slope")


# The value


@pytest.mark.parametrize(("error", "cause"), [(5e-4, ""), (2e-3, "primal")])
@pytest.mark.parametrize("shift", [0.0, 1e6])
def test_another_value_than_that_of_f_is_a_fault(error: float, cause: str, shift: float) -> None:
    total = np.sum(np.sin(X) + shift)
    subject = subject_of(
        lambda x: np.sin(x) + shift, X, {"rev": np.cos(X)}, value=total * (1 + error)
    )
    assert told(first_of(subject)[0])[1] == cause


def test_another_value_is_measured_by_the_changes_of_f_where_f_is_small() -> None:
    subject = subject_of(lambda x: x - 0.5, X, {"rev": np.ones(2)}, value=1e-5, size=1e-5)
    assert told(first_of(subject)[0]) == ("agree", "")


def test_an_argument_that_is_not_finite_is_no_fault_of_f() -> None:
    x = np.array([np.inf, 0.5])
    asked = ask(subject_of(np.tanh, x, {"rev": [np.nan, 7.0]}), [Direction(0, 0, 1)])
    assert told(asked[0]) == ("cannot tell", "infinite")
    asked = ask(subject_of(np.tanh, x, {"rev": [0.0, 7.0]}), [Direction(0, 1, 2)])
    assert told(asked[0])[0] == "wrong"


# Directions


@pytest.mark.parametrize("number", [3, 256, 300])
def test_every_direction_is_asked_about_once_and_in_order(number: int) -> None:
    x = np.linspace(0.1, 0.9, number)
    wrong = np.cos(x)
    wrong[-1] *= 1.1
    asked = ask(
        subject_of(np.sin, x, {"rev": wrong}), [Direction(0, j, j + 1) for j in range(number)]
    )
    assert [d.start for one in asked for d in one.directions] == list(range(number))
    verdicts = [v for one in asked for v in one.answers.verdict]
    assert verdicts == ["agree"] * (number - 1) + ["wrong"]


def test_tiny_elements_are_asked_about_on_a_ladder_of_their_own() -> None:
    x = np.array([0.5, 1e-20, 0.7])
    asked: Any = ask(
        subject_of(np.log, x, {"rev": 1 / x}), [Direction(0, j, j + 1) for j in range(3)]
    )
    of_1, of_tiny = sorted(len(one.view.steps) for one in asked)
    assert of_1 == 48 < of_tiny
    assert all(v == "agree" for one in asked for v in one.answers.verdict)
