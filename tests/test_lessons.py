"""How lessons are compared, measured and looked through: each check has something it rejects."""

import base64
import io

import nbformat
import pytest
from lessons.comparison import differences, text_differences
from lessons.execution import as_committed
from lessons.length import length, with_length
from lessons.prose import faults_of_text, long_sentences
from lessons.structure import FIRST_CELL, exercises, glossary, guesses, problems
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from PIL import Image


def code(source, *outputs, tags=()):
    return new_code_cell(source, outputs=list(outputs), metadata={"tags": list(tags)})


def markdown(source, tags=()):
    return new_markdown_cell(source, metadata={"tags": list(tags)} if tags else {})


def one_cell(source, *outputs, tags=()):
    return new_notebook(cells=[code(source, *outputs, tags=tags)])


def printed(text):
    return new_output("stream", name="stdout", text=text)


def figure(kind="image/png"):
    file = io.BytesIO()
    Image.new("RGBA", (4, 4), "white").save(file, kind.removeprefix("image/"))
    return new_output("display_data", {kind: base64.b64encode(file.getvalue()).decode()})


# Comparing what two runs show


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


@pytest.mark.parametrize("kind", ["text/plain", "text/html"])
def test_outputs_are_compared_wherever_they_are(kind):
    def shows(text):
        return one_cell("f()", new_output("display_data", {kind: f"<td>value {text}</td>"}))

    assert differences(shows("1.50"), shows("1.51")) == []
    assert differences(shows("1.50"), shows("1.52"))
    assert differences(shows("1.50"), one_cell("f()"))
    assert differences(one_cell("f()", printed("1.50")), shows("1.50"))


def test_what_jax_wrote_is_compared_by_its_kind_alone():
    def shows(*outputs):
        return one_cell("f()", *outputs, tags=["jax-text"])

    assert differences(shows(printed("one text")), shows(printed("another"))) == []
    assert differences(shows(printed("one text")), shows())
    assert differences(shows(printed("one text")), shows(figure()))


def test_figures_and_films_must_be_there():
    for kind in ("image/png", "image/gif"):
        assert differences(one_cell("f()", figure(kind)), one_cell("f()", figure(kind))) == []
        assert differences(one_cell("f()", figure(kind)), one_cell("f()"))


# The form that is committed


@pytest.mark.parametrize(
    ("source", "tags", "hidden"),
    [
        ("f()", [], {}),
        ("f()", ["exercise"], {}),
        ("f()", ["answer"], {"outputs_hidden": True}),
        ("reveal(guess, 3)", ["answer"], {"outputs_hidden": True, "source_hidden": True}),
        ("f()", ["check"], {"source_hidden": True}),
        ("f()", ["guard"], {"source_hidden": True}),
        ("f()", ["answer", "folded"], {"outputs_hidden": True, "source_hidden": True}),
    ],
)
def test_what_is_hidden_follows_from_the_tags(source, tags, hidden):
    notebook = one_cell(source, tags=tags)
    notebook.cells[0].metadata["collapsed"] = True
    metadata = as_committed(notebook).cells[0].metadata
    assert metadata.get("jupyter", {}) == hidden
    assert metadata.get("tags", []) == tags
    assert "collapsed" not in metadata


@pytest.mark.parametrize(
    ("source", "tag", "first"),
    [
        ("assert minima == 7", "guard", "# Asserts what the lesson says"),
        ("reveal(guess, 7)", "answer", "# Answers your guess"),
        ("mark(minima, expected=7)", "check", "# Marks your answer"),
        ("fig = draw()", "folded", "fig = draw()"),
        ("print(7)", "answer", "print(7)"),
    ],
)
def test_the_line_that_is_seen_of_a_hidden_cell_tells_nothing(source, tag, first):
    once = as_committed(one_cell(source, tags=[tag]))
    assert once.cells[0].source.splitlines()[0] == first
    assert source in once.cells[0].source
    assert as_committed(once) == once


