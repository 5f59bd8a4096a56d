"""Every answer that the judge can give, on functions of which everything is known, without JAX."""

from typing import Any

import numpy as np
import pytest

from gradlab.checking.intervals import Claims, Values, limit, noise
from gradlab.checking.judge import judge
from gradlab.checking.stairs import NARROW, stairs, with_stairs
from gradlab.checking.steps import Direction, climb, exponents, make_bases

EPS, FLOAT32, NAN = 2.0**-52, 2.0**-23, np.nan
UNIT = 0.3125  # a step of 1 moves an x below 1 by so much


def values_of(
    f: Any, x: float = 0.0, *, size: float | None = None, bulk: float | None = None,
    eps: float = EPS,
) -> Values:  # fmt: skip
    """Look at a function of one number, as a check does at an element of an array.

    `size` sets the least noise, `eps * size / 2`; `bulk` what counts as rounding.
    """
    at = np.array([x])
    rungs = exponents(Direction(0, 0, 1), at, eps)
    steps = 2.0 ** -np.asarray(rungs, np.float64)
    base = make_bases(at, [1], [0], 0)[0, 0]
    with np.errstate(all="ignore"):
        behind, ahead, centre = (
            np.array(f(x + s), np.float64) for s in (-steps * base, steps * base, np.zeros(1))
        )
    for side in (behind, ahead):
        side[~np.isfinite(side)] = NAN
    size = np.nan_to_num(abs(centre[0])) if size is None else size
    bulk = np.nan_to_num(abs(centre[0])) if bulk is None else bulk
    sizes = np.array([size]), np.array([bulk])
    return Values(steps, behind[None], centre, ahead[None], *sizes, eps)


def claims_of(
    slope: float, *, spread: float | None = None, scale: float = 0.0, jitter: float = 0.0,
    material: float = 2e-5,
) -> Claims:  # fmt: skip
    """Claim a slope, over a step of 1."""
    spread = abs(slope) if spread is None else spread
    numbers = (np.array([number]) for number in (slope, spread, scale, jitter))
    return Claims(*numbers, material)


def said(values: Values, claims: Claims) -> tuple[str, str]:
    """Return the verdict and its cause."""
    answers = judge(values, claims)
    return str(answers.verdict[0]), str(answers.cause[0])


def line(x: Any) -> Any:
    return 1.0 * x


def level(x: Any) -> Any:
    return 3 + 0 * x


def large(x: Any) -> Any:
    return 1e16 + 0 * x


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


def stairs_of(width: float, above: float = 1.0) -> Any:
    return lambda x: above * width * np.floor(x / width + 0.5)


def noisy(part: float, f: Any = line) -> Values:
    """Look at a slope of UNIT that the noise lets be known to that part of itself."""
    # At step 1 the interval is 36 σ wide: SPREAD · WIDENING times the 3 that extrapolation makes
    # of an error of 2 σ, of two values each side.
    return values_of(f, size=part * UNIT / (36 * 0.5 * EPS), bulk=0)


