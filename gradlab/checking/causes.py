"""Which part of a program makes a derivative wrong, found by taking it out."""

from collections.abc import Sequence
from typing import Any

import jax
import numpy as np

from gradlab.checking.findings import Finding
from gradlab.checking.jaxprs import primitives
from gradlab.checking.lifting import settings
from gradlab.checking.nonfinite import Culprit, first_nonfinite
from gradlab.checking.rewriting import Site, sites, without
from gradlab.checking.subject import Subject
from gradlab.checking.verdicts import RESOLUTION

MOST_SITES = 12  # that are tried one by one
RATIOS = {
    -1.0: "AD is −1 times FD here: a sign is wrong",
    2.0: "AD is twice FD here: a factor 2 too many, or a term counted twice",
    0.5: "AD is half of FD here: a factor 2 is missing",
    -2.0: "AD is −2 times FD here: a wrong sign, and a factor 2",
    -0.5: "AD is −½ times FD here: a wrong sign, and a factor ½",
    3.0: "AD is three times FD here",
    4.0: "AD is four times FD here",
    0.25: "AD is a quarter of FD here",
}


def culprits(subject: Subject, finding: Finding) -> list[Site]:
    """Find the operations without which AD says what FD says.

    Every `stop_gradient` and every custom rule is replaced by what JAX would do by itself. If the
    derivative is then right, one of them is to blame: the one that is enough by itself, if there
    is one, otherwise all together.
    """
    closed = subject.traced.jaxpr
    if closed is None or finding.mode == "grad":
        return []
    found = list(sites(closed.jaxpr))
    if not found or not _explains(subject, finding, found):
        return []
    if len(found) == 1:
        return found
    for site in found[:MOST_SITES]:
        if _explains(subject, finding, [site]):
            return [site]
    return found


def ratio(finding: Finding) -> str:
    """Say what AD/FD is, if it is a simple number."""
    if not np.isfinite([finding.ad, finding.fd]).all() or finding.fd == 0:
        return ""
    room = max(1e-4, finding.half / abs(finding.fd))
    if room > 0.1:
        return ""
    for number, words in RATIOS.items():
        if abs(finding.ad / finding.fd - number) <= room * abs(number):
            return words
    if abs(finding.ad) <= 1e-12 * abs(finding.fd):
        return "AD is 0 where f has a slope: a term was dropped"
    return ""


def nonfinite(subject: Subject) -> Culprit | None:
    """Find the first operation whose value or derivative is not finite."""
    closed = subject.traced.jaxpr
    if closed is None:
        return None
    with settings(subject.traced.wide):
        return first_nonfinite(closed, [*subject.reals, *subject.carried])


def uses(subject: Subject, name: str) -> bool:
    """Tell whether the program has an operation of this name, such as `while`."""
    return subject.traced.jaxpr is not None and name in primitives(subject.traced.jaxpr.jaxpr)


def _explains(subject: Subject, finding: Finding, replaced: Sequence[Site]) -> bool:
    """Tell whether the derivative is that of FD when `replaced` are taken out."""
    run = without(subject.traced.jaxpr, replaced)
    direction = finding.asked_of.direction(finding.entry)
    tangents, start = [], 0
    for leaf in subject.reals:
        moving = np.zeros(leaf.size)
        low, high = max(direction.start, start), min(direction.stop, start + leaf.size)
        if low < high:
            moving[low - start : high - start] = subject.bases[direction.base, low:high]
        tangents.append(moving.reshape(leaf.shape).astype(leaf.dtype))
        start += leaf.size
    with settings(subject.traced.wide):

        def value(reals: list[Any]) -> Any:
            return run(*reals, *subject.carried)[0]

        try:
            _, slopes = jax.jit(lambda p, t: jax.jvp(value, (p,), (t,)))(subject.reals, tangents)
        except Exception:
            return False
        slopes = np.asarray(slopes, np.float64)
    slope = slopes[finding.row] if subject.rows is None else subject.rows[finding.row] @ slopes
    answers = finding.asked_of.answers
    fd, half = answers.fd[finding.entry], answers.half[finding.entry]
    if half > RESOLUTION * max(abs(fd), abs(finding.asked_of.claims.slope[finding.entry])):
        return False  # anything would explain what is hardly known
    room = half + subject.material * max(abs(fd), abs(slope))
    return bool(np.isfinite(slope) and abs(slope - fd) <= room)
