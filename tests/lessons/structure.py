"""What every lesson has, and what is wrong with one that has it not."""

import ast
import itertools
import re
from dataclasses import dataclass

from nbformat import NotebookNode

from lessons.execution import code_cells, has_tag
from lessons.length import HEADING, length
from lessons.prose import faults_of_text, long_sentences

CORE = ("01", "02", "03", "04", "05", "11")
CORE_MINUTES, ELECTIVE_MINUTES = 35, 45
WIDGET_BYTES = 15_000
WORDS = (  # of every textbook, each introduced by one lesson
    "derivative with respect to x", "partial derivative", "gradient", "directional derivative",
    "tangent line", "linear approximation", "computational graph", "backpropagation",
    "reverse mode", "forward mode", "learning rate", "stationary point", "local minimum",
    "saddle point", "convex", "overfitting", "epoch", "mini-batch", "tracing", "pure function",
    "bootstrapping", "off-policy", "function approximation",
)  # fmt: skip
FIRST_CELL = """\
import importlib.util

if importlib.util.find_spec("gradlab") is None:  # for example in Colab
    raise ModuleNotFoundError(
        "gradlab is not installed here. Copy its repository to this machine, or upload a wheel "
        "that `make wheel` wrote, and run in a new cell: %pip install PATH_OF_THE_COPY_OR_WHEEL"
    )"""
SOLUTION = re.compile(
    r"<details><summary>Solution</summary>\n\n(?:.*?\n\n)??```python\n(.*?)\n```\n\n(?:.*\n\n)?</details>",
    re.S,
)
CHOICE = re.compile(r"^- ([a-z])\) \S", re.M)
GUESS = re.compile(r"(\w+) = None(?:  # \S.*)?")


@dataclass(frozen=True)
class Exercise:
    """The four cells of an exercise, or of a puzzle, without its text."""

    label: str  # Exercise 2
    minutes: int | None
    skeleton: str
    check: str
    solution: str


def exercises(notebook: NotebookNode) -> list[Exercise]:
    """Return the exercises of a lesson.

    Raises:
        AssertionError: If one does not have its four cells in their order.
    """
    found = []
    for index, cell in enumerate(notebook.cells):
        if cell.cell_type != "markdown" or not (heading := HEADING.search(cell.source)):
            continue
        label = f"{heading[1]} {heading[2]}"
        skeleton, check, folded = notebook.cells[index + 1 : index + 4]
        assert has_tag(skeleton, "exercise"), f"{label}: its skeleton has no tag `exercise`"
        assert has_tag(check, "check"), f"{label}: its check has no tag `check`"
        solution = SOLUTION.fullmatch(folded.source)
        assert solution, f"{label}: no folded solution in cell {index + 3}"
        minutes = int(heading[4]) if heading[4] else None
        found.append(Exercise(label, minutes, skeleton.source, check.source, solution[1]))
    return found


def guesses(notebook: NotebookNode) -> dict[str, int]:
    """Return the names of the guesses that a learner writes down, and the place of their cell."""
    return {
        name[1]: index
        for index, cell in enumerate(notebook.cells)
        if has_tag(cell, "guess") and (name := GUESS.fullmatch(cell.source.strip()))
    }


def glossary(notebook: NotebookNode) -> dict[str, str]:
    """Return {word: meaning} of the table in the last cell."""
    rows = re.findall(r"^\| \*\*(.+?)\*\* \| (.+?) \|$", notebook.cells[-1].source, re.M)
    return dict(rows)


def problems(name: str, notebook: NotebookNode) -> list[str]:
    """Return in a line each what is wrong with a lesson of this name."""
    found = [*_opening_and_end(notebook), *_words(notebook), *_predictions(notebook)]
    try:
        found += _exercises(name, exercises(notebook))
    except (AssertionError, ValueError) as error:
        found.append(str(error))
    found += [*_figures(notebook), *_widgets(notebook), *_texts(notebook)]
    limit = CORE_MINUTES if name[:2] in CORE else ELECTIVE_MINUTES
    if length(notebook).minutes > limit:
        found.append(f"{length(notebook)}; at most {limit} minutes")
    if f"**Length:** {length(notebook)}" not in notebook.cells[0].source:
        found.append("the length in the first cell is not the computed one; run refresh.py")
    return found


