"""The compiled programs: values at many points at once, and derivatives in both modes.

Each is compiled once for a function and the shapes of its arguments; the numbers, the directions
and the steps are arguments. Where a function cannot be batched its points are taken one after the
other, and where it cannot be traced it is run on numbers.
"""

import functools
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax
from numpy.typing import NDArray

from gradlab.checking.compiling import compiled
from gradlab.checking.ladder import Direction, as_table, masked, masked_on_host
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
        self.of_causes: dict[str, Callable[..., Any]] = {}  # what `causes` compiles, kept likewise
        self._push_error: Exception | None = None
        self._value = compiled(traced.call)
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
            return self._values_one_by_one(x, carried, bases, rows, table, steps)
        number = len(steps)
        at_once = _power_of_two(max(min(number, self.batch), FEWEST_POINTS))
        padded = -number % at_once
        table = np.concatenate([table, np.zeros((3, padded), np.int32)], axis=1)
        t = np.concatenate([steps, np.zeros(padded)])
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
            self._values[how] = compiled(self._at_points(how), width=self.traced.widest)
        return self._values[how]

    def _at_points(self, how: str) -> Callable[..., Any]:
        def at_points(x: Any, carried: Any, bases: Any, rows: Any, table: Any, t: Any) -> Any:
            def at(point: Any) -> Any:
                which, step = point
                direction = masked(bases, *which)
                change = _split(lax.mul(lax.full_like(direction, step), direction), x)
                value = self.traced.call(list(map(lax.add, x, change)), carried)
                return value if rows is None else rows @ value

            if how == "mapped":
                return lax.map(at, (table, t))
            if self.batch < FEWEST_POINTS:
                return lax.map(at, (table, t), batch_size=self.batch)
            return jax.vmap(at)((table, t))

        return at_points

    def _values_one_by_one(
        self, x: Any, carried: Any, bases: Any, rows: Any, table: Any, steps: Any
    ) -> Floats:
        found = []
        with float64(self.traced.wide):
            for which, step in zip(table.T, steps, strict=True):
                change = _split(step * masked_on_host(bases, *which), x)
                moved = list(map(lax.add, x, change))
                value = _on_host(self.traced.call(moved, carried))
                found.append(value if rows is None else rows @ value)
        return np.stack(found)

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
        outputs = sum(size for _, size in self.traced.outputs)
        weights = np.eye(outputs) if rows is None else np.asarray(rows, np.float64)
        with float64(self.traced.wide):
            # Twice the weights, and half of what comes: a rule that forgets its cotangent shows.
            given = list(x), list(carried), 2 * weights
            if self.how == "eager":
                value, doubled = self._pull_eagerly(*given)
            else:
                value, doubled = self._batched_or_not(self._pull_rows, *given)
            value = _on_host(value)
            gradients = [_on_host(leaf) / 2 for leaf in doubled]
        if rows is None:
            return value, np.abs(value), gradients
        return weights @ value, np.abs(weights) @ np.abs(value), gradients

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
            self._derivatives[key] = compiled(functools.partial(rows, batched))
        return self._derivatives[key]

    def push(
        self, x: Any, carried: Any, rows: Any, bases: Any, directions: Sequence[Direction]
    ) -> Floats:
        """Return the forward derivatives of the rows along directions, `(directions, rows)`."""
        if self._push_error is not None:
            raise self._push_error.with_traceback(None)  # it would grow, and keep all arrays
        # Backwards and twice as far: a rule that is not linear in its tangents shows.
        given = list(x), list(carried), rows, -2 * bases, tuple(as_table(directions))
        try:
            with float64(self.traced.wide):
                if self.how == "eager":
                    return self._push_eagerly(*given) / -2 + 0.0  # a slope of 0 without a sign
                found = self._batched_or_not(self._push_directions, *given)
                return _on_host(found) / -2 + 0.0
        except jax.errors.JaxRuntimeError:
            raise
        except Exception as error:
            if self.how != "eager":  # at other numbers it may be another program
                self._push_error = error
            raise

    def _pull_rows(self, batched: bool, x: Any, carried: Any, weights: Any) -> Any:
        value, pull = jax.vjp(lambda x: self.traced.call(x, carried), x)
        mapped = jax.vmap(pull) if batched else functools.partial(lax.map, pull)
        return value, mapped(weights.astype(value.dtype))[0]

    def _pull_eagerly(self, x: Any, carried: Any, weights: Any) -> Any:
        x = [jnp.asarray(leaf) for leaf in x]
        value, pull = jax.vjp(lambda x: self.traced.call(x, carried), x)
        gradients = [pull(jnp.asarray(row, value.dtype))[0] for row in weights]
        return value, [np.stack(leaves) for leaves in zip(*gradients, strict=True)]

    def _push_directions(
        self, batched: bool, x: Any, carried: Any, rows: Any, bases: Any, table: Any
    ) -> Any:
        def push(which: Any) -> Any:
            tangents = _split(masked(bases, *which), x)
            _, tangent = jax.jvp(lambda x: self.traced.call(x, carried), (x,), (tangents,))
            return tangent if rows is None else rows @ tangent

        if batched and len(table[0]) <= self.batch:
            return jax.vmap(push)(table)
        return lax.map(push, table, batch_size=self.batch if batched else None)

    def _push_eagerly(self, x: Any, carried: Any, rows: Any, bases: Any, table: Any) -> Floats:
        x = [jnp.asarray(leaf) for leaf in x]
        found = []
        for which in zip(*table, strict=True):
            tangents = _split(masked_on_host(bases, *which), x)
            tangent = _on_host(
                jax.jvp(lambda x: self.traced.call(x, carried), (x,), (tangents,))[1]
            )
            found.append(tangent if rows is None else rows @ tangent)
        return np.stack(found)


def _split(coordinates: Any, leaves: Sequence[Any]) -> list[Array]:
    """Give each leaf its own of the coordinates, in its shape and dtype."""
    parts = lax.split(coordinates, [leaf.size for leaf in leaves])
    pairs = zip(parts, leaves, strict=True)
    return [
        lax.convert_element_type(lax.reshape(part, leaf.shape), leaf.dtype) for part, leaf in pairs
    ]


def _power_of_two(number: int) -> int:
    return 1 << (number - 1).bit_length()


def _on_host(array: Any) -> Floats:
    return np.asarray(array, np.float64)
