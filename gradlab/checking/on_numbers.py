"""A function that looks at its values: it has no program, and is run on numbers, one by one."""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from gradlab.checking.arguments import Arguments
from gradlab.checking.intervals import Floats
from gradlab.checking.jaxprs import Survey
from gradlab.checking.steps import Direction, as_table, masked_on_host, split
from gradlab.checking.tracing import group_outputs, vector_valued


class OnNumbers:
    """A function that looks at its values, so that it can only be run on numbers, one by one.

    It has what `Programs` has, and no program.
    """

    wide, traced = False, None

    def __init__(self, f: Callable[..., Any], arguments: Arguments, modes: Sequence[str]) -> None:
        """Take a function.

        Raises:
            Exception: Whatever f raises at its arguments.
        """
        names: list[tuple[str, int]] = []
        self._call = vector_valued(f, arguments, names)
        self.reals: list[Any] = [
            jnp.asarray(real, a.dtype)
            for real, a in zip(arguments.reals, arguments.abstract(), strict=True)
        ]
        value = np.asarray(self._call(self.reals))
        self.outputs = list(names)  # at another point f may return another shape
        self.rows, self.owner = group_outputs(self.outputs, sum(r.size for r in arguments.reals))
        everything = list(range(len(self.reals)))
        self.moved = dict.fromkeys(modes, everything)
        self.raised: dict[str, dict[int, Exception]] = {mode: {} for mode in modes}
        self.eps = max(float(jnp.finfo(a.dtype).eps) for a in (value, *self.reals))
        self.survey = Survey(self.eps, stops=True)
        for mode in modes:
            try:
                self._pull() if mode == "rev" else self._push(
                    [jnp.ones_like(r) for r in self.reals]
                )
            except Exception as error:  # whatever a rule raises, or JAX where there is none
                self.moved[mode] = []
                self.raised[mode] = dict.fromkeys(range(len(arguments.leaves)), error)

    def look(
        self, bases: Floats, directions: Sequence[Direction], points: Any = None, *,
        gradient: bool = False, slopes: bool = False,
    ) -> tuple[Floats | None, Any, Floats | None]:  # fmt: skip
        """Run what is asked for, as `Programs.look` does."""
        table, values, found = as_table(directions).T, None, None
        if points is not None:
            pairs = zip(table[points[0]], points[1], strict=True)
            values = np.stack([self._value(step * masked_on_host(bases, *w)) for w, step in pairs])
        if slopes:
            tangents = (split(-2 * masked_on_host(bases, *which), self.reals) for which in table)
            found = np.stack([self._of_rows(self._push(t)) / -2 + 0.0 for t in tangents])
        return values, self._pull() if gradient else None, found

    def plain(self) -> Floats:
        """Run the function; return all of its outputs."""
        return np.asarray(self._call(self.reals), np.float64)

    def _value(self, change: Floats) -> Floats:
        try:
            return self._of_rows(
                self._call(list(map(lax.add, self.reals, split(change, self.reals))))
            )
        except Exception:  # far from its arguments a function may raise what it likes
            return np.full(len(self.owner), np.nan)

    def _of_rows(self, value: Any) -> Floats:
        value = np.asarray(value, np.float64)
        if len(value) != sum(size for _, size in self.outputs):
            return np.full(len(self.owner), np.nan)
        return value if self.rows is None else self.rows @ value

    def _push(self, tangents: Any) -> Any:
        return jax.jvp(self._call, (self.reals,), (tangents,))[1]

    def _pull(self) -> Any:
        value, back = jax.vjp(self._call, self.reals)
        rows = 2 * (np.eye(value.size) if self.rows is None else self.rows)
        gradients = [back(jnp.asarray(row, value.dtype))[0] for row in rows]
        halved = [
            np.stack([np.asarray(g, np.float64) / 2 for g in leaf])
            for leaf in zip(*gradients, strict=True)
        ]
        return np.asarray(value, np.float64), halved
