"""The notebooks run, show what is committed, mark every answer rightly, and are lessons."""

import json
import re
import sys
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pytest
from lessons.answers import ASK, TELL
from lessons.broken import faults_taught_in
from lessons.comparison import differences
from lessons.execution import (
    FOLDER,
    NOTEBOOKS,
    Kernel,
    as_committed,
    code_cells,
    fresh_kernel,
    has_tag,
    read,
    run_all,
)
from lessons.length import length
from lessons.seeds import CELLS, NUMBERS
from lessons.structure import CORE, WORDS, exercises, glossary, guesses, problems
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell

NAMES = [path.stem for path in NOTEBOOKS]
each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=NAMES)


def numbered(number):
    """Return the lesson with this number, such as `01`."""
    (path,) = FOLDER.glob(f"{number}_*.ipynb")
    return read(path)


def everything_in(notebook):
    """Return the text of a lesson, its code and its printed outputs."""
    parts = [cell.source for cell in notebook.cells]
    parts += [
        output.get("text") or output.get("data", {}).get("text/html", "")
        for cell in notebook.cells
        for output in cell.get("outputs", ())
    ]
    return "\n".join(parts).replace("−", "-")


# Running them


@dataclass(frozen=True)
class Lesson:
    """A notebook as it is committed, as it has run, and the kernel in which it has."""

    name: str
    committed: NotebookNode
    notebook: NotebookNode
    kernel: Kernel


@pytest.fixture(scope="module")
def warm_kernel():
    """A kernel for one lesson after another: most of the time goes into what JAX compiles."""
    with fresh_kernel() as kernel:
        yield kernel


@pytest.fixture(scope="module", params=NOTEBOOKS, ids=NAMES)
def lesson(request, warm_kernel):
    path = request.param
    with ExitStack() as stack:
        kernel = warm_kernel
        kernel.forget()
        if path.stem == "13_many_devices":  # chooses its devices before JAX starts
            kernel = stack.enter_context(fresh_kernel())
        lesson = Lesson(path.stem, read(path), read(path), kernel)
        run_all(lesson.notebook, kernel)
        yield lesson


def test_notebook_shows_what_is_committed(lesson):
    assert differences(lesson.committed, as_committed(lesson.notebook)) == []


def test_every_answer_is_marked_rightly(lesson):
    kernel = lesson.kernel
    kernel.run(new_code_cell(ASK))
    checks = [cell for cell in code_cells(lesson.notebook) if has_tag(cell, "check")]
    for exercise, check in zip(exercises(lesson.committed), checks, strict=True):
        assert check.outputs[0].text.startswith("Not yet: "), exercise.label
        kernel.run(new_code_cell(exercise.solution))
        assert kernel.run(new_code_cell(exercise.check)) == "Correct.\n", exercise.label
        told = json.loads(kernel.run(new_code_cell(TELL)))
        assert told["list"] in (None, "Correct.\n"), f"{exercise.label} as a list"
        for name, said in told["useless"].items():
            assert said.startswith("Not yet: "), f"{exercise.label}, {name}: {said}"
            reject_internals(said)
        for sentence, said in told["mistakes"].items():
            named = any(flat(s) in flat(said) for s in (sentence, *told["requirements"]))
            assert named, f"{exercise.label}: {sentence!r} is not said, but\n{said}"
            reject_internals(said)


def test_an_assertion_fails_where_a_helper_is_broken_that_the_lesson_teaches(lesson):
    """Every cell has just run with the right helpers, and no assertion failed."""
    for fault in faults_taught_in(lesson.name):
        found = lesson.kernel.run(new_code_cell(BREAK.format(fault=fault, name=lesson.name)))
        assert found.startswith("cell "), f"{fault}: no assertion of {lesson.name} fails"


BREAK = f"""\
import sys
sys.path[:0] = [{str(Path(__file__).parent)!r}] * ({str(Path(__file__).parent)!r} not in sys.path)
from lessons.broken import broken, first_failure
with broken({{fault!r}}):
    found = first_failure({{name!r}})
print(found)"""


def flat(text):
    return " ".join(text.split())


def reject_internals(said):
    for internal in ("Tracer", "Traced<", "Traceback", " at 0x", "jax._src", "[_"):
        assert internal not in said, said
    assert len(said.splitlines()) <= 15, said


