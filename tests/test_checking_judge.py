"""Every answer that the checker can give, and the numbers on which it turns, without JAX."""

from typing import Any

import numpy as np
import pytest
from synthetic import EPS, UNIT, claims_of, verdict_on, view_of

from gradlab.checking.sights import View
from gradlab.checking.verdicts import judge

NAN, FLOAT32 = np.nan, 2.0**-23
ONE = np.ones(1)


def line(x: Any) -> Any:
    return 1.0 * x


def level(x: Any) -> Any:
    return 3 + 0 * x


def large(x: Any) -> Any:
    return 1e16 + 0 * x


def rounded(x: Any) -> Any:
    return large(x) + 2 * (x * 2.0**60 % 3 > 1)  # one unit up or not


def kink(x: Any) -> Any:
    return np.where(x > 0, 3 * x, x)


def jump(x: Any) -> Any:
    return x + np.where(x > 0, 1.0, 0.0)


def jump_and_kink(x: Any) -> Any:
    return np.where(x > 0, 1 + 3 * x, x)


def edge(x: Any) -> Any:
    return np.where(x < 0, NAN, x)


def isolated(x: Any) -> Any:
    return np.where(x == 0, 1.0, NAN)


def hole(x: Any) -> Any:
    return np.where(x == 0, NAN, x)


def unsettled(x: Any) -> Any:
    return np.where(x == 0, 0, x * np.sin(1 / np.where(x == 0, 1, x)))


def stairs(width: float) -> Any:
    return lambda x: width * np.floor(x / width + 0.5)


def plateau(step: float) -> Any:
    """Return a function that is level up to this step of the ladder, and beyond it again."""
    return lambda x: np.clip(np.fix(x / (1.5 * step * UNIT)), -1, 1)


def noisy(part: float, f: Any = line) -> View:
    """View a slope of UNIT that the noise lets be known to that part of itself."""
    # At step 1 the interval is 18 σ wide: 6 times the 3 that extrapolation makes of σ.
    return view_of(f, size=part * UNIT / (18 * 0.5 * EPS), bulk=0)


def off(view: View, halves: float) -> tuple[str, str]:
    """Return the verdict on a claim that is off by so many half-widths."""
    return verdict_on(view, claims_of(UNIT + halves * view.sight().slope.half[0], spread=0))


# One test for each thing that can be said; where several hold, the later in this list wins.

