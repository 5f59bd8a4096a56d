"""How much a value jitters by the rounding of numbers on the way, which it does not show itself.

(1 − cos x) / x² is close to ½ where x is close to 0, but at 1e-5 the cosine, rounded to 1e-16,
leaves only six digits of it; and −log softmax(x)₀ is 1e-14 at x = (33, 0, 1), where numbers like 33
are rounded by as much. At the point itself, and along a ladder of steps around it, such a value may
stay the same to the last bit. So the program is run again a few times, with the result of every
operation on the way from x to f moved up or down by one unit in its last place.
"""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from gradlab.checking.jaxprs import bind
from gradlab.checking.lifting import Survey, float64
from gradlab.checking.limits import Floats
from gradlab.checking.rewriting import Runner
from gradlab.checking.subject import Subject

RUNS = 8
SIGNS = 61  # a prime number: operations of a program that repeats itself have different signs
FAR = 2.0**20  # units: rounding moves f by so much more then, a jump or a branch does not


class Rattled(Runner):
    """Runs a program in which the results of some operations are moved by some units."""

    def __init__(self, units: Any, moving: set[int]) -> None:
        """Take by how many units, for one operation after the other, and which are moved at all."""
        self.units, self.moving, self.done = units, moving, 0

    def apply(self, eqn: Any, inputs: list[Any]) -> list[Any]:
        """Apply an operation and move its results."""
        if id(eqn) not in self.moving:
            return bind(eqn, inputs)
        # A loop that stops at a tolerance might never reach it.
        found = bind(eqn, inputs) if eqn.primitive.name == "while" else super().apply(eqn, inputs)
        self.done += 1
        return [_moved(value, self.units[self.done % SIGNS]) for value in found]


def rounding_noise(subject: Subject) -> Floats:
    """Return by how much each row of the value jitters, `(rows,)`; 0 where that cannot be told."""
    if subject.rounding_noise is None:
        closed = subject.traced.jaxpr

        def values(units: Any, reals: list[Any], carried: list[Any]) -> Any:
            run = _program(closed, carried)
            return jax.lax.map(lambda units: run(units, reals), units)

        found = _rattled(subject, "rattled values", values)
        rows = np.eye(found.shape[-1]) if subject.rows is None else subject.rows
        subject.rounding_noise = _spread(found, rows)
    return subject.rounding_noise


def rounding_of_slope(subject: Subject, tangents: Sequence[Any], row: Floats) -> float:
    """Return by how much the slope of a row along tangents jitters, without any custom rule."""
    closed = subject.traced.jaxpr

    def slopes(units: Any, reals: list[Any], carried: list[Any], tangents: list[Any]) -> Any:
        run = _program(closed, carried)
        return jax.lax.map(
            lambda units: jax.jvp(lambda x: run(units, x), (reals,), (tangents,))[1], units
        )

    found = _rattled(subject, "rattled slopes", slopes, list(tangents))
    return float(_spread(found, row[None])[0])


def _program(closed: Any, carried: list[Any]) -> Callable[[Any, list[Any]], Any]:
    """Return the program as a function of units and reals; it keeps no numbers of the subject."""
    moves = [True] * (len(closed.jaxpr.invars) - len(carried)) + [False] * len(carried)
    survey = Survey(0.0, 0)
    survey.walk(closed.jaxpr, moves)

    def run(units: Any, reals: list[Any]) -> Any:
        runner = Rattled(units, survey.moving)
        return runner.run(closed.jaxpr, closed.consts, *reals, *carried)[0]

    return run


def _rattled(subject: Subject, name: str, program: Callable[..., Any], *more: Any) -> Floats:
    """Run a program with several units for each operation; return what it makes, `(2, runs, n)`."""
    signs = np.random.default_rng(0).choice([-1.0, 1.0], (RUNS, SIGNS))
    units = np.concatenate([signs, FAR * signs])
    none = np.zeros((2, RUNS, sum(size for _, size in subject.traced.outputs)))
    if subject.traced.jaxpr is None:
        return none
    with float64(subject.traced.wide):
        try:
            found = subject.compiled(name, program)(units, subject.reals, subject.carried, *more)
        except Exception as error:  # whatever a function raises when it is traced again
            subject.not_looked_for("rounding on the way", error)
            return none
        return np.asarray(found, np.float64).reshape(none.shape)


def _spread(found: Floats, rows: Floats) -> Floats:
    """Return the standard deviation of each row over runs, if it is that of rounding, or 0."""
    with np.errstate(invalid="ignore", over="ignore"):
        near, far = np.std(found @ rows.T, axis=1)
        return np.where(near <= 4 * far / FAR, np.fmin(near, far / FAR), 0.0)


def _moved(value: Any, units: Any) -> Any:
    dtype = jnp.result_type(value)
    if not jnp.issubdtype(dtype, jnp.inexact):
        return value
    return value * (1 + jnp.asarray(jnp.finfo(dtype).eps * units, dtype))
