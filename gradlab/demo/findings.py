"""What goes into a lab and what comes out of it, before anything is printed or drawn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import jax

if TYPE_CHECKING:  # the demo prints its first line before these are imported
    import numpy as np
    import pandas as pd
    from matplotlib.axes import Axes


@dataclass(frozen=True)
class Settings:
    """What a user can change about a lab: the random seed and whether to keep sizes small."""

    seed: int = 0
    quick: bool = False

    @property
    def key(self) -> jax.Array:
        """The random key that a lab draws everything from."""
        return jax.random.key(self.seed)


@dataclass(frozen=True)
class Picture:
    """A figure: `draw` returns its Axes, or, for an animation, writes the GIF it is given."""

    name: str
    caption: str
    draw: Callable[[], Axes] | Callable[[Path], None]
    suffix: str = ".png"


@dataclass(frozen=True)
class Slider:
    """Paths of particles on a landscape for several step sizes, to be chosen with a slider.

    `paths[i]` is `(num_steps + 1, n, 2)`, each position with its height, for `step_sizes[i]`;
    `curve` is `(m, 2)`, the landscape.
    """

    caption: str
    step_sizes: list[float]
    paths: np.ndarray
    curve: np.ndarray


@dataclass(frozen=True)
class Check:
    """Something that the lab claims, whether it held, and what was found."""

    claim: str
    holds: bool
    found: str


@dataclass(frozen=True)
class Findings:
    """What a lab shows: tables by their title, a sentence on what to notice, pictures, checks.

    A `slider` is drawn on the page only.
    """

    tables: dict[str, pd.DataFrame]
    notice: str
    checks: list[Check]
    pictures: list[Picture] = field(default_factory=list)
    slider: Slider | None = None


@dataclass(frozen=True)
class Report:
    """What became of one lab: its findings and the files of its pictures, or its error.

    `code` is the part of the lab's source that makes its numbers.
    """

    name: str
    title: str
    findings: Findings | None = None
    files: list[Path] = field(default_factory=list)
    error: str = ""
    code: str = ""

    @property
    def passed(self) -> bool:
        """Whether the lab ran to its end and every one of its checks held."""
        return self.findings is not None and all(check.holds for check in self.findings.checks)


def format_number(number: float) -> str:
    """Return a number of a table as text, with six digits where it has so many."""
    return f"{number:.6g}"
