"""Running the labs: compute, draw, write, and turn an error into a report instead of a crash."""

import importlib
import inspect
import re
import textwrap
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import matplotlib.pyplot as plt

from gradlab.demo.files import WriteError, write_whole
from gradlab.demo.findings import Picture, Report, Settings
from gradlab.demo.labs import LABS

DOTS_PER_INCH = 130  # sharp on a projector, and the page stays below a few megabytes


def compute_labs(names: list[str], settings: Settings) -> Iterator[Report]:
    """Compute the labs, two at a time, and give their reports in order.

    Nearly all of a lab's time is compilation, which XLA does outside Python's global lock.
    """
    pool = ThreadPoolExecutor(max_workers=2)
    try:
        yield from pool.map(partial(_compute, settings=settings), names)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def draw_pictures(report: Report, folder: Path | None, keep_open: bool) -> Report:
    """Draw the lab's pictures, into `folder` unless that is None, and add the files to its report.

    With `keep_open` the figures stay in pyplot, to be shown in windows afterwards.

    Raises:
        WriteError: If a file cannot be written; the report is not to blame for that.
    """
    if report.findings is None or (folder is None and not keep_open):
        return report
    try:
        files = [_draw(p, report.name, folder, keep_open) for p in report.findings.pictures]
    except WriteError:
        raise
    except Exception:
        return replace(report, findings=None, error=traceback.format_exc())
    return replace(report, files=[file for file in files if file is not None])


def shown_code(lab: ModuleType) -> str:
    """Return the lines of a lab that its source marks as the ones that make its numbers."""
    marked = re.findall(r"( *)# On the page:\n(.*?)\n\1# \(to here\)", inspect.getsource(lab), re.S)
    return "\n\n".join(textwrap.dedent(lines) for _, lines in marked)


def _compute(name: str, settings: Settings) -> Report:
    try:
        lab = importlib.import_module(f"gradlab.demo.labs.{name}")
        return Report(name, LABS[name], lab.run(settings), code=shown_code(lab))
    except Exception:  # whatever it is, the other labs run, and the exit code tells
        return Report(name, LABS[name], error=traceback.format_exc())


def _draw(picture: Picture, lab: str, folder: Path | None, keep_open: bool) -> Path | None:
    filename = f"{lab}-{picture.name}{picture.suffix}"
    path = None if folder is None else folder / filename
    draw: Any = picture.draw
    if picture.suffix == ".gif":
        if path is not None:
            write_whole(path, draw)
        return path
    figure = draw().get_figure(root=True)
    if path is not None:
        write_whole(path, partial(figure.savefig, dpi=DOTS_PER_INCH))
    if not keep_open:
        plt.close(figure)
    return path
