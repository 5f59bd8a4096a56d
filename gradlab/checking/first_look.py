"""The first look at a function: what a smooth one needs and no more, from one program.

Compiling is most of a first check. Values, gradient and slopes together, not optimised, compile in
half of the time of three programs, and run about as fast where no array is large. What cannot be
had together (f has no forward mode, or cannot be batched) is left to `programs`, one by one.
"""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradlab.checking.compiling import compiled
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
from gradlab.checking.programs import Programs, pulled, pushed, tangents

WIDEST = 2**14  # elements of the widest array: beyond, programs should be optimised


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
    directions = first_directions(leaves)
    rungs = exponents(directions, flat, programs.traced.eps, short=not are_few(leaves))
    which, steps = points(rungs)
    alike = all(ks == rungs[0] for ks in rungs)
    if programs.how != "batched" or programs.traced.widest >= WIDEST:
        return None
    if not alike or len(steps) > programs.batch:
        return None
    table = as_table(directions)
    given = (
        (x, carried, rows, bases, tangents(bases), programs.cotangents(rows)),
        (tuple(table[:, which]), steps, tuple(table)),
    )
    for wanted in dict.fromkeys([tuple(modes), ("rev",)]):
        if not set(wanted) <= set(modes):
            continue
        if wanted not in programs.together:
            programs.together[wanted] = compiled(_all_at_once(programs, wanted))
        run = programs.together[wanted]
        if run is None:
            continue
        try:
            with float64(programs.traced.wide):
                values, pull, slopes = run(*given)
                return FirstLook(
                    directions,
                    which,
                    steps,
                    np.asarray(values, np.float64),
                    None if pull is None else pulled(pull, rows),
                    None if slopes is None else pushed(slopes),
                )
        except Exception:  # whatever a function raises that has no such mode or no batching rule
            programs.together[wanted] = None
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
