"""What the demo prints: the labs one after another, plain where no terminal reads it."""

import os
import sys

from gradlab.demo.findings import Report, format_number

BOLD, GREEN, RED, RESET = "\033[1m", "\033[32m", "\033[31m", "\033[0m"


def paint(text: str, *codes: str) -> str:
    """Return `text` in colour if standard output is a terminal that has and wants colours."""
    unwanted = "NO_COLOR" in os.environ or os.environ.get("TERM") == "dumb"
    plain = unwanted or not sys.stdout.isatty()
    return text if plain else "".join(codes) + text + RESET


def say(text: str = "") -> None:
    """Print at once, also into a pipe, so that a reader sees how far the demo has come."""
    print(text, flush=True)


def complain(text: str) -> None:
    """Print one line to standard error."""
    print(f"gradlab.demo: {' '.join(text.split())}", file=sys.stderr, flush=True)


def print_report(report: Report) -> None:
    """Print what a lab found: tables, what to notice, checks, and where its pictures are."""
    if report.findings is None:
        say(report.error)
        say(paint("  ERROR ", BOLD, RED) + f" the lab {report.name} did not finish, see above\n")
        return
    for title, table in report.findings.tables.items():
        lines = table.to_string(index=False, float_format=format_number).splitlines()
        say("\n".join([f"  {title}:", "", *(f"    {line}" for line in lines), ""]))
    say(f"  Notice: {report.findings.notice}\n")
    for check in report.findings.checks:
        mark = paint("  ok    ", GREEN) if check.holds else paint("  FAILED", BOLD, RED)
        say(f"{mark} {check.claim} ({check.found})")
    for file in report.files:
        say(f"  figure {file}")
    say()


def print_summary(reports: list[Report]) -> None:
    """Print one line a lab: whether it passed, and how many of its checks held."""
    say(paint("Summary", BOLD))
    width = max(len(report.name) for report in reports)
    for report in reports:
        checks = report.findings.checks if report.findings else []
        held = f"{sum(check.holds for check in checks)} of {len(checks)} checks held"
        verdict = paint("passed", GREEN) if report.passed else paint("FAILED", BOLD, RED)
        say(f"  {report.name:{width}}  {verdict}  {held if checks else 'did not finish'}")
