"""Where a derivative is wrong: the element, the leaf, the order, the mode."""

import re
from collections.abc import Collection
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from synthetic import EPS, subject_of

from gradlab import check_grads
from gradlab.checking.findings import Finding
from gradlab.checking.search import CONFIRMED, PROJECTED, search


def wrong_at(index: Any, factor: Any = 1.001) -> Any:
    @jax.custom_vjp
    def f(x: Any) -> Any:
        return jnp.sum(jnp.sin(x))

    f.defvjp(
        lambda x: (jnp.sum(jnp.sin(x)), x),
        lambda x, g: ((g * jnp.cos(x)).at[index].multiply(factor),),
    )
    return f


@pytest.mark.parametrize(
    ("size", "index", "factor"),
    [
        (20, 7, 1.001),
        (500, 333, 1.001),
        (20_000, 12_345, 1.1),
        (20_000, 12_345, 1.001),
        (20_000, 19_999, 0.999),
        (300_000, 0, 1.001),
    ],
)
def test_one_wrong_element_is_found(size: Any, index: Any, factor: Any) -> None:
    x = np.linspace(-1, 1, size, dtype=np.float32)
    (leaf,) = check_grads(wrong_at(index, factor), (x,)).leaves
    assert leaf.verdict == "wrong"
    assert leaf.index == (index,)
    assert leaf.error == pytest.approx((factor - 1) * np.cos(x[index]), rel=1e-3)


def test_the_same_without_the_fault_agrees() -> None:
    x = np.linspace(-1, 1, 20_000, dtype=np.float32)
    assert check_grads(wrong_at(7, factor=1.0), (x,)).ok


def test_a_fault_larger_than_a_projection_says_it_can_see_is_found() -> None:
    x = np.linspace(-1, 1, 20_000, dtype=np.float32)
    (leaf,) = check_grads(wrong_at(7, factor=1.0), (x,)).leaves
    told = re.search(r"cannot see an error below (\S+) in one element", leaf.checked)
    assert told is not None
    assert 0 < float(told.group(1)) < 1e-5
    for index in (0, 7_777, 19_999):
        assert check_grads(wrong_at(index, 1.0001), (x,)).leaves[0].index == (index,)


def test_two_errors_that_cancel_in_a_sum_are_found() -> None:
    @jax.custom_vjp
    def f(x: Any) -> Any:
        return jnp.sum(x)

    f.defvjp(lambda x: (jnp.sum(x), x), lambda x, g: (g + 0 * x.at[3].add(1).at[40].add(-1),))
    assert check_grads(f, (np.ones(100, np.float32),)).ok
    f.defvjp(
        lambda x: (jnp.sum(x), x), lambda x, g: (g + 0 * x + jnp.eye(100)[3] - jnp.eye(100)[40],)
    )
    assert check_grads(f, (np.ones(100, np.float32),)).verdict == "wrong"


def test_each_leaf_has_its_own_verdict() -> None:
    @jax.custom_vjp
    def f(p: Any) -> Any:
        return p["a"] * p["b"]

    f.defvjp(lambda p: (f(p), p), lambda p, g: ({"a": g * p["b"], "b": -g * p["a"]},))
    report = check_grads(f, ({"a": 2.0, "b": 3.0},))
    assert {leaf.path: leaf.verdict for leaf in report.leaves} == {
        "[0]['a']": "agree",
        "[0]['b']": "wrong",
    }


def sine_with_second_derivative(factor: float) -> Any:
    """Return sin with the right derivative, whose own derivative is off by a factor."""

    @jax.custom_jvp
    def slope(x: Any) -> Any:
        return jnp.cos(x)

    slope.defjvp(lambda p, t: (slope(*p), -factor * jnp.sin(p[0]) * t[0]))

    @jax.custom_jvp
    def f(x: Any) -> Any:
        return jnp.sin(x)

    f.defjvp(lambda p, t: (f(*p), slope(p[0]) * t[0]))
    return f


def test_a_fault_in_the_second_derivative_shows_at_order_2_only() -> None:
    f = sine_with_second_derivative(1.1)
    assert check_grads(f, (0.3,)).ok
    report = check_grads(f, (0.3,), order=2)
    assert report.verdict == "wrong"
    assert {leaf.order for leaf in report.leaves if leaf.verdict == "wrong"} == {2}
    assert check_grads(sine_with_second_derivative(1.0), (0.3,), order=2).ok


