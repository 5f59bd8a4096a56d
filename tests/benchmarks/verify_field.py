"""The field's families themselves: right members are right, twins wrong, by closed forms.

It takes a few minutes, so it is run by name: `python -m pytest tests/benchmarks/verify_field.py`.
"""

from collections import Counter

import numpy as np
import pytest
from gallery.case import Case, precision
from gallery.field import FAMILIES

from benchmarks.verify_gallery import ROUGHLY, claimed, fraction_off, modes, true_gradient

ALL = [case for family in FAMILIES for case in family.cases]
RIGHT, WRONG, UNUSABLE, NONE = (
    [pytest.param(case, id=case.name) for case in ALL if case.kind == kind and not case.of_leaves]
    for kind in ("right", "wrong", "unusable", "none")
)


def test_names_are_unique() -> None:
    assert [n for n, count in Counter(case.name for case in ALL).items() if count > 1] == []


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_a_family_has_eight_members_and_faulty_twins(family) -> None:
    count = Counter(case.kind for case in family.cases)
    assert max(count["right"], count["none"], count["unusable"]) >= 8
    assert count["wrong"] >= 4


@pytest.mark.parametrize("case", RIGHT)
def test_a_right_member_is_right_in_every_dtype_and_mode(case: Case) -> None:
    for dtype in case.dtypes:
        for mode in modes(case):
            true = true_gradient(case, mode, dtype)
            for got, t in zip(claimed(case, mode, dtype), true, strict=True):
                allowed = max(case.rtol, ROUGHLY[dtype]) * np.max(np.abs(t), initial=0)
                assert np.all(
                    np.abs(got - t) <= allowed + 100 * np.finfo(dtype).eps * (allowed == 0)
                )


@pytest.mark.parametrize("case", WRONG)
def test_a_twin_is_off_by_more_than_a_digit_of_its_own_noise(case: Case) -> None:
    for dtype in case.dtypes:
        for mode in modes(case):
            true = true_gradient(case, mode, dtype)
            assert fraction_off(claimed(case, mode, dtype), true) > max(
                0.04, 2 * min(case.rtol, 0.1)
            )


@pytest.mark.parametrize("case", UNUSABLE)
def test_an_unusable_gradient_is_not_finite_or_has_no_digit(case: Case) -> None:
    for dtype in case.dtypes:
        got = claimed(case, modes(case)[-1], dtype)
        if all(np.all(np.isfinite(g)) for g in got):
            assert fraction_off(got, true_gradient(case, "rev", dtype)) > 0.5


@pytest.mark.parametrize("case", NONE)
def test_no_linear_map_has_the_one_sided_slopes_of_a_tie(case: Case) -> None:
    with precision("float64"):
        (x,) = case.arguments("float64")
        directions = np.random.default_rng(0).standard_normal((4 * x.size, x.size))
        slopes = np.array([(case.f(x + 1e-6 * d) - case.f(x)) / 1e-6 for d in directions])
        fitted = directions @ np.linalg.lstsq(directions, slopes)[0]
    assert np.max(np.abs(slopes - fitted)) > 1e-3
