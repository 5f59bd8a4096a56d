"""The numbers on which the evidence for and against AD turns, without JAX."""

import numpy as np
import pytest
from synthetic import (
    EPS,
    UNIT,
    claims_of,
    edge,
    kink,
    large,
    level,
    line,
    noisy,
    plateau,
    unsettled,
    verdict_on,
    view_of,
)

from gradlab.checking.verdicts import judge

# What matters


@pytest.mark.parametrize(("error", "verdict"), [(0.9e-3, "agree"), (1.1e-3, "wrong")])
def test_a_difference_is_wrong_above_the_part_that_is_material(error: float, verdict: str) -> None:
    claims = claims_of((1 + error) * UNIT, material=1e-3)
    assert verdict_on(view_of(line), claims)[0] == verdict


@pytest.mark.parametrize(("error", "verdict"), [(0.9, "agree"), (1.1, "wrong")])
def test_a_difference_is_wrong_above_the_floor_of_its_leaf(error: float, verdict: str) -> None:
    claims = claims_of((1 + error * 0.01) * UNIT, floor=0.01 * UNIT)
    assert verdict_on(view_of(line), claims)[0] == verdict


@pytest.mark.parametrize("size", [1e-9, 1e-5, 1e-4])
def test_a_small_slope_may_not_be_missing_beside_the_scale(size: float) -> None:
    view = view_of(lambda x: size * x)
    assert verdict_on(view, claims_of(0.0, scale=UNIT))[0] == "wrong"


@pytest.mark.parametrize(("gap", "cause"), [(6e-5, ""), (1.2e-4, "kink")])
def test_a_kink_must_be_four_times_what_is_material(gap: float, cause: str) -> None:
    view = view_of(lambda x: x + gap * np.maximum(x, 0))
    assert verdict_on(view, claims_of((1 + gap / 2) * UNIT))[1] == cause


@pytest.mark.parametrize(("error", "verdict"), [(1e-5, "cannot tell"), (4e-5, "wrong")])
def test_the_sides_of_a_kink_may_be_missed_by_what_is_material(error: float, verdict: str) -> None:
    for slope in (3 * (1 + error), 1 - 3 * error):
        assert verdict_on(view_of(kink), claims_of(slope * UNIT))[0] == verdict


@pytest.mark.parametrize(("halves", "cause"), [(5.0, ""), (20.0, "kink")])
def test_a_kink_must_be_one_with_nine_times_the_noise(halves: float, cause: str) -> None:
    gap = halves * noisy(1e-4).sight().gap.half[0] / UNIT
    view = noisy(1e-4, lambda x: x + gap * np.maximum(x, 0))
    assert verdict_on(view, claims_of((1 + gap / 2) * UNIT))[1] == cause


@pytest.mark.parametrize(("error", "cause"), [(5e-4, "edge"), (2e-3, "slope")])
def test_a_slope_at_an_edge_is_wrong_only_by_more_than_a_thousandth(
    error: float, cause: str
) -> None:
    assert verdict_on(view_of(edge), claims_of((1 + error) * UNIT))[1] == cause


# Flat


def test_a_level_function_has_a_slope_of_exactly_zero() -> None:
    answers = judge(view_of(level), claims_of(0.0))
    assert answers.fd[0] == 0
    assert answers.half[0] == 6 * 0.5 * EPS * 3  # half a unit over a step of 1
    assert not answers.clean[0]  # no digits of 0 are known


@pytest.mark.parametrize(("slope", "nothing"), [(5e-7, True), (2e-6, False)])
def test_a_slope_below_a_millionth_of_the_scale_is_nothing(slope: float, nothing: bool) -> None:
    view = view_of(lambda x: x**2 * (np.abs(x) > 1e-3), bulk=0)
    answers = judge(view, claims_of(slope, scale=1.0))
    assert answers.verdict[0] == "agree"
    assert (answers.half[0] == 0) == nothing  # then the slope is known to be 0


@pytest.mark.parametrize(("times", "verdict"), [(1.9, "agree"), (2.1, "cannot tell")])
def test_a_slope_that_changes_less_than_twice_the_rounding_may_be_rounding(
    times: float, verdict: str
) -> None:
    view = view_of(large)
    slope = times * view.rounding[0]
    assert verdict_on(view, claims_of(slope, jitter=slope))[0] == verdict


@pytest.mark.parametrize(("times", "cause"), [(10.0, ""), (30.0, "hidden")])
def test_an_ad_of_a_few_times_its_own_jitter_is_rounding(times: float, cause: str) -> None:
    assert verdict_on(view_of(large), claims_of(times, jitter=1.0))[1] == cause


@pytest.mark.parametrize(("units", "verdict"), [(100, "agree"), (2000, "cannot tell")])
def test_noise_of_some_units_leaves_a_slope_of_zero_known(units: float, verdict: str) -> None:
    generator = np.random.default_rng(0)
    view = view_of(lambda x: units * EPS * generator.normal(size=x.shape), bulk=1.0)
    assert 0.5 * units * EPS < view.sigma[0] < 2 * units * EPS
    assert verdict_on(view, claims_of(0.0))[0] == verdict


def test_values_that_hide_a_step_in_their_rounding_are_not_level() -> None:
    view = view_of(lambda x: 1e6 + x)
    assert view.flat[0]
    assert verdict_on(view, claims_of(UNIT)) == ("agree", "")
    assert verdict_on(view, claims_of(0.0)) == ("wrong", "slope")


@pytest.mark.parametrize(("step", "cause"), [(2.0**-10, "plateau"), (2.0**-14, "noise")])
def test_a_broad_plateau_is_no_rounding(step: float, cause: str) -> None:
    view = view_of(plateau(step))
    assert view.flat_width[0] == step
    answers = judge(view, claims_of(5.0, spread=0.0))
    assert answers.cause[0] == cause
    assert (answers.fd[0] == 0) == (cause == "plateau")


def test_slopes_that_settle_slowly_on_both_sides_are_not_erratic() -> None:
    view = view_of(lambda x: x + x * unsettled(x))  # x² sin(1/x), which has the slope 0
    assert verdict_on(view, claims_of(UNIT)) == ("agree", "")
