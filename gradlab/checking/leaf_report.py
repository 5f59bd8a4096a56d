"""The report on one leaf, and its figure: intervals that narrow as the step grows."""

import dataclasses
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclasses.dataclass(frozen=True)
class Why:
    """A verdict with its cause and hint, each a sentence or empty, and the line they speak of."""

    verdict: str
    cause: str = ""
    hint: str = ""
    where: str = ""


@dataclasses.dataclass(frozen=True)
class Funnel:
    """Finite differences with step, slope and half-width of each, and the verdict's interval."""

    rows: tuple[tuple[float, float, float], ...]
    ad: float
    fd: float
    half: float
    title: str


@dataclasses.dataclass(frozen=True)
class LeafReport:
    """The verdict on one leaf of the arguments.

    Attributes:
        path: Where it is in the tuple of arguments, as `jax.tree_util.keystr` writes it.
        shape: Its shape.
        dtype: Its dtype.
        index: The element that decided; None where a whole direction was checked.
        part: `real` or `imag`, the part of a complex element that was moved; otherwise empty.
        output: The output whose derivative this is, where there are several.
        ad: The derivative according to automatic differentiation.
        fd: The derivative according to finite differences.
        half_width: fd is right to within this.
        error: ad − fd.
        digits: To how many decimal digits ad and fd are known to agree, at worst; 0 if wrong.
        verdict: `agree`, `wrong` or `cannot tell`.
        cause: Why, in a sentence; empty for a plain agreement.
        hint: What to look at or to do; may be empty.
        where: File and line of the code that the cause speaks of; may be empty.
        mode: Which derivative this was: `rev`, `fwd` or `grad`, a function that was given. A second
            derivative has two, as in `fwd over rev`: forward mode over reverse mode.
        order: 1, or 2 for the derivative of the derivative.
        checked: Which elements or directions were looked at.
        funnel: Steps, finite differences and half-widths behind the verdict, for `plot`.
    """

    path: str
    shape: tuple[int, ...]
    dtype: str
    index: tuple[int, ...] | None
    part: str
    output: str
    ad: float | complex
    fd: float | complex
    half_width: float
    error: float | complex
    digits: float
    verdict: str
    cause: str
    hint: str
    where: str
    mode: str
    order: int
    checked: str
    funnel: Funnel | None = dataclasses.field(default=None, repr=False)

    def of_second_order(self, mode: str) -> "LeafReport":
        """Return the same report, on the derivative of a derivative that `mode` gave."""
        cause = self.cause and f"taking the first derivative as f, {self.cause}"
        both = " over ".join(filter(None, (self.mode, mode)))
        return dataclasses.replace(self, order=2, mode=both, cause=cause)


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