def _opening_and_end(notebook: NotebookNode) -> list[str]:
    title, question, *rest = notebook.cells[0].source.split("\n\n")
    text = "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    own = text.partition("\n## On your own\n")[2].partition("\n## ")[0]
    reading = text.partition("## Where to read on\n")[2].partition("\n## ")[0]
    wanted = {
        "the title": re.fullmatch(r"# [A-Z].+", title),
        "the question under the title": question.endswith("?"),
        "**What you will be able to do**": "**What you will be able to do**" in rest,
        "**What you need**": "**What you need**" in rest,
        "the same first code cell as every lesson": code_cells(notebook)[0].source == FIRST_CELL
        and notebook.cells[1] == code_cells(notebook)[0],
        "two or three questions on your own": len(re.findall(r"^(?:\d+\.|-|\*) ", own, re.M))
        in (2, 3),
        "links under Where to read on": "](https://" in reading,
        "a last cell ## Words of this lesson": notebook.cells[-1].source.startswith(
            "## Words of this lesson\n\n| word | meaning |\n| --- | --- |\n"
        ),
    }
    return [f"missing: {what}" for what, there in wanted.items() if not there]


def _words(notebook: NotebookNode) -> list[str]:
    text = "\n".join(c.source for c in notebook.cells[:-1] if c.cell_type == "markdown").lower()
    bold = re.findall(r"\*\*([^*]+)\*\*", text)
    words = glossary(notebook)
    found = [f"“{word}” is {bold.count(word.lower())} times bold in the text, not once"
             for word in words if bold.count(word.lower()) != 1]  # fmt: skip
    rows = notebook.cells[-1].source.splitlines()[4:]  # under the heading of the table
    return found + ["a row of the glossary is not | **word** | meaning |"] * (
        len(rows) != len(words)
    )


def _predictions(notebook: NotebookNode) -> list[str]:
    cells, found = notebook.cells, []
    named, choices = guesses(notebook), 0
    tagged = sum(has_tag(cell, "guess") for cell in cells)
    if len(named) < max(2, tagged):
        found.append(f"{len(named)} guesses of the form `my_guess = None  # a number`, of {tagged}")
    for name, index in named.items():
        following = itertools.takewhile(lambda c: c.cell_type == "code", cells[index + 1 :])
        for answer in following:
            if f"reveal({name}," in _flat(answer.source) and has_tag(answer, "answer"):
                break
            if answer.outputs and not has_tag(answer, "answer"):
                found.append(f"{name}: an output is seen before its answer")
        else:
            found.append(f"{name}: no answer with reveal({name}, …) before the next text")
            continue
        letters = CHOICE.findall(cells[index - 1].source)
        choices += bool(letters)
        sentences = [letter for letter in letters if f'"{letter}"' not in answer.source]
        if sentences:
            found.append(f"{name}: no sentence, and no answer, for {', '.join(sentences)}")
    if not choices:
        found.append("no prediction with lettered choices, `- a) …`")
    for cell, following in itertools.pairwise(cells):
        tags = following.metadata.get("tags", [])
        if "**Predict" in cell.source and not {"guess", "answer"} & set(tags):
            found.append(
                f"a prediction whose next cell is no guess and no answer: {cell.source[-60:]}"
            )
        if cell.cell_type == "markdown" and has_tag(cell, "answer"):
            text = cell.source.strip()
            if not (text.startswith("<details><summary>") and text.endswith("</details>")):
                found.append(f"an explanation that is not folded: {text[:60]}")
    return found


