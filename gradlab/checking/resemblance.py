"""What AD is in place of FD, if it is something simple: a factor, a transpose, a conjugate."""

import numpy as np

from gradlab.checking.findings import Finding
from gradlab.checking.intervals import Floats
from gradlab.checking.subject import Subject

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


def resemblance(subject: Subject, finding: Finding) -> str:
    """Say what AD is in place of FD, if it is something simple."""
    return _conjugated(subject, finding) or _mirrored(subject, finding) or _ratio(subject, finding)


def by_element(subject: Subject, finding: Finding) -> tuple[Floats, Floats]:
    """Return AD and FD of all coordinates of a leaf, NaN where they were not asked about."""
    leaf, asked = finding.leaf, finding.asked_of
    ad, fd = np.full((2, leaf.stop - leaf.start), np.nan)
    for number, direction in enumerate(asked.directions):
        if direction.stop - direction.start == 1 and leaf.start <= direction.start < leaf.stop:
            question = number * asked.rows + finding.row
            unit = subject.bases[0, direction.start]
            ad[direction.start - leaf.start] = asked.claims.slope[question] / unit
            fd[direction.start - leaf.start] = asked.answers.fd[question] / unit
    return ad, fd


def _conjugated(subject: Subject, finding: Finding) -> str:
    """Compare AD with the conjugate of FD, where all elements of a complex leaf were asked."""
    if finding.leaf.parts == 1:
        return ""
    ad, fd = (part.reshape(2, -1) for part in by_element(subject, finding))
    room = 1e-4 * np.max(np.abs(fd), initial=0.0)
    mirrored = np.allclose(ad, fd * [[1.0], [-1.0]], rtol=0, atol=room)
    return "conjugate" if mirrored and not np.allclose(ad, fd, rtol=0, atol=room) else ""


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
                "is it the gradient of a sum, where f is a mean?"
            )
        if abs(quotient * length - 1) <= room:
            return (
                f"AD is FD / {length} here, and {length} is the length or size of an array: "
                "is it the gradient of a mean, where f is a sum?"
            )
    for number, words in RATIOS.items():
        if abs(quotient - number) <= room * abs(number):
            return words
    if abs(finding.ad) <= 1e-12 * abs(finding.fd):
        return "AD is 0 where f has a slope: a term was dropped"
    return ""


def _lengths(subject: Subject) -> list[int]:
    """Return the lengths of the axes of all arrays that go into the program, and their sizes."""
    traced = getattr(subject.programs, "traced", None)
    arrays = [*subject.arguments.reals, *(() if traced is None else traced.consts)]
    return sorted({n for array in arrays for n in (*np.shape(array), np.size(array)) if n > 2})


def _mirrored(subject: Subject, finding: Finding) -> str:
    """Compare AD with FD of the transposed matrix, where all elements of one were asked."""
    leaf = finding.leaf
    square = len(leaf.shape) > 1 and leaf.shape[-1] == leaf.shape[-2]
    if not square or finding.coordinate is None or leaf.parts == 2:
        return ""
    ad, fd = (part.reshape(leaf.shape) for part in by_element(subject, finding))
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
