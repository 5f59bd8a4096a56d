"""The verdict on one leaf: of all the answers about it, the one that decides."""

import dataclasses
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gradlab.checking.coordinates import Leaf
from gradlab.checking.limits import Floats
from gradlab.checking.questions import Asked
from gradlab.checking.subject import Subject
from gradlab.checking.verdicts import AGREE, WORST_FIRST, WRONG

Rank = tuple[int, float, float]
FLAT = 2.0**-20  # a function that does not change over this part of x is flat, not just level


@dataclasses.dataclass(frozen=True)
class Finding:
    """The verdict on one leaf, and the element and the mode that decided it."""

    leaf: Leaf
    verdict: str
    cause: str
    mode: str
    coordinate: int | None  # None for a projection
    row: int
    ad: float
    fd: float
    half: float
    left: float
    right: float
    digits: float
    asked: str
    blind: float  # an error in one element that a projection could not have seen
    asked_of: Asked
    entry: int
    others: int  # how many more elements are not in agreement, as far as they were looked at
    other_ad: float | None  # what the other mode says of the same
    flat: bool  # no element of this leaf changes anything close by


def decisive(subject: Subject, leaf: Leaf, asked: Sequence[Asked], how: str) -> Finding:
    """Boil the answers about one leaf down to the one that decides."""
    best: tuple[Rank, Asked, int] | None = None
    bad: set[int] = set()
    digits, flat = np.inf, True
    for one in asked:
        own = np.array([leaf.start <= d.start < leaf.stop for d in one.directions])
        if not own.any():
            continue
        known, order = telling(one)
        order = order[np.repeat(own, one.rows)[order]]
        bad |= {one.direction(k).start for k in order if one.answers.verdict[k] != AGREE}
        flat &= bool(np.all(one.view.flat_width[order] > FLAT))
        settled = one.answers.clean & np.repeat(own, one.rows)
        digits = min(digits, float(np.min(known[settled], initial=np.inf)))
        k = int(order[0])
        own_rank = rank(one, known, k)
        if best is None or own_rank < best[0]:
            best = own_rank, one, k
    assert best is not None
    _, one, k = best
    a, direction = one.answers, one.direction(k)
    single = direction.stop - direction.start == 1
    unit = float(subject.bases[direction.base, direction.start]) if single else 1.0
    twin = next((o for o in asked if o.mode != one.mode and o.directions == one.directions), None)
    return Finding(
        leaf=leaf,
        verdict=str(a.verdict[k]),
        cause=str(a.cause[k]),
        mode=one.mode,
        coordinate=direction.start if single else None,
        row=k % one.rows,
        ad=float(one.claims.slope[k]) / unit,
        fd=float(a.fd[k]) / unit,
        half=float(a.half[k]) / abs(unit),
        left=float(a.left[k]) / unit,
        right=float(a.right[k]) / unit,
        digits=digits,
        asked=how,
        blind=0.0,
        asked_of=one,
        entry=k,
        others=max(len(bad) - 1, 0),
        other_ad=None if twin is None else float(twin.claims.slope[k]) / unit,
        flat=flat,
    )


def rank(one: Asked, known: Floats, k: int) -> Rank:
    """Return how bad an answer is, the least being the worst: its verdict, digits, and size."""
    size = float(np.nan_to_num(abs(one.claims.slope[k]), nan=np.inf))
    return WORST_FIRST.index(str(one.answers.verdict[k])), round(float(known[k]), 1), -size


def telling(one: Asked) -> tuple[Floats, NDArray[np.intp]]:
    """Return to how many digits AD and FD are known to agree, and the worst questions first."""
    a, slope = one.answers, one.claims.slope
    with np.errstate(all="ignore"):
        own = np.fmax(np.fmax(np.abs(slope), np.abs(a.fd)), one.claims.scale)
        difference = np.abs(slope - a.fd)
        doubt = np.where(a.verdict == WRONG, difference, np.fmax(difference, a.half))
        known = np.where(doubt > 0, -np.log10(doubt / own), 16.0)
    known = np.where(np.isfinite(known + slope), np.clip(known, -3.0, 16.0), -3.0)
    bad = np.select([a.verdict == verdict for verdict in WORST_FIRST], [0, 1, 2])
    size = np.where(np.isfinite(slope), np.abs(slope), np.inf)
    return known, np.lexsort((-size, np.round(known, 1), bad))
