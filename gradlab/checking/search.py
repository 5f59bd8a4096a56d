"""Which directions to ask about, and how to find the element that is wrong.

A few elements are asked one by one. Many are asked together, along a random direction for each
leaf: in float64 it sees an error in one element among a million. Where it sees one, the
elements are asked one by one, or, in a large leaf, the wrong half is halved until one is left.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gradlab.checking.coordinates import Leaf
from gradlab.checking.evidence import RESOLUTION
from gradlab.checking.findings import Finding, Rank, decisive, rank, telling
from gradlab.checking.ladder import Direction, are_few, elements, first_directions, projection
from gradlab.checking.questions import Asked, ask, slopes
from gradlab.checking.subject import Subject
from gradlab.checking.verdicts import AGREE, CANNOT_TELL, WORST_FIRST, WRONG

MANY = 4096  # elements of a leaf that are asked one by one where its projection calls for it
CONFIRMED = 32  # of those that a short ladder does not settle: these decide if one of them is wrong
EACH = "every element"
PROJECTED = "a random direction for each leaf"


def search(subject: Subject) -> list[Finding]:
    """Find the verdict on every leaf."""
    leaves = [leaf for leaf in subject.leaves if leaf.size]
    if are_few(leaves):
        asked = ask(subject, first_directions(leaves))
        return [decisive(subject, leaf, asked, EACH) for leaf in leaves]
    found: dict[str, Finding] = {}
    seen: dict[str, list[Asked]] = {leaf.path: [] for leaf in leaves}
    for short in (True, False):
        open_ = [leaf for leaf in leaves if leaf.path not in found]
        if not subject.sharp:
            open_ = [leaf for leaf in open_ if not short and leaf.size > MANY]
        open_ = [leaf for leaf in open_ if leaf.size > MANY or not _is_wrong(leaf, seen[leaf.path])]
        if open_:
            projected = ask(subject, [projection(leaf) for leaf in open_], short=short)
            seen |= {leaf.path: projected for leaf in open_}
            settled = ((leaf, _from_projection(subject, leaf, projected)) for leaf in open_)
            found |= {leaf.path: finding for leaf, finding in settled if finding is not None}
    for leaf in leaves:
        if leaf.path not in found:
            look_closer = _by_halves if leaf.size > MANY else _one_by_one
            found[leaf.path] = look_closer(subject, leaf, seen[leaf.path])
    return [found[leaf.path] for leaf in leaves]


def _is_wrong(leaf: Leaf, projected: Sequence[Asked]) -> bool:
    """Tell whether a projection found another slope than AD says."""
    return any(np.any(asked.answers.cause[_own(leaf, asked)] == "slope") for asked in projected)


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
    for asked in projected:
        narrow = asked.answers.half <= room * asked.claims.scale
        if not np.all(_settled(leaf, asked) & (~asked.answers.clean | narrow)[_own(leaf, asked)]):
            return None
    return _unseen(subject, leaf, projected)


def _settled(leaf: Leaf, asked: Asked) -> NDArray[np.bool_]:
    """Tell which of the questions about a leaf have AD inside of the interval, or need none."""
    answers = asked.answers
    settled = (answers.verdict == AGREE) & (~answers.clean | answers.within)
    return settled[_own(leaf, asked)]


def _one_by_one(subject: Subject, leaf: Leaf, projected: Sequence[Asked]) -> Finding:
    """Ask about every element: on a short ladder where that will do, on a whole one if not.

    It does for the elements that it settles if the projection agreed, or if one of the others
    explains why it did not. Of these the worst few decide if one of them is wrong; the rest is
    then counted, as the short ladder saw them.
    """
    told = {str(v) for one in projected for v in one.answers.verdict[_own(leaf, one)]}
    if not told or CANNOT_TELL in told:
        return decisive(subject, leaf, ask(subject, elements(leaf)), EACH)
    each = ask(subject, elements(leaf), short=True)
    ranks = _open(leaf, each)
    kept = [asked.only(np.array([d not in ranks for d in asked.directions])) for asked in each]
    worst = sorted(ranks, key=lambda d: ranks[d])
    whole = ask(subject, worst[:CONFIRMED]) if worst else []
    finding = decisive(subject, leaf, kept + whole, EACH)
    if finding.verdict == WRONG:
        more = sum(WORST_FIRST[ranks[d][0]] != AGREE for d in worst[CONFIRMED:])
        return dataclasses.replace(finding, others=finding.others + more)
    if worst[CONFIRMED:]:
        whole += ask(subject, worst[CONFIRMED:])
        finding = decisive(subject, leaf, kept + whole, EACH)
    agreed = all(np.all(_settled(leaf, asked)) for asked in projected)
    explained = finding.verdict == WRONG or (bool(worst) and WRONG not in told)
    if agreed or explained or len(worst) == leaf.size:
        return finding
    others = ask(subject, [d for d in elements(leaf) if d not in ranks])
    return decisive(subject, leaf, whole + others, EACH)


def _open(leaf: Leaf, each: Sequence[Asked]) -> dict[Direction, Rank]:
    """Return the directions that are not settled, with the rank of the worst answer about each."""
    ranks: dict[Direction, Rank] = {}
    for asked in each:
        known, _ = telling(asked)
        for k in np.flatnonzero(~_settled(leaf, asked)).tolist():
            direction, own = asked.direction(k), rank(asked, known, k)
            ranks[direction] = min(ranks.get(direction, own), own)
    return ranks


def _unseen(subject: Subject, leaf: Leaf, projected: Sequence[Asked]) -> Finding:
    """Return what a projection found, with the error in one element that it could not have seen."""
    finding = decisive(subject, leaf, projected, PROJECTED)
    blind = 0.0
    for asked in projected:
        known = _own(leaf, asked) & asked.answers.clean
        room = np.abs(asked.claims.slope - asked.answers.fd) + asked.answers.half
        blind = max(blind, float(np.max(room[known], initial=0.0)))
    slowest = np.min(np.abs(subject.bases[1, leaf.start : leaf.stop]))
    return dataclasses.replace(finding, blind=blind / float(slowest))


def _own(leaf: Leaf, asked: Asked) -> NDArray[np.bool_]:
    own = [leaf.start <= d.start < leaf.stop for d in asked.directions]
    return np.repeat(own, asked.rows)


def _by_halves(subject: Subject, leaf: Leaf, projected: Sequence[Asked]) -> Finding:
    """Halve a large leaf until one element is left, always keeping the worse half."""
    finding = _unseen(subject, leaf, projected)
    suspect = finding.asked_of
    derivatives = next(d for d in subject.derivatives if d.mode == finding.mode)
    row, rung = finding.row, int(suspect.answers.rung[finding.entry])
    steps = 2.0 ** -(np.arange(rung, rung + 4) + -np.log2(suspect.view.steps[0]))
    low, high = leaf.start, leaf.stop
    while high - low > 1:
        subject.tell(f"the fault in {leaf.path} is among {high - low} elements")
        middle = (low + high) // 2
        halves = [Direction(1, low, middle), Direction(1, middle, high)]
        which = np.repeat([0, 1], len(steps))
        t = np.tile(steps, 2)
        values = subject.evaluate(
            halves, np.concatenate([[0], which, which]), np.concatenate([[0.0], t, -t])
        )[:, row]
        ahead, behind = values[1:].reshape(2, 2, len(steps))
        slope, _ = slopes(subject, halves, derivatives)
        quotient = (ahead - behind) / (2 * steps)
        errors = np.abs((4 * quotient[:, 1:] - quotient[:, :-1]) / 3 - slope[:, row, None])
        if finding.cause == "kink":
            errors = np.abs(ahead - 2 * values[0] + behind) / steps
        score = np.median(np.where(np.isfinite(errors), errors, np.inf), axis=1)
        if not np.isfinite(score).all() or finding.cause == "nan":
            gradient = np.zeros(0) if derivatives.gradient is None else derivatives.gradient
            bad = not np.isfinite(gradient[..., low:middle]).all()
            score = np.array([float(bad), 0.5])
        low, high = (low, middle) if score[0] >= score[1] else (middle, high)
    element = decisive(subject, leaf, ask(subject, [Direction(0, low, low + 1)]), "bisection")
    if element.verdict == AGREE or (element.verdict != WRONG == finding.verdict):
        return finding
    return element