def test_a_cell_that_raises_or_warns_fails():
    with fresh_kernel() as kernel:
        for source, said in (
            ("1 / 0", "ZeroDivisionError"),
            ("import warnings; warnings.warn('look here')", "UserWarning: look here"),
        ):
            with pytest.raises(AssertionError, match=said):
                kernel.run(new_code_cell(source))


def test_the_kernel_is_this_python_as_a_user_has_it():
    shown = new_code_cell(
        "import sys, os, jax\nprint(sys.executable)\nprint(os.getcwd())\n"
        "print(jax.config.jax_numpy_rank_promotion, 'XLA_FLAGS' in os.environ)"
    )
    with fresh_kernel() as kernel:
        python, folder, settings = kernel.run(shown).splitlines()
    assert (python, settings) == (sys.executable, "allow False")
    assert not Path(folder).exists()


# What they are


@each_notebook
def test_notebook_has_what_a_lesson_has(path):
    assert problems(path.stem, read(path)) == []


@each_notebook
def test_notebook_is_committed_as_refresh_writes_it(path):
    notebook = read(path)
    assert notebook == as_committed(notebook)
    assert path.stat().st_size <= 400_000
    nbformat.validate(notebook)


@each_notebook
def test_what_answers_a_prediction_is_hidden_in_jupyterlab(path):
    notebook = read(path)
    assert len(guesses(notebook)) >= 2
    answers = [
        c for c in notebook.cells if "answer" in c.metadata.get("tags", []) and "outputs" in c
    ]
    assert len(answers) >= 2
    for cell in answers:
        assert cell.metadata.jupyter.outputs_hidden
        assert cell.metadata.jupyter.get("source_hidden") or "reveal(" not in cell.source


def test_there_are_thirteen_lessons_with_sixty_exercises_and_fifteen_puzzles():
    assert [name[:2] for name in NAMES] == [f"{n:02}" for n in range(1, 14)]
    asked = [e for path in NOTEBOOKS for e in exercises(read(path))]
    kinds = Counter(e.label.split()[0] for e in asked)
    assert kinds["Puzzle"] == 15
    assert kinds.total() >= 60
    short = [e for e in asked if e.minutes is not None]
    assert len(short) > len(asked) / 2


def test_the_core_is_named_alike_everywhere():
    readme = (FOLDER.parent / "README.md").read_text()
    core, electives = readme.partition("| core lesson |")[2].split("| elective |")
    assert [n for n in NAMES if f"[`{n}`]" in core] == [n for n in NAMES if n[:2] in CORE]
    assert [n for n in NAMES if f"[`{n}`]" in electives] == [n for n in NAMES if n[:2] not in CORE]


@each_notebook
def test_readme_says_the_question_and_the_length_of_the_lesson(path):
    readme = (FOLDER.parent / "README.md").read_text()
    (row,) = [row for row in readme.splitlines() if row.startswith(f"| [`{path.stem}`]")]
    _, link, question, minutes, _ = (part.strip() for part in row.split("|"))
    assert link == f"[`{path.stem}`](notebooks/{path.stem}.ipynb)"
    assert question.endswith("?")
    assert minutes == f"{length(read(path)).minutes} min"


def test_each_word_is_introduced_by_one_lesson_and_none_of_the_textbooks_is_missing():
    entries = [(word, path.stem) for path in NOTEBOOKS for word in glossary(read(path))]
    twice = [word for word, n in Counter(word for word, _ in entries).items() if n > 1]
    assert twice == []
    assert set(WORDS) - {word for word, _ in entries} == set()


# What they must not lose


@pytest.mark.parametrize(("cell", "number", "pattern"), CELLS, ids=[row[0] for row in CELLS])
def test_the_cell_of_the_seed_is_taught(cell, number, pattern):
    assert re.search(pattern, everything_in(numbered(number)))


@pytest.mark.parametrize(("what", "number", "patterns"), NUMBERS, ids=[row[0] for row in NUMBERS])
def test_the_recorded_number_is_in_a_lesson(what, number, patterns):
    everything = everything_in(numbered(number))
    assert [pattern for pattern in patterns if not re.search(pattern, everything)] == []