def test_second_derivatives_of_leaves_of_one_shape_do_not_cancel() -> None:
    f = sine_with_second_derivative(1.5)
    x = np.array([0.3, -0.7], np.float32)
    for mode in ("fwd", "rev"):
        report = check_grads(lambda x, y: f(x - y), (x, x / 2), order=2, modes=(mode,))
        assert report.verdict == "wrong"
    report = check_grads(lambda x: (f(x), -f(x)), (x,), order=2, modes=("rev",))
    assert report.verdict == "wrong"


def test_a_wrong_transpose_is_a_fault_of_reverse_mode() -> None:
    def solve(matvec: Any, b: Any) -> Any:
        return b / 2

    def f(b: Any) -> Any:  # the transposed solve is wrong by a factor
        return jax.lax.custom_linear_solve(
            lambda x: 2 * x, b, solve, transpose_solve=lambda m, b: b / 4
        )

    report = check_grads(f, (1.5,))
    assert report.leaves[0].mode == "rev"
    assert "forward mode" in report.leaves[0].cause
    assert check_grads(f, (1.5,), modes=("fwd",)).ok


def test_grad_is_judged_in_place_of_ad() -> None:
    x = np.array([0.3, 1.0], np.float32)
    assert check_grads(lambda x: jnp.sum(jnp.sin(x)), (x,), grad=jnp.cos).ok
    report = check_grads(lambda x: jnp.sum(jnp.sin(x)), (x,), grad=lambda x: -jnp.cos(x))
    assert report.verdict == "wrong"
    assert "sign" in report.leaves[0].hint


def test_argnums_choose_and_integers_are_skipped() -> None:
    report = check_grads(lambda x, y, n: x * y[n], (2.0, np.ones(3, np.float32), np.int32(1)))
    assert [leaf.path for leaf in report.leaves] == ["[0]", "[1]"]
    assert report.skipped == ("[2]",)
    report = check_grads(lambda x, y: x * y, (2.0, 3.0), argnums=1)
    assert [leaf.path for leaf in report.leaves] == ["[1]"]


def test_the_same_key_gives_the_same_report() -> None:
    x = np.linspace(-1, 1, 100, dtype=np.float32)
    first, second = (check_grads(jnp.tanh, (x,), key=jax.random.key(3)) for _ in range(2))
    assert str(first) == str(second)
    other = check_grads(jnp.tanh, (x,), key=jax.random.key(4))
    assert other.leaves[0].fd != first.leaves[0].fd


def test_the_second_derivative_is_checked_in_the_modes_that_are_asked_for() -> None:
    f = sine_with_second_derivative(1.1)
    for mode in ("fwd", "rev"):
        first, second = check_grads(f, (0.3,), order=2, modes=(mode,)).leaves
        assert (first.order, first.verdict, first.mode) == (1, "agree", mode)
        assert (second.order, second.verdict) == (2, "wrong")
        assert set(second.mode.split(" over ")) == {mode}


def conjugated(z: Any) -> Any:
    return 2 * jnp.conj(z)


@pytest.mark.parametrize(
    ("grad", "part"),
    [
        (conjugated, None),
        (lambda z: 2 * z, "imag"),
        (lambda z: conjugated(z) + 1, "real"),
        (lambda z: conjugated(z) + 1j, "imag"),
    ],
)
def test_a_gradient_by_a_complex_number_is_conjugated_as_that_of_jax(grad: Any, part: Any) -> None:
    z = np.array([0.3 + 0.4j, -0.7 + 0.2j], np.complex64)
    (leaf,) = check_grads(lambda z: jnp.sum(jnp.abs(z) ** 2), (z,), grad=grad).leaves
    assert leaf.verdict == ("agree" if part is None else "wrong")
    assert part in (None, leaf.part)


# Without JAX: any slope can be made wrong


def found_in(
    number: int, faults: dict[int, float], h: Any = np.sin, slope: Any = np.cos
) -> Finding:
    """Search among that many elements, some of whose slopes are off by what is given."""
    x = np.linspace(0.1, 0.9, number)
    gradient = slope(x)
    for index, error in faults.items():
        gradient[index] += error
    (finding,) = search(subject_of(h, x, {"rev": gradient}))
    return finding


