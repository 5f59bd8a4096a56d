"""Limits as intervals: noise that is measured, and Lepski's walk."""

from typing import Any

import numpy as np
import pytest

from gradlab.checking.limits import PATIENT, limit, noise

STEPS = 2.0 ** -np.arange(40.0)


def sides(f: Any, x: Any, scale: Any = 0.3) -> Any:
    t = scale * STEPS
    return f(x - t)[None], f(x + t)[None], np.array([f(np.array(x))])


@pytest.mark.parametrize("sigma", [1e-12, 1e-8, 1e-4])
def test_noise_is_measured_to_within_a_factor_of_three(sigma: Any) -> None:
    generator = np.random.default_rng(0)
    behind, ahead = sigma * generator.normal(size=(2, 1, 40))
    measured = noise(behind, np.zeros(1), ahead, np.zeros(1))
    assert sigma / 3 < measured[0] < 3 * sigma


@pytest.mark.parametrize("f", [lambda x: 3 * x + 2, np.abs, lambda x: np.where(x > 0, x, -1.0)])
def test_noise_takes_no_line_kink_or_jump_for_noise(f: Any) -> None:
    behind, ahead, centre = sides(f, 0.0)
    assert noise(behind, centre, ahead, np.full(1, 1e-16))[0] < 1e-10


def test_noise_of_a_staircase_is_half_a_stair() -> None:
    behind, ahead, centre = sides(lambda x: np.floor(x * 1e3) / 1e3, 0.5003)
    assert noise(behind, centre, ahead, np.zeros(1))[0] >= 0.5e-3 * 0.99


@pytest.mark.parametrize(
    ("f", "x", "slope"), [(np.sin, 0.7, np.cos(0.7)), (np.exp, -3.0, np.exp(-3.0))]
)
def test_limit_holds_the_slope_and_is_narrow(f: Any, x: Any, slope: Any) -> None:
    behind, ahead, _ = sides(f, x)
    t = 0.3 * STEPS
    found = limit((ahead - behind) / (2 * t), np.full((1, 40), 1e-16) / t, (2,))
    assert abs(found.centre[0] - slope) <= found.half[0] < 1e-9


def test_limit_excludes_a_slope_that_is_a_thousandth_off() -> None:
    behind, ahead, _ = sides(np.sin, 0.7)
    t = 0.3 * STEPS
    found = limit((ahead - behind) / (2 * t), np.full((1, 40), 1e-16) / t, (2,))
    assert found.excludes(1.001 * np.cos(0.7))[0]


def test_limit_is_not_drawn_to_what_lies_beyond_a_kink_nearby() -> None:
    behind, ahead, _ = sides(lambda x: np.abs(x - 1e-4), 0.0)
    t = 0.3 * STEPS
    found = limit((ahead - behind) / (2 * t), np.full((1, 40), 1e-16) / t, (2,))
    assert not found.excludes(-1.0)[0]
    assert found.excludes(0.0)[0]


def test_limit_of_unknown_values_is_everything() -> None:
    found = limit(np.full((1, 40), np.nan), np.ones((1, 40)), (2,))
    assert np.isinf(found.half[0])
    assert not found.excludes(0.0)[0]


def test_extrapolation_cancels_the_leading_power_of_the_step() -> None:
    t = 2.0 ** -np.arange(1.0, 45.0)[None]
    found = limit(1 + t**2, 1e-16 / t, (2,))
    assert abs(found.centre[0] - 1) <= found.half[0] < 1e-13
    assert limit(1 + t**2, 1e-16 / t, ()).half[0] > 1e-11


def test_a_patient_walk_is_not_ended_by_one_unlucky_value() -> None:
    t = 2.0 ** -np.arange(1.0, 45.0)[None]
    values, errors = np.ones_like(t), 1e-16 / t
    values[0, 20] += 6 * errors[0, 20]
    ended, patient = (limit(values, errors, (), rooms) for rooms in ((1.0,), PATIENT))
    assert abs(patient.centre[0] - 1) <= patient.half[0] < 1e-3 * ended.half[0]