# One line for each thing that can be said; where several hold, the later in this list wins.
SAID: list[tuple[Any, float, dict[str, Any], str, str]] = [
    (line, 1.0, {}, "agree", ""),
    (line, 1.001, {}, "wrong", "slope"),
    (line, -1.0, {}, "wrong", "slope"),
    (line, 0.0, {}, "wrong", "slope"),
    (line, 1 + 1e-5, {}, "agree", "immaterial"),
    (lambda x: 1e200 * x, 1e200, {}, "agree", ""),
    (lambda x: 1e200 * x, 1.1e200, {}, "wrong", "slope"),
    (lambda x: 1e-200 * x, 1e-200, {}, "agree", ""),
    (lambda x: 1e-200 * x, 1.1e-200, {}, "wrong", "slope"),
    (lambda x: np.sin(1e3 * x), 1e3, {}, "agree", ""),
    (level, 0.0, {}, "agree", ""),
    (level, 1.0, {}, "wrong", "slope"),
    (large, 1.0, {}, "cannot tell", "noise"),
    (line, 1.0, {"size": 1e16, "bulk": 0}, "cannot tell", "noise"),
    (unsettled, 0.0, {}, "cannot tell", "erratic"),
    (edge, 1.0, {}, "cannot tell", "edge"),
    (lambda x: edge(-x), -1.0, {}, "cannot tell", "edge"),
    (edge, 1.1, {}, "wrong", "slope"),
    (kink, 2.0, {}, "cannot tell", "kink"),
    (kink, 1.0, {}, "cannot tell", "kink"),
    (kink, 3.0, {}, "cannot tell", "kink"),
    (kink, 0.9, {}, "wrong", "kink"),
    (kink, 3.1, {}, "wrong", "kink"),
    (lambda x: -kink(x), -2.0, {}, "cannot tell", "kink"),
    (lambda x: -kink(x), -0.9, {}, "wrong", "kink"),
    (lambda x: -kink(x), -3.1, {}, "wrong", "kink"),
    (jump, 1.0, {}, "cannot tell", "jump"),
    (lambda x: np.where(x > 0, 1.0, 0.0), 0.0, {}, "cannot tell", "jump"),
    (lambda x: np.where(x < 0, 1.0, 0.0), 7.0, {}, "cannot tell", "jump"),
    (lambda x: x + (x == 0), 1.0, {}, "cannot tell", "jump"),
    (jump_and_kink, 1.0, {}, "cannot tell", "jump"),
    (jump_and_kink, 99.0, {}, "cannot tell", "jump"),
    (line, NAN, {}, "wrong", "nan"),
    (line, np.inf, {}, "wrong", "nan"),
    (level, NAN, {}, "wrong", "nan"),
    (kink, NAN, {}, "wrong", "nan"),
    (edge, NAN, {}, "cannot tell", "nan"),
    (line, NAN, {"size": 1e16, "bulk": 0}, "cannot tell", "nan"),
    (isolated, 1.0, {}, "cannot tell", "noise"),
    (isolated, NAN, {}, "cannot tell", "nan"),
    (jump_and_kink, NAN, {}, "cannot tell", "nan"),
    (hole, 1.0, {}, "cannot tell", "value"),
    (hole, NAN, {}, "cannot tell", "value"),
    (lambda x: NAN * x, 1.0, {}, "cannot tell", "value"),
]


@pytest.mark.parametrize(("f", "slope", "how", "verdict", "cause"), SAID)
def test_what_is_said(f: Any, slope: float, how: Any, verdict: str, cause: str) -> None:
    with np.errstate(all="ignore"):
        assert said(values_of(f, **how), claims_of(slope * UNIT)) == (verdict, cause)


@pytest.mark.parametrize(("part", "verdict"), [(0.045, "agree"), (0.055, "cannot tell")])
def test_a_slope_is_known_when_it_is_known_to_a_twentieth(part: float, verdict: str) -> None:
    assert judge(noisy(part), claims_of(UNIT)).half[0] == pytest.approx(part * UNIT, rel=0.01)
    assert said(noisy(part), claims_of(UNIT))[0] == verdict


@pytest.mark.parametrize(("halves", "verdict"), [(0.9, "agree"), (3.0, "wrong")])
def test_a_slope_is_wrong_outside_of_its_interval_alone(halves: float, verdict: str) -> None:
    values = noisy(0.04)
    half = judge(values, claims_of(UNIT)).half[0]
    assert said(values, claims_of(UNIT + halves * half, spread=0))[0] == verdict


@pytest.mark.parametrize(("error", "verdict"), [(0.7e-8, "agree"), (3e-8, "wrong")])
def test_ad_may_round_by_half_of_the_digits_of_its_terms(error: float, verdict: str) -> None:
    claims = claims_of((1 + error) * UNIT, spread=UNIT, material=0.0)
    assert said(values_of(line), claims)[0] == verdict


@pytest.mark.parametrize(
    ("f", "slope"),
    [(np.log, 1e8), (lambda x: np.log1p(x) / x, -0.5), (np.sqrt, 0.5e4), (np.square, 2e-8)],
)
def test_a_slope_at_a_tiny_x_is_told_from_a_wrong_one(f: Any, slope: float) -> None:
    values = values_of(f, 1e-8)
    assert said(values, claims_of(slope * UNIT))[0] == "agree"
    assert said(values, claims_of(1.1 * slope * UNIT)) == ("wrong", "slope")


