"""Times of rivals that are fair: in one process, warmed up, one after the other, medians."""

import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any

import jax

ROUNDS = 9  # medians of so many
LEAST = 1e-3  # seconds: what is shorter is repeated until it takes so long


def seconds(run: Callable[[], Any], repeats: int = 1) -> float:
    """Return how long one call takes, until its result is there."""
    start = time.perf_counter()
    for _ in range(repeats):
        jax.block_until_ready(run())
    return (time.perf_counter() - start) / repeats


def medians(rivals: Mapping[str, Callable[[], Any]], rounds: int = ROUNDS) -> dict[str, float]:
    """Return the median time of each rival, after one call each to warm up.

    In every round each rival runs once, so that what slows the machine down slows all of them.
    """
    repeats = {name: max(1, int(LEAST / max(seconds(run), 1e-9))) for name, run in rivals.items()}
    times: dict[str, list[float]] = {name: [] for name in rivals}
    for _ in range(rounds):
        for name, run in rivals.items():
            times[name].append(seconds(run, repeats[name]))
    return {name: statistics.median(found) for name, found in times.items()}
