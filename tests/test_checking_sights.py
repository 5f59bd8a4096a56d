"""What a ladder shows of a function before anybody says what its derivative is."""

from typing import Any

import numpy as np
import pytest
from synthetic import EPS, UNIT, view_of

from gradlab.checking.sights import View

STEPS = 2.0 ** -np.arange(48.0)
FLOAT32 = 2.0**-23


def changed_from(column: int, behind: bool = True, ahead: bool = True) -> View:
    """View a function that changes at that step and at coarser ones only."""
    values = np.where(np.arange(48) <= column, 1.0, 0.0)[None]
    zero = np.zeros(1)
    return View(STEPS, behind * values, zero, ahead * values, zero, zero, EPS, False)


def missing(behind: int, ahead: int) -> View:
    """View x, of which only so many of the finest values are there on each side."""
    known = 48 - np.arange(48)
    left = np.where(known <= behind, -STEPS, np.nan)
    right = np.where(known <= ahead, STEPS, np.nan)
    one = np.ones(1)
    return View(STEPS, left[None], 0 * one, right[None], 0 * one, 0 * one, EPS, False)


# Sizes


def test_noise_is_at_least_half_a_unit_of_the_largest_term() -> None:
    assert view_of(lambda x: 3 + 0 * x, size=1e6).sigma[0] == 0.5 * EPS * 1e6
    assert view_of(lambda x: 3 + 0 * x, size=1.0).sigma[0] == 0.5 * EPS * 3


@pytest.mark.parametrize(("eps", "units"), [(EPS, 32), (FLOAT32, 2), (2.0**-7, 2)])
def test_32_units_may_be_rounding_but_a_few_coarse_ones_are_a_change(
    eps: float, units: int
) -> None:
    view = view_of(lambda x: 3 + 0 * x, bulk=1e6, eps=eps)
    assert view.rounding[0] == units * eps * 1e6
    assert view.unit[0] == 0.5 * eps * 1e6
    assert view_of(lambda x: 3 + 0 * x, bulk=1.0, eps=eps).rounding[0] == units * eps * 3


def test_the_largest_change_is_that_of_either_side_and_leaves_out_what_is_missing() -> None:
    def f(x: Any) -> Any:
        return np.where(x > 0.2, np.nan, np.where(x < 0, 5 * x, x))

    assert view_of(f).largest_change[0] == 5 * UNIT


@pytest.mark.parametrize("flip", [1, -1])
def test_a_typical_slope_is_the_steeper_side_at_the_coarser_steps(flip: int) -> None:
    def f(x: Any) -> Any:  # a slope of 7 close by, of 2 and 3 farther away
        return np.where(np.abs(x) < 1e-5, 7 * x, np.where(flip * x > 0, 2 * x, 3 * x))

    assert view_of(f).typical_slope[0] == 3 * UNIT


def test_a_typical_slope_is_not_drawn_to_a_few_values_far_off() -> None:
    def f(x: Any) -> Any:
        return np.where(x > 0.1, 1e30, np.where(x < -0.1, np.inf, 2 * x))

    assert view_of(f).typical_slope[0] == 2 * UNIT


def test_there_is_no_typical_slope_where_no_value_is_known() -> None:
    assert view_of(lambda x: np.where(x == 0, 1.0, np.nan)).typical_slope[0] == 0


# Flat


@pytest.mark.parametrize(("unchanged", "flat"), [(6, True), (5, False)])
def test_six_finest_steps_without_a_change_are_flat(unchanged: int, flat: bool) -> None:
    assert changed_from(47 - unchanged).flat[0] == flat


@pytest.mark.parametrize(("behind", "ahead"), [(True, False), (False, True)])
def test_flat_on_one_side_only_is_not_flat(behind: bool, ahead: bool) -> None:
    view = changed_from(47, behind, ahead)
    assert not view.flat[0]
    assert view.flat_width[0] == STEPS[-1]


@pytest.mark.parametrize("column", [9, 30])
def test_the_width_of_a_plateau_ends_at_the_first_change(column: int) -> None:
    assert changed_from(column).flat_width[0] == STEPS[column + 1]
    assert changed_from(column, behind=False).flat_width[0] == STEPS[column + 1]


def test_a_change_that_is_undone_farther_away_ends_a_plateau() -> None:
    view = view_of(lambda x: np.where((np.abs(x) > 0.01) & (np.abs(x) < 0.1), 1.0, 0.0))
    assert view.flat_width[0] * UNIT < 0.01


# Sides


@pytest.mark.parametrize(
    ("behind", "ahead", "sides"),
    [(48, 48, (True, True)), (0, 48, (False, True)), (48, 0, (True, False)), (0, 0, (False,) * 2)],
)
def test_a_side_without_values_is_outside_of_the_domain(
    behind: int, ahead: int, sides: tuple[bool, bool]
) -> None:
    found = missing(behind, ahead).sides
    assert (found[0][0], found[1][0]) == sides


@pytest.mark.parametrize(("number", "there"), [(3, True), (2, False)])
def test_three_of_the_finest_values_are_a_side(number: int, there: bool) -> None:
    assert missing(number, 48).sides[0][0] == there


