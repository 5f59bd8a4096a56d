"""The report: what a user reads, as text, as a table and as a figure."""

import dataclasses
import html
import math
import textwrap
from typing import TYPE_CHECKING

from gradlab.checking.judge import WORST_FIRST
from gradlab.checking.leaf_report import LeafReport, plot_funnel

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

SHOWN = 8  # leaves in the printed report, worst first
EXPLAINED = 3  # so many leaves have their reason printed, and so many ways are listed
MODES = {"rev": "reverse mode (jax.grad)", "fwd": "forward mode (jax.jvp)"}


@dataclasses.dataclass(frozen=True)
class GradientReport:
    """What `check_grads` found.

    It prints itself, as text in a terminal and as a table in a notebook. There are three verdicts,
    so it has no truth value; ask for `ok`.

    Attributes:
        leaves: One `LeafReport` for each leaf of the arguments, and for each order.
        notes: Remarks on how it was checked.
        skipped: Paths of leaves that have no derivative, or were not asked for.
        raised: Modes that were asked for and that JAX does not have for f, each with what it says.

    Example:
        >>> import jax
        >>> from gradlab import check_grads
        >>> report = check_grads(lambda x: x * jax.lax.stop_gradient(x), (3.0,))
        >>> report.verdict, report.ok
        ('wrong', False)
        >>> (leaf,) = report.leaves
        >>> leaf.path, leaf.ad, round(leaf.fd, 6)
        ('[0]', 3.0, 6.0)
        >>> leaf.cause
        'stop_gradient (line 1) removed a term: without it AD is what FD says'
    """

    leaves: tuple[LeafReport, ...]
    notes: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    raised: tuple[tuple[str, str], ...] = ()

    @property
    def verdict(self) -> str:
        """The worst verdict of all leaves."""
        verdicts = {leaf.verdict for leaf in self.leaves}
        return next(verdict for verdict in WORST_FIRST if verdict in verdicts)

    @property
    def ok(self) -> bool:
        """Whether every leaf's derivative agrees, in every mode that was asked for."""
        return self.verdict == "agree" and not self.raised

    def __bool__(self) -> bool:
        """Refuse: there are three verdicts."""
        raise TypeError("a GradientReport has three verdicts and no truth value; write report.ok")

    def worst_first(self) -> list[LeafReport]:
        """Return the leaves, those with the worst verdict first."""
        return sorted(self.leaves, key=lambda leaf: WORST_FIRST.index(leaf.verdict))

    def __repr__(self) -> str:
        """Return the verdict and what was found of each leaf, in a line."""
        found = ", ".join(f"{leaf.path} {leaf.verdict}" for leaf in self.worst_first()[:SHOWN])
        more = ", …" if len(self.leaves) > SHOWN else ""
        return f"<GradientReport: {self.verdict} ({found}{more})>"

    def __str__(self) -> str:
        """Return the report as text of at most a screen."""
        number = len(self.leaves)
        counts = [(v, sum(leaf.verdict == v for leaf in self.leaves)) for v in WORST_FIRST]
        told = ", ".join(f"{v}: {n}" for v, n in counts if n)
        head = f"gradient check: {self.verdict.upper()}  ({told}, of {_plural(number, 'leaf')})"
        lines = [head, *(line for text in self._raised() for line in _wrapped(text, 2))]
        shown = self.worst_first()[:SHOWN]
        rows = [_cells(leaf) for leaf in shown]
        widths = [max(len(row[i]) for row in [HEADER, *rows]) for i in range(len(HEADER))]
        lines += ["", _line(HEADER, widths)]
        for place, (leaf, row) in enumerate(zip(shown, rows, strict=True)):
            lines.append(_line(row, widths))
            if leaf.cause and (place < EXPLAINED or leaf.verdict != shown[place - 1].verdict):
                lines += _wrapped(f"why:  {_why(leaf)}")
                if leaf.hint:
                    lines += _wrapped(f"hint: {leaf.hint}")
        below = (_wrapped(line, 2) for line in self._below(SHOWN))
        return "\n".join([*lines, "", *(line for wrapped in below for line in wrapped)])

    def _raised(self) -> list[str]:
        """Say which modes JAX does not have for f, if it has one."""
        if not any(leaf.mode for leaf in self.leaves):
            return []
        left = {"rev": "fwd", "fwd": "rev"}
        return [
            f"{MODES[mode]} raises an error{'' if mode == 'rev' else f': {error}'}; "
            f'modes=("{left[mode]}",) leaves it out'
            for mode, error in self.raised
        ]

    def _below(self, shown: int) -> list[str]:
        """Say what the table does not: leaves that it leaves out, and how all were checked."""
        lines, rest = [], self.worst_first()[shown:]
        if rest:
            more = _plural(len(rest), "more leaf")
            lines.append(f"… and {more}, the worst verdict among them: {rest[0].verdict}")
        ways = list(dict.fromkeys(leaf.checked for leaf in self.worst_first()))
        more_ways = len(ways) - EXPLAINED
        others = [f"and {more_ways} other way{'s' * (more_ways > 1)}"] if more_ways > 0 else []
        lines.append(f"checked: {'; '.join([*ways[:EXPLAINED], *others, *self.notes])}")
        if self.skipped:
            named = ", ".join(self.skipped[:SHOWN]) + (", …" if len(self.skipped) > SHOWN else "")
            lines.append(f"not differentiated: {named}")
        return lines

    def _repr_html_(self) -> str:
        """Return the report as a table for a notebook."""
        colours = {"agree": "#0072B2", "wrong": "#D55E00", "cannot tell": "#777777"}
        head = "".join(f"<th style='text-align:left'>{h}</th>" for h in (*HEADER, "why"))
        body = []
        for leaf in self.worst_first()[: 4 * SHOWN]:
            cells = [html.escape(cell) for cell in _cells(leaf)]
            cells[0] = f"<b style='color:{colours[leaf.verdict]}'>{cells[0]}</b>"
            why = "<br>".join(html.escape(text) for text in (_why(leaf), leaf.hint) if text)
            style = "text-align:left; white-space:nowrap; padding-right:1em"
            row = "".join(f"<td style='{style}'>{cell}</td>" for cell in cells)
            body.append(f"{row}<td style='text-align:left'>{why}</td>")
        rows = "".join(f"<tr>{row}</tr>" for row in body)
        raised = "".join(f"<p>{html.escape(text)}</p>" for text in self._raised())
        below = "".join(f"<p>{html.escape(line)}</p>" for line in self._below(4 * SHOWN))
        return (
            f"<p><b>gradient check: {self.verdict}</b></p>{raised}<table>"
            f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>{below}"
        )

    def to_frame(self) -> "pd.DataFrame":
        """Return the leaves as a DataFrame, one row for each, worst first."""
        import pandas as pd  # here, so that `import gradlab` costs what `import jax` costs

        others = (field.name for field in dataclasses.fields(LeafReport))
        fields = [*FIRST, *(name for name in others if name not in ("funnel", *FIRST))]
        rows = [{name: getattr(leaf, name) for name in fields} for leaf in self.worst_first()]
        return pd.DataFrame(rows, columns=fields)

    def plot(self, path: str | None = None, ax: "Axes | None" = None) -> "Axes":
        """Draw the intervals against the step, and where AD lies.

        Args:
            path: Which leaf; the worst one if None.
            ax: Where to draw; a new figure if None.

        Returns:
            The Axes.

        Raises:
            ValueError: If there is no such leaf.
        """
        leaves = [leaf for leaf in self.worst_first() if path in (None, leaf.path)]
        found = [leaf.funnel for leaf in leaves if leaf.funnel is not None]
        if not found:
            known = ", ".join(leaf.path for leaf in self.leaves if leaf.funnel is not None)
            raise ValueError(
                f"path: got {path!r}, expected one of {known}" if known
                else "plot: JAX has no derivative of f, so there is nothing to draw"
            )  # fmt: skip
        return plot_funnel(found[0], ax)


