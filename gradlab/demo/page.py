"""The page: every lab's text, tables and figures in one HTML file that needs nothing else."""

import base64
from html import escape
from pathlib import Path

import pandas as pd

from gradlab.demo.findings import Check, Picture, Report, format_number
from gradlab.demo.slider import SCRIPT, slider_figure

STYLE = """
:root { --ink: #1a1a1a; --faint: #666; --line: #ddd; --accent: #0072b2; --bad: #b00020; }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 62rem; padding: 1.5rem; color: var(--ink); background: #fff;
  font: 1.125rem/1.55 system-ui, "Segoe UI", "DejaVu Sans", sans-serif; }
h1 { font-size: 2.2rem; line-height: 1.15; margin: .5rem 0; }
h2 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 .5rem; }
nav ol { columns: 2 18rem; padding-left: 1.6rem; }
a { color: var(--accent); }
section { border-top: 2px solid var(--line); margin-top: 2.5rem; padding-top: 1.5rem; }
.notice { border-left: .35rem solid var(--accent); padding-left: 1rem; font-size: 1.25rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; margin: 1rem 0; min-width: min(100%, 26rem);
  font-variant-numeric: tabular-nums; }
caption { text-align: left; font-weight: 600; padding-bottom: .3rem; }
th, td { padding: .3rem .9rem .3rem 0; text-align: left; border-bottom: 1px solid var(--line); }
th { color: var(--faint); font-weight: 600; vertical-align: bottom; }
td.number, th.number { text-align: right; }
td { white-space: nowrap; }
figure { margin: 1.5rem 0; }
figure img { display: block; width: 100%; max-width: 44rem; height: auto; }
figcaption, footer { color: var(--faint); font-size: 1rem; }
ul.checks { list-style: none; padding: 0; font-size: 1rem; }
ul.checks .found { color: var(--faint); }
.mark { font-weight: 700; color: var(--accent); }
.failed .mark, strong.failed { color: var(--bad); }
pre { overflow-x: auto; background: #f6f6f6; padding: 1rem; font-size: .9rem; }
details { margin: 1rem 0; }
summary { cursor: pointer; color: var(--accent); }
figure svg { display: block; width: 100%; max-width: 44rem; height: auto; background: #fff; }
.slide { display: flex; flex-wrap: wrap; gap: .3rem 1rem; align-items: center;
  max-width: 44rem; padding: .4rem 0; }
.slide input { flex: 1 1 14rem; min-width: 0; height: 2rem; accent-color: var(--accent); }
"""


def page(reports: list[Report], footer: str) -> str:
    """Return the page as HTML."""
    failed = sum(not report.passed for report in reports)
    verdict = "Every lab passed its self-checks."
    if failed:
        verdict = f'<strong class="failed">{failed} of {len(reports)} labs failed.</strong>'
    contents = [
        f'<li><a href="#{report.name}">{escape(report.title)}</a></li>' for report in reports
    ]
    lines = [
        "<!doctype html>",
        '<html lang="en">',
        "<head>",
        '<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        "<title>gradlab: what a gradient is</title>",
        f"<style>{STYLE}</style>",
        "</head>",
        "<body>",
        "<h1>What a gradient is, by playing with real ones</h1>",
        "<p>Each section is one lab of <code>python -m gradlab.demo</code>: what to notice, the "
        "numbers and figures that show it, the code that makes the numbers, and what the lab "
        "checked about itself.</p>",
        f"<p>{verdict}</p>",
        f"<nav><ol>{''.join(contents)}</ol></nav>",
        *map(_section, reports),
        f"<footer><p>{escape(footer)}</p></footer>",
        f"<script>{SCRIPT}</script>",
        "</body>",
        "</html>",
    ]
    return "\n".join(lines) + "\n"


def _section(report: Report) -> str:
    heading = f'<section id="{report.name}">\n<h2>{escape(report.title)}</h2>'
    findings = report.findings
    if findings is None:
        error = f"<pre>{escape(report.error)}</pre>"
        failed = '<p><strong class="failed">This lab did not finish.</strong></p>'
        return f"{heading}\n{failed}\n{error}\n</section>"
    lines = [
        heading,
        f'<p class="notice">{escape(findings.notice)}</p>',
        *(_table(title, table) for title, table in findings.tables.items()),
        slider_figure(findings.slider) if findings.slider else "",
        *(_figure(*pair) for pair in zip(findings.pictures, report.files, strict=False)),
        _code(report),
        '<ul class="checks">',
        *map(_check, findings.checks),
        "</ul>",
        "</section>",
    ]
    return "\n".join(lines)


def _table(title: str, table: pd.DataFrame) -> str:
    def row(tag: str, cells: list[object]) -> str:
        return (
            "<tr>"
            + "".join(_cell(tag, cell, column) for cell, column in zip(cells, table, strict=True))
            + "</tr>"
        )

    def _cell(tag: str, cell: object, column: str) -> str:
        kind = ' class="number"' if pd.api.types.is_numeric_dtype(table[column]) else ""
        text = format_number(cell) if isinstance(cell, float) else str(cell)
        return f"<{tag}{kind}>{escape(text)}</{tag}>"

    head = row("th", list(table.columns))
    body = "".join(row("td", list(cells)) for cells in table.itertuples(index=False))
    return (
        f'<div class="scroll"><table><caption>{escape(title)}</caption>'
        f"<thead>{head}</thead><tbody>{body}</tbody></table></div>"
    )


def _figure(picture: Picture, file: Path) -> str:
    data = base64.b64encode(file.read_bytes()).decode()
    source = f"data:image/{file.suffix[1:]};base64,{data}"
    caption = escape(picture.caption)
    return (
        f'<figure><img alt="{caption}" src="{source}"><figcaption>{caption}</figcaption></figure>'
    )


def _code(report: Report) -> str:
    file = f"gradlab/demo/labs/{report.name}.py"
    summary = f"The code that makes these numbers, from <code>{file}</code>"
    code = f"<pre><code>{escape(report.code)}</code></pre>"
    return f"<details><summary>{summary}</summary>{code}</details>" if report.code else ""


def _check(check: Check) -> str:
    state, mark = ("held", "✓") if check.holds else ("failed", "✗ failed:")
    return (
        f'<li class="{state}"><span class="mark">{mark}</span> {escape(check.claim)} '
        f'<span class="found">({escape(check.found)})</span></li>'
    )
