"""The verdict on one leaf: of all the answers about it, the one that decides."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from gradlab.checking.arguments import Leaf
from gradlab.checking.intervals import Floats
from gradlab.checking.judge import AGREE, WORST_FIRST, WRONG
from gradlab.checking.questions import Asked
from gradlab.checking.steps import Direction
from gradlab.checking.subject import Subject

FLAT_PART = 2.0**-20  # a function that does not change over this part of x is flat, not just level


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
    asked_of: Asked
    entry: int
    others: int  # how many more elements are not in agreement, as far as they were looked at
    other_ad: float | None  # what the other mode says of the same
    flat: bool  # no element of this leaf changes anything close by
    unit: float  # by how much the element moves at step 1; 1 for a projection
    blind: float = 0.0  # an error in one element that a projection could not have seen


@dataclasses.dataclass(frozen=True)
class Why:
    """A verdict with its cause and hint, each a sentence or empty, and the line they speak of."""

    verdict: str
    cause: str = ""
    hint: str = ""
    where: str = ""


def about(subject: Subject, leaf: Leaf, asked: Sequence[Asked]) -> list[Asked]:
    """Return the answers about a leaf, in the modes that have a derivative of it."""
    modes = subject.modes_of(leaf)
    return [one for one in asked if one.directions and one.mode in modes and np.any(one.of(leaf))]


def decisive(subject: Subject, leaf: Leaf, asked: Sequence[Asked], how: str) -> Finding:
    """Boil the answers about one leaf down to the one that decides; later ones replace others."""
    best: tuple[list[float], Asked, int] | None = None
    bad: set[int] = set()
    digits, flat = np.inf, True
    answers = about(subject, leaf, asked)
    again: set[tuple[str, Direction]] = set()
    for one in reversed(answers):
        known, ranks = telling(one)
        latest = [(one.mode, direction) not in again for direction in one.directions]
        again |= {(one.mode, direction) for direction in one.directions}
        own = one.of(leaf) & np.repeat(latest, one.rows)
        if not np.any(own):
            continue
        bad |= {
            one.direction(k).start for k in np.flatnonzero(own & (one.answers.verdict != AGREE))
        }
        flat &= bool(np.all(one.values.flat_width[own] > FLAT_PART))
        digits = min(digits, float(np.min(known[one.answers.clean & own], initial=np.inf)))
        k = int(np.flatnonzero(own)[np.lexsort(ranks[own][:, ::-1].T)[0]])
        if best is None or ranks[k].tolist() <= best[0]:
            best = ranks[k].tolist(), one, k
    assert best is not None
    _, one, k = best
    a, direction = one.answers, one.direction(k)
    single = direction.stop - direction.start == 1
    unit = float(subject.bases[direction.base, direction.start]) if single else 1.0
    twin = next((o for o in answers if o.mode != one.mode and o.directions == one.directions), None)
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
        asked_of=one,
        entry=k,
        others=max(len({(c - leaf.start) % leaf.size for c in bad}) - 1, 0),
        other_ad=None if twin is None else float(twin.claims.slope[k]) / unit,
        flat=flat,
        unit=unit,
    )


def telling(one: Asked) -> tuple[Floats, Floats]:
    """Return to how many digits AD and FD are known to agree, and a rank, the least the worst.

    The rank of a question is its verdict, its digits and its size, `(questions, 3)`.
    """
    a, slope = one.answers, one.claims.slope
    with np.errstate(all="ignore"):
        own = np.fmax(np.fmax(np.abs(slope), np.abs(a.fd)), one.claims.scale)
        difference = np.abs(slope - a.fd)
        doubt = np.where(a.verdict == WRONG, difference, np.fmax(difference, a.half))
        known = np.where(doubt > 0, -np.log10(doubt / own), 16.0)
    known = np.where(np.isfinite(known + slope), np.clip(known, -3.0, 16.0), -3.0)
    bad = np.select([a.verdict == verdict for verdict in WORST_FIRST], [0.0, 1.0, 2.0])
    size = np.where(np.isfinite(slope), np.abs(slope), np.inf)
    return known, np.stack([bad, np.round(known, 1), -size], axis=1)