@pytest.mark.parametrize(("number", "one_by_one"), [(32, True), (33, False)])
def test_up_to_32_elements_are_asked_one_by_one(number: int, one_by_one: bool) -> None:
    assert (found_in(number, {}).asked != PROJECTED) == one_by_one


@pytest.mark.parametrize(("number", "halved"), [(4096, False), (4097, True)])
def test_more_than_4096_elements_are_halved_for_a_fault(number: int, halved: bool) -> None:
    finding = found_in(number, {1234: 0.01})
    assert (finding.asked == "bisection") == halved
    assert finding.coordinate == 1234


@pytest.mark.parametrize("index", [0, 2499, 2500, 4999])
@pytest.mark.parametrize("error", [0.01, -1.0, np.nan, np.inf])
def test_bisection_ends_at_the_fault(index: int, error: float) -> None:
    finding = found_in(5000, {index: error})
    assert finding.coordinate == index
    assert finding.verdict == "wrong"


def test_bisection_ends_at_the_worse_of_two_faults() -> None:
    assert found_in(5000, {10: 0.01, 4000: 0.5}).coordinate == 4000


@pytest.mark.parametrize("index", [10, 4000])
def test_bisection_ends_at_a_kink(index: int) -> None:
    at = np.linspace(0.1, 0.9, 5000)[index]

    def h(x: Any) -> Any:
        return np.sin(x) + np.abs(x - at)

    finding = found_in(5000, {}, h, lambda x: np.cos(x) + np.sign(x - at))
    assert (finding.verdict, finding.cause) == ("cannot tell", "kink")
    assert finding.coordinate == index


def test_a_projection_sees_what_it_says_that_it_can_and_not_much_less() -> None:
    number = 1000
    subject = subject_of(np.sin, np.linspace(0.1, 0.9, number), {"rev": np.zeros(number)})
    base = np.abs(subject.bases[1])
    slowest, fastest = int(np.argmin(base)), int(np.argmax(base))
    blind = found_in(number, {}).blind
    assert 0 < blind < 1e-5
    assert found_in(number, {slowest: 1.01 * blind}).asked != PROJECTED
    assert found_in(number, {fastest: 1.01 * blind}).asked != PROJECTED
    assert found_in(number, {slowest: 0.3 * blind}).asked == PROJECTED


def searched(
    number: int,
    error: float,
    *,
    off: Collection[int] = (7,),
    spoilt: Collection[int] = (),
    bent: float = 0.0,
    plus: float = 0.0,
) -> tuple[str, int]:
    """Search in float64 arguments with slopes `off` by that; return verdict and number of points.

    The first time that elements are asked, f is no number along those that are `spoilt`. Along
    the projection, f has another slope than elsewhere by `bent`. Each term of f is the sine of its
    element `plus` a constant.
    """
    x = np.linspace(0.1, 0.9, number)
    gradient = np.cos(x)
    gradient[list(off)] += error
    subject = subject_of(lambda x: np.sin(x) + plus, x, {"rev": gradient}, user_eps=EPS)
    evaluate, asked = subject.evaluate, []

    def counting(directions: Any, which: Any, steps: Any) -> Any:
        first = len(directions) > 1 and all(number == 1 for number, _ in asked)
        asked.append((len(directions), len(steps)))
        values = evaluate(directions, which, steps)
        if first:
            values[np.isin(which, list(spoilt))] = np.nan
        if directions[0].base == 1:
            values += bent * steps[:, None]
        return values

    subject.evaluate = counting
    (finding,) = search(subject)
    return finding.verdict, sum(points for _, points in asked)


SHORT, WHOLE = 2 * 15, 2 * 48  # points on a ladder, besides the centre
PROJECTIONS = SHORT + 1 + WHOLE + 1  # of a right slope: neither is narrow enough for all elements
EACH = 100 * SHORT + 1


def test_elements_that_agree_with_their_projection_are_asked_along_short_ladders() -> None:
    assert searched(100, 0.0) == ("agree", PROJECTIONS + EACH)


