"""Write the notebooks, as they are committed, as pages that open in any browser, offline.

python notebooks/write_site.py FOLDER
"""

import re
import shutil
import sys
from html import escape
from pathlib import Path

import nbformat
from nbconvert import HTMLExporter
from pygments.formatters import HtmlFormatter

NOTEBOOKS = sorted(Path(__file__).parent.glob("*.ipynb"))
TITLE = "What a gradient is, in lessons to play with"
ADVICE = (
    "Each lesson takes ten to twenty minutes and opens with a question that it answers. Read it "
    "here, or better, save its notebook and run it in JupyterLab: predict before you run a cell, "
    "and let the checks mark your answers to the exercises."
)

STYLE = """
:root { --ink: #1a1a1a; --faint: #666; --line: #ddd; --accent: #0072b2; --code: #f6f6f6; }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 62rem; padding: 1.5rem; color: var(--ink); background: #fff;
  font: 1.0625rem/1.6 system-ui, "Segoe UI", "DejaVu Sans", sans-serif; overflow-wrap: break-word; }
h1 { font-size: 2.1rem; line-height: 1.2; margin: 1rem 0; }
h2 { font-size: 1.5rem; line-height: 1.25; margin: 2.8rem 0 .6rem; }
h3 { font-size: 1.2rem; line-height: 1.3; margin: 2rem 0 .5rem; }
a { color: var(--accent); }
nav { display: flex; flex-wrap: wrap; gap: .3rem 1.5rem; font-size: 1rem; }
nav.end { border-top: 1px solid var(--line); margin-top: 3rem; padding-top: 1rem; }
ol.lessons > li { margin: 1.2rem 0; }
ol.lessons p { margin: .2rem 0; }
p, li { max-width: 44rem; }
code, pre { font-family: ui-monospace, "Cascadia Mono", "DejaVu Sans Mono", monospace; }
code { font-size: .9em; background: var(--code); padding: .1em .25em; border-radius: .2rem; }
pre { font-size: .875rem; line-height: 1.45; overflow-x: auto; margin: 0; }
pre code { font-size: inherit; padding: 0; background: none; }
.highlight { background: var(--code); border-left: .25rem solid var(--accent);
  padding: .7rem .9rem; margin: 1rem 0 .4rem; }
.output_area { margin: .4rem 0 1rem; padding-left: 1.15rem; overflow-x: auto; }
.output_area img { display: block; max-width: 100%; height: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .95rem; }
table, tr, th, td { border: 0; }
th, td { padding: .25rem 0 .25rem 1.1rem; text-align: right; border-bottom: 1px solid var(--line); }
.text_cell table { display: block; overflow-x: auto; }
.text_cell th, .text_cell td { text-align: left; }
details { margin: .8rem 0 2rem; padding: .3rem .9rem; border: 1px solid var(--line); }
summary { cursor: pointer; color: var(--accent); }
blockquote { margin: 1rem 0; padding-left: 1rem; border-left: .35rem solid var(--line); }
.celltag_exercise .highlight { border-left-color: #e69f00; }
@media (max-width: 40rem) {  /* a figure is scrolled rather than made too small to read */
  body { padding: 1rem; }
  .output_area { padding-left: 0; }
  .output_area img { max-width: none; width: 34rem; }
}
@media print { nav { display: none; } .cell { break-inside: avoid; } }
"""


def main(folder: Path) -> None:
    """Write a page and a copy of every notebook, and a table of contents."""
    folder.mkdir(parents=True, exist_ok=True)
    notebooks = {path.stem: nbformat.read(path, as_version=4) for path in NOTEBOOKS}
    names = list(notebooks)
    for index, name in enumerate(names):
        shutil.copy(NOTEBOOKS[index], folder)
        links = [
            '<a href="index.html">All lessons</a>',
            f'<a href="{name}.ipynb" download>This notebook, to run</a>',
            *(
                f'<a href="{other}.html">← Previous</a>'
                for other in names[max(0, index - 1) : index]
            ),
            *(f'<a href="{other}.html">Next →</a>' for other in names[index + 1 : index + 2]),
        ]
        navigation = "\n".join(links)
        body = (
            f"<nav>{navigation}</nav>\n{lesson(notebooks[name])}\n"
            f'<nav class="end">{navigation}</nav>'
        )
        write(folder / f"{name}.html", opening(notebooks[name])[0], body)
    items = (
        f'<li><a href="{name}.html">{escape(title)}</a><p>{escape(question)}</p></li>'
        for name, (title, question) in zip(names, map(opening, notebooks.values()), strict=True)
    )
    contents = f'<h1>{TITLE}</h1>\n<p>{ADVICE}</p>\n<ol class="lessons">{"".join(items)}</ol>'
    write(folder / "index.html", TITLE, contents)
    print(f"Open {folder / 'index.html'}")


def lesson(notebook: nbformat.NotebookNode) -> str:
    """Return the cells as HTML, each figure described by the paragraph under it."""
    for cell, following in zip(notebook.cells, notebook.cells[1:], strict=False):
        if cell.cell_type == "code":
            paragraph = following.source.partition("\n\n")[0]
            cell.metadata["alt"] = " ".join(re.sub(r"[*`]", "", paragraph).split())
    exporter = HTMLExporter(
        template_name="basic",
        exclude_input_prompt=True,
        exclude_output_prompt=True,
        exclude_anchor_links=True,
    )
    html, _ = exporter.from_notebook_node(notebook)
    return re.sub(r'(href="\w+)\.ipynb\b', r"\1.html", html)


def opening(notebook: nbformat.NotebookNode) -> tuple[str, str]:
    """Return the title of a lesson and the question that it opens with."""
    title, question = notebook.cells[0].source.split("\n\n")[:2]
    return title.removeprefix("# "), " ".join(re.sub(r"[*`]", "", question).split())


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
</body>
</html>
""",
        encoding="utf-8",
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
