"""The first look at a function: what a smooth one needs and no more, from one program.

Compiling is most of a first check. Values, gradient and slopes together, not optimised, compile in
half of the time of three programs, and run about as fast where no array is large and nothing is
done again and again in a loop. What cannot be had together (f has no forward mode, or cannot be
batched) is left to `programs`, one by one.
"""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np
from numpy.typing import NDArray

from gradlab.checking.coordinates import Leaf
from gradlab.checking.ladder import (
    Direction,
    are_few,
    as_table,
    exponents,
    first_directions,
    points,
)
from gradlab.checking.lifting import float64
from gradlab.checking.limits import Floats
from gradlab.checking.programs import Programs, backwards, pulled, pushed
from gradlab.checking.sights import FINE

WIDEST = 2**14  # elements: programs with an array of so many should be optimised


@dataclasses.dataclass(frozen=True)
class FirstLook:
    """What the first look found along its directions.

    Attributes:
        directions: All elements if they are few, or a random direction for each leaf.
        which: For each point, its direction.
        steps: For each point, its signed step.
        values: The rows of the value there, `(points, rows)`.
        pulled: What `Programs.pull` returns; None if reverse mode was not asked for.
        slopes: What `Programs.push` returns; None if forward mode was not, or there is none.
    """

    directions: list[Direction]
    which: NDArray[np.intp]
    steps: Floats
    values: Floats
    pulled: tuple[Floats, Floats, list[Floats]] | None
    slopes: Floats | None

    def has(self, directions: Sequence[Direction], which: NDArray[np.intp], steps: Floats) -> bool:
        """Tell whether these are its points."""
        return (
            self.directions == list(directions)
            and np.array_equal(self.which, which)
            and np.array_equal(self.steps, steps)
        )


def first_look(
    programs: Programs,
    x: list[Any],
    carried: list[Any],
    bases: Floats,
    rows: Any,
    leaves: Sequence[Leaf],
    flat: Floats,
    modes: Sequence[str],
) -> FirstLook | None:
    """Take the first look, or return None where it does not come from one program.

    Args:
        programs: Those of the function.
        x: Real leaves, as the function takes them.
        carried: Other arrays.
        bases: Numbers by which the coordinates move, `(bases, coordinates)`.
        rows: `(rows, outputs)`, or None for the outputs themselves.
        leaves: The leaves that can be differentiated.
        flat: Their coordinates, end to end.
        modes: Modes of differentiation, of `"rev"` and `"fwd"`.
    """
    traced, few = programs.traced, are_few(leaves)
    if programs.how != "batched" or traced.widest >= WIDEST or traced.loops:
        return None
    if traced.eps >= FINE and not few:  # its search begins with whole ladders
        return None
    directions = first_directions(leaves)
    rungs = exponents(directions, flat, traced.eps, short=not few)
    which, steps = points(rungs)
    if any(ks != rungs[0] for ks in rungs) or len(steps) > programs.batch:
        return None
    table = as_table(directions)
    given = (
        (x, carried, rows, bases, backwards(bases), programs.cotangents(rows)),
        (tuple(table[:, which]), steps, tuple(table)),
    )
    found = _run(programs, tuple(modes), given)
    if found is None and "rev" in modes and len(modes) > 1:
        found = _run(programs, ("rev",), given)
    if found is None:
        return None
    values, pull, slopes = found
    return FirstLook(
        directions,
        which,
        steps,
        np.asarray(values, np.float64),
        None if pull is None else pulled(pull, rows),
        None if slopes is None else pushed(slopes),
    )


def _run(programs: Programs, modes: tuple[str, ...], given: tuple[Any, Any]) -> Any:
    """Run the program, or return None if there is none; but for an accident, never try it again."""
    if modes not in programs.together:
        programs.together[modes] = jax.jit(_all_at_once(programs, modes))
    run = programs.together[modes]
    try:
        with float64(programs.traced.wide):
            return None if run is None else jax.block_until_ready(run(*given))
    except jax.errors.JaxRuntimeError:
        return None
    except Exception:  # whatever a function raises that has no such mode or no batching rule
        programs.together[modes] = None
        return None


def _all_at_once(programs: Programs, modes: Sequence[str]) -> Callable[..., Any]:
    def look(arrays: Any, where: Any) -> Any:
        (x, carried, rows, bases, twice, cotangents), (table, steps, directions) = arrays, where
        slopes = pull = None
        if "fwd" in modes:
            slopes = programs.push_directions(True, x, carried, rows, twice, directions)
        if "rev" in modes:
            pull = programs.pull_rows(True, x, carried, cotangents)
        return programs.at_points()(x, carried, bases, rows, table, steps), pull, slopes

    return look
