"""The compiled programs: values at many points at once, and derivatives in both modes.

Each is compiled once for a function and the shapes of its arguments; the numbers, the directions
and the steps are arguments. Where a function cannot be batched its points are taken one after the
other, and where it cannot be traced it is run on numbers.
"""

import functools
from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np
from jax import lax
from numpy.typing import NDArray

from gradlab.checking import on_numbers
from gradlab.checking.ladder import Direction, as_table, masked, split
from gradlab.checking.lifting import Traced, float64
from gradlab.checking.limits import Floats

MOST_AT_ONCE = 2**20  # elements in the widest array of a batch: 8 MiB
FEWEST_POINTS, MOST_POINTS = 32, 4096  # in one call


class Programs:
    """A traced function with its values and derivatives, compiled when they are first wanted."""

    def __init__(self, traced: Traced) -> None:
        """Prepare the programs."""
        self.traced = traced
        self.batch = max(1, min(MOST_POINTS, MOST_AT_ONCE // max(1, traced.widest)))
        self.how = "eager" if traced.jaxpr is None else "batched"
        self._values: dict[str, Callable[..., Any]] = {}
        self.together: dict[tuple[str, ...], Callable[..., Any] | None] = {}  # of `first_look`
        self.of_causes: dict[str, Callable[..., Any]] = {}  # what `causes` compiles, kept likewise
        self._push_error: Exception | None = None
        self._value = jax.jit(traced.call)
        self._derivatives: dict[tuple[str, bool], Callable[..., Any]] = {}
        self._batches = True  # derivatives can be taken many at a time

    # Values

    def values(
        self,
        x: Sequence[Any],
        carried: Sequence[Any],
        bases: Floats,
        rows: Any,
        directions: Sequence[Direction],
        which: NDArray[np.intp],
        steps: Floats,
    ) -> Floats:
        """Evaluate the rows of the value at x + step · direction, `(points, rows)`.

        Args:
            x: Real leaves.
            carried: Other arrays.
            bases: Numbers by which the coordinates move, `(bases, coordinates)`.
            rows: `(rows, outputs)`, or None for the outputs themselves.
            directions: Those of the points.
            which: For each point, its direction.
            steps: For each point, its signed step.
        """
        table = as_table(directions)[:, which]
        if self.how == "eager":
            with float64(self.traced.wide):
                return on_numbers.values(self.traced, x, carried, bases, rows, table, steps)
        number = len(steps)
        at_once = _rounded_up(max(min(number, self.batch), FEWEST_POINTS))
        table, t = _padded(table, at_once), _padded(steps, at_once)
        found = []
        with float64(self.traced.wide):
            for first in range(0, len(t), at_once):
                part = slice(first, first + at_once)
                given = x, carried, bases, rows, tuple(table[:, part]), t[part]
                found.append(np.asarray(self._run_values(given), np.float64))
        return np.concatenate(found)[:number]

    def _run_values(self, given: tuple[Any, ...]) -> Any:
        if self.how == "batched":
            try:
                return self._compiled("batched")(*given)
            except Exception:  # whatever a function raises that has no batching rule
                self.how = "mapped"
        return self._compiled(self.how)(*given)

    def _compiled(self, how: str) -> Callable[..., Any]:
        if how not in self._values:
            self._values[how] = jax.jit(self.at_points(how))
        return self._values[how]

    def at_points(self, how: str = "batched") -> Callable[..., Any]:
        """Return the function that evaluates at many points, to be compiled."""

        def at_points(x: Any, carried: Any, bases: Any, rows: Any, table: Any, t: Any) -> Any:
            def at(point: Any) -> Any:
                which, step = point
                direction = masked(bases, *which)
                change = split(lax.mul(lax.full_like(direction, step), direction), x)
                value = self.traced.call(list(map(lax.add, x, change)), carried)
                return value if rows is None else rows @ value

            if how == "mapped":
                return lax.map(at, (table, t))
            if self.batch < FEWEST_POINTS:
                return lax.map(at, (table, t), batch_size=self.batch)
            return jax.vmap(at)((table, t))

        return at_points

    # Derivatives

    def value(self, x: Any, carried: Any) -> Floats:
        """Return the value itself."""
        with float64(self.traced.wide):
            run = self.traced.call if self.how == "eager" else self._value
            return _on_host(run(list(x), list(carried)))

    def pull(self, x: Any, carried: Any, rows: Any) -> tuple[Floats, Floats, list[Floats]]:
        """Return the rows of the value, the size of their terms, and their gradients.

        Gradients are one array `(rows, *shape)` for each leaf, by reverse mode.
        """
        given = list(x), list(carried), self.cotangents(rows)
        with float64(self.traced.wide):
            if self.how == "eager":
                return pulled(on_numbers.pull(self.traced, *given), rows)
            return pulled(self._batched_or_not(self.pull_rows, *given), rows)

    def cotangents(self, rows: Any) -> Floats:
        """Return twice the weights of the rows, `(rows, outputs)`; `pulled` halves what comes."""
        outputs = sum(size for _, size in self.traced.outputs)
        return 2 * (np.eye(outputs) if rows is None else np.asarray(rows, np.float64))

    def _batched_or_not(self, rows: Callable[..., Any], *given: Any) -> Any:
        if self._batches:
            try:
                return jax.block_until_ready(self._derivative(rows, True)(*given))
            except Exception:  # whatever a rule raises that cannot be batched, or has no such mode
                found = self._derivative(rows, False)(*given)
                self._batches = False
                return found
        return self._derivative(rows, False)(*given)

    def _derivative(self, rows: Callable[..., Any], batched: bool) -> Callable[..., Any]:
        key = rows.__name__, batched
        if key not in self._derivatives:
            self._derivatives[key] = jax.jit(functools.partial(rows, batched))
        return self._derivatives[key]

    def push(
        self, x: Any, carried: Any, rows: Any, bases: Any, directions: Sequence[Direction]
    ) -> Floats:
        """Return the forward derivatives of the rows along directions, `(directions, rows)`."""
        if self._push_error is not None:
            raise self._push_error.with_traceback(None)  # it would grow, and keep all arrays
        given = list(x), list(carried), rows, backwards(bases)
        table, number = as_table(directions), len(directions)
        try:
            with float64(self.traced.wide):
                if self.how == "eager":
                    return pushed(on_numbers.push(self.traced, *given, tuple(table)))
                table = _padded(table, _rounded_up(number))
                slopes = self._batched_or_not(self.push_directions, *given, tuple(table))
                return pushed(slopes)[:number]
        except jax.errors.JaxRuntimeError:
            raise
        except Exception as error:
            if self.how != "eager":  # at other numbers it may be another program
                self._push_error = error
            raise

    def pull_rows(self, batched: bool, x: Any, carried: Any, weights: Any) -> Any:
        """Return the value and the gradients of its rows, by reverse mode, to be compiled."""
        value, pull = jax.vjp(lambda x: self.traced.call(x, carried), x)
        mapped = jax.vmap(pull) if batched else functools.partial(lax.map, pull)
        return value, mapped(weights.astype(value.dtype))[0]

    def push_directions(
        self, batched: bool, x: Any, carried: Any, rows: Any, bases: Any, table: Any
    ) -> Any:
        """Return the derivatives of the rows along directions, by forward mode, to be compiled."""

        def push(which: Any) -> Any:
            tangents = split(masked(bases, *which), x)
            _, tangent = jax.jvp(lambda x: self.traced.call(x, carried), (x,), (tangents,))
            return tangent if rows is None else rows @ tangent

        if batched and len(table[0]) <= self.batch:
            return jax.vmap(push)(table)
        return lax.map(push, table, batch_size=self.batch if batched else None)


def backwards(bases: Floats) -> Floats:
    """Return twice as much, backwards: so a rule that is not linear in its tangents shows."""
    return -2 * bases


def pushed(slopes: Any) -> Floats:
    """Return the slopes along the bases, from those along their tangents."""
    return _on_host(slopes) / -2 + 0.0  # a slope of 0 without a sign


def pulled(found: tuple[Any, Any], rows: Any) -> tuple[Floats, Floats, list[Floats]]:
    """Return rows, the size of their terms and their gradients, from those of twice the weights.

    Twice, because then a rule that forgets its cotangent shows.
    """
    value, gradients = _on_host(found[0]), [_on_host(leaf) / 2 for leaf in found[1]]
    if rows is None:
        return value, np.abs(value), gradients
    weights = np.asarray(rows, np.float64)
    return weights @ value, np.abs(weights) @ np.abs(value), gradients


def _padded(columns: NDArray[Any], multiple: int) -> NDArray[Any]:
    """Append zeros, so that programs are compiled for few lengths only."""
    missing = (*columns.shape[:-1], -columns.shape[-1] % multiple)
    return np.concatenate([columns, np.zeros(missing, columns.dtype)], axis=-1)


def _rounded_up(number: int) -> int:
    """Return the next of few numbers: by at most a quarter more, for at most eight an octave."""
    multiple = max(1, (1 << (number - 1).bit_length()) // 8)
    return -(-number // multiple) * multiple


def _on_host(array: Any) -> Floats:
    return np.asarray(array, np.float64)
