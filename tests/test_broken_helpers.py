"""A helper that is made wrong is noticed by the lessons' own assertions, figures included.

`python tests/lessons/broken.py` prints the same as a table, for every lesson that uses the helper;
here it is the lesson that teaches it.
"""

import matplotlib.pyplot as plt
import pytest
from lessons.broken import FAULTS, broken, first_failure, lessons_that_use

import gradlab

TAUGHT = {
    "random_walk": "06", "move_samples": "03", "td": "08", "td_loss": "08",
    "straight_through": "08",
    "per_example_grads": "07", "logistic_loss": "04", "central_difference": "11",
    "nth_derivative": "01", "wavy_bowl": "03", "paraboloid": "09", "load_penguins": "04",
    "check_grads": "01", "plot_function_and_gradient": "01", "plot_walks": "06",
    "plot_decision_boundary": "04",
}  # fmt: skip


@pytest.fixture(autouse=True)
def no_window(monkeypatch):
    monkeypatch.setattr(plt, "show", lambda *args, **options: None)


@pytest.mark.parametrize("fault", FAULTS)
def test_the_lesson_notices_a_broken_helper(fault):
    number = TAUGHT[fault.partition(":")[0]]
    (name,) = [name for name in lessons_that_use(fault) if name.startswith(number)]
    with broken(fault):
        assert first_failure(name), f"no assertion of {name} fails"


@pytest.mark.parametrize("number", sorted(set(TAUGHT.values())))
def test_nothing_is_noticed_where_nothing_is_broken(number):
    (name,) = {
        name for fault in FAULTS for name in lessons_that_use(fault) if name.startswith(number)
    }
    assert first_failure(name) is None


def test_the_right_helper_is_back_afterwards():
    for fault in FAULTS:
        with broken(fault):
            pass
    assert gradlab.check_grads(abs, (1.5,)).ok
    assert {type(getattr(gradlab, name)).__name__ for name in gradlab.__all__} <= {
        "function",
        "type",
    }
    assert gradlab.random_walk.__module__ == "gradlab.walks"
