"""Limits as intervals: noise that is measured, and Lepski's walk."""

from typing import Any

import numpy as np
import pytest

from gradlab.checking.limits import PATIENT, limit, limits, noise

STEPS = 2.0 ** -np.arange(40.0)
ERRORS = 1 / STEPS[None]  # as noise of size 1 makes them in a slope


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


@pytest.mark.parametrize(("by", "room"), [(6.0, 3.0), (15.0, 9.0)])
def test_a_patient_walk_takes_no_more_room_than_it_needs(by: float, room: float) -> None:
    values = np.zeros((1, 40))
    values[0, 20] = by * ERRORS[0, 20]
    assert (
        limit(values, ERRORS, (), PATIENT).half[0] == room * limit(0 * values, ERRORS, ()).half[0]
    )


# The parts of the noise


def test_noise_is_never_below_the_floor_that_is_given() -> None:
    behind, ahead, centre = sides(lambda x: 0 * x + 3.0, 0.7)
    assert noise(behind, centre, ahead, np.full(1, 1e-9))[0] == 1e-9


def test_noise_is_at_least_half_the_smallest_change() -> None:
    ahead = np.full((1, 40), 1e-3)  # level on both sides, so that no side jitters
    assert noise(0 * ahead, np.zeros(1), ahead, np.zeros(1))[0] == 0.5e-3


def test_noise_comes_out_right_on_average_without_the_largest_tenth() -> None:
    behind, ahead = np.random.default_rng(0).normal(size=(2, 2000, 40))
    measured = noise(behind, np.zeros(2000), ahead, np.zeros(2000))
    assert 0.75 < np.median(measured) < 1.0


def test_noise_is_not_raised_by_one_value_that_is_far_off() -> None:
    behind, ahead = np.random.default_rng(0).normal(size=(2, 1, 40))
    ahead[0, -1] = 1e6
    assert noise(behind, np.zeros(1), ahead, np.zeros(1))[0] < 2.0


def test_noise_takes_no_curvature_of_coarse_steps_for_noise() -> None:
    behind, ahead, centre = sides(np.exp, 0.7)
    assert noise(behind, centre, ahead, np.zeros(1))[0] < 1e-7


def test_noise_counts_what_is_known_where_values_are_missing() -> None:
    behind, ahead = np.random.default_rng(0).normal(size=(2, 1, 40))
    behind[:] = np.nan
    assert 0.3 < noise(behind, np.zeros(1), ahead, np.zeros(1))[0] < 2.0


# The walk


def last_off(by: float) -> Any:
    """Values that agree, but for the coarsest, which is off by that many of its errors."""
    values = np.zeros((1, 40))
    values[0, 0] = by
    return values


@pytest.mark.parametrize(("by", "taken"), [(5.9, True), (6.1, False)])
def test_a_value_is_taken_while_intervals_of_twice_the_error_meet(by: float, taken: bool) -> None:
    # The second value has twice the error of the first: their intervals meet up to 2 + 4 errors.
    assert (limit(last_off(by), ERRORS, ()).rung[0] == 0) == taken


def test_the_interval_is_just_wide_enough_for_the_largest_bias_that_the_walk_lets_in() -> None:
    found = limit(last_off(5.999), ERRORS, ())
    assert 5.999 <= found.half[0] <= 6.001
    assert not found.excludes(0.0)[0]


def test_errors_grow_by_what_extrapolation_does_to_them() -> None:
    plain, extrapolated = (limit(np.zeros((1, 40)), ERRORS, powers) for powers in ((), (2,)))
    # (4 v(t/2) − v(t)) / 3 has the errors (4 · 2 + 1) / 3 = 3.
    assert extrapolated.half[0] == 3 * plain.half[0]


def test_extrapolation_cancels_several_powers_of_the_step() -> None:
    t = 2.0 ** -np.arange(1.0, 45.0)[None]
    found = limit(1 + t + t**2, 1e-16 / t, (1, 2))
    assert abs(found.centre[0] - 1) <= found.half[0] < 1e-13


@pytest.mark.parametrize("power", [0.15, 0.3, 0.5])
def test_the_limit_of_values_that_converge_slowly_is_inside(power: float) -> None:
    t = 2.0 ** -np.arange(12.0)[None]
    rise = t[0, -3] ** power - t[0, -1] ** power  # of three values, all of which are taken
    found = limit(1 + t**power, 0.3 * rise * (t / t[0, -3]) ** -0.01, ())
    assert found.rung[0] == 9
    assert not found.excludes(1.0)[0]


def test_values_that_converge_fast_are_not_taken_for_slow_ones() -> None:
    t = 2.0 ** -np.arange(12.0)[None]
    rise = t[0, -3] ** 2 - t[0, -1] ** 2
    found = limit(1 + t**2, 0.255 * rise * (t / t[0, -3]) ** -0.01, ())
    assert found.half[0] == pytest.approx(1.53 * rise)


@pytest.mark.parametrize(("missing", "rung"), [(20, 0), (0, 1)])
def test_a_missing_value_is_passed_over(missing: int, rung: int) -> None:
    values = np.zeros((1, 40))
    values[0, missing] = np.nan
    found = limit(values, ERRORS, ())
    assert found.rung[0] == rung
    assert found.half[0] == 6 * ERRORS[0, rung]


def test_several_limits_in_one_go_are_those_found_alone() -> None:
    t = 2.0 ** -np.arange(1.0, 45.0)[None]
    many = limits([1 + t, 2 - t], [1e-16 / t, 1e-12 / t], (1,))
    for found, value, error in zip(many, (1 + t, 2 - t), (1e-16, 1e-12), strict=True):
        alone = limit(value, error / t, (1,))
        assert found.centre == alone.centre
        assert found.half == alone.half
