"""The few things that every figure shares: its size and colours that differ in grey, too."""

import matplotlib.pyplot as plt
from matplotlib.axes import Axes

from gradlab._arguments import describe

FIGURE_SIZE = (7.0, 4.2)  # inches: what a notebook shows without scrolling, and a page without zoom

# The colours are from the palette of Okabe and Ito (2008), which the colour-blind tell apart.
BLUE, ORANGE = "#0072B2", "#E69F00"
GREY, LIGHT = "#777777", "#BBBBBB"


def axes_or_new(ax: Axes | None) -> Axes:
    """Return `ax`, or the Axes of a new figure of the size that all gradlab's figures have."""
    if ax is None:
        _, ax = plt.subplots(figsize=FIGURE_SIZE, layout="constrained")
    if not isinstance(ax, Axes):
        write = "figure, ax = plt.subplots(), or axes[0] of several"
        raise TypeError(f"ax: got {describe(ax)}, expected one Axes; write {write}")
    return ax


def legend_beside(ax: Axes) -> None:
    """Put the legend to the right of the Axes, where it hides neither marks nor contours."""
    ax.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
