"""How much a value jitters by the rounding of numbers on the way, which it does not show itself.

(1 − cos x) / x² is close to ½ where x is close to 0, but at 1e-5 the cosine, rounded to 1e-16,
leaves only six digits of it; and −log softmax(x)₀ is 1e-14 at x = (33, 0, 1), where numbers like 33
are rounded by as much. At the point itself, and along a ladder of steps around it, such a value may
stay the same to the last bit. So the program is run again a few times, with the result of every
operation moved up or down by one unit in its last place.
"""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from gradlab.checking.lifting import float64
from gradlab.checking.limits import Floats
from gradlab.checking.rewriting import Runner
from gradlab.checking.subject import Subject

RUNS = 8
SIGNS = 61  # a prime number: operations of a program that repeats itself have different signs


class Rattled(Runner):
    """Runs a program in which every operation rounds once more."""

    def __init__(self, signs: Any) -> None:
        """Take −1 or 1 for each operation, and begin anew after the last."""
        self.signs, self.done = signs, 0

    def apply(self, eqn: Any, inputs: list[Any]) -> list[Any]:
        """Apply an operation and move its results by a unit in the last place."""
        found = super().apply(eqn, inputs)
        self.done += 1
        return [_moved(value, self.signs[self.done % SIGNS]) for value in found]


def rounding_noise(subject: Subject) -> Floats:
    """Return by how much each row of the value jitters, `(rows,)`; 0 where that cannot be told."""
    if subject.rounding_noise is None:

        def values(signs: Any, reals: list[Any], carried: list[Any]) -> Any:
            return jax.lax.map(lambda s: _run(subject, s, reals, carried), signs)

        found = _rattled(subject, "rattled values", values)
        if subject.rows is not None:
            found = found @ subject.rows.T
        subject.rounding_noise = np.std(found, axis=0) * np.ones(len(subject.value))
    return subject.rounding_noise


def rounding_of_slope(subject: Subject, tangents: Sequence[Any], row: Floats) -> float:
    """Return by how much the derivative of a row of the value along tangents jitters."""

    def slopes(signs: Any, reals: list[Any], carried: list[Any], tangents: list[Any]) -> Any:
        def slope(signs: Any) -> Any:
            return jax.jvp(lambda x: _run(subject, signs, x, carried), (reals,), (tangents,))[1]

        return jax.lax.map(slope, signs)

    return float(np.std(_rattled(subject, "rattled slopes", slopes, list(tangents)) @ row))


def _run(subject: Subject, signs: Any, reals: list[Any], carried: list[Any]) -> Any:
    closed = subject.traced.jaxpr
    return Rattled(signs).run(closed.jaxpr, closed.consts, *reals, *carried)[0]


def _rattled(subject: Subject, name: str, program: Callable[..., Any], *more: Any) -> Floats:
    """Run a program with several signs for each operation; return what it makes, `(runs, n)`."""
    signs = np.random.default_rng(0).choice([-1.0, 1.0], (RUNS, SIGNS))
    none = np.zeros((RUNS, sum(size for _, size in subject.traced.outputs)))
    if subject.traced.jaxpr is None:
        return none
    with float64(subject.traced.wide):
        try:
            found = subject.compiled(name, program)(signs, subject.reals, subject.carried, *more)
        except Exception:  # whatever a function raises when it is traced again
            return none
        return np.nan_to_num(np.asarray(found, np.float64), posinf=0.0, neginf=0.0)


def _moved(value: Any, sign: Any) -> Any:
    dtype = jnp.result_type(value)
    if not jnp.issubdtype(dtype, jnp.inexact):
        return value
    unit = jnp.asarray(jnp.finfo(dtype).eps * sign, dtype)
    return value * (1 + unit)
