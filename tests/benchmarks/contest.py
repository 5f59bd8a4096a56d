"""A contest: one helper at one size, and what does the same. Measured, it is rows of a table."""

import importlib
import statistics
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import numpy as np

from benchmarks.timing import Effort, times

OURS = "gradlab"
EXPERT = "hand-written JAX"
NO_OVERHEAD = {EXPERT: 1.05}


@dataclass(frozen=True)
class Contest:
    """Runs that do the same job, ours among them.

    `runs` maps names to functions, ours to be named `OURS`; None stands for a rival that is not
    installed. `at_most` holds what the ratio of our time to a rival's shall not exceed.
    `same` says that all compute the same numbers, so that a test can compare them.
    """

    helper: str
    size: int
    runs: Mapping[str, Callable[[], Any] | None]
    at_most: Mapping[str, float] = field(default_factory=dict)
    same: bool = True


@dataclass(frozen=True)
class Row:
    """One run of one contest: a line of the table and of the CSV file.

    `ratio` is our time over this one's, the median over the rounds; below 1 ours is the faster.
    `seconds` is None if the rival is not installed, `bytes` if its memory is not known.
    """

    helper: str
    size: int
    run: str
    seconds: float | None
    ratio: float | None
    at_most: float | None
    bytes: float | None
    rounds: int

    @property
    def over(self) -> bool:
        """Tell whether the ratio exceeds what it may be."""
        return None not in (self.ratio, self.at_most) and self.ratio > self.at_most


def measure(contest: Contest, effort: Effort) -> Iterator[Row]:
    """Run a contest, and yield a row for each that takes part, ours first."""
    present = {name: run for name, run in contest.runs.items() if run is not None}
    found = times(present, effort)
    memory = {name: run.bytes() for name, run in present.items() if hasattr(run, "bytes")}
    for name in sorted(contest.runs, key=lambda name: name != OURS):
        seconds = ratio = None
        if name in found:
            seconds = statistics.median(found[name])
            ratios = [a / b for a, b in zip(found[OURS], found[name], strict=True)]
            ratio = statistics.median(ratios)
        at_most = contest.at_most.get(name)
        row = contest.helper, contest.size, name, seconds, ratio, at_most, memory.get(name)
        yield Row(*row, len(found[OURS]))


def installed(name: str) -> ModuleType | None:
    """Import a module that only the benchmarks use; return None if it is not installed."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what a rival still uses of old JAX is not our concern
        try:
            return importlib.import_module(name)
        except ImportError:
            return None


def decades(first: int, last: int, most: int = 10**9) -> list[int]:
    """Return the powers of ten between two exponents that are no larger than `most`."""
    return [10**k for k in range(first, last + 1) if 10**k <= most]


def normal(*shape: int, seed: int = 0) -> Any:
    """Return float32 numbers from the normal distribution, as a NumPy array."""
    return np.random.default_rng(seed).standard_normal(shape, np.float32)