def test_many_questions_are_judged_as_each_would_be_alone() -> None:
    alone = [(line, 1.0), (line, 1.1), (kink, 2.0), (jump, 1.0), (hole, 1.0), (edge, NAN)]
    values, claims = zip(*((values_of(f), claims_of(s * UNIT)) for f, s in alone), strict=True)
    names = ("behind", "centre", "ahead", "size", "bulk")
    joined = (np.concatenate([getattr(v, name) for v in values]) for name in names)
    many = Values(values[0].steps, *joined, EPS)
    names = ("slope", "spread", "scale", "jitter")
    claimed = (np.concatenate([getattr(c, name) for c in claims]) for name in names)
    found = judge(many, Claims(*claimed, 2e-5))
    each = [judge(v, c) for v, c in zip(values, claims, strict=True)]
    assert list(found.verdict) == [one.verdict[0] for one in each]
    assert list(found.cause) == [one.cause[0] for one in each]
    np.testing.assert_array_equal(found.fd, [one.fd[0] for one in each])
    np.testing.assert_array_equal(found.half, [one.half[0] for one in each])


# What else an answer says


def test_an_answer_says_whether_ad_is_inside_of_what_is_known() -> None:
    for slope, clean, within in [(1.0, True, True), (1 + 1e-5, True, False), (2, False, False)]:
        answers = judge(values_of(line), claims_of(slope * UNIT))
        assert (answers.clean[0], answers.within[0]) == (clean, within)


def test_an_answer_gives_the_slopes_of_both_sides_and_the_step_that_decided() -> None:
    answers = judge(values_of(kink), claims_of(2 * UNIT))
    assert answers.left[0] == pytest.approx(UNIT)
    assert answers.right[0] == pytest.approx(3 * UNIT)
    assert answers.fd[0] == pytest.approx(2 * UNIT)
    assert answers.sharp[0]
    assert not judge(values_of(line), claims_of(UNIT)).sharp[0]
    assert judge(noisy(0.04), claims_of(UNIT)).rung[0] == 0


# Steps nearby


def seen(f: Any, slope: float) -> tuple[str, str]:
    values, claims = values_of(f), claims_of(slope * UNIT)
    answers = judge(values, claims)
    told = with_stairs(values, answers, claims, stairs(values, answers))
    return str(told.verdict[0]), str(told.cause[0])


@pytest.mark.parametrize(
    ("slope", "verdict"), [(0.0, "cannot tell"), (1.0, "cannot tell"), (0.3, "wrong")]
)
def test_steps_nearby_leave_only_the_two_slopes_open(slope: float, verdict: str) -> None:
    assert seen(stairs_of(1e-3), slope)[0] == verdict
    smooth = lambda x: np.sin(2 * x) + stairs_of(1e-3)(x)  # noqa: E731
    assert seen(smooth, 2 + slope)[0] == verdict


def test_steps_have_a_height_and_a_slope_above() -> None:
    values, claims = values_of(stairs_of(1e-3, above=2.0)), claims_of(0.0)
    found = stairs(values, judge(values, claims))
    assert found.found[0]
    assert found.height[0] == pytest.approx(2e-3)
    assert abs(found.above.centre[0] - 2 * UNIT) <= found.above.half[0] < 0.1 * UNIT
    assert 0.5e-3 <= values.steps[found.rung[0]] * UNIT <= 1e-3


def test_steps_as_narrow_as_rounding_are_no_staircase() -> None:
    assert seen(stairs_of(2.0**-30), 1.0) == ("agree", "rounded")
    assert seen(stairs_of(2.0**-30), 1.1)[0] == "wrong"
    assert NARROW > 2.0**-30


@pytest.mark.parametrize("f", [line, np.sin, np.exp, unsettled, level, lambda x: x**1.5])
def test_a_smooth_function_has_no_steps_nearby(f: Any) -> None:
    values = values_of(f, 0.7)
    assert not stairs(values, judge(values, claims_of(0.0))).found[0]


# Limits

STEPS = 2.0 ** -np.arange(40.0)
ERRORS = 1 / STEPS[None]  # as noise of size 1 makes them in a slope


def sides(f: Any, x: float) -> tuple[Any, Any]:
    t = 0.3 * STEPS
    return f(x - t)[None], f(x + t)[None]