SAID: list[tuple[Any, float, dict[str, Any], str, str]] = [
    (line, 1.0, {}, "agree", ""),
    (line, 1.001, {}, "wrong", "slope"),
    (line, 1 + 1e-5, {}, "agree", "immaterial"),
    (lambda x: np.sin(1e3 * x), 1e3, {}, "agree", ""),
    (level, 0.0, {}, "agree", ""),
    (level, 1.0, {}, "wrong", "slope"),
    (large, 1.0, {}, "cannot tell", "hidden"),
    (rounded, 1.0, {}, "cannot tell", "hidden"),
    (line, 1.0, {"size": 1e16, "bulk": 0}, "cannot tell", "noise"),
    (stairs(1e-3), 1.0, {"rounds": True}, "cannot tell", "stairs"),
    (stairs(1e-3), 1.0, {}, "agree", ""),  # as an inner cast makes them
    (stairs(0.1), 0.0, {"rounds": True}, "agree", ""),
    (stairs(0.1), 1.0, {"rounds": True}, "wrong", "plateau"),
    (unsettled, 0.0, {}, "cannot tell", "erratic"),
    (edge, 1.0, {}, "cannot tell", "edge"),
    (lambda x: edge(-x), -1.0, {}, "cannot tell", "edge"),
    (edge, 1.1, {}, "wrong", "slope"),
    (kink, 2.0, {}, "cannot tell", "kink"),
    (kink, 1.0, {}, "cannot tell", "kink"),
    (kink, 3.0, {}, "cannot tell", "kink"),
    (kink, 0.9, {}, "wrong", "kink"),
    (kink, 3.1, {}, "wrong", "kink"),
    (lambda x: kink(-x), -2.0, {}, "cannot tell", "kink"),
    (lambda x: kink(-x), -0.9, {}, "wrong", "kink"),
    (lambda x: kink(-x), -3.1, {}, "wrong", "kink"),
    (jump, 1.0, {}, "cannot tell", "jump"),
    (lambda x: np.where(x > 0, 1.0, 0.0), 0.0, {}, "cannot tell", "jump"),
    (lambda x: np.where(x < 0, 1.0, 0.0), 7.0, {}, "cannot tell", "jump"),
    (lambda x: x + (x == 0), 1.0, {}, "cannot tell", "jump"),
    (jump_and_kink, 1.0, {}, "cannot tell", "jump"),
    (jump_and_kink, 99.0, {}, "cannot tell", "jump"),
    (line, NAN, {}, "wrong", "nan"),
    (line, np.inf, {}, "wrong", "nan"),
    (level, NAN, {}, "wrong", "nan"),
    (rounded, NAN, {}, "wrong", "nan"),
    (stairs(0.1), NAN, {"rounds": True}, "wrong", "nan"),
    (kink, NAN, {}, "wrong", "nan"),
    (edge, NAN, {}, "cannot tell", "nan"),
    (line, NAN, {"size": 1e16, "bulk": 0}, "cannot tell", "nan"),
    (isolated, 1.0, {}, "cannot tell", "isolated"),
    (isolated, NAN, {}, "cannot tell", "isolated"),
    (hole, 1.0, {}, "cannot tell", "value"),
    (hole, NAN, {}, "cannot tell", "value"),
    (lambda x: NAN * x, 1.0, {}, "cannot tell", "value"),
]


@pytest.mark.parametrize(("f", "slope", "how", "verdict", "cause"), SAID)
def test_what_is_said(f: Any, slope: float, how: Any, verdict: str, cause: str) -> None:
    with np.errstate(all="ignore"):
        assert verdict_on(view_of(f, **how), claims_of(slope * UNIT)) == (verdict, cause)


# Noise


@pytest.mark.parametrize(("part", "verdict"), [(0.04, "agree"), (0.06, "cannot tell")])
def test_a_slope_is_known_when_it_is_known_to_a_twentieth(part: float, verdict: str) -> None:
    assert off(noisy(part), 0.0)[0] == verdict


@pytest.mark.parametrize(("halves", "cause"), [(0.9, ""), (5.0, "doubt"), (20.0, "slope")])
def test_a_wrong_slope_must_be_wrong_with_nine_times_the_noise(halves: float, cause: str) -> None:
    verdict = {"": "agree", "doubt": "cannot tell", "slope": "wrong"}[cause]
    assert off(noisy(0.04), halves) == (verdict, cause)


@pytest.mark.parametrize(("part", "verdict"), [(5e-4, "agree"), (2e-3, "cannot tell")])
def test_a_doubt_is_an_agreement_where_a_thousandth_is_known(part: float, verdict: str) -> None:
    assert off(noisy(part / 9), 5.0)[0] == verdict


def test_a_coarse_dtype_is_given_no_second_look() -> None:
    view = view_of(line, size=0.04 * UNIT / (9 * FLOAT32), bulk=0, eps=FLOAT32)
    assert off(view, 5.0) == ("wrong", "slope")


def test_more_noise_is_allowed_for_where_one_value_settles_nothing() -> None:
    part = 0.048 / 27
    sigma = part * UNIT / 18

    def f(x: Any) -> Any:
        return x + np.where((x > 3e-4) & (x < 6e-4), 60 * sigma, 0)

    assert off(noisy(part, f), 0.0)[0] == "agree"
    assert off(noisy(1.2 * part, f), 0.0)[0] == "cannot tell"


