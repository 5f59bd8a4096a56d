"""Programs, run: values at many points, gradients, and slopes along directions.

Each is run as it is or in float64. What is compiled for a program is kept, and used again when the
same program is traced again.
"""

import contextlib
import functools
from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np
from jax import lax
from numpy.typing import NDArray

from gradlab.checking.float64 import InFloat64, Perturbed
from gradlab.checking.intervals import Floats
from gradlab.checking.jaxprs import Survey, apart
from gradlab.checking.steps import Direction, as_table, masked, split
from gradlab.checking.tracing import Traced

MOST_AT_ONCE = 2**20  # elements in the widest array of a batch of points
MOST_POINTS = 4096  # in a batch


class Programs:
    """The programs of a function, to be run as they are or in float64.

    Attributes:
        traced: The programs.
        wide: Whether they run in float64.
        coarse: The operations that do not run in float64 all the same.
    """

    def __init__(self, traced: Traced, *, wide: bool) -> None:
        """Take the programs."""
        self.traced, self.wide = traced, wide
        self.known = traced.known
        self._wider = InFloat64() if wide else None
        self._rerun: Any = self._wider or _as_it_is
        self._batched = True
        if ("survey", wide) not in self.known:
            self.known["survey", wide] = traced.survey(self.coarse())
        self.survey: Survey = self.known["survey", wide]
        self.eps = self.survey.eps
        self.rows, self.owner, self.outputs = traced.rows, traced.owner, traced.outputs
        self.moved, self.raised = traced.moved, traced.raised
        self.batch = max(1, min(MOST_POINTS, MOST_AT_ONCE // self.survey.widest))
        own = self._own
        self.reals = [own(real) for real in traced.arguments.reals]
        self._consts = [own(const) for const in traced.consts]
        self._more = [
            [own(const) for const in (() if program is None else apart(program)[1])]
            for program in (traced.pull, traced.push)
        ]

    def coarse(self) -> Any:
        """Return the operations that do not run in float64; None if none of them is asked to."""
        if self._wider is None:
            return None
        with self._floats():
            inputs = [self._wider.abstract(aval) for aval in self.traced.arguments.abstract()]
            jax.eval_shape(lambda x: self._rerun(self.traced.value, self.traced.consts, x), inputs)
        return self._wider.coarse

    def look(
        self,
        bases: Floats,
        directions: Sequence[Direction],
        points: Any = None,
        *,
        gradient: bool = False,
        slopes: bool = False,
    ) -> tuple[Floats | None, Any, Floats | None]:
        """Run what is asked for, by one compiled program.

        Args:
            bases: Numbers by which the coordinates move, `(bases, coordinates)`.
            directions: Directions.
            points: For each point its direction and its signed step; None for no values.
            gradient: Whether to run the gradient.
            slopes: Whether to run the slopes along the directions.

        Returns:
            The rows of the value at the points, `(points, rows)`; the outputs and the gradients of
            their rows, an array for each of the reals; and the slopes of the rows along the
            directions, `(directions, rows)`.
        """
        table = as_table(directions)
        which, steps = (np.zeros(0, np.intp), np.zeros(0)) if points is None else points
        asked = tuple(_rounded_up(n) for n in (len(steps), len(directions) * slopes))
        given = (
            tuple(_padded(table[:, which], asked[0])), _padded(steps, asked[0]),
            tuple(_padded(table, asked[1])) if slopes else (),
        )  # fmt: skip
        values, pulled, slope = self._run((*asked, gradient), bases, given)
        return (
            None if points is None else values[: len(steps)],
            pulled,
            slope[: len(directions)] if slopes else None,
        )

    def plain(self) -> Floats:
        """Run the value program; return all of its outputs."""

        def run(consts: Any, x: Any) -> Any:
            return self._rerun(self.traced.value, consts, x)[0]

        return self._compiled("plain", run, self._consts, self.reals)

    def trace(self, function: Callable[..., Any], like: Any) -> Any:
        """Trace a function of constants, reals and one thing more, in the user's own dtypes."""
        abstract = self.traced.arguments.abstract()
        return jax.make_jaxpr(function)(self.traced.consts, abstract, like)

    def run(self, closed: Any, given: Any, *, whole: bool) -> list[Floats]:
        """Run what `trace` returned, with the thing more as it is to be run.

        Args:
            closed: The program.
            given: The thing more.
            whole: Whether to compile the program, or to run it operation by operation.
        """
        jaxpr, own = apart(closed)
        consts, inputs = (
            list(map(self._own, own)),
            jax.tree.leaves((self._consts, self.reals, given)),
        )
        run = functools.partial(self._rerun, jaxpr)
        if whole:
            return self._compiled(str(jaxpr), run, consts, inputs)
        with self._floats():
            return [np.asarray(x, np.float64) for x in run(consts, inputs)]

    def perturbed(self, units: Floats) -> tuple[Floats, list[Floats]]:
        """Run value and gradient with rounding on the way made larger, once for each row of units.

        Returns:
            The outputs, `(runs, outputs)`, and the gradients of their rows, one array for each of
            the reals that reverse mode differentiates with respect to.
        """
        traced, moving = self.traced, self.traced.survey(None).moving
        weights = np.eye(traced.total) if traced.rows is None else traced.rows
        of_pull = Survey(self.eps)
        if traced.pull is not None:
            held = len(traced.consts)
            moves = [False] * held + [True] * (len(traced.pull.jaxpr.invars) - held)
            of_pull.look(traced.pull.jaxpr, moves, None)

        def run(consts: Any, more: Any, x: Any, weights: Any, units: Any) -> Any:
            value = Perturbed(units, moving)(traced.value, consts, x)[0]
            if traced.pull is None:
                return value, []
            again = Perturbed(units, of_pull.moving)
            return value, again(traced.pull.jaxpr, more[0], [*consts, *x, weights])[1:]

        each = jax.vmap(run, (None, None, None, None, 0))
        inputs = self._consts, self._more, self.reals, weights, units
        return self._compiled("perturbed", each, *inputs)

    def _run(self, asked: Any, bases: Floats, given: Any) -> Any:
        traced, dtype = self.traced, np.float64 if self.wide else self.traced.dtype
        weights = 2 * (np.eye(traced.total) if traced.rows is None else traced.rows).astype(dtype)
        rows = None if traced.rows is None else traced.rows.astype(dtype)
        inputs = (self._consts, self._more, self.reals, bases, weights, rows, given)
        while True:
            function = functools.partial(self._together, self._batched, asked)
            try:
                return self._compiled((self._batched, asked), function, *inputs)
            except Exception:  # whatever cannot be batched
                if not self._batched:
                    raise
                self._batched = False

    def _compiled(self, name: Any, function: Callable[..., Any], *inputs: Any) -> Any:
        """Run a function that is compiled once for a program, under a name."""
        with self._floats():
            if (self.wide, name) not in self.known:
                self.known[self.wide, name] = jax.jit(function).lower(*inputs).compile()
            found = self.known[self.wide, name](*inputs)
            return jax.tree.map(lambda x: np.asarray(x, np.float64), found)

    def _together(
        self, batched: bool, asked: Any, consts: Any, more: Any, x: Any, bases: Any, weights: Any,
        rows: Any, given: Any,
    ) -> Any:  # fmt: skip
        number, directions, gradient = asked
        (table, steps, along), (of_pull, of_push) = given, more

        def at(point: Any) -> Any:
            which, step = point
            direction = masked(bases, *which)
            change = split(lax.mul(lax.full_like(direction, step), direction), x)
            (value,) = self._rerun(self.traced.value, consts, list(map(lax.add, x, change)))
            return value if rows is None else rows @ value

        def slope(which: Any) -> Any:
            tangents = split(-2 * masked(bases, *which), x)  # a rule that is not linear shows
            tangents = [tangents[i] for i in self.traced.moved["fwd"]]
            inputs = [*consts, *x, *tangents]
            (value,) = self._rerun(self.traced.push.jaxpr, of_push, inputs)
            return (value if rows is None else rows @ value) / -2 + 0.0  # a zero has no sign

        values = _each(at, (table, steps), number, self.batch if batched else 0)
        slopes = _each(slope, along, directions, self.batch if batched else 0)
        pulled = None
        if gradient:
            inputs = [*consts, *x, weights]
            value, *gradients = self._rerun(self.traced.pull.jaxpr, of_pull, inputs)
            pulled = value, [g / 2 for g in gradients]  # a rule that forgets its cotangent shows
        return values, pulled, slopes

    def _own(self, number: Any) -> Any:
        return number if self._wider is None else self._wider.number(number)

    def _floats(self) -> contextlib.AbstractContextManager[Any]:
        return jax.enable_x64(True) if self.wide else contextlib.nullcontext()


def _as_it_is(jaxpr: Any, consts: Sequence[Any], inputs: Sequence[Any]) -> Any:
    return jax.core.eval_jaxpr(jaxpr, consts, *inputs)


def _each(f: Callable[[Any], Any], inputs: Any, number: int, batch: int) -> Any:
    """Apply f to each of the inputs: at once, some at a time, or one after the other."""
    if not number:
        return None
    if number <= batch:
        return jax.vmap(f)(inputs)
    return lax.map(f, inputs, batch_size=batch if batch > 1 else None)


def _padded(columns: NDArray[Any], length: int) -> NDArray[Any]:
    """Append zeros, so that programs are compiled for few lengths only."""
    missing = (*columns.shape[:-1], length - columns.shape[-1])
    return np.concatenate([columns, np.zeros(missing, columns.dtype)], axis=-1)


def _rounded_up(number: int) -> int:
    """Return the next of few numbers: by at most a quarter more, for at most eight an octave."""
    multiple = max(1, (1 << max(0, number - 1).bit_length()) // 8)
    return -(-number // multiple) * multiple