def slope_of(f: Any, x: float) -> Any:
    (behind, ahead), t = sides(f, x), 0.3 * STEPS
    return limit((ahead - behind) / (2 * t), np.full((1, 40), 1e-16) / t, (2,))


@pytest.mark.parametrize(
    ("f", "x", "slope"), [(np.sin, 0.7, np.cos(0.7)), (np.exp, -3.0, np.exp(-3.0))]
)
def test_a_limit_holds_the_slope_and_is_narrow(f: Any, x: float, slope: float) -> None:
    found = slope_of(f, x)
    assert abs(found.centre[0] - slope) <= found.half[0] < 1e-9
    assert found.excludes(1.001 * slope)[0]


def test_a_limit_is_not_drawn_to_what_lies_beyond_a_kink_nearby() -> None:
    found = slope_of(lambda x: np.abs(x - 1e-4), 0.0)
    assert not found.excludes(-1.0)[0]
    assert found.excludes(0.0)[0]


def test_a_limit_of_unknown_values_is_everything() -> None:
    found = limit(np.full((1, 40), NAN), np.ones((1, 40)), (2,))
    assert np.isinf(found.half[0])
    assert not found.excludes(0.0)[0]


def test_extrapolation_cancels_the_powers_of_the_step_that_it_is_given() -> None:
    t = 2.0 ** -np.arange(1.0, 45.0)[None]
    assert limit(1 + t**2, 1e-16 / t, ()).half[0] > 1e-11
    for values, powers in ((1 + t**2, (2,)), (1 + t + t**2, (1, 2))):
        found = limit(values, 1e-16 / t, powers)
        assert abs(found.centre[0] - 1) <= found.half[0] < 1e-13


def test_errors_grow_by_what_extrapolation_does_to_them() -> None:
    plain, extrapolated = (limit(np.zeros((1, 40)), ERRORS, powers) for powers in ((), (2,)))
    assert extrapolated.half[0] == 3 * plain.half[0]  # (4 · 2 + 1) / 3


@pytest.mark.parametrize(("by", "taken"), [(5.9, True), (6.1, False)])
def test_a_value_is_taken_while_intervals_of_twice_the_error_meet(by: float, taken: bool) -> None:
    values = np.zeros((1, 40))
    values[0, 0] = by  # the second has twice the error of the first: they meet up to 2 + 4
    found = limit(values, ERRORS, ())
    assert (found.rung[0] == 0) == taken
    assert not found.excludes(0.0)[0]  # the largest bias that is let in is inside


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


def test_three_values_in_equal_distances_leave_no_more_open_than_thirty_of_these() -> None:
    values = np.zeros((1, 40))
    values[0, :2] = 2 - 1e-12, 1 - 1e-12  # both differences may be noise
    assert limit(values, ERRORS, ()).half[0] == pytest.approx(30)


@pytest.mark.parametrize(("missing", "rung"), [(20, 0), (0, 1)])
def test_a_missing_value_is_passed_over(missing: int, rung: int) -> None:
    values = np.zeros((1, 40))
    values[0, missing] = NAN
    found = limit(values, ERRORS, ())
    assert found.rung[0] == rung
    assert found.half[0] == 6 * ERRORS[0, rung]


# Noise


@pytest.mark.parametrize("sigma", [1e-200, 1e-12, 1e-4, 1e200])
def test_noise_is_measured_to_within_a_factor_of_three(sigma: float) -> None:
    behind, ahead = sigma * np.random.default_rng(0).normal(size=(2, 1, 40))
    assert sigma / 3 < noise(behind, ahead, np.zeros(1))[0] < 3 * sigma


@pytest.mark.parametrize("f", [lambda x: 3 * x + 2, np.abs, lambda x: np.where(x > 0, x, -1.0)])
def test_noise_takes_no_line_kink_or_jump_for_noise(f: Any) -> None:
    assert noise(*sides(f, 0.0), np.full(1, 1e-16))[0] < 1e-10


def test_noise_takes_no_curvature_of_coarse_steps_for_noise() -> None:
    assert noise(*sides(np.exp, 0.7), np.zeros(1))[0] < 1e-7


def test_noise_is_never_below_the_floor_that_is_given() -> None:
    assert noise(*sides(lambda x: 0 * x + 3.0, 0.7), np.full(1, 1e-9))[0] == 1e-9


