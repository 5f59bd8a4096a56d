"""What happens once: the import, the demo from a cold start, and the writing of a GIF."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from matplotlib.animation import PillowWriter
from matplotlib.figure import Figure

from benchmarks.contest import OURS, Contest
from benchmarks.particles import starts
from benchmarks.timing import Process
from gradlab import descent_path, plots, wavy_bowl

LABS = ("particles",)
FRAMES = 60


def contests(most: int = 10**8) -> Iterator[Contest]:
    """Yield contests; for few elements without the demo."""
    yield imports()
    with tempfile.TemporaryDirectory() as folder:
        yield gif(min(FRAMES, most // 20), Path(folder))
        if most > 1000:
            yield demo(Path(folder))


def imports() -> Contest:
    """Return the contest of imports."""

    def importing(module: str) -> Process:
        code = f"import time; start = time.perf_counter(); import {module}; "
        return Process("-c", code + "print([time.perf_counter() - start])")

    runs = {OURS: importing("gradlab"), "import jax": importing("jax")}
    return Contest("import", 1, runs, {"import jax": 1.05}, same=False)


def demo(folder: Path) -> Contest:
    """Return the contest of the demo with and without a cache that an earlier process filled.

    At its default thresholds the cache stores only what took a second to compile, so nothing here.
    """

    def running(**environment: str) -> Process:
        command = "-m", "gradlab.demo", *LABS, "--no-figures", "--out", str(folder)
        return Process(*command, reports=False, **environment)

    def caching(name: str) -> dict[str, str]:
        where = str(folder / name)
        return {"JAX_ENABLE_COMPILATION_CACHE": "true", "JAX_COMPILATION_CACHE_DIR": where}

    everything = {
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
    }
    runs = {
        OURS: running(),
        "with a cache": running(**caching("some")),
        "with a cache of everything": running(**caching("everything"), **everything),
    }
    return Contest("demo, a lab from cold", len(LABS), runs, same=False)


def gif(frames: int, folder: Path) -> Contest:
    """Return the contest of two ways to write an animation."""
    path = descent_path(wavy_bowl, starts(10), 0.1, frames - 1)

    def redrawn() -> Any:
        ax = Figure(layout="constrained").add_subplot()
        animation = plots.animate_descent(wavy_bowl, path, ax)
        animation.save(folder / "redrawn.gif", PillowWriter(fps=12))

    runs = {
        OURS: lambda: plots.save_descent_gif(folder / "ours.gif", wavy_bowl, path),
        "Matplotlib's full redraw": redrawn,
    }
    at_most = {"Matplotlib's full redraw": 0.15} if frames == FRAMES else {}
    return Contest("save_descent_gif", frames, runs, at_most, same=False)