def _exercises(name: str, asked: list[Exercise]) -> list[str]:
    found = []
    own = [e for e in asked if e.label.startswith("Exercise")]
    puzzles = [e for e in asked if e.label.startswith("Puzzle")]
    for kind, some in (("Exercise", own), ("Puzzle", puzzles)):
        if [e.label for e in some] != [f"{kind} {n + 1}" for n in range(len(some))]:
            found.append(f"{kind}s are not numbered from 1: {[e.label for e in some]}")
    least = 3 if name[:2] in ("09", "13") else 4
    if len(own) < least:
        found.append(f"{len(own)} exercises, at least {least} are wanted")
    if name.startswith("09") and len(puzzles) != 15:
        found.append(f"{len(puzzles)} puzzles, not 15")
    if name[:2] in CORE and not any(e.minutes is None for e in own):
        found.append("no larger exercise, without minutes in its heading")
    if name[:2] in CORE and sum(e.minutes is not None for e in own) < 3:
        found.append("less than three short exercises")
    for e in asked:
        if e.minutes is not None and not 1 <= e.minutes <= 5:
            found.append(f"{e.label}: {e.minutes} minutes are no short exercise")
        calls = [n for n in ast.walk(ast.parse(e.check)) if _is_call_of(n, "mark")]
        mistakes = [k.value for c in calls for k in c.keywords if k.arg == "mistakes"]
        if len(calls) != 1:
            found.append(f"{e.label}: {len(calls)} calls of mark, not one")
        elif not mistakes or len(getattr(mistakes[0], "keys", "two")) < 2:
            found.append(f"{e.label}: less than two mistakes have a name")
        if any(isinstance(node, ast.Try) for node in ast.walk(ast.parse(e.check))):
            found.append(f"{e.label}: the check has its own try")
    return found


def _figures(notebook: NotebookNode) -> list[str]:
    found, figures = [], 0
    for cell, following in itertools.pairwise(notebook.cells):
        kinds = [kind for o in cell.get("outputs", ()) for kind in o.get("data", {})]
        if any(kind.startswith("image/") for kind in kinds) and not has_tag(cell, "check"):
            figures += 1
            if following.cell_type != "markdown" or following.source.startswith("#"):
                found.append(f"no sentence under the figure of {cell.source[-60:]!r}")
            elif has_tag(cell, "answer") and not following.source.startswith("<details>"):
                found.append(
                    f"the text under a hidden figure is not folded: {following.source[:60]}"
                )
    return found + ([f"{figures} figures, at least 3 are wanted"] if figures < 3 else [])


def _widgets(notebook: NotebookNode) -> list[str]:
    found = []
    for cell in code_cells(notebook):
        for output in cell.outputs:
            html = output.get("data", {}).get("text/html", "")
            if "<script" not in html:
                continue
            if not re.search(r'<div class="gradlab-widget" id="[\w-]+"', html):
                found.append('a widget without <div class="gradlab-widget" id="…">')
            if len(html.encode()) > WIDGET_BYTES:
                found.append(f"a widget of {len(html.encode())} bytes")
            if re.search(r"\b(?:src|href)=|\bimport\b|fetch\(|window\.\w+ *=", html):
                found.append("a widget that loads something, or sets a name of the window")
            if 'data-role="readout"' not in html:
                found.append('a widget without data-role="readout"')
            if not has_tag(cell, "folded"):
                found.append("a widget whose cell is not tagged folded")
    return found


def _texts(notebook: NotebookNode) -> list[str]:
    found = []
    for cell in notebook.cells:
        found += faults_of_text(cell.source)
        if cell.cell_type == "markdown":
            found += long_sentences(cell.source)
        else:
            found += [f"a line of {len(line)} characters: {line}" for line in
                      cell.source.splitlines() if len(line) > 100]  # fmt: skip
            if re.search(r"%%?time|perf_counter", cell.source) and not has_tag(cell, "no-output"):
                found.append("a timing whose output is stored; tag the cell no-output")
    return found


def _is_call_of(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name


def _flat(source: str) -> str:
    return re.sub(r"\(\s+", "(", source)