def test_a_film_and_a_widget_are_kept_and_a_player_is_not():
    widget = new_output("display_data", {"text/html": "<script></script>"})
    player = new_output("display_data", {"application/javascript": "play()"})
    kept = as_committed(one_cell("f()", figure("image/gif"), widget, player)).cells[0].outputs
    assert [list(output.data) for output in kept] == [["image/gif"], ["text/html"]]


def test_what_differs_from_run_to_run_is_not_kept():
    assert as_committed(one_cell("f()", printed("3 ms"), tags=["no-output"])).cells[0].outputs == []


# How long a lesson takes


def test_length_counts_words_lines_and_exercises():
    notebook = new_notebook(
        cells=[
            markdown("# Title\n\n**Length:** these words do not count\n\n" + "word " * 199),
            code("import importlib.util\n" * 30),
            code("# a comment\n\n" + "x = 1\n" * 15),
            code("x = 1\n" * 90, tags=["guard"]),
            code("x = 1\n" * 90, tags=["folded"]),
            markdown("### Exercise 1: Add (3 minutes)"),
            code("x = 1\n" * 90, tags=["exercise"]),
            code("x = 1\n" * 90, tags=["check"]),
            markdown("<details><summary>Solution</summary>\n\nmany words\n\n</details>"),
            markdown("### Exercise 2: Multiply"),
        ]
    )
    found = length(notebook)
    assert (found.words, found.lines, found.exercises) == (1 + 199 + 5 + 3, 15, (3, 8))
    assert found.minutes == 14  # 1.04 + 1 + 11, rounded up
    assert "**Length:** about 14 minutes" in with_length(notebook).cells[0].source


def test_links_count_by_what_is_read_and_an_answer_by_what_it_says():
    assert length(new_notebook(cells=[markdown("[two words](https://a.b/c d e)")])).words == 2
    answer = one_cell(
        "reveal(guess, 3)\n" * 9, printed("The answer is 3.\nNot a: no."), tags=["answer"]
    )
    assert (length(answer).words, length(answer).lines) == (4, 0)


# What the text must not say


@pytest.mark.parametrize(
    "text",
    [
        "a push of x", "pushed by h", "It bends here", "the gradient by x", "the slope by the mean",
        "derivatives by `theta`", "differentiate by y", "simply add", "just add", "Obviously,",
        "it takes 3 ms", "it costs $5", "pip install gradlab", "%pip install --quiet jax-gradlab",
        "jax._src", "jax.config.update", "it is easy", "the rows are dealt out",
    ],
)  # fmt: skip
def test_coined_words_and_timings_are_rejected(text):
    assert len(faults_of_text(text)) == 1


@pytest.mark.parametrize(
    "text",
    [
        "the gradient with respect to x", "def just_multiply(x, y):", "the derivative by hand",
        "divide the slope by two", "differentiate by reverse mode", "30 minutes", "adjust",
        "pip install --editable .", "the gradients by themselves",
    ],
)  # fmt: skip
def test_plain_words_are_not(text):
    assert faults_of_text(text) == []


def test_long_sentences_are_told_and_lists_and_listings_are_none():
    assert long_sentences("word " * 36 + ".") != []
    assert long_sentences("A sentence. " * 30) == []
    assert long_sentences("- a few words\n" * 20) == []
    assert long_sentences("```python\n" + "word " * 60 + "\n```") == []


# What a lesson has

EXERCISE = """\
### Exercise {}: Add a number{}

Return x + 1."""
CHECK = 'mark(add, (1.5,), expected=lambda x: x + 1, mistakes={"One.": abs, "Two.": float})'
SOLUTION = """\
<details><summary>Solution</summary>

```python
def add(x):
    return x + 1
```

</details>"""
WORDS = "## Words of this lesson\n\n| word | meaning |\n| --- | --- |\n| **slope** | A number. |"


