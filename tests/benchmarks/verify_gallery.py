"""The gallery itself: right gradients are right, wrong ones as wrong as they say, by other means.

The other means are eighth-order differences in float64, or a closed form: see `reference`. It takes
several minutes, so it is run by name: `python -m pytest tests/benchmarks/verify_gallery.py`.
"""

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from gallery import CASES, Case, precision
from gallery.reference import by_ad, by_differences, one_sided

RIGHT, WRONG, NONE = (
    [case for case in CASES if case.kind == kind] for kind in ("right", "wrong", "none")
)
Claim = Callable[[Case], None]
# AD in a dtype must keep about half of its digits where the case does not say that it cannot.
ROUGHLY = {"bfloat16": 0.2, "float16": 0.03, "float32": 1e-3, "float64": 0.0}


def each(cases: list[Case]) -> Callable[[Claim], Claim]:
    """Return the decorator that runs a test for each case, under the case's name."""
    return pytest.mark.parametrize("case", cases, ids=[case.name for case in cases])


def true_gradient(case: Case, mode: str, dtype: str, size: float = 0.0) -> list[Any]:
    """Return the derivative in float64, after checking that the differences have settled.

    They must have done so to `rtol` of the gradient's size, or of `size` where it is zero.
    """
    if case.closed is not None:
        with precision(dtype):
            return list(case.closed(*case.arguments(dtype)))
    with precision("float64"):
        gradient, error = by_differences(case, case.arguments("float64"), mode)
    for g, e in zip(gradient, error, strict=True):
        assert np.all(e <= case.rtol * np.max(np.abs(g), initial=size))
    return gradient


def claimed(case: Case, mode: str, dtype: str) -> list[Any]:
    """Return what AD says in one dtype, as float64 or complex128."""
    with precision(dtype):
        leaves = by_ad(case, case.arguments(dtype), mode)
    wide = [np.complex128 if np.iscomplexobj(g) else np.float64 for g in leaves]
    return [g.astype(d) for g, d in zip(leaves, wide, strict=True)]


def fraction_off(got: list[Any], true: list[Any]) -> float:
    """Return |AD − true| / max(|AD|, |true|) at the worst element that counts in its leaf."""
    worst = 0.0
    for g, t in zip(got, true, strict=True):
        size = np.maximum(np.abs(g), np.abs(t))
        counts = size > 1e-6 * np.max(size, initial=0)
        worst = max(worst, np.max(np.abs(g - t)[counts] / size[counts], initial=0))
    return float(worst)


def modes(case: Case) -> tuple[str, ...]:
    """Return the modes to look at; a gradient by hand has none."""
    return ("rev",) if case.grad is not None else case.modes


def test_names_are_unique() -> None:
    assert [name for name, count in Counter(case.name for case in CASES).items() if count > 1] == []


def test_there_are_enough_of_each_kind() -> None:
    count = Counter(case.kind for case in CASES)
    assert count["right"] >= 80
    assert count["wrong"] >= 80
    assert count["none"] >= 30


@each(RIGHT)
def test_a_right_gradient_is_the_derivative(case: Case) -> None:
    """By every mode in the finest dtype, and by one in the coarsest, to half of its digits."""
    coarsest, finest = case.dtypes[0], case.dtypes[-1]
    claims = [(mode, finest) for mode in modes(case)]
    if coarsest != finest and coarsest not in case.coarse:
        claims.append((modes(case)[-1], coarsest))
    true: list[Any] = []
    for mode, dtype in claims:
        if not true or case.order == 2 or case.closed is not None:
            true = true_gradient(case, mode, dtype)
        for g, t in zip(claimed(case, mode, dtype), true, strict=True):
            bound = max(case.rtol, ROUGHLY[dtype]) * np.max(np.abs(t), initial=0)
            assert np.all(np.abs(g - t) <= bound)


@each(WRONG)
def test_a_wrong_gradient_is_off_by_the_stated_fraction(case: Case) -> None:
    assert case.off > 0
    true = None
    for mode in modes(case):
        if true is None or case.order == 2:
            true = true_gradient(case, mode, "float64", size=1e-6)
        off = fraction_off(claimed(case, mode, "float64"), true)
        stated = case.off if mode in case.fault_in else 0.0
        assert off == pytest.approx(stated, rel=0.02, abs=1e-6)


@each([case for case in WRONG if case.order == 2])
def test_a_wrong_second_derivative_hides_behind_a_right_first_one(case: Case) -> None:
    first = Case(**{**case.__dict__, "order": 1})
    for mode in modes(first):
        true = true_gradient(first, mode, "float64")
        assert fraction_off(claimed(first, mode, "float64"), true) < 1e-6


@each(NONE)
def test_a_point_without_a_gradient_has_none(case: Case) -> None:
    """Some one-sided slope diverges, or differs from the other side's, or AD is not finite."""
    with precision("float64"):
        args = case.arguments("float64")
        ad = by_ad(case, args, modes(case)[-1])
        agree = all(
            np.isfinite(left)
            and np.isfinite(right)
            and abs(left - right) < 1e-3
            and abs(g - left) < 1e-3
            for left, right, g in one_sided(case, args, ad)
        )
    assert agree == case.sides_agree