FIRST = ("verdict", "path", "index", "ad", "fd", "half_width", "cause")  # columns of the frame
HEADER = ("verdict", "leaf", "element", "AD", "FD", "digits")


def _cells(leaf: LeafReport) -> tuple[str, ...]:
    where = "all together" if leaf.index is None else f"{list(leaf.index)} of {leaf.shape}"
    if leaf.index == ():
        where = "the number"
    if leaf.part:
        where += f", {leaf.part} part"
    name = leaf.path
    if leaf.order == 2:
        name += f" (2nd derivative, {leaf.mode})"
    elif leaf.mode == "fwd" and leaf.verdict != "agree":
        name += " (forward)"
    digits = f"{leaf.digits:.0f}" if leaf.verdict == "agree" and leaf.digits >= 0.5 else "–"
    fd = "–"
    if math.isfinite(leaf.half_width) and leaf.fd == leaf.fd:
        fd = f"{_number(leaf.fd, leaf.half_width)} ± {leaf.half_width:.0e}"
    ad = "–" if not leaf.mode else _number(leaf.ad)
    return leaf.verdict, name, where, ad, fd, digits


def _why(leaf: LeafReport) -> str:
    """Return the cause, and in which of several outputs it was seen."""
    if leaf.verdict == "agree" or not leaf.output:
        return leaf.cause
    return f"{leaf.cause} (seen in {leaf.output})"


def _number(value: float | complex, half: float = 0.0) -> str:
    """Write a number with eight digits, or with as many as are known."""
    known = 8.0
    if 0 < half < math.inf and math.isfinite(abs(value)) and value != 0:
        known = math.log10(abs(value) / half) + 2
    return f"{value:.{min(8, max(1, math.ceil(known)))}g}"


def _line(cells: tuple[str, ...], widths: list[int]) -> str:
    padded = (cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
    return ("  " + "  ".join(padded)).rstrip()


def _plural(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun.replace('leaf', 'leave')}s"


def _wrapped(text: str, indent: int = 6) -> list[str]:
    further = " " * (indent + 6)
    return textwrap.wrap(text, 96, initial_indent=further[6:], subsequent_indent=further)