def test_values_far_away_are_no_side() -> None:
    assert not view_of(lambda x: np.where((x < 0) & (x > -1e-3), np.nan, x)).sides[0][0]


@pytest.mark.parametrize(("left", "right", "slope"), [(2.0, np.nan, 2.0), (np.nan, 3.0, 3.0)])
def test_at_an_edge_the_slope_is_that_of_the_one_side(
    left: float, right: float, slope: float
) -> None:
    found = view_of(lambda x: x * np.where(x < 0, left, np.where(x > 0, right, 0))).sight().slope
    assert found.centre[0] == pytest.approx(slope * UNIT, rel=1e-9)


def test_a_kink_has_two_slopes_a_gap_and_the_mean_of_both_as_its_slope() -> None:
    sight = view_of(lambda x: np.where(x > 0, 3 * x, x) + x**2).sight()
    for found, slope in [(sight.left, 1), (sight.right, 3), (sight.gap, 2), (sight.slope, 2)]:
        assert abs(found.centre[0] - slope * UNIT) <= found.half[0] < 1e-9
    assert not sight.jump[0]


# Jumps and steps


@pytest.mark.parametrize(("units", "jump"), [(100, False), (160, True)])
@pytest.mark.parametrize("side", [1, -1])
def test_a_jump_of_four_times_what_may_be_rounding_is_one(
    units: int, jump: bool, side: int
) -> None:
    height = units * EPS * 1e6
    view = view_of(lambda x: x + np.where(side * x > 0, height, 0), bulk=1e6)
    assert view.sight().jump[0] == jump


@pytest.mark.parametrize(("units", "step"), [(100, False), (160, True)])
@pytest.mark.parametrize("side", [1, -1])
def test_a_step_of_four_times_what_may_be_rounding_is_one(
    units: int, step: bool, side: int
) -> None:
    view = view_of(lambda x: np.where(side * x > 0, units * EPS * 1e6, 0), bulk=1e6)
    assert view.step[0] == step


def test_a_step_is_level_on_both_sides_for_as_many_values_as_a_plateau() -> None:
    assert not view_of(lambda x: np.where(x > 0, 1 + x, 0)).step[0]
    assert not view_of(lambda x: np.where(x > 0, 1, x)).step[0]
    one, zero = np.ones((1, 48)), np.zeros(1)
    for unlike, step in [(41, True), (42, False)]:
        ahead = np.where(np.arange(48) <= unlike, 2.0, 1.0)[None]
        assert View(STEPS, 0 * one, zero, ahead, zero, zero, EPS, False).step[0] == step


# Noise


@pytest.mark.parametrize(
    ("f", "unsettled"),
    [
        (lambda x: np.where(x == 0, 0, x * np.sin(1 / np.where(x == 0, 1, x))), True),
        (np.sin, False),
        (np.abs, False),
    ],
)
def test_slopes_of_two_sides_that_take_every_value_are_unsettled(f: Any, unsettled: bool) -> None:
    assert view_of(f).unsettled[0] == unsettled


@pytest.mark.parametrize(("part", "unsettled"), [(0.5, False), (2.0, True)])
def test_two_sides_are_unsettled_where_their_gap_may_be_as_large_as_the_slope(
    part: float, unsettled: bool
) -> None:
    # The gap's interval is 120 σ wide at step 1: 6 times what extrapolation makes of 4 σ.
    view = view_of(lambda x: x, size=part * UNIT / (120 * 0.5 * EPS))
    assert view.unsettled[0] == unsettled


def test_a_look_with_more_noise_sees_less() -> None:
    view = view_of(lambda x: x, size=1e6)
    assert view.sight(9.0).slope.half[0] == pytest.approx(9 * view.sight().slope.half[0], rel=1e-6)
    assert view.sight(9.0) is view.sight(9.0)


def test_only_the_look_with_the_measured_noise_is_patient() -> None:
    def f(x: Any) -> Any:
        return x + np.where((x > 1e-5) & (x < 2e-5), 8 * 0.5 * EPS * 1e6, 0)

    view = view_of(f, size=1e6)
    assert view.sight().slope.half[0] < 1e-2 * view.sight(1.01).slope.half[0]


def test_large_values_far_away_are_noisy_by_their_own_rounding_too() -> None:
    large, level = (view_of(lambda x, a=a: a * x**3, size=1e6 * UNIT**3).sight() for a in (1e6, 0))
    assert large.left.half[0] > 1.05 * level.left.half[0]
    assert large.right.half[0] > 1.05 * level.right.half[0]


def test_the_leading_errors_of_a_slope_are_cancelled() -> None:
    sight = view_of(np.exp, 0.7).sight()
    assert sight.slope.half[0] < 3e-11
    assert sight.right.half[0] < 3e-10


def test_without_the_finest_steps_the_others_are_as_they_were() -> None:
    view = view_of(np.exp)
    short = view.without_finest(7)
    np.testing.assert_array_equal(short.steps, view.steps[:-7])
    np.testing.assert_array_equal(short.behind, view.behind[:, :-7])
    np.testing.assert_array_equal(short.ahead, view.ahead[:, :-7])
    assert (short.centre, short.size, short.bulk) == (view.centre, view.size, view.bulk)
