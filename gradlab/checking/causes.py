"""Which part of a program makes a derivative wrong, found by taking it out."""

import math
from typing import Any

import jax
import numpy as np

from gradlab.checking.coordinates import REAL
from gradlab.checking.evidence import RESOLUTION
from gradlab.checking.findings import Finding
from gradlab.checking.jaxprs import primitives
from gradlab.checking.lifting import float64
from gradlab.checking.limits import Floats
from gradlab.checking.nonfinite import Culprit, first_nonfinite
from gradlab.checking.rattling import rounding_of_slope
from gradlab.checking.rewriting import Site, sites, without
from gradlab.checking.subject import Subject

UNSTEADY = 3.0  # times the rounding of AD: what it may be off by
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
    everywhere = np.ones(len(found))
    if not found or not _explains(subject, finding, found, everywhere):
        return []
    for number, site in enumerate(found):
        only = np.zeros(len(found))
        only[number] = 1.0
        if len(found) == 1 or _explains(subject, finding, found, only):
            return [site]
    needed = everywhere
    for number in range(len(found)):
        without_it = needed.copy()
        without_it[number] = 0.0
        if _explains(subject, finding, found, without_it):
            needed = without_it
    return [site for site, off in zip(found, needed, strict=True) if off]


def resemblance(subject: Subject, finding: Finding) -> str:
    """Say what AD is in place of FD, if it is something simple."""
    return _mirrored(subject, finding) or _ratio(subject, finding)


def _ratio(subject: Subject, finding: Finding) -> str:
    if not np.isfinite([finding.ad, finding.fd]).all() or finding.fd == 0:
        return ""
    room = max(1e-4, finding.half / abs(finding.fd))
    if room > 0.1:
        return ""
    quotient = finding.ad / finding.fd
    for length in _lengths(subject) if room < 1e-3 else ():
        if abs(quotient - length) <= room * length:
            return (
                f"AD is {length} times FD here, and {length} is the length or size of an array: "
                "the gradient of a sum, where f is a mean?"
            )
        if abs(quotient * length - 1) <= room:
            return (
                f"AD is FD / {length} here, and {length} is the length or size of an array: "
                "the gradient of a mean, where f is a sum?"
            )
    for number, words in RATIOS.items():
        if abs(quotient - number) <= room * abs(number):
            return words
    if abs(finding.ad) <= 1e-12 * abs(finding.fd):
        return "AD is 0 where f has a slope: a term was dropped"
    return ""


def _lengths(subject: Subject) -> list[int]:
    """Return the lengths of the axes of all arrays that go into the program, and their sizes."""
    closed = subject.traced.jaxpr
    arrays = [*subject.reals, *subject.carried, *(closed.consts if closed is not None else ())]
    return sorted({n for array in arrays for n in (*np.shape(array), np.size(array)) if n > 2})


def _mirrored(subject: Subject, finding: Finding) -> str:
    """Compare AD with FD of the transposed matrix, where all elements of one were asked."""
    leaf, asked = finding.leaf, finding.asked_of
    square = len(leaf.shape) > 1 and leaf.shape[-1] == leaf.shape[-2]
    if not square or finding.coordinate is None or leaf.kind != REAL:
        return ""
    ad, fd = np.full((2, leaf.size), np.nan)
    for question in range(finding.row, len(asked.claims.slope), asked.rows):
        place = asked.direction(question).start
        if leaf.start <= place < leaf.stop:
            unit = subject.bases[0, place]
            ad[place - leaf.start] = asked.claims.slope[question] / unit
            fd[place - leaf.start] = asked.answers.fd[question] / unit
    ad, fd = ad.reshape(leaf.shape), fd.reshape(leaf.shape)
    across, room = np.swapaxes(fd, -1, -2), 1e-4 * np.max(np.abs(fd), initial=0.0)
    if not 10 * room < np.max(np.abs(ad - fd)) < np.inf:  # also where AD or FD is NaN
        return ""
    if np.allclose(ad, across, rtol=0, atol=room):
        return "AD is the transpose of what FD says: a transpose is missing, or one too many"
    if np.allclose(ad + np.swapaxes(ad, -1, -2), fd + across, rtol=0, atol=room):
        return (
            "AD and FD of [i, j] and [j, i] have the same sum, so AD is right along symmetric "
            "changes; if f takes a symmetric matrix, check lambda m: f((m + m.T) / 2)"
        )
    return ""


