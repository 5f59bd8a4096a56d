"""The notebooks: they show what is committed, mark their exercises rightly, and are lessons."""

import ast
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from textwrap import dedent

import nbformat
import pytest
from lessons.answers import WRONG
from lessons.comparison import differences, text_differences
from lessons.execution import (
    FOLDER,
    NOTEBOOKS,
    as_committed,
    code_cells,
    fresh_kernel,
    has_tag,
    read,
    run_all,
)
from nbformat.v4 import new_code_cell, new_notebook, new_output

ROOT = FOLDER.parent
FIRST_CELL = """\
import sys

if "google.colab" in sys.modules:
    %pip install --quiet jax-gradlab"""

each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def text_of(notebook):
    return "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")


def exercises(notebook):
    """Return {number: (skeleton, check, solution)}, having seen that each is where it belongs."""
    cells, found = notebook.cells, {}
    for index, cell in enumerate(cells):
        if not (heading := re.search(r"^### Exercise (\d+): \S", cell.source, re.M)):
            continue
        skeleton, check, folded = cells[index + 1 : index + 4]
        assert (has_tag(skeleton, "exercise"), has_tag(check, "check")) == (True, True)
        solution = re.fullmatch(
            r"<details><summary>Solution</summary>\n\n(?:.*\n\n)?"
            r"```python\n(.*?)\n```\n\n(?:.*\n\n)?</details>",
            folded.source,
            re.S,
        )
        assert solution, f"{folded.id} is no folded solution"
        found[int(heading[1])] = (skeleton.source, check.source, solution[1])
    assert list(found) == list(range(1, len(found) + 1))
    return found


def broken_answers(skeleton, check):
    """Return answers of no use at all, in place of the function that the exercise asks for."""
    asked = [
        node.name
        for node in ast.parse(skeleton).body
        if isinstance(node, ast.FunctionDef) and node.name in check
    ][-1]
    useless = ("pass", "return 'a word'", "return jnp.ones((2, 3, 5))", "raise KeyError('oops')")
    return [f"def {asked}(*args):\n    {line}" for line in useless]


# Running them


@each_notebook
def test_notebook_shows_what_is_committed_and_marks_its_exercises(path):
    committed, notebook = read(path), read(path)
    with fresh_kernel() as kernel:
        run_all(notebook, kernel)
        assert differences(committed, as_committed(notebook)) == []

        def marked(answer, check):
            kernel.run(new_code_cell(answer))
            return kernel.run(new_code_cell(check))

        for number, (skeleton, check, solution) in exercises(committed).items():
            wrong = WRONG.get(path.stem, {}).get(number, [])
            assert len(wrong) >= 2, f"no wrong answers to exercise {number}"
            assert marked(solution, check).startswith("Correct.")
            for answer in (skeleton, *broken_answers(skeleton, check), *map(dedent, wrong)):
                verdict = marked(answer, check)
                assert verdict.startswith("Not yet"), f"{answer}\nwas marked:\n{verdict}"


def test_every_wrong_answer_belongs_to_an_exercise():
    numbers = {path.stem: set(exercises(read(path))) for path in NOTEBOOKS}
    for name, answers in WRONG.items():
        assert set(answers) <= numbers.get(name, set()), name


def one_cell(source, *outputs):
    return new_notebook(cells=[new_code_cell(source, outputs=list(outputs))])


def test_a_cell_that_raises_or_warns_fails():
    with fresh_kernel() as kernel:
        for source, said in (
            ("1 / 0", "ZeroDivisionError"),
            ("import warnings; warnings.warn('look here')", "UserWarning: look here"),
        ):
            with pytest.raises(AssertionError, match=said):
                kernel.run(new_code_cell(source))


def test_the_kernel_is_this_python_as_a_user_has_it():
    shown = one_cell(
        "import sys, os, jax\nprint(sys.executable)\nprint(os.getcwd())\n"
        "print(jax.config.jax_numpy_rank_promotion, 'XLA_FLAGS' in os.environ)"
    )
    with fresh_kernel() as kernel:
        python, folder, settings = kernel.run(shown.cells[0]).splitlines()
    assert (python, settings) == (sys.executable, "allow False")
    assert not Path(folder).exists()


@pytest.mark.parametrize(
    ("committed", "fresh", "same"),
    [
        ("the slope is 0.0707", "the slope is 0.0708", True),
        ("the slope is 0.0707", "the slope is 0.0709", False),
        ("the slope is 0.0707", "the slope was 0.0707", False),
        ("the slope is 0.0707", "the slope is 0.0707 here", False),
        ("[4.  10.]", "[ 4. 10.]", True),
        ("[4. 10.]", "[4.0000005 10.]", False),
        ("128 steps", "129 steps", False),
        ("1e-07 of it", "2e-07 of it", True),
        ("1e-07 of it", "3e-07 of it", False),
        ("0.12 ± 1e-07", "0.12 ± 4e-07", True),
        ("0.12 ± 1e-07", "0.14 ± 1e-07", False),
        ("−2.40", "−2.39", True),
        ("−2.40", "2.40", False),
        ("0.001", "-0.001", False),
    ],
)
def test_texts_are_compared_to_the_last_printed_digit(committed, fresh, same):
    assert (text_differences(committed, fresh) == []) == same


