"""The figure: how long what takes, against its size."""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from matplotlib.figure import Figure

from benchmarks.contest import OURS, Row

PANELS = (
    "random_walk",
    "random_walk, gradient",
    "10,000 walks side by side",
    "descend, 100 steps",
    "per_example_grads, d = 3",
    "check_grads, one element wrong",
)
# Colours that colour-blind readers can tell apart; markers for those who see greys.
STYLES = [
    {"color": "black", "marker": "o", "linewidth": 2.5},
    {"color": "#E69F00", "marker": "x", "linestyle": "--"},
    {"color": "#0072B2", "marker": "s", "linestyle": "-."},
    {"color": "#009E73", "marker": "^", "linestyle": ":"},
    {"color": "#D55E00", "marker": "v"},
    {"color": "#CC79A7", "marker": "D", "linestyle": "--"},
    {"color": "#777777", "marker": "+", "linestyle": "-."},
]


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
        for (name, points), style in zip(found.items(), STYLES, strict=False):
            above = {"zorder": 3} if name == OURS else {"markersize": 5}
            ax.loglog(*zip(*points, strict=True), label=name, **style, **above)
        ax.set(title=panel, xlabel="size", ylabel="seconds")
        ax.legend(fontsize=7)
    figure.suptitle(f"Cost against size ({caption})", fontsize=10)
    figure.savefig(path, dpi=120)
