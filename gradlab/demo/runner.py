"""Running one lab: compute, draw, write, and turn an error into a report instead of a crash."""

import importlib
import traceback
from functools import partial
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt

from gradlab.demo.files import write_whole
from gradlab.demo.findings import Findings, Picture, Report, Settings
from gradlab.demo.labs import LABS

DOTS_PER_INCH = 130  # sharp on a projector, and the page stays below a few megabytes


def run_lab(name: str, settings: Settings, folder: Path | None, keep_open: bool = False) -> Report:
    """Run the lab of this name and write its pictures into `folder`, unless that is None.

    With `keep_open` the figures stay in pyplot, to be shown in windows afterwards.
    """
    report = partial(Report, name, LABS[name])
    findings: Findings | None = None
    try:
        findings = importlib.import_module(f"gradlab.demo.labs.{name}").run(settings)
        pictures = [] if folder is None and not keep_open else findings.pictures
        files = [_draw(picture, name, folder, keep_open) for picture in pictures]
    except Exception:  # whatever it is, the other labs run, and the exit code tells
        return report(error=traceback.format_exc())
    return report(findings, [file for file in files if file is not None])


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
