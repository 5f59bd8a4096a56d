"""`python -m gradlab.demo`: run the labs, print what they found, leave figures and a page."""

import argparse
import io
import os
import sys
from pathlib import Path

import jax

from gradlab.demo.files import WriteError, prepare_folder, write_whole
from gradlab.demo.findings import Report, Settings
from gradlab.demo.labs import LABS
from gradlab.demo.terminal import BOLD, complain, paint, print_report, print_summary, say

PASSED, FAILED, UNUSABLE, INTERRUPTED = 0, 1, 2, 130


def main(arguments: list[str] | None = None) -> int:
    """Run the demo as these command-line arguments say, and return the exit code."""
    options = _parse(arguments)
    if sys.stdout is None:
        complain("cannot print: standard output is closed; write > /dev/null to print nothing")
        return UNUSABLE
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal without √ still shows the rest
    try:
        return _list() if options.list else _run(options)
    except KeyboardInterrupt:
        say()
        complain(f"interrupted; index.html is as it was, the figures in {options.out} are whole")
        return INTERRUPTED
    except StartError as problem:
        complain(str(problem))
    except OSError as error:  # of `print`, as every other is dealt with where it occurs
        if not isinstance(error, BrokenPipeError):  # the reader has gone, as in `| head`
            complain(f"cannot print: {error.strerror}")
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return UNUSABLE


class StartError(Exception):
    """JAX or Matplotlib does not work here."""


def _list() -> int:
    width = max(map(len, LABS))
    say("\n".join(f"{name:{width}}  {title}" for name, title in LABS.items()))
    return PASSED


def _run(options: argparse.Namespace) -> int:
    cannot_write = f"cannot write in {options.out}: {{}}; choose another folder with --out DIR"
    if problem := prepare_folder(options.out):
        complain(cannot_write.format(problem))
        return UNUSABLE
    try:
        backend = jax.default_backend()
    except RuntimeError as error:
        platforms = os.environ.get("JAX_PLATFORMS", "")
        message = f"JAX cannot start with JAX_PLATFORMS={platforms!r}: {error}"
        raise StartError(f"{message}; unset it, or write JAX_PLATFORMS=cpu") from error
    footer = f"JAX {jax.__version__} on {backend}, seed {options.seed}"
    say(f"gradlab demo: {_count(options.labs, 'lab')}, {footer}\n")

    _start_matplotlib(options.show)
    from gradlab.demo.page import page
    from gradlab.demo.runner import compute_labs, draw_pictures

    settings = Settings(options.seed, options.quick)
    folder = None if options.no_figures else options.out
    reports: list[Report] = []
    for report in compute_labs(options.labs, settings):
        title = f"[{len(reports) + 1}/{len(options.labs)}] {report.name}: {report.title}"
        say(paint(title, BOLD) + "\n")
        try:
            reports.append(draw_pictures(report, folder, keep_open=options.show))
        except WriteError as error:  # the labs that follow still print their numbers
            problem, folder = str(error), None
            reports.append(report)
        print_report(reports[-1])

    index = options.out / "index.html"
    try:
        write_whole(index, lambda path: path.write_text(page(reports, footer), encoding="utf-8"))
    except WriteError as error:
        problem = str(error)
    print_summary(reports)
    if problem:
        complain(cannot_write.format(problem))
        return UNUSABLE
    say(f"\nThe page, to be opened in a browser: {index.resolve()}")
    if options.show:
        _show_windows(folder)
    return PASSED if all(report.passed for report in reports) else FAILED


def _start_matplotlib(show: bool) -> None:
    """Import Matplotlib, after the first line of the demo: it takes longer to import than JAX."""
    try:
        import matplotlib

        if not show:
            matplotlib.use("agg")
        import matplotlib.pyplot as plt

        plt.close(plt.figure())  # loads the backend
    except Exception as error:  # ImportError and ValueError, and what a toolkit raises
        backend = os.environ.get("MPLBACKEND", "")
        message = f"Matplotlib cannot start with MPLBACKEND={backend!r}: {error}"
        raise StartError(f"{message}; unset it, or write MPLBACKEND=agg") from error


def _show_windows(folder: Path | None) -> None:
    import matplotlib.pyplot as plt
    from matplotlib.backends.registry import BackendFilter, backend_registry

    if plt.get_backend().lower() in backend_registry.list_builtin(BackendFilter.NON_INTERACTIVE):
        where = (
            f"the figures are in {folder}" if folder else "and with --no-figures none is written"
        )
        say(f"--show: there is no screen to open windows on; {where}")
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
        epilog="Exit code: 0 if every self-check held, 1 if not, 2 if it could not run or write, "
        "130 if interrupted. The page shows the labs of the last run.",
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
    code = main()
    if code == INTERRUPTED:  # at once: a lab that still computes would keep the process waiting
        os._exit(code)
    sys.exit(code)