def nonfinite(subject: Subject) -> Culprit | None:
    """Find the first operation whose value or derivative is not finite."""
    closed = subject.traced.jaxpr
    if closed is None:
        return None
    with float64(subject.traced.wide):
        try:
            return first_nonfinite(closed, [*subject.reals, *subject.carried])
        except Exception as error:  # whatever a function raises when it is run step by step
            subject.not_looked_for("the first operation that is not finite", error)
            return None


def uses(subject: Subject, name: str) -> bool:
    """Tell whether the program has an operation of this name, such as `while`."""
    return subject.traced.jaxpr is not None and name in primitives(subject.traced.jaxpr.jaxpr)


def rounds_on_the_way(subject: Subject, finding: Finding) -> bool:
    """Tell whether numbers on the way to f are rounded by more than f itself shows."""
    return bool(finding.asked_of.view.size[finding.entry] > subject.size[finding.row])


def unsteady(subject: Subject, finding: Finding) -> bool:
    """Tell whether AD itself rounds by about as much as it differs from FD."""
    asked, k = finding.asked_of, finding.entry
    if finding.mode == "grad":
        return False
    difference = abs(asked.claims.slope[k] - asked.answers.fd[k])
    noise = rounding_of_slope(subject, _tangents(subject, finding), _row(subject, finding))
    return bool(UNSTEADY * noise > difference)


def _explains(subject: Subject, finding: Finding, found: list[Site], switches: Floats) -> bool:
    """Tell whether the derivative is that of FD with some sites switched off."""
    answers = finding.asked_of.answers
    fd, half = answers.fd[finding.entry], answers.half[finding.entry]
    if half > RESOLUTION * max(abs(fd), abs(finding.asked_of.claims.slope[finding.entry])):
        return False  # anything would explain what is hardly known
    slope = _slope(subject, finding, found, switches, subject.reals)
    room = half + subject.material * max(abs(fd), abs(slope))
    return bool(np.isfinite(slope) and abs(slope - fd) <= room)


def _slope(
    subject: Subject, finding: Finding, found: list[Site], switches: Floats, reals: list[Any]
) -> float:
    """Differentiate again along the direction of a finding, with some sites switched off."""
    run = without(subject.traced.jaxpr, found)

    def value(reals: list[Any], carried: list[Any], switches: Any) -> Any:
        return run(switches, *reals, *carried)[0]

    def forward(tangents: Any, reals: Any, *others: Any) -> Any:
        return jax.jvp(lambda x: value(x, *others), (reals,), (tangents,))[1]

    def reverse(row: Any, reals: Any, *others: Any) -> Any:
        found, pull = jax.vjp(lambda x: value(x, *others), reals)
        return pull(row.astype(found.dtype))[0]

    tangents, row = _tangents(subject, finding), _row(subject, finding)
    given = reals, subject.carried, switches
    with float64(subject.traced.wide):
        try:
            if finding.mode == "fwd":
                program = subject.compiled("forward", forward)
                return float(np.vdot(row, program(tangents, *given)))
            gradient = subject.compiled("reverse", reverse)(row, *given)
            return float(sum(map(np.vdot, gradient, tangents)))
        except Exception as error:  # whatever a function raises when it is traced again
            subject.not_looked_for("a wrong rule or a stop_gradient", error)
            return math.nan


def _tangents(subject: Subject, finding: Finding) -> list[Any]:
    """Return the direction of a finding, as one array for each leaf."""
    direction = finding.asked_of.direction(finding.entry)
    moving = np.zeros(len(subject.x))
    own = slice(direction.start, direction.stop)
    moving[own] = subject.bases[direction.base, own]
    ends = np.cumsum([leaf.size for leaf in subject.reals])[:-1]
    parts = zip(np.split(moving, ends), subject.reals, strict=True)
    return [part.reshape(leaf.shape).astype(leaf.dtype) for part, leaf in parts]


def _row(subject: Subject, finding: Finding) -> Any:
    """Return the weights of the outputs in the value that a finding is about."""
    if subject.rows is not None:
        return subject.rows[finding.row]
    return np.eye(len(subject.value))[finding.row]
