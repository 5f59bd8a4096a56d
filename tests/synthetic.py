"""Views, claims and subjects made with NumPy alone, of functions of which everything is known."""

from collections.abc import Callable
from typing import Any

import numpy as np

from gradlab.checking.ladder import Direction, exponents, make_bases
from gradlab.checking.sights import View
from gradlab.checking.verdicts import Claims, judge

EPS = 2.0**-52
UNIT = 0.3125  # what a step of 1 moves an x below 1 by


def view_of(
    f: Callable[[Any], Any],
    x: float = 0.0,
    *,
    size: float | None = None,
    bulk: float | None = None,
    eps: float = EPS,
    rounds: bool = False,
) -> View:
    """Look at a function of one number, as `check_grads` does at an element of an array.

    `size` sets the least noise that the view has, `eps * size / 2`; `bulk` what is rounding.
    """
    at = np.array([x])
    (rungs,) = exponents([Direction(0, 0, 1)], at, eps)
    steps = 2.0 ** -np.asarray(rungs, np.float64)
    t = steps * make_bases(at, [1], [0], 0)[0, 0]
    with np.errstate(all="ignore"):
        behind, ahead, centre = (np.array(f(x + s), np.float64) for s in (-t, t, 0.0 * t[:1]))
    for side in (behind, ahead):
        side[~np.isfinite(side)] = np.nan
    size = abs(centre[0]) if size is None else size
    bulk = abs(centre[0]) if bulk is None else bulk
    return View(
        steps, behind[None], centre, ahead[None], np.array([size]), np.array([bulk]), eps, rounds
    )


def claims_of(
    slope: float,
    *,
    spread: float | None = None,
    scale: float = 0.0,
    jitter: float = 0.0,
    floor: float = 0.0,
    material: float = 2e-5,
) -> Claims:
    """Claim a slope, over a step of 1."""
    spread = abs(slope) if spread is None else spread
    numbers = (np.array([number]) for number in (slope, spread, scale, jitter, floor))
    return Claims(*numbers, material)


def verdict_on(view: View, claims: Claims) -> tuple[str, str]:
    """Return the verdict and its cause."""
    answers = judge(view, claims)
    return str(answers.verdict[0]), str(answers.cause[0])
