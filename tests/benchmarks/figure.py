"""The figure: how long what takes, against its size."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from benchmarks.contest import EXPERT, OURS, Row

PANELS = {  # and what their sizes count
    "random_walk": "steps",
    "random_walk, gradient": "steps",
    "10,000 walks as in lesson 13": "steps of all walks",
    "descend, 100 steps": "particles",
    "per_example_grads, d = 3": "examples",
    "check_grads, one element wrong": "elements",
}
# Colours that colour-blind readers can tell apart, markers for those who see greys. Who takes part
# in most contests looks the same in all.
FAMILIAR = {
    OURS: {"color": "black", "marker": "o", "linewidth": 2.5},
    EXPERT: {"color": "#E69F00", "marker": "x", "linestyle": "--"},
    "NumPy": {"color": "#009E73", "marker": "^", "linestyle": ":"},
    "PyTorch": {"color": "#D55E00", "marker": "v"},
}
OTHERS = [
    {"color": "#0072B2", "marker": "s", "linestyle": "-."},
    {"color": "#CC79A7", "marker": "D", "linestyle": "--"},
    {"color": "#777777", "marker": "+", "linestyle": "-."},
    {"color": "#56B4E9", "marker": "P", "linestyle": ":"},
    {"color": "#8C6D31", "marker": "*", "linestyle": "-"},
]


def styles(names: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Return a style of its own for each run of a contest."""
    others = iter(OTHERS)
    return {name: FAMILIAR.get(name.split(",")[0]) or next(others) for name in names}


def draw(rows: Sequence[Row], caption: str, path: Path) -> None:
    """Draw a panel for each helper of `PANELS` that has been measured."""
    panels = [name for name in PANELS if any(row.helper == name for row in rows)]
    if not panels:
        return
    columns = min(3, len(panels))
    lines = -(-len(panels) // columns)
    figure = Figure(figsize=(4.8 * columns, 4.4 * lines), layout="constrained")
    axes = figure.subplots(lines, columns, squeeze=False).ravel()
    for ax in axes[len(panels) :]:
        ax.remove()
    for panel, ax in zip(panels, axes, strict=False):
        found: dict[str, list[tuple[int, float]]] = defaultdict(list)
        for row in rows:
            if row.helper == panel and row.seconds is not None:
                found[row.run].append((row.size, row.seconds))
        for name, style in styles(found).items():
            above = {"zorder": 3} if name == OURS else {"markersize": 5}
            ax.loglog(*zip(*found[name], strict=True), label=name, **style, **above)
        ax.set(title=panel, xlabel=PANELS[panel], ylabel="seconds")
        ax.legend(fontsize=7)
    figure.suptitle(f"Cost against size ({caption})", fontsize=10)
    figure.savefig(path, dpi=120)