def test_noise_is_not_raised_by_one_value_that_is_far_off() -> None:
    behind, ahead = np.random.default_rng(0).normal(size=(2, 1, 40))
    ahead[0, -1] = 1e6
    assert noise(behind, ahead, np.zeros(1))[0] < 2.0


def test_noise_counts_what_is_known_where_values_are_missing() -> None:
    behind, ahead = np.random.default_rng(0).normal(size=(2, 1, 40))
    behind[:] = NAN
    assert 0.3 < noise(behind, ahead, np.zeros(1))[0] < 2.0


# Steps and directions


def test_steps_of_elements_need_no_rounding() -> None:
    x = np.random.default_rng(0).uniform(1, 1.5, size=100)
    sizes = make_bases(x, [100], [0], 1)[0]
    for k in range(1, 46):
        np.testing.assert_array_equal((x + sizes * 2.0**-k) - x, sizes * 2.0**-k)


def test_one_more_leaf_changes_no_direction_of_another() -> None:
    x = np.ones(5)
    alone, beside = make_bases(x[:3], [3], [7], 1), make_bases(x, [2, 3], [1, 7], 1)
    np.testing.assert_array_equal(alone, beside[:, 2:])


def test_steps_reach_the_last_places_of_x() -> None:
    ks = exponents(Direction(0, 0, 1), np.array([1.0]), EPS)
    assert ks[0] == 0
    assert 4 * EPS < 0.3 * 2.0 ** -ks[-1] < 16 * EPS


@pytest.mark.parametrize(("x", "finer"), [(2.0**-11, False), (2.0**-13, True), (1e-300, False)])
def test_finer_steps_begin_where_x_is_far_below_1(x: float, finer: bool) -> None:
    both = np.array([x, 1.0])
    of_x, of_1 = (exponents(Direction(0, k, k + 1), both, EPS) for k in (0, 1))
    assert (len(of_x) > len(of_1)) is finer
    assert set(of_1) <= set(of_x)


def test_no_step_between_a_tiny_x_and_1_is_left_out() -> None:
    ks = exponents(Direction(0, 0, 1), np.array([1e-30]), EPS)
    assert ks == list(range(len(ks)))
    assert 2.0 ** -ks[-1] < 1e-30 * 100 * EPS


@pytest.mark.parametrize("x", [1.0, 1.5, -3.0, 1000.0, 0.0, 1e-20, 0.3, np.inf, NAN])
def test_the_coarsest_step_is_about_a_third_of_the_size_of_x_or_of_1(x: float) -> None:
    size = max(abs(x), 1) if np.isfinite(x) else 1
    assert 0.15 < make_bases(np.array([x]), [1], [0], 0)[0, 0] / size < 0.65


def test_a_projection_moves_every_element_by_half_to_all_of_its_step() -> None:
    element, projection = make_bases(np.ones(1000), [1000], [0], 1)
    share = np.abs(projection) / element
    assert 0.5 <= share.min() < 0.51
    assert 0.99 < share.max() <= 1.0
    assert 400 < np.sum(projection > 0) < 600


def test_a_short_ladder_has_middle_steps_and_fine_ones() -> None:
    direction, x = Direction(0, 0, 1), np.array([1.0])
    short, long = exponents(direction, x, EPS, short=True), exponents(direction, x, EPS)
    assert len(short) < len(long) / 2
    assert set(short) < set(long)
    assert short[-6:] == long[-12:-6]


def test_every_value_comes_to_its_place_and_those_that_are_not_finite_are_missing() -> None:
    def evaluate(directions: Any, which: Any, steps: Any) -> Any:
        return np.where(steps == 1, np.inf, steps * (which + 1))[:, None]

    steps, behind, centre, ahead = climb(evaluate, [Direction(0, 0, 1)] * 2, [0, 1, 3])
    np.testing.assert_array_equal(steps, [1, 0.5, 0.25, 0.125])
    np.testing.assert_array_equal(centre, [0])
    np.testing.assert_array_equal(ahead, [[NAN, 0.5, NAN, 0.125], [NAN, 1, NAN, 0.25]])
    np.testing.assert_array_equal(behind, [[-1, -0.5, NAN, -0.125], [-2, -1, NAN, -0.25]])
