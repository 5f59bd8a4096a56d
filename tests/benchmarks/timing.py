"""Times of rivals that are fair: in one process, warmed up, by turns; and a rival's memory."""

import ctypes
import json
import os
import re
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import jax

TESTS = Path(__file__).parents[1]
LEAST = 0.01  # seconds: what is shorter is repeated until it takes so long
NOISE = 2**20  # bytes by which the memory of a process changes of itself


class Effort(NamedTuple):
    """How often to measure: at least `rounds`, and on to `most_rounds` if that takes no longer."""

    rounds: int = 7
    most_rounds: int = 31
    enough: float = 1.0  # seconds for a contest


FULL, QUICK = Effort(), Effort(rounds=1, most_rounds=1)


class Measured(NamedTuple):
    """What a run returns that has measured itself, as one in another process has."""

    seconds: float
    bytes: float | None = None


def seconds(run: Callable[[], Any], repeats: int = 1) -> float:
    """Return how long one call takes, until its result is there."""
    start = time.perf_counter()
    for _ in range(repeats):
        result = jax.block_until_ready(run())
    took = (time.perf_counter() - start) / repeats
    return result.seconds if isinstance(result, Measured) else took


def times(runs: Mapping[str, Callable[[], Any]], effort: Effort = FULL) -> dict[str, list[float]]:
    """Return how long one call of each run took, in each round.

    In every round each runs once, so that what slows the machine slows all of them, and every
    other round in reverse, so that none always follows the same. Before, each is called once to
    compile and, unless that was long, once more to see how often it must be repeated.
    """
    repeats = {}
    for name, run in runs.items():
        took = seconds(run)
        took = seconds(run) if took < 1 else took
        repeats[name] = max(1, int(LEAST / max(took, 1e-9)))
    found: dict[str, list[float]] = {name: [] for name in runs}
    end = time.perf_counter() + effort.enough
    for k in range(effort.most_rounds):
        if k >= effort.rounds and time.perf_counter() > end:
            break
        for name in list(runs)[:: -1 if k % 2 else 1]:
            found[name].append(seconds(runs[name], repeats[name]))
    return found


class Process:
    """A Python process that prints `[seconds, bytes]` last; without `reports` it is timed whole.

    It uses no cache of compiled programs, unless its environment says so.
    """

    def __init__(self, *arguments: str, reports: bool = True, **environment: str) -> None:
        self.command, self.reports = [sys.executable, *arguments], reports
        path = os.pathsep.join([str(TESTS), os.environ.get("PYTHONPATH", "")])
        unasked = {"JAX_ENABLE_COMPILATION_CACHE": "false", "PYTHONPATH": path}
        self.environment = os.environ | unasked | environment
        self.last = Measured(0.0)

    def __call__(self) -> Measured | None:
        run = subprocess.run(
            self.command, env=self.environment, check=True, stdout=subprocess.PIPE, text=True
        )
        if not self.reports:
            return None
        self.last = Measured(*json.loads(run.stdout.splitlines()[-1]))
        return self.last

    def bytes(self) -> float | None:
        """Return what the last run printed."""
        return self.last.bytes


class Program:
    """A jitted function with its arguments, whose memory the compiler knows."""

    def __init__(self, f: Callable[..., Any], *args: Any) -> None:
        self.compiled, self.args = jax.jit(f), args

    def __call__(self) -> Any:
        return self.compiled(*self.args)

    def bytes(self) -> float | None:
        """Return what it needs for its results and on the way to them."""
        memory = self.compiled.lower(*self.args).compile().memory_analysis()
        return memory and float(memory.output_size_in_bytes + memory.temp_size_in_bytes)


class NumPyRun:
    """A function that works with NumPy, which tells Python what it allocates."""

    def __init__(self, f: Callable[[], Any]) -> None:
        self.f = f

    def __call__(self) -> Any:
        return self.f()

    def bytes(self) -> float | None:
        """Return the most that it has allocated at a time, its results included."""
        tracemalloc.start()
        try:
            kept = self.f()
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        del kept
        return float(peak)


class TorchRun(NumPyRun):
    """A function that works with PyTorch, whose memory only the operating system knows."""

    def bytes(self) -> float | None:
        """Return by how much the process grows at the peak."""
        return growth(self.f)


def growth(run: Callable[[], Any]) -> float | None:
    """Return by how many bytes the process grows at the peak; None if little, or on no Linux."""
    if not sys.platform.startswith("linux"):
        return None
    ctypes.CDLL(None).malloc_trim(0)  # so that what was freed before is not used again
    Path("/proc/self/clear_refs").write_text("5")  # from here on the peak is counted anew
    before = _resident("VmRSS")
    kept = run()
    grown = _resident("VmHWM") - before
    del kept
    return grown if grown > NOISE else None


def _resident(name: str) -> float:
    found = re.search(rf"{name}:\s*(\d+) kB", Path("/proc/self/status").read_text())
    assert found is not None
    return 1024.0 * int(found[1])
