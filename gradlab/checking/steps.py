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
MIDDLE = range(5, 14)
FEW = 32  # coordinates that are asked one by one at once
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


@dataclasses.dataclass(frozen=True)
class Ladder:
    """Values of a function at ±t along some directions, the coarsest step first.

    `behind` and `ahead` are `(directions, rows, steps)`, `centre` is `(rows,)` and `steps`
    `(steps,)`. A step that was not taken along a direction has NaN.
    """

    steps: Floats
    behind: Floats
    centre: Floats
    ahead: Floats


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


def exponents(
    directions: Sequence[Direction], x: Floats, eps: float, *, short: bool = False
) -> list[list[int]]:
    """Choose the steps 2^−k along each direction; return k, the coarsest first.

    They go from a third of the size of x down to two units in its last place. Where x is much
    smaller than 1, the scale on which the function changes may be 1 or may be x, and both are
    covered. A short ladder has some middle steps, for the slope, and some fine ones, for the noise:
    enough where the function is smooth, and where it is not, that shows. The finest of all would
    not change a sum of thousands by one term.
    """
    rungs = int(math.log2(COARSEST / (4 * eps)))
    if short:
        return [sorted({*MIDDLE, *range(rungs - 12, rungs - 6)})] * len(directions)
    found = []
    for direction in directions:
        part = np.abs(x[direction.start : direction.stop])
        largest = float(np.max(part, initial=0.0))
        if not FINEST < largest < SMALL:
            found.append(list(range(rungs)))
            continue
        further = math.ceil(-math.log2(largest))
        found.append(sorted({*range(rungs), *range(max(0, further - 3), further + rungs)}))
    return found


def points(rungs: Sequence[Sequence[int]]) -> tuple[NDArray[np.intp], Floats]:
    """Return the direction and the signed step of every point: the centre, all ahead, all behind.

    Args:
        rungs: For each direction, the exponents k of its steps 2^−k.
    """
    which = np.repeat(np.arange(len(rungs)), [len(ks) for ks in rungs])
    t = 2.0 ** -np.concatenate(rungs).astype(np.float64)
    return np.concatenate([[0], which, which]), np.concatenate([[0.0], t, -t])


def climb(
    evaluate: Callable[[Sequence[Direction], NDArray[np.intp], Floats], Floats],
    directions: Sequence[Direction],
    rungs: Sequence[Sequence[int]],
) -> Ladder:
    """Evaluate a function on a ladder of steps along each direction, all in one batch.

    Args:
        evaluate: Takes directions, the direction of each point and the signed step of each point;
            returns `(points, rows)`.
        directions: The directions.
        rungs: For each direction, the exponents k of its steps 2^−k.
    """
    lowest = min(k for ks in rungs for k in ks)
    number = max(k for ks in rungs for k in ks) - lowest + 1
    steps = 2.0 ** -(lowest + np.arange(number, dtype=np.float64))
    which, t = points(rungs)
    values = evaluate(directions, which, t)
    ladder = np.full((2, len(directions), values.shape[1], number), np.nan)
    column = np.concatenate(rungs).astype(np.intp) - lowest
    which = which[1 : 1 + len(column)]
    ladder[0, which, :, column] = values[1 : 1 + len(column)]
    ladder[1, which, :, column] = values[1 + len(column) :]
    ladder[~np.isfinite(ladder)] = np.nan
    return Ladder(steps, ladder[1], values[0], ladder[0])
