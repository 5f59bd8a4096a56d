"""Which directions to ask about, and how to find the element that is wrong.

A few elements are asked one by one. Many are asked together, along a random direction for each
leaf: in float64 it sees an error in one element among a million. Where it sees one, the
elements are asked one by one, or, in a large leaf, the wrong half is halved until one is left.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np

from gradlab.checking.arguments import Leaf
from gradlab.checking.judge import AGREE, CANNOT_TELL, RESOLUTION, WRONG
from gradlab.checking.questions import Asked, Finding, about, ask, decisive
from gradlab.checking.steps import Direction, are_few, elements, projection
from gradlab.checking.subject import MATERIAL, Subject

MANY = 4096  # elements of a leaf that are asked one by one where its projection calls for it
EACH = "every element"
PROJECTED = "a random direction for each leaf"


def search(subject: Subject) -> list[Finding]:
    """Find the verdict on every leaf that has a derivative."""
    leaves = [leaf for leaf in subject.leaves if subject.modes_of(leaf)]
    if are_few(subject.leaves):
        asked = ask(subject, subject.first)
        return [
            _unless_a_tie(subject, decisive(subject, leaf, asked, EACH), asked) for leaf in leaves
        ]
    found: dict[str, Finding] = {}
    seen: dict[str, list[Asked]] = {leaf.path: [] for leaf in leaves}
    for short in (True, False):  # at all steps only where there is no asking one by one
        open_ = [leaf for leaf in leaves if leaf.path not in found]
        open_ = [leaf for leaf in open_ if (subject.sharp if short else leaf.size > MANY)]
        projected = ask(subject, [projection(leaf) for leaf in open_], short=short)
        for leaf in open_:
            seen[leaf.path] = about(subject, leaf, projected)
            finding = _from_projection(subject, leaf, seen[leaf.path])
            if finding is not None:
                found[leaf.path] = finding
    for leaf in leaves:
        if leaf.path not in found:
            look_closer = _by_halves if leaf.size > MANY else _one_by_one
            found[leaf.path] = look_closer(subject, leaf, seen[leaf.path])
    return [found[leaf.path] for leaf in leaves]


def _from_projection(subject: Subject, leaf: Leaf, projected: Sequence[Asked]) -> Finding | None:
    """Take the verdict of a projection if it settles all elements; None if it does not.

    If AD is inside of a narrow interval along a random direction, then no element is wrong by
    more than the width of that interval, but for a coincidence. In a leaf that is not too large
    to ask every element, an element counts however small its slope is beside the largest; in a
    larger one, if an error in it would count in that one.
    """
    room = RESOLUTION  # of `scale`, which is itself only this part of the largest slope: √user_eps
    if leaf.size > MANY:
        room = max(room, MATERIAL / subject.user_eps**0.5)
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
    """Ask about every element: at few steps, and at all steps where these settle nothing."""
    asked = about(subject, leaf, ask(subject, elements(leaf), short=subject.sharp))
    open_ = {one.direction(k): None for one in asked for k in np.flatnonzero(~_settled(one))}
    asked += ask(subject, list(open_))
    finding = decisive(subject, leaf, asked, EACH)
    wrong = any(np.any(one.answers.verdict[one.of(leaf)] == WRONG) for one in projected)
    if finding.verdict == AGREE and wrong:  # no element is wrong, but all together are
        return dataclasses.replace(finding, verdict=CANNOT_TELL, cause="tie")
    return _unless_a_tie(subject, finding, asked)


def _unless_a_tie(subject: Subject, finding: Finding, asked: Sequence[Asked]) -> Finding:
    """Withdraw a verdict that single elements led to, where f has no derivative.

    If it has one, the slope along a random direction is the sum of those of the elements. At a tie
    of three numbers it is not: the median stays where it is if one of them moves, but moves with
    all three.
    """
    if finding.verdict != WRONG or finding.cause not in ("slope", "kink") or len(subject.x) < 2:
        return finding
    fds, halves = np.full((2, len(subject.x)), np.nan)
    for one in asked:
        for number, direction in enumerate(one.directions if one.mode == finding.mode else ()):
            k, j = number * one.rows + finding.row, direction.start
            fds[j], halves[j] = one.answers.fd[k], one.answers.half[k]
    whole = Direction(1, 0, len(subject.x))
    if np.isnan(fds).any():  # only one leaf was looked at
        whole = projection(finding.leaf)
    own = slice(whole.start, whole.stop)
    step = subject.bases[1, own] / subject.bases[0, own]
    total, room = np.sum(fds[own] * step), np.sum(halves[own] * np.abs(step))
    along = next(one for one in ask(subject, [whole]) if one.mode == finding.mode)
    fd, half = along.answers.fd[finding.row], along.answers.half[finding.row]
    size = max(abs(fd), abs(total))
    if not abs(fd - total) > half + room + RESOLUTION * size:
        return finding
    return dataclasses.replace(finding, verdict=CANNOT_TELL, cause="tie")


def _with_blind_spot(subject: Subject, leaf: Leaf, projected: Sequence[Asked]) -> Finding:
    """Return what a projection found, with the error in one element that it could not have seen."""
    finding = decisive(subject, leaf, projected, PROJECTED)
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
    element = decisive(subject, leaf, ask(subject, [Direction(0, low, low + 1)]), "bisection")
    if element.verdict == AGREE or (finding.verdict == WRONG != element.verdict):
        return finding
    return element
