"""Which directions to ask about, and how to find the element that is wrong.

A few elements are asked one by one. Many are asked together, along a random direction for each
leaf: in float64 it sees an error in one element among a million. Where it sees one, the
elements are asked one by one, or, in a large leaf, the wrong half is halved until one is left.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np

from gradlab.checking.arguments import Leaf
from gradlab.checking.intervals import Floats
from gradlab.checking.judge import AGREE, CANNOT_TELL, RESOLUTION, WORST_FIRST, WRONG
from gradlab.checking.questions import Asked, ask
from gradlab.checking.steps import Direction, are_few, elements, projection
from gradlab.checking.subject import Subject

MANY = 4096  # elements of a leaf that are asked one by one where its projection calls for it
CONFIRMED = 32  # of those that a short ladder does not settle: these decide if one of them is wrong
FLAT_PART = 2.0**-20  # a function that does not change over this part of x is flat, not just level
EACH = "every element"
PROJECTED = "a random direction for each leaf"

Rank = tuple[int, float, float]


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


def search(subject: Subject) -> list[Finding]:
    """Find the verdict on every leaf that has a derivative."""
    leaves = [leaf for leaf in subject.leaves if subject.modes_of(leaf)]
    if are_few(subject.leaves):
        asked = ask(subject, subject.first)
        return [_unless_a_tie(subject, _decisive(subject, leaf, asked, EACH), asked) for leaf in leaves]
    found: dict[str, Finding] = {}
    seen: dict[str, list[Asked]] = {leaf.path: [] for leaf in leaves}
    for short in (True, False):
        open_ = [leaf for leaf in leaves if leaf.path not in found]
        if not subject.sharp:
            open_ = [leaf for leaf in open_ if not short and leaf.size > MANY]
        open_ = [leaf for leaf in open_ if leaf.size > MANY or not _is_wrong(leaf, seen[leaf.path])]
        if open_:
            projected = ask(subject, [projection(leaf) for leaf in open_], short=short)
            for leaf in open_:
                seen[leaf.path] = _about(subject, leaf, projected)
                finding = _from_projection(subject, leaf, seen[leaf.path])
                if finding is not None:
                    found[leaf.path] = finding
    for leaf in leaves:
        if leaf.path not in found:
            look_closer = _by_halves if leaf.size > MANY else _one_by_one
            found[leaf.path] = look_closer(subject, leaf, seen[leaf.path])
    return [found[leaf.path] for leaf in leaves]


def _about(subject: Subject, leaf: Leaf, asked: Sequence[Asked]) -> list[Asked]:
    """Return the answers about a leaf, in the modes that have a derivative of it."""
    modes = subject.modes_of(leaf)
    return [one for one in asked if one.directions and one.mode in modes and np.any(one.of(leaf))]


def _is_wrong(leaf: Leaf, projected: Sequence[Asked]) -> bool:
    """Tell whether a projection found another slope than AD says."""
    return any(np.any(one.answers.cause[one.of(leaf)] == "slope") for one in projected)


def _from_projection(subject: Subject, leaf: Leaf, projected: Sequence[Asked]) -> Finding | None:
    """Take the verdict of a projection if it settles all elements; None if it does not.

    If AD is inside of a narrow interval along a random direction, then no element is wrong by
    more than the width of that interval, but for a coincidence. In a leaf that is not too large
    to ask every element, an element counts however small its slope is beside the largest; in a
    larger one, if an error in it would count in that one.
    """
    room = RESOLUTION  # of `scale`, which is itself only this part of the largest slope: √user_eps
    if leaf.size > MANY:
        room = max(room, subject.material / subject.user_eps**0.5)
    for one in projected:
        narrow = one.answers.half <= room * one.claims.scale
        if not np.all(_settled(one) & (~one.answers.clean | narrow), where=one.of(leaf)):
            return None
    return _with_blind_spot(subject, leaf, projected)


def _settled(asked: Asked) -> np.ndarray:
    """Tell which of the questions have AD inside of the interval, or need none."""
    answers = asked.answers
    return (answers.verdict == AGREE) & (~answers.clean | answers.within)


def _one_by_one(subject: Subject, leaf: Leaf, projected: Sequence[Asked]) -> Finding:
    """Ask about every element: at few steps where that will do, at all if not.

    It does for the elements that it settles if the projection agreed, or if one of the others
    explains why it did not. Of these the worst few decide if one of them is wrong; the rest is
    then counted, as the few steps saw them.
    """
    told = {str(v) for one in projected for v in one.answers.verdict[one.of(leaf)]}
    every = elements(leaf)
    if not told or CANNOT_TELL in told:
        asked = ask(subject, every)
        return _unless_a_tie(subject, _decisive(subject, leaf, asked, EACH), asked)
    each = _about(subject, leaf, ask(subject, every, short=True))
    ranks: dict[Direction, Rank] = {}
    for one in each:
        known, _ = _telling(one)
        for k in np.flatnonzero(~_settled(one)).tolist():
            own = _rank(one, known, k)
            ranks[one.direction(k)] = min(ranks.get(one.direction(k), own), own)
    kept = [one.only(np.array([d not in ranks for d in one.directions])) for one in each]
    worst = sorted(ranks, key=lambda d: ranks[d])
    whole = ask(subject, worst[:CONFIRMED]) if worst else []
    finding = _decisive(subject, leaf, kept + whole, EACH)
    if finding.verdict == WRONG:
        more = sum(WORST_FIRST[ranks[d][0]] != AGREE for d in worst[CONFIRMED:])
        finding = dataclasses.replace(finding, others=finding.others + more)
        return _unless_a_tie(subject, finding, kept + whole if not worst[CONFIRMED:] else each)
    if worst[CONFIRMED:]:
        whole += ask(subject, worst[CONFIRMED:])
        finding = _decisive(subject, leaf, kept + whole, EACH)
    agreed = all(np.all(_settled(one), where=one.of(leaf)) for one in projected)
    explained = finding.verdict == WRONG or (bool(worst) and WRONG not in told)
    if not (agreed or explained or len(worst) == len(every)):
        others = ask(subject, [d for d in every if d not in ranks])
        finding = _decisive(subject, leaf, whole + others, EACH)
    return _unless_a_tie(subject, finding, kept + whole)


def _unless_a_tie(subject: Subject, finding: Finding, asked: Sequence[Asked]) -> Finding:
    """Withdraw a verdict that single elements led to, where f has no derivative.

    If it has one, the slope along a random direction is the sum of those of the elements. At a tie
    of three numbers it is not: the median stays where it is if one of them moves, but moves with
    all three.
    """
    if finding.verdict != WRONG or finding.cause not in ("slope", "kink") or len(subject.x) < 2:
        return finding
    step = subject.bases[1] / subject.bases[0]
    total, room, seen = 0.0, 0.0, 0
    for one in asked:
        if one.mode != finding.mode:
            continue
        for number, direction in enumerate(one.directions):
            k = number * one.rows + finding.row
            total += one.answers.fd[k] * step[direction.start]
            room += one.answers.half[k] * abs(step[direction.start])
            seen += 1
    whole = Direction(1, 0, len(subject.x))
    if seen < len(subject.x):  # only one leaf was looked at
        whole = projection(finding.leaf)
        if seen < finding.leaf.stop - finding.leaf.start:
            return finding
    along = next(one for one in ask(subject, [whole]) if one.mode == finding.mode)
    fd, half = along.answers.fd[finding.row], along.answers.half[finding.row]
    size = max(abs(fd), abs(total))
    if not abs(fd - total) > half + room + RESOLUTION * size:
        return finding
    return dataclasses.replace(finding, verdict=CANNOT_TELL, cause="tie")


def _with_blind_spot(subject: Subject, leaf: Leaf, projected: Sequence[Asked]) -> Finding:
    """Return what a projection found, with the error in one element that it could not have seen."""
    finding = _decisive(subject, leaf, projected, PROJECTED)
    blind = 0.0
    for one in projected:
        known = one.of(leaf) & one.answers.clean
        room = np.abs(one.claims.slope - one.answers.fd) + one.answers.half
        blind = max(blind, float(np.max(room[known], initial=0.0)))
    slowest = np.min(np.abs(subject.bases[1, leaf.start : leaf.stop]))
    return dataclasses.replace(finding, blind=blind / float(slowest))


def _by_halves(subject: Subject, leaf: Leaf, projected: Sequence[Asked]) -> Finding:
    """Halve a large leaf until one element is left, always keeping the worse half."""
    finding = _with_blind_spot(subject, leaf, projected)
    suspect = finding.asked_of
    row, rung = finding.row, int(suspect.answers.rung[finding.entry])
    steps = suspect.values.steps[0] * 2.0 ** -np.arange(rung, rung + 4)
    low, high = leaf.start, leaf.stop
    while high - low > 1:
        middle = (low + high) // 2
        halves = [Direction(1, low, middle), Direction(1, middle, high)]
        which, t = np.repeat([0, 1], len(steps)), np.tile(steps, 2)
        at = np.concatenate([[0], which, which]), np.concatenate([[0.0], t, -t])
        values = subject.values(halves, *at)[:, row]
        ahead, behind = values[1:].reshape(2, 2, len(steps))
        slope, _ = subject.along(finding.mode, halves)
        with np.errstate(invalid="ignore", over="ignore"):
            quotient = (ahead - behind) / (2 * steps)
            errors = np.abs((4 * quotient[:, 1:] - quotient[:, :-1]) / 3 - slope[:, row, None])
            if finding.cause == "kink":
                errors = np.abs(ahead - 2 * values[0] + behind) / steps
        score = np.median(np.where(np.isfinite(errors), errors, np.inf), axis=1)
        if not np.isfinite(score).all() or finding.cause == "nan":
            score = np.array([float(not np.isfinite(slope[0, row])), 0.5])
        low, high = (low, middle) if score[0] >= score[1] else (middle, high)
    element = _decisive(subject, leaf, ask(subject, [Direction(0, low, low + 1)]), "bisection")
    if element.verdict == AGREE or (element.verdict != WRONG == finding.verdict):
        return finding
    return element


def _decisive(subject: Subject, leaf: Leaf, asked: Sequence[Asked], how: str) -> Finding:
    """Boil the answers about one leaf down to the one that decides."""
    best: tuple[Rank, Asked, int] | None = None
    bad: set[int] = set()
    digits, flat = np.inf, True
    about = _about(subject, leaf, asked)
    for one in about:
        known, order = _telling(one)
        own = one.of(leaf)
        order = order[own[order]]
        bad |= {one.direction(k).start for k in order if one.answers.verdict[k] != AGREE}
        flat &= bool(np.all(one.values.flat_width[order] > FLAT_PART))
        digits = min(digits, float(np.min(known[one.answers.clean & own], initial=np.inf)))
        k = int(order[0])
        own_rank = _rank(one, known, k)
        if best is None or own_rank < best[0]:
            best = own_rank, one, k
    assert best is not None
    _, one, k = best
    a, direction = one.answers, one.direction(k)
    single = direction.stop - direction.start == 1
    unit = float(subject.bases[direction.base, direction.start]) if single else 1.0
    twin = next((o for o in about if o.mode != one.mode and o.directions == one.directions), None)
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


def _rank(one: Asked, known: Floats, k: int) -> Rank:
    """Return how bad an answer is, the least being the worst: its verdict, digits, and size."""
    size = float(np.nan_to_num(abs(one.claims.slope[k]), nan=np.inf))
    return WORST_FIRST.index(str(one.answers.verdict[k])), round(float(known[k]), 1), -size


def _telling(one: Asked) -> tuple[Floats, np.ndarray]:
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