def test_outputs_are_compared_wherever_they_are_but_under_no_output():
    def shows(text, kind="text/plain", tags=()):
        notebook = one_cell("f()", new_output("display_data", {kind: text}))
        notebook.cells[0].metadata.tags = list(tags)
        return notebook

    table = "<table><td>{}</td></table>"
    for kind, text in (("text/plain", "value {}"), ("text/html", table)):
        was = shows(text.format("1.50"), kind)
        assert differences(was, shows(text.format("1.51"), kind)) == []
        assert differences(was, shows(text.format("1.52"), kind))
        assert differences(was, one_cell("f()"))
    untold = {"tags": ["no-output"]}
    assert differences(shows("1.50", **untold), shows("1.52", **untold)) == []
    printed = one_cell("f()", new_output("stream", name="stdout", text="1.50"))
    assert differences(printed, shows("1.50"))


# What a lesson has


@each_notebook
def test_notebook_is_committed_as_refresh_writes_it(path):
    notebook = read(path)
    assert notebook == as_committed(notebook)
    assert path.stat().st_size <= 400_000
    nbformat.validate(notebook)


@each_notebook
def test_first_code_cell_installs_only_where_there_is_nothing_yet(path):
    assert code_cells(read(path))[0].source == FIRST_CELL


@each_notebook
def test_notebook_opens_and_closes_as_a_lesson(path):
    first, *_, last = (c.source for c in read(path).cells if c.cell_type == "markdown")
    title, question, *rest = first.split("\n\n")
    assert re.fullmatch(r"# [A-Z].+", title)
    assert question.endswith("?")
    assert "**What you will do**" in "".join(rest)
    assert "**What you need**" in "".join(rest)
    text = text_of(read(path))
    closing = text.partition("\n## On your own\n")[2]
    assert len(re.findall(r"^(?:\d+\.|-|\*) ", closing.partition("\n## ")[0], re.M)) in (2, 3)
    assert "](https://" in last


@each_notebook
def test_figures_are_explained_and_exercises_are_there(path):
    notebook = read(path)
    figures = 0
    for cell, following in zip(notebook.cells, notebook.cells[1:], strict=False):
        if any("image/png" in output.get("data", {}) for output in cell.get("outputs", ())):
            figures += 1
            assert following.cell_type == "markdown", f"no sentence under the figure of {cell.id}"
    assert figures >= 3
    assert len(exercises(notebook)) >= 2


@each_notebook
def test_notebook_promises_no_timing_and_hides_no_setting(path):
    notebook = read(path)
    for cell in code_cells(notebook):
        assert not re.search(r"jax\._src|jax\.config\.update", cell.source), cell.id
        if not has_tag(cell, "no-output"):
            assert not re.search(r"%%?time|perf_counter", cell.source), cell.id
    text = text_of(notebook)
    assert not re.search(r"\b\d[\d.,]* ?(ms|µs|ns|milliseconds|microseconds)\b", text)
    assert "$" not in text, "write formulas in plain characters: the pages load no MathJax"


def test_readme_and_folder_name_the_same_notebooks():
    rows = re.findall(
        r"^\| \[`(\w+)`\]\(notebooks/(\w+)\.ipynb\) \| .+\? \|$",
        (ROOT / "README.md").read_text(),
        re.M,
    )
    assert [name for name, _ in rows] == [path.stem for path in NOTEBOOKS]
    assert [target for _, target in rows] == [path.stem for path in NOTEBOOKS]


# The site


class Page(HTMLParser):
    """The text of a page, its links, and what it would load."""

    def __init__(self, html):
        super().__init__()
        self.links, self.loads, self.text, self.alts = [], [], "", []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if tag == "a":
            self.links.append(attrs["href"])
        elif "src" in attrs or tag in ("link", "script", "iframe"):
            self.loads.append(attrs.get("src", tag))
        if tag == "img":
            self.alts.append(attrs.get("alt", ""))

    def handle_data(self, data):
        self.text += data


def test_the_site_has_every_notebook_in_pages_that_load_nothing(tmp_path):
    command = [sys.executable, FOLDER / "write_site.py", tmp_path / "new" / "site"]
    process = subprocess.run(command, capture_output=True, text=True, check=True)
    assert process.stderr == ""
    assert str(tmp_path / "new" / "site" / "index.html") in process.stdout
    pages = {path.name: Page(path.read_text()) for path in tmp_path.rglob("*.html")}
    assert set(pages) == {"index.html", *(f"{path.stem}.html" for path in NOTEBOOKS)}
    for name, page in pages.items():
        assert all(source.startswith("data:image/png") for source in page.loads), name
        assert all(len(alt) > 20 for alt in page.alts), name
        local = [link for link in page.links if not link.startswith(("https:", "#"))]
        folder = tmp_path / "new" / "site"
        assert [link for link in local if not (folder / link.partition("#")[0]).is_file()] == []
    for path in NOTEBOOKS:
        assert f"{path.stem}.html" in pages["index.html"].links
        assert "index.html" in pages[f"{path.stem}.html"].links
        title = read(path).cells[0].source.partition("\n")[0].removeprefix("# ")
        assert title in pages["index.html"].text
        assert title in pages[f"{path.stem}.html"].text