@pytest.mark.parametrize(("part", "verdict"), [(5e-4, "agree"), (2e-3, "cannot tell")])
def test_a_slope_of_zero_is_known_beside_a_typical_one(part: float, verdict: str) -> None:
    typical = view_of(np.square).typical_slope[0]
    view = noisy(part * typical / UNIT, np.square)
    assert view.sight().slope.half[0] == pytest.approx(part * typical, rel=0.1)
    assert verdict_on(view, claims_of(0.0))[0] == verdict


@pytest.mark.parametrize(("error", "verdict"), [(0.7e-8, "agree"), (3e-8, "wrong")])
def test_ad_may_round_by_half_of_the_digits_of_its_terms(error: float, verdict: str) -> None:
    claims = claims_of((1 + error) * UNIT, spread=UNIT, material=0.0)
    assert verdict_on(view_of(line), claims)[0] == verdict


# What matters


@pytest.mark.parametrize(("error", "verdict"), [(0.9e-3, "agree"), (1.1e-3, "wrong")])
def test_a_difference_is_wrong_above_the_part_that_is_material(error: float, verdict: str) -> None:
    claims = claims_of((1 + error) * UNIT, material=1e-3)
    assert verdict_on(view_of(line), claims)[0] == verdict


@pytest.mark.parametrize(("error", "verdict"), [(0.9, "agree"), (1.1, "wrong")])
def test_a_difference_is_wrong_above_the_floor_of_its_leaf(error: float, verdict: str) -> None:
    claims = claims_of((1 + error * 0.01) * UNIT, floor=0.01 * UNIT)
    assert verdict_on(view_of(line), claims)[0] == verdict


@pytest.mark.parametrize(("size", "verdict"), [(1e-5, "agree"), (1e-4, "wrong")])
def test_a_small_slope_may_be_missing_beside_the_scale(size: float, verdict: str) -> None:
    view = view_of(lambda x: size * x)
    assert verdict_on(view, claims_of(0.0, scale=UNIT))[0] == verdict


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
    assert verdict_on(view, claims_of(5.0, spread=0.0))[1] == cause


def test_slopes_that_settle_slowly_on_both_sides_are_not_erratic() -> None:
    view = view_of(lambda x: x + x * unsettled(x))  # x² sin(1/x), which has the slope 0
    assert verdict_on(view, claims_of(UNIT)) == ("agree", "")


# Where x is tiny


@pytest.mark.parametrize("x", [1.1e-8, 3e-8, 1e-7])
def test_numbers_that_cancel_at_small_steps_only_are_told(x: float) -> None:
    view = view_of(lambda x: np.log(1 + x) / x, x)
    assert verdict_on(view, claims_of(-0.5 * UNIT)) == ("cannot tell", "plateaus")


@pytest.mark.parametrize("f", [np.log, lambda x: np.log1p(x) / x, np.sqrt, np.square])
def test_a_wrong_slope_at_a_tiny_x_is_wrong(f: Any) -> None:
    x = 1e-8
    slope = (f(x * (1 + 1e-4)) - f(x * (1 - 1e-4))) / (2e-4 * x)
    view = view_of(f, x)
    assert verdict_on(view, claims_of(1.1 * slope * UNIT)) == ("wrong", "slope")


# What else an answer says


def test_an_answer_says_whether_ad_is_inside_of_what_is_known() -> None:
    view = view_of(line)
    for slope, clean, within in [(1.0, True, True), (1 + 1e-5, True, False), (2, False, False)]:
        answers = judge(view, claims_of(slope * UNIT))
        assert (answers.clean[0], answers.within[0]) == (clean, within)
    assert not judge(noisy(0.06), claims_of(UNIT)).clean[0]


def test_an_answer_gives_the_slopes_of_both_sides_and_the_step_that_decided() -> None:
    answers = judge(view_of(kink), claims_of(2 * UNIT))
    assert answers.left[0] == pytest.approx(UNIT)
    assert answers.right[0] == pytest.approx(3 * UNIT)
    assert answers.fd[0] == pytest.approx(2 * UNIT)
    assert judge(noisy(0.04), claims_of(UNIT)).rung[0] == 0
