"""Write the notebooks, as they are committed, as pages that open in any browser, offline.

python notebooks/write_site.py FOLDER
"""

import itertools
import re
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from pathlib import Path

import nbformat
from nbconvert import HTMLExporter
from nbformat import NotebookNode
from pygments.formatters import HtmlFormatter

HERE = Path(__file__).parent
STYLE, SCRIPT, CELLS = (
    (HERE / "site" / name).read_text(encoding="utf-8")
    for name in ("style.css", "choices.js", "cells.html.j2")
)
CORE = ("01", "02", "03", "04", "05", "11")
TITLE = "What a gradient is, in lessons to do yourself"
ADVICE = (
    "Each lesson opens with a question that it answers, and says how long it takes. You can read "
    "the lessons here, but you learn more if you save a notebook and run it in JupyterLab: write "
    "down your guess before you see the answer, and let the checks mark what you write in the "
    "exercises."
)
GROUPS = {
    "The core": "Six lessons, from the slope of a curve to a gradient that you doubt. Take them "
    "in this order.",
    "Electives": "Take these in any order after the core lessons that they name.",
}


@dataclass(frozen=True)
class Lesson:
    """A notebook, and what its first and its last cell say of it."""

    name: str
    notebook: NotebookNode

    @property
    def title(self) -> str:
        """Return the first line, such as `Take a first gradient`."""
        return self.notebook.cells[0].source.partition("\n")[0].removeprefix("# ")

    @property
    def question(self) -> str:
        """Return the question that the lesson answers."""
        return plain(self.notebook.cells[0].source.split("\n\n")[1])

    @property
    def length(self) -> str:
        """Return how long the lesson takes, such as `about 33 minutes`."""
        found = re.search(r"\*\*Length:\*\* (about \d+ minutes)", self.notebook.cells[0].source)
        return found[1] if found else ""

    @property
    def words(self) -> dict[str, str]:
        """Return the words that the lesson introduces, with their meaning."""
        rows = r"^\| \*\*(.+?)\*\* \| (.+?) \|$"
        return dict(re.findall(rows, self.notebook.cells[-1].source, re.M))


