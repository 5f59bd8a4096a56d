"""Helpers made wrong on purpose, for whose sake an assertion of their lesson must fail.

`test_notebooks.py` runs the lessons with them, in the kernel in which the lesson has just run;
`python tests/lessons/broken.py` prints the same as a table, for every lesson that uses the helper.
"""

import pytest
from lessons.broken import FAULTS, broken, faults_taught_in, lessons_that_use
from lessons.execution import NOTEBOOKS

import gradlab


def test_every_fault_is_noticed_by_one_lesson_which_uses_the_helper():
    noticed = [fault for path in NOTEBOOKS for fault in faults_taught_in(path.stem)]
    assert sorted(noticed) == sorted(FAULTS)
    for path in NOTEBOOKS:
        assert all(path.stem in lessons_that_use(fault) for fault in faults_taught_in(path.stem))


@pytest.mark.parametrize("fault", FAULTS)
def test_the_right_helper_is_back_afterwards(fault):
    with broken(fault):
        pass
    assert {type(getattr(gradlab, name)).__name__ for name in gradlab.__all__} <= {
        "function",
        "type",
    }
    assert gradlab.random_walk.__module__ == "gradlab.walks"


def test_the_right_checker_is_back_afterwards():
    with broken("check_grads: always wrong"):
        assert not gradlab.check_grads(abs, (1.5,)).ok
    assert gradlab.check_grads(abs, (1.5,)).ok