def test_one_element_that_is_off_costs_one_whole_ladder_beside_short_ones() -> None:
    assert searched(100, 0.01) == ("wrong", SHORT + 1 + EACH + WHOLE + 1)
    # So does one that is off by an immaterial amount.
    assert searched(100, 1e-6) == ("agree", PROJECTIONS + EACH + WHOLE + 1)


@pytest.mark.parametrize("plus", [10.0, 100.0])
def test_in_a_sum_of_large_terms_a_short_ladder_settles_elements_too(plus: float) -> None:
    assert searched(100, 0.01, plus=plus) == searched(100, 0.01)


@pytest.mark.parametrize("spoilt", [1, 50, 99])
def test_an_element_that_a_short_ladder_does_not_settle_is_asked_along_a_whole_one(
    spoilt: int,
) -> None:
    assert searched(100, 0.0, spoilt=[spoilt]) == ("agree", PROJECTIONS + EACH + WHOLE + 1)
    assert searched(100, 0.01, spoilt=[spoilt]) == ("wrong", SHORT + 1 + EACH + 2 * WHOLE + 1)


def test_a_projection_that_no_element_explains_has_all_of_them_asked_along_whole_ladders() -> None:
    expected = SHORT + 1 + EACH + 100 * WHOLE + 1
    assert searched(100, 0.0, bent=0.1) == ("agree", expected)
    # Those that are not settled first, some of them before the others.
    assert searched(100, 0.0, bent=0.1, spoilt=range(1, 41)) == ("agree", expected + 2)


def test_a_projection_that_cannot_be_told_has_all_elements_asked_along_whole_ladders_at_once() -> (
    None
):
    expected = PROJECTIONS + 100 * WHOLE + 1
    assert searched(100, 0.0, bent=np.nan) == ("agree", expected)


def test_where_all_are_wrong_some_are_asked_along_whole_ladders_and_all_are_counted() -> None:
    expected = SHORT + 1 + EACH + CONFIRMED * WHOLE + 1
    assert searched(100, 0.01, off=range(100)) == ("wrong", expected)
    finding = found_in(100, dict.fromkeys(range(100), 0.01) | {70: 0.5})
    assert (finding.coordinate, finding.others) == (70, 99)


def test_where_all_are_wrong_by_one_factor_the_largest_slope_is_named() -> None:
    x = np.random.default_rng(0).normal(size=1000).astype("float32")

    @jax.custom_jvp
    def f(x: Any) -> Any:
        return jnp.sum(jnp.exp(x))

    f.defjvp(lambda x, x_dot: (f(*x), 2 * jnp.vdot(jnp.exp(x[0]), x_dot[0])))
    (leaf,) = check_grads(f, (x,)).leaves
    assert (leaf.verdict, leaf.index) == ("wrong", (np.argmax(x),))


@pytest.mark.parametrize(("error", "halved"), [(1e-7, False), (1e-6, True), (0.01, True)])
def test_many_float64_elements_are_halved_only_if_the_projection_is_outside(
    error: float, halved: bool
) -> None:
    _, points = searched(5000, error)
    assert (points > 100) == halved


@pytest.mark.parametrize(("faults", "others"), [([3], 0), ([3, 7, 30], 2), (range(40), 39)])
def test_the_other_elements_that_are_not_right_are_counted(faults: Any, others: int) -> None:
    assert found_in(40, dict.fromkeys(faults, 0.1)).others == others


def test_the_worst_element_decides() -> None:
    finding = found_in(20, {3: 0.1, 7: 0.2, 11: -0.5, 15: 0.3})
    assert finding.coordinate == 11
    assert finding.ad - finding.fd == pytest.approx(-0.5)


def test_forward_mode_too_is_asked_element_by_element_where_its_projection_disagrees() -> None:
    def f(x: Any) -> Any:
        return jnp.sum(x**2) + x[7] * jax.lax.stop_gradient(x[7])

    leaves = check_grads(f, (jnp.arange(100.0),)).leaves
    assert [(leaf.verdict, leaf.index, leaf.checked) for leaf in leaves] == [
        ("wrong", (7,), "every element")
    ]
    (leaf,) = check_grads(f, (jnp.arange(100.0),), modes=("fwd",)).leaves
    assert (leaf.verdict, leaf.index, leaf.mode) == ("wrong", (7,), "fwd")