def a_lesson():
    """Return a lesson with nothing wrong."""
    cells = [
        markdown(
            "# Take a step\n\nWhere does it lead?\n\n**What you will be able to do**\n\n- see\n\n"
            "**What you need**\n\n- nothing\n\n**Length:** computed"
        ),
        code(FIRST_CELL),
        code("import jax"),
        markdown("## Look\n\nThis is a **slope**.\n\n**Predict:** how large?"),
        code("guess_size = None  # a number", tags=["guess"]),
        code("size = 3"),
        code("reveal(guess_size, size)", printed("The answer is 3."), tags=["answer"]),
        markdown("**Predict:** which?\n\n- a) this\n- b) that"),
        code('guess_letter = None  # "a" or "b"', tags=["guess"]),
        code(
            'reveal(guess_letter, "a", mistakes={"It is not.": "b"})',
            printed("The answer is a.\nNot b: It is not."),
            tags=["answer"],
        ),
    ]
    for n in range(1, 4):
        cells += [code("draw()", figure(), tags=["folded"]), markdown(f"*Figure {n}.*")]
    for n in range(1, 5):
        cells += [
            markdown(EXERCISE.format(n, " (2 minutes)" if n < 4 else "")),
            code("def add(x):\n    ...", tags=["exercise"]),
            code(CHECK, printed("Not yet"), tags=["check"]),
            markdown(SOLUTION),
        ]
    cells += [
        markdown(
            "## On your own\n\n- One?\n- Two?\n\n## Where to read on\n\n- [A page](https://a.b)"
        ),
        markdown(WORDS),
    ]
    return with_length(as_committed(new_notebook(cells=cells)))


def place(notebook, start):
    return next(i for i, cell in enumerate(notebook.cells) if cell.source.startswith(start))


def test_a_lesson_with_all_it_needs_has_no_problems():
    assert problems("01_step", a_lesson()) == []
    assert [e.label for e in exercises(a_lesson())] == [f"Exercise {n}" for n in range(1, 5)]
    assert list(guesses(a_lesson())) == ["guess_size", "guess_letter"]
    assert glossary(a_lesson()) == {"slope": "A number."}


@pytest.mark.parametrize(
    ("start", "old", "new", "said"),
    [
        ("# Take", "Where does it lead?", "It leads somewhere.", "the question"),
        ("# Take", "**What you need**", "You need", "What you need"),
        ("# Take", "**Length:** about", "**Length:** exactly", "the length in the first cell"),
        ("import importlib", "gradlab is not installed", "there is no gradlab", "first code cell"),
        ("## Look", "**slope**", "slope", "“slope” is 0 times bold"),
        ("## Look", "This is", "The **slope** is", "“slope” is 2 times bold"),
        ("## Words", "| **slope** |", "| slope |", "row of the glossary"),
        ("## Words", "## Words", "## Terms", "a last cell"),
        ("## On your own", "- One?\n", "", "two or three questions"),
        ("## On your own", "https://a.b", "a.ipynb", "links under"),
        ("guess_size", "None", "3", "1 guesses of the form"),
        ("# Answers", "guess_size", "size", "no answer with reveal(guess_size"),
        ("size = 3", "size = 3", "## Text", "no answer with reveal(guess_size"),
        ("# Answers your guess\nreveal(guess_letter", '"b"', '"c"', "no answer, for b"),
        ("### Exercise 2", "Exercise 2", "Exercise 3", "not numbered"),
        ("### Exercise 2", "2 minutes", "6 minutes", "no short exercise"),
        ("### Exercise 4", "Add a number", "Add a number (2 minutes)", "no larger exercise"),
        ("# Marks", '"Two.": float', "", "less than two mistakes"),
        ("# Marks", "mark(add", "print(add", "0 calls of mark"),
        ("def add", "def add", "%%time\ndef add", "a timing"),
        ("import jax", "import jax", "from jax import _src  # jax._src", "private name"),
        ("*Figure 1", "*Figure 1.*", "## Next", "no sentence under the figure"),
        ("<details>", "```python", "```", "no folded solution"),
    ],
)  # fmt: skip
def test_a_lesson_without_something_has_a_problem(start, old, new, said):
    notebook = a_lesson()
    cell = notebook.cells[place(notebook, start)]
    assert old in cell.source
    cell.source = cell.source.replace(old, new, 1)
    if new.startswith("## "):
        index = notebook.cells.index(cell)
        notebook.cells[index] = markdown(new)
    found = problems("01_step", notebook)
    assert any(said in problem for problem in found) if said else found == []


