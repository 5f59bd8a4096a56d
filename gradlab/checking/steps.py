"""The ladder of steps along which a function is evaluated, and the directions of the steps."""

import dataclasses
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from jax import Array, lax
from numpy.typing import NDArray

from gradlab.checking.arguments import Leaf
from gradlab.checking.intervals import Floats

COARSEST = 0.3125  # of the size of x; with so few bits that x + t is exact until t is a few units
SMALL = 2.0**-12  # elements smaller than this get finer steps too
MIDDLE = range(5, 14)  # of a short ladder: the steps that show the slope
FEW = 32  # up to so many coordinates, each is asked about at once, without a projection
FINEST = 2.0**-900  # float64 has no finer steps that could be squared


@dataclasses.dataclass(frozen=True)
class Direction:
    """One way to move: the coordinates from `start` to before `stop`, others stay.

    They move by the step times the numbers in row `base` of the bases.
    """

    base: int
    start: int
    stop: int


def elements(leaf: Leaf) -> list[Direction]:
    """Return one direction for each coordinate of a leaf."""
    return [Direction(0, j, j + 1) for j in range(leaf.start, leaf.stop)]


def projection(leaf: Leaf) -> Direction:
    """Return a random direction of a leaf."""
    return Direction(1, leaf.start, leaf.stop)


def are_few(leaves: Sequence[Leaf]) -> bool:
    """Tell whether the coordinates are so few that each is asked about."""
    return sum(leaf.stop - leaf.start for leaf in leaves) <= FEW


def first_directions(leaves: Sequence[Leaf]) -> list[Direction]:
    """Return the directions to ask about first: all coordinates if they are few, or projections."""
    if are_few(leaves):
        return [direction for leaf in leaves for direction in elements(leaf)]
    return [projection(leaf) for leaf in leaves if leaf.size]


def as_table(directions: Sequence[Direction]) -> NDArray[np.int32]:
    """Return the bases of directions, their first and their last coordinates, as three rows."""
    return np.array([(d.base, d.start, d.stop - 1) for d in directions], np.int32).T


def masked(bases: Any, base: Any, first: Any, last: Any) -> Any:
    """Return a base with zeros outside of the coordinates from `first` to `last`, traced.

    In the terms of `jax.lax`, because those of `jax.numpy` take twice as long to trace.
    """
    rows = [lax.index_in_dim(bases, row, keepdims=False) for row in range(len(bases))]
    chosen = lax.select_n(base, *rows)
    number = lax.iota(np.int32, len(chosen))
    inside = lax.eq(lax.clamp(first, number, last), number)
    return lax.select(inside, chosen, lax.full_like(chosen, 0))


def masked_on_host(bases: Floats, base: int, first: int, last: int) -> Floats:
    """Return the same, by NumPy."""
    moved, own = np.zeros(bases.shape[1]), slice(first, last + 1)
    moved[own] = bases[base, own]
    return moved


def split(coordinates: Any, leaves: Sequence[Any]) -> list[Array]:
    """Give each leaf its own of the coordinates, in its shape and dtype."""
    parts = lax.split(coordinates, [leaf.size for leaf in leaves])
    pairs = zip(parts, leaves, strict=True)
    return [
        lax.convert_element_type(lax.reshape(part, leaf.shape), leaf.dtype) for part, leaf in pairs
    ]


def make_bases(x: Floats, counts: Sequence[int], seeds: Sequence[int], number: int) -> Floats:
    """Make the numbers by which elements move at step 1.

    Row 0 moves every element forwards by about a third of its size, by a number with so few bits
    that x + t needs no rounding. The others, one for each projection, have random signs and
    magnitudes: with signs alone, two wrong elements would cancel every other time. Each leaf draws
    from a seed of its own, so that one more leaf elsewhere changes none of its numbers.

    Args:
        x: All leaves laid end to end, `(coordinates,)`.
        counts: For each leaf, how many coordinates are its own.
        seeds: For each leaf, its seed.
        number: How many projections.

    Returns:
        `(1 + number, coordinates)`.
    """
    _, exponent = np.frexp(np.where(np.isfinite(x), np.abs(x), 1.0))
    rows = np.empty((1 + number, len(x)))
    rows[0] = np.ldexp(COARSEST, np.maximum(exponent, 0))
    start = 0
    for seed, count in zip(seeds, counts, strict=True):
        generator = np.random.default_rng(seed)
        signs = 1.0 - 2.0 * generator.integers(0, 2, (number, count))
        magnitudes = signs * generator.uniform(0.5, 1.0, (number, count))
        rows[1:, start : start + count] = magnitudes * rows[0, start : start + count]
        start += count
    return rows


def exponents(direction: Direction, x: Floats, eps: float, *, short: bool = False) -> list[int]:
    """Choose the steps 2^−k along a direction; return k, the coarsest step first.

    They go from about a third of the size of x down to some ten units in its last place. Where x
    is much smaller than 1, the function may change on the scale of 1 or on that of x, and both are
    covered. A short ladder has some middle steps, for the slope, and some fine ones, for the noise:
    enough where the function is smooth, and where it is not, that shows. The finest of all would
    not change a sum of thousands by one term.
    """
    rungs = int(math.log2(COARSEST / (4 * eps)))
    if short:
        return sorted({*MIDDLE, *range(rungs - 12, rungs - 6)})
    largest = np.max(np.abs(x[direction.start : direction.stop]), initial=0.0)
    further = -math.log2(largest) if FINEST < largest < SMALL else 0.0
    return list(range(rungs + math.ceil(further)))


def points(number: int, ks: Sequence[int]) -> tuple[NDArray[np.intp], Floats]:
    """Return the direction and the signed step of every point: the centre, all ahead, all behind.

    Args:
        number: How many directions.
        ks: The exponents k of the steps 2^−k along each of them.
    """
    which = np.repeat(np.arange(number), len(ks))
    t = np.tile(2.0 ** -np.asarray(ks, np.float64), number)
    return np.concatenate([[0], which, which]), np.concatenate([[0.0], t, -t])


def climb(
    evaluate: Callable[[Sequence[Direction], NDArray[np.intp], Floats], Floats],
    directions: Sequence[Direction],
    ks: Sequence[int],
) -> tuple[Floats, Floats, Floats, Floats]:
    """Evaluate a function at all steps along each direction, in one batch.

    Args:
        evaluate: Takes directions, the direction of each point and the signed step of each point;
            returns `(points, rows)`.
        directions: The directions.
        ks: The exponents k of the steps 2^−k, the coarsest step first.

    Returns:
        Steps, each half of the one before; and the values behind, `(directions · rows, steps)`, in
        the centre, `(rows,)`, and ahead. A value that is not finite, or not asked for, is NaN.
    """
    values = evaluate(directions, *points(len(directions), ks))
    rows, span = values.shape[1], np.arange(ks[0], ks[-1] + 1)
    ladder = np.full((2, len(directions), rows, len(span)), np.nan)
    ladder[..., np.isin(span, ks)] = np.moveaxis(
        values[1:].reshape(2, len(directions), len(ks), rows), 3, 2
    )
    ladder[~np.isfinite(ladder)] = np.nan
    ahead, behind = ladder.reshape(2, -1, len(span))
    return 2.0 ** -span.astype(np.float64), behind, values[0], ahead
