"""Every answer that the checker can give, without JAX."""

from typing import Any

import numpy as np
import pytest
from synthetic import (
    UNIT,
    claims_of,
    edge,
    hole,
    isolated,
    jump,
    jump_and_kink,
    kink,
    large,
    level,
    line,
    noisy,
    rounded,
    stairs,
    unsettled,
    verdict_on,
    view_of,
)

from gradlab.checking.sights import View
from gradlab.checking.verdicts import judge

NAN, FLOAT32 = np.nan, 2.0**-23


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
    (rounded, NAN, {}, "wrong", "nan"),
    (lambda x: large(x) + 2 * (np.abs(x) < 1e-14) * (x != 0), NAN, {}, "wrong", "nan"),
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
