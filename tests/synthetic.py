"""Views, claims and subjects made with NumPy alone, of functions of which everything is known."""

import types
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gradlab.checking.coordinates import Leaf
from gradlab.checking.evidence import Claims
from gradlab.checking.ladder import Direction, exponents, make_bases
from gradlab.checking.sights import View
from gradlab.checking.subject import Derivatives, Subject
from gradlab.checking.verdicts import judge

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


# Functions

NAN = np.nan


def line(x: Any) -> Any:
    return 1.0 * x


def level(x: Any) -> Any:
    return 3 + 0 * x


def large(x: Any) -> Any:
    return 1e16 + 0 * x


def rounded(x: Any) -> Any:
    return large(x) + 2 * (x * 2.0**60 % 3 > 1)  # one unit up or not


def kink(x: Any) -> Any:
    return np.where(x > 0, 3 * x, x)


def jump(x: Any) -> Any:
    return x + np.where(x > 0, 1.0, 0.0)


def jump_and_kink(x: Any) -> Any:
    return np.where(x > 0, 1 + 3 * x, x)


def edge(x: Any) -> Any:
    return np.where(x < 0, NAN, x)


def isolated(x: Any) -> Any:
    return np.where(x == 0, 1.0, NAN)


def hole(x: Any) -> Any:
    return np.where(x == 0, NAN, x)


def unsettled(x: Any) -> Any:
    return np.where(x == 0, 0, x * np.sin(1 / np.where(x == 0, 1, x)))


def stairs(width: float) -> Any:
    return lambda x: width * np.floor(x / width + 0.5)


def plateau(step: float) -> Any:
    """Return a function that is level up to this step of the ladder, and beyond it again."""
    return lambda x: np.clip(np.trunc(x / (1.5 * step * UNIT)), -1, 1)


def noisy(part: float, f: Any = line) -> View:
    """View a slope of UNIT that the noise lets be known to that part of itself."""
    # At step 1 the interval is 18 σ wide: 6 times the 3 that extrapolation makes of σ.
    return view_of(f, size=part * UNIT / (18 * 0.5 * EPS), bulk=0)


# Subjects


def subject_of(
    h: Callable[[Any], Any],
    x: Any,
    gradients: dict[str, Any],
    *,
    value: float | None = None,
    size: float | None = None,
    eps: float = EPS,
    user_eps: float = 2.0**-23,
    approximates: bool = False,
) -> Subject:
    """Make the function Σ h(xᵢ) ready to be checked, with the gradient that AD is to say in a mode.

    `value` is what differentiating the function returns, where that is another number.
    """
    x = np.asarray(x, np.float64)
    bases = make_bases(x, [len(x)], [0], 1)
    with np.errstate(all="ignore"):
        terms = h(x)

    def evaluate(directions: Sequence[Direction], which: Any, steps: Any) -> Any:
        found = np.empty(len(steps))
        for number, d in enumerate(directions):
            own = slice(d.start, d.stop)
            moved = x[own] + steps[which == number, None] * bases[d.base, own]
            rest = np.sum(terms[: d.start]) + np.sum(terms[d.stop :])
            with np.errstate(all="ignore"):
                found[which == number] = rest + np.sum(h(moved), axis=1)
        return found[:, None]

    traced: Any = types.SimpleNamespace(
        eps=eps, rounds=False, approximates=approximates, outputs=(("", 1),), jaxpr=None
    )
    total = np.sum(terms) if value is None else value
    return Subject(
        leaves=(Leaf("[0]", "real", x.shape, np.dtype(np.float32), 0, len(x)),),
        x=x,
        bases=bases,
        evaluate=evaluate,
        derivatives=[Derivatives(m, np.array(g, np.float64)[None]) for m, g in gradients.items()],
        value=np.array([total]),
        size=np.array([abs(total) if size is None else size]),
        owner=np.zeros(1, np.intp),
        rows=None,
        traced=traced,
        reals=[x],
        carried=[],
        user_eps=user_eps,
        native=None,
        notes=[],
        tell=lambda _: None,
    )
