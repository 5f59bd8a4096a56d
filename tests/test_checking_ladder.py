"""Steps and directions."""

from typing import Any

import numpy as np
import pytest

from gradlab.checking.ladder import Direction, climb, exponents, make_bases

EPS = 2.0**-52


def test_element_steps_need_no_rounding() -> None:
    x = np.random.default_rng(0).uniform(1, 1.5, size=100)
    sizes = make_bases(x, [100], [0], 1)[0]
    for k in range(1, 46):
        np.testing.assert_array_equal((x + sizes * 2.0**-k) - x, sizes * 2.0**-k)


def test_one_more_leaf_changes_no_direction_of_another() -> None:
    x = np.ones(5)
    alone = make_bases(x[:3], [3], [7], 1)
    beside = make_bases(x, [2, 3], [1, 7], 1)
    np.testing.assert_array_equal(alone, beside[:, 2:])


def test_steps_reach_the_last_places_of_x() -> None:
    (ks,) = exponents([Direction(0, 0, 1)], np.array([1.0]), EPS)
    assert ks[0] == 0
    assert 4 * EPS < 0.3 * 2.0 ** -ks[-1] < 16 * EPS


def test_tiny_elements_get_steps_of_their_own_size() -> None:
    (ks,) = exponents([Direction(0, 0, 1)], np.array([1e-20]), EPS)
    assert 0 in ks
    assert 2.0 ** -ks[-1] < 1e-33
    assert any(1e-20 < 0.3 * 2.0**-k < 4e-20 for k in ks)


def test_climb_puts_every_value_in_its_place() -> None:
    def evaluate(directions: Any, which: Any, steps: Any) -> Any:
        return (steps * (which + 1))[:, None]

    ladder = climb(evaluate, [Direction(0, 0, 1)] * 2, [[0, 1, 2], [1, 2]])
    np.testing.assert_array_equal(ladder.ahead[:, 0], [[1, 0.5, 0.25], [np.nan, 1, 0.5]])
    np.testing.assert_array_equal(ladder.behind, -ladder.ahead)


def test_a_value_that_is_not_finite_is_missing() -> None:
    ladder = climb(lambda d, w, t: np.where(t < 0, np.inf, t)[:, None], [Direction(0, 0, 1)], [[0]])
    assert np.isnan(ladder.behind).all()
    assert np.isfinite(ladder.ahead).all()


@pytest.mark.parametrize("x", [1.0, 1.5, -3.0, 1000.0])
def test_the_coarsest_step_is_about_a_third_of_the_size_of_x(x: float) -> None:
    assert 0.15 < make_bases(np.array([x]), [1], [0], 0)[0, 0] / abs(x) < 0.65


@pytest.mark.parametrize("x", [0.0, 1e-20, 0.3, np.inf, np.nan])
def test_the_coarsest_step_of_an_x_below_1_is_that_of_1(x: float) -> None:
    assert 0.15 < make_bases(np.array([x]), [1], [0], 0)[0, 0] < 0.65


def test_a_projection_moves_every_element_by_half_to_all_of_its_step() -> None:
    x = np.ones(1000)
    element, projection = make_bases(x, [1000], [0], 1)
    share = np.abs(projection) / element
    assert 0.5 <= share.min() < 0.51
    assert 0.99 < share.max() <= 1.0
    assert 400 < np.sum(projection > 0) < 600


@pytest.mark.parametrize(("x", "finer"), [(2.0**-11, False), (2.0**-13, True)])
def test_finer_steps_begin_where_x_is_far_below_1(x: float, finer: bool) -> None:
    of_x, of_1 = exponents([Direction(0, 0, 1), Direction(0, 1, 2)], np.array([x, 1.0]), EPS)
    assert (len(of_x) > len(of_1)) is finer


def test_steps_do_not_follow_an_x_that_cannot_be_squared() -> None:
    of_x, of_1 = exponents([Direction(0, 0, 1), Direction(0, 1, 2)], np.array([1e-300, 1.0]), EPS)
    assert of_x == of_1


def test_a_short_ladder_has_middle_steps_and_fine_ones() -> None:
    directions, x = [Direction(0, 0, 1)], np.array([1.0])
    (short,), (long,) = exponents(directions, x, EPS, short=True), exponents(directions, x, EPS)
    assert len(short) < len(long) / 2
    assert set(short) < set(long)
    assert short[-6:] == long[-12:-6]
