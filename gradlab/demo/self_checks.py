"""The self-checks of the labs: a number against a known one, a gradient against differences."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from gradlab import check_grads
from gradlab.demo.findings import Check


def check_close(claim: str, got: ArrayLike, expected: ArrayLike, within: float) -> Check:
    """Check that every element of `got` is at most `within` away from `expected`."""
    got, expected = np.asarray(got), np.asarray(expected)
    if got.shape != expected.shape:
        return Check(claim, False, f"got shape {got.shape}, expected {expected.shape}")
    distance = float(np.abs(got - expected).max(initial=0.0))
    found = f"off by {distance:.1g}, allowed {within:.1g}" if distance else "exactly"
    return Check(claim, distance <= within, found)  # false for NaN


def check_below(claim: str, got: float, limit: float) -> Check:
    """Check that `got` is below `limit`."""
    return Check(claim, bool(got < limit), f"{got:.3g}, to be below {limit:.3g}")


def check_gradient(
    claim: str, f: Callable[..., Any], args: tuple[Any, ...], argnums: int | tuple[int, ...] = 0
) -> Check:
    """Check the gradient of `f` by some of its arguments with `check_grads`.

    Pass every array as an argument: one that `f` closes over stays float32, and its rounding is
    then the noise that the checker has to see through.
    """
    report = check_grads(f, args, argnums=argnums, modes=("rev",))
    worst = report.worst_first()[0]
    words = worst.cause or f"to {report.leaves[0].digits:.0f} digits"
    return Check(claim, report.ok, f"{report.verdict}, slope {worst.ad:.6g}: {words}")