def without(start, number):
    """Return a change that takes out cells, from the first one that starts so."""

    def change(cells):
        first = next(i for i, cell in enumerate(cells) if cell.source.startswith(start))
        del cells[first : first + number]

    return change


def put_before(start, cell):
    """Return a change that puts a cell before the first one that starts so."""

    def change(cells):
        cells.insert(next(i for i, c in enumerate(cells) if c.source.startswith(start)), cell)

    return change


def untagged(start):
    """Return a change that takes the tags from the first cell that starts so."""

    def change(cells):
        next(cell for cell in cells if cell.source.startswith(start)).metadata.clear()

    return change


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (untagged("# Answers"), "an output is seen before its answer"),
        (untagged("def add"), "its skeleton has no tag"),
        (untagged("# Marks"), "its check has no tag"),
        (without("**Predict:** which", 3), "no prediction with lettered choices"),
        (without("draw(", 2), "2 figures, at least 3"),
        (without("### Exercise 4", 4), "3 exercises, at least 4"),
        (put_before("## Look", markdown("A few words.")), ""),
        (put_before("## Look", markdown("Six words are in this sentence. " * 1000)), "at most 35"),
        (put_before("**Predict", markdown("It is 3.", ["answer"])), "not folded"),
        (put_before("**Predict", markdown("**Predict:** what?")), "no guess and no answer"),
    ],
)
def test_a_lesson_changed_in_its_cells_has_a_problem(change, said):
    notebook = a_lesson()
    change(notebook.cells)
    found = problems("01_step", with_length(notebook))
    assert any(said in problem for problem in found) if said else found == []


WIDGET = '<div class="gradlab-widget" id="a"><p data-role="readout">0</p><script>f()</script></div>'


@pytest.mark.parametrize(
    ("html", "tags", "said"),
    [
        (WIDGET, ["folded"], ""),
        (WIDGET, [], "not tagged folded"),
        (WIDGET.replace('id="a"', ""), ["folded"], "a widget without <div"),
        (WIDGET.replace("data-role", "data-part"), ["folded"], "without data-role"),
        (WIDGET + " " * 15_000, ["folded"], "a widget of 15"),
        (WIDGET + '<img src="a.png">', ["folded"], "loads something"),
        (WIDGET.replace("f()", "window.f = 3"), ["folded"], "loads something"),
    ],
)
def test_a_widget_is_small_and_loads_nothing(html, tags, said):
    notebook = a_lesson()
    shown = new_output("display_data", {"text/html": html})
    notebook.cells.insert(3, as_committed(one_cell("show()", shown, tags=tags)).cells[0])
    found = problems("01_step", with_length(notebook))
    assert any(said in problem for problem in found) if said else found == []


def test_puzzles_are_fifteen_and_stand_beside_three_exercises():
    found = problems("09_jacobians", a_lesson())
    assert "0 puzzles, not 15" in found
    notebook = a_lesson()
    notebook.cells[place(notebook, "### Exercise 4")].source = "### Puzzle 1: Add (1 minute)"
    assert [e.label for e in exercises(notebook)][-1] == "Puzzle 1"


def test_the_notebook_of_these_tests_is_a_valid_one():
    nbformat.validate(a_lesson())
