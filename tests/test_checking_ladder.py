"""Steps and directions."""

from typing import Any

import numpy as np

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
    assert 0.3 * 2.0 ** -ks[-1] < 16 * EPS


def test_tiny_elements_get_steps_of_their_own_size() -> None:
    (ks,) = exponents([Direction(0, 0, 1)], np.array([1e-20]), EPS)
    assert 0 in ks
    assert 2.0 ** -ks[-1] < 1e-33


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