def main(folder: Path) -> None:
    """Write a page and a copy of every notebook, a table of contents and a glossary."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = sorted(HERE.glob("*.ipynb"))
    lessons = [Lesson(path.stem, nbformat.read(path, as_version=4)) for path in paths]
    for path in paths:
        shutil.copy(path, folder)
    for before, lesson, after in zip([None, *lessons], lessons, [*lessons[1:], None], strict=False):
        links = [
            '<a href="index.html">All lessons</a>',
            '<a href="glossary.html">Glossary</a>',
            f'<a href="{lesson.name}.ipynb" download>This notebook, to run</a>',
            f'<a href="{before.name}.html">← Previous</a>' if before else "",
            f'<a href="{after.name}.html">Next →</a>' if after else "",
        ]
        navigation = "\n".join(filter(None, links))
        body = (
            f"<nav>{navigation}</nav>\n{as_html(lesson.notebook)}\n"
            f'<nav class="end">{navigation}</nav>'
        )
        write(folder / f"{lesson.name}.html", lesson.title, body)
    write(folder / "index.html", TITLE, contents(lessons))
    write(folder / "glossary.html", "Glossary", glossary(lessons))
    print(f"Open {folder / 'index.html'}")


def contents(lessons: list[Lesson]) -> str:
    """Return the table of contents, the core and the electives."""
    html = f'<h1>{TITLE}</h1>\n<p>{ADVICE} <a href="glossary.html">Glossary of all words</a></p>'
    for group, advice in GROUPS.items():
        html += f'\n<h2>{group}</h2>\n<p>{advice}</p>\n<ol class="lessons">'
        for lesson in lessons:
            if (lesson.name[:2] in CORE) == (group == "The core"):
                html += (
                    f'\n<li value="{int(lesson.name[:2])}"><a href="{lesson.name}.html">'
                    f'{escape(lesson.title)}</a> <span class="minutes">{lesson.length}</span>'
                    f"<p>{escape(lesson.question)}</p></li>"
                )
        html += "\n</ol>"
    return html


def glossary(lessons: list[Lesson]) -> str:
    """Return all words in their alphabetical order, each with the lesson that introduces it."""
    entries = [(word, meaning, it) for it in lessons for word, meaning in it.words.items()]
    items = (
        f"<dt>{escape(plain(word))}</dt>\n<dd>{escape(plain(meaning))} "
        f'<a href="{it.name}.html">{escape(it.title)}</a></dd>'
        for word, meaning, it in sorted(entries, key=lambda entry: entry[0].lower())
    )
    home = '<nav><a href="index.html">All lessons</a></nav>'
    return f"{home}\n<h1>Glossary</h1>\n<dl>\n" + "\n".join(items) + "\n</dl>"


def as_html(notebook: NotebookNode) -> str:
    """Return the cells as HTML, with what answers a prediction folded."""
    notebook = nbformat.from_dict(notebook)
    for cell, following in itertools.pairwise(notebook.cells):
        if cell.cell_type == "code":
            as_on_a_page(cell, alt=description(following.source))
    exporter = HTMLExporter(
        template_name="classic",
        raw_template=CELLS,
        exclude_anchor_links=True,
        exclude_output_prompt=True,
        filters={"clean_html": lambda html: html},  # what we write needs no cleaning, which is slow
    )
    html, _ = exporter.from_notebook_node(notebook)
    html = re.sub(r'(href="\w+)\.ipynb\b', r"\1.html", html)
    asked = verdicts(notebook)
    return re.sub(
        r"<ul>\s*(<li>a\) .*?</li>)\s*</ul>", lambda m: buttons(m[1], next(asked)), html, flags=re.S
    )


def description(text: str) -> str:
    """Return the first paragraph under a figure, which describes it."""
    text = re.sub(r"^<details><summary>.*?</summary>\n\n", "", text)
    return plain(text.partition("\n\n")[0])


def as_on_a_page(cell: NotebookNode, alt: str) -> None:
    """Describe the cell's figures, show its film, and leave out the mark of an empty answer."""
    cell.metadata["alt"] = alt
    if "check" in cell.metadata.get("tags", []):
        cell.outputs = [output for output in cell.outputs if output.output_type != "stream"]
    for output in cell.outputs:
        if gif := output.get("data", {}).pop("image/gif", None):
            source = f"data:image/gif;base64,{gif.strip()}"
            output.data["text/html"] = f'<img src="{source}" alt="{escape(alt)}">'


def verdicts(notebook: NotebookNode) -> Iterator[dict[str, str]]:
    """Return for each prediction with choices what is said to each letter."""
    for index, cell in enumerate(notebook.cells):
        if letters := re.findall(r"^- ([a-z])\) ", cell.source, re.M):
            texts = (
                output.text
                for answer in notebook.cells[index + 1 :]
                if "answer" in answer.metadata.get("tags", [])
                for output in answer.get("outputs", ())
                if "The answer is " in output.get("text", "")
            )
            right, *wrong = re.split(r"\nNot (?=[a-z]: )", next(texts, ""))
            said = {w[0]: f"Not {w[0]}: {plain(w[3:])}" for w in wrong}
            answer = re.search(r"The answer is (\w)\.", right)
            assert answer, f"no letter in the answer {right!r}"
            yield {letter: said.get(letter, "Not quite.") for letter in letters} | {
                answer[1]: f"Yes, {answer[1]}."
            }


def buttons(items: str, said: dict[str, str]) -> str:
    """Return the choices as buttons, each of which knows what is said to it."""
    choices = re.findall(r"<li>([a-z])\) (.*?)</li>", items, re.S)
    html = "\n".join(
        f'<button type="button" aria-pressed="false" data-verdict="{escape(said[letter])}">'
        f"{letter}) {text.strip()}</button>"
        for letter, text in choices
    )
    return (
        f'<div class="choices" role="group" aria-label="Your prediction">\n{html}\n</div>\n'
        '<p class="verdict" aria-live="polite"></p>'
    )


def plain(text: str) -> str:
    """Return the text of one paragraph without marks and line breaks."""
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text)
    return " ".join(re.sub(r"[*`]", "", text).split())


def write(file: Path, title: str, body: str) -> None:
    """Write one page."""
    style = HtmlFormatter(style="friendly").get_style_defs(".highlight") + STYLE
    file.write_text(
        f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}</title>
<style>{style}</style>
</head>
<body>
{body}
<script>{SCRIPT}</script>
</body>
</html>
""",
        encoding="utf-8",
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
