"""`python -m gradlab.demo`: run the labs, print what they found, leave figures and a page."""

import argparse
import io
import os
import sys
from pathlib import Path

import jax

from gradlab.demo.files import prepare_folder, write_whole
from gradlab.demo.findings import Report, Settings
from gradlab.demo.labs import LABS
from gradlab.demo.terminal import BOLD, paint, print_report, print_summary, say

PASSED, FAILED, UNUSABLE, INTERRUPTED = 0, 1, 2, 130


def main(arguments: list[str] | None = None) -> int:
    """Run the demo as these command-line arguments say, and return the exit code."""
    options = _parse(arguments)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal without √ still shows the rest
    try:
        return _list() if options.list else _run(options)
    except KeyboardInterrupt:
        message = f"interrupted; index.html is as it was, the figures in {options.out} are whole"
        print(f"\ngradlab.demo: {message}", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:  # the reader has gone, as in `| head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return UNUSABLE


def _list() -> int:
    width = max(map(len, LABS))
    say("\n".join(f"{name:{width}}  {title}" for name, title in LABS.items()))
    return PASSED


def _run(options: argparse.Namespace) -> int:
    if problem := prepare_folder(options.out):
        message = f"cannot write in {options.out}: {problem}; choose another folder with --out DIR"
        print(f"gradlab.demo: {message}", file=sys.stderr)
        return UNUSABLE

    footer = f"JAX {jax.__version__} on {jax.default_backend()}, seed {options.seed}"
    say(f"gradlab demo: {_count(options.labs, 'lab')}, {footer}\n")

    import matplotlib  # after the first line: it takes longer to import than JAX

    if not options.show:
        matplotlib.use("agg")
    from gradlab.demo.page import page
    from gradlab.demo.runner import compute_labs, draw_pictures

    settings = Settings(options.seed, options.quick)
    folder = None if options.no_figures else options.out
    reports: list[Report] = []
    for report in compute_labs(options.labs, settings):
        title = f"[{len(reports) + 1}/{len(options.labs)}] {report.name}: {report.title}"
        say(paint(title, BOLD) + "\n")
        reports.append(draw_pictures(report, folder, keep_open=options.show))
        print_report(reports[-1])

    index = options.out / "index.html"
    write_whole(index, lambda path: path.write_text(page(reports, footer), encoding="utf-8"))
    print_summary(reports)
    say(f"\nThe page, to be opened in a browser: {index.resolve()}")
    if options.show:
        _show_windows(options.out)
    return PASSED if all(report.passed for report in reports) else FAILED


def _show_windows(folder: Path) -> None:
    import matplotlib.pyplot as plt

    if plt.get_backend().lower() == "agg":
        say(f"--show: there is no screen to open windows on; the figures are in {folder}")
    else:
        plt.show()


def _count(things: list[str], name: str) -> str:
    return f"{len(things)} {name}" + ("" if len(things) == 1 else "s")


def _seed(text: str) -> int:
    if not text.isdecimal() or int(text) >= 2**31:
        raise argparse.ArgumentTypeError(f"got {text}, expected a whole number from 0 to 2³¹ − 1")
    return int(text)


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m gradlab.demo",
        description="Run gradlab's labs: print what they show, and leave figures and a page.",
        epilog="Exit code: 0 if every self-check held, 1 if not, 2 if it could not run, 130 if "
        "interrupted. The page shows the labs of the last run.",
    )
    add = parser.add_argument
    add("labs", nargs="*", metavar="LAB", help="which labs to run, by name (default: all)")
    add("--list", action="store_true", help="list the labs and stop")
    add(
        "--out",
        type=Path,
        default=Path("gradlab-demo"),
        metavar="DIR",
        help="where figures and index.html go (default: ./gradlab-demo)",
    )
    add("--seed", type=_seed, default=0, metavar="N", help="another random seed (default: 0)")
    add("--quick", action="store_true", help="smaller sizes")
    add("--show", action="store_true", help="open figure windows at the end")
    add("--no-figures", action="store_true", help="draw nothing")
    options = parser.parse_args(arguments)
    options.labs = list(dict.fromkeys(options.labs)) or list(LABS)
    if unknown := [name for name in options.labs if name not in LABS]:
        parser.error(f"no lab is named {', '.join(unknown)}; there are {', '.join(LABS)}")
    return options


if __name__ == "__main__":
    sys.exit(main())
