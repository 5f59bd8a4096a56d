"""The figure of a verdict: intervals that narrow as the step grows, and where AD lies."""

import dataclasses
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclasses.dataclass(frozen=True)
class Funnel:
    """Finite differences with step, slope and half-width of each, and the verdict's interval."""

    rows: tuple[tuple[float, float, float], ...]
    ad: float
    fd: float
    half: float
    title: str


def plot_funnel(funnel: Funnel, ax: "Axes | None" = None) -> "Axes":
    """Draw finite differences with their intervals against the step.

    Args:
        funnel: What to draw.
        ax: Where; a new figure if None.

    Returns:
        The Axes. The vertical axis is linear around AD and FD and logarithmic farther out, so
        that both the wide end and the narrow one can be read.
    """
    # Here, so that `import gradlab` costs what `import jax` costs.
    import matplotlib.pyplot as plt
    from matplotlib.ticker import SymmetricalLogLocator

    if ax is None:
        _, ax = plt.subplots(figsize=(7.0, 4.2), layout="constrained")
    blue, orange, grey = "#0072B2", "#D55E00", "#777777"
    steps, slopes, halves = (np.array(column) for column in zip(*funnel.rows, strict=True))
    known = np.isfinite(slopes)
    ax.errorbar(
        steps[known],
        slopes[known] - funnel.fd,
        halves[known],
        fmt="o",
        markersize=3,
        color=blue,
        ecolor=grey,
        elinewidth=0.8,
        label="finite differences, with the noise of f",
    )
    ax.axhspan(-funnel.half, funnel.half, color=blue, alpha=0.25, label="FD, the interval")
    if np.isfinite(funnel.ad):
        ax.axhline(funnel.ad - funnel.fd, color=orange, linestyle="--", label="AD")
    narrow = max(funnel.half, 1e-300)
    sign = "+" if funnel.fd < 0 else "−"
    ylabel = f"slope {sign} {abs(funnel.fd):.6g}"
    ax.set(xscale="log", title=funnel.title, xlabel="step", ylabel=ylabel)
    ax.set_yscale("symlog", linthresh=10 * narrow, linscale=2)  # room for the labels around 0
    locator = SymmetricalLogLocator(linthresh=10 * narrow, base=10)
    locator.set_params(numticks=9)
    ax.yaxis.set_major_locator(locator)
    ax.margins(y=0.08)
    ax.legend(loc="best", fontsize="small")
    return ax
