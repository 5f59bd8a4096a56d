"""Which part of a program makes a derivative wrong, found by taking it out."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import jax
import numpy as np
from jax import lax

from gradlab.checking.findings import Finding
from gradlab.checking.intervals import Floats
from gradlab.checking.jaxprs import CHOSEN, Without, operations, programs_in, where
from gradlab.checking.judge import RESOLUTION
from gradlab.checking.subject import Subject

MOST_TRIALS = 48  # of programs with some rules taken out
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


@dataclasses.dataclass(frozen=True)
class Site:
    """An operation whose derivative a person chose: its kind, its function, and where it stands."""

    kind: str  # `stop_gradient`, `custom_jvp` or `custom_vjp`
    name: str
    where: str
    alone: bool = False  # not shown to be wrong, but the only one

    def __str__(self) -> str:
        """Name it in a sentence."""
        return (
            self.kind if self.kind == "stop_gradient" else f"the {self.kind} rule of `{self.name}`"
        )


def culprits(subject: Subject, finding: Finding) -> list[Site]:
    """Find the rules without which AD says what FD says.

    Every `stop_gradient` and every custom rule is replaced by what JAX would do by itself. If the
    derivative is then right, as few of them as are enough are named.
    """
    traced = getattr(subject.programs, "traced", None)
    if traced is None or finding.mode == "grad":
        return []
    sites = [eqn for eqn in operations(traced.value) if eqn.primitive.name in CHOSEN]
    if not sites:
        return []
    trials = 0

    def explain(chosen: Sequence[Any]) -> bool:
        nonlocal trials
        trials += 1
        return trials <= MOST_TRIALS and _explains(subject, finding, chosen)

    rules = [eqn for eqn in sites if eqn.primitive.name != "stop_gradient"]
    if not explain(sites):
        if len(rules) == 1 and not _has_derivative(subject, finding, rules):
            return [dataclasses.replace(_site(traced.value, rules[0]), alone=True)]
        return []
    chunk = len(sites)
    while chunk > 1:  # leave out as many at a time as can be
        chunk = (chunk + 1) // 2
        start = 0
        while start < len(sites):
            fewer = sites[:start] + sites[start + chunk :]
            if fewer and explain(fewer):
                sites = fewer
            else:
                start += chunk
    return list(dict.fromkeys(_site(traced.value, eqn) for eqn in sites))


def operation_by_operation(subject: Subject, finding: Finding) -> bool:
    """Tell whether AD is what FD says if its program is not compiled as a whole."""
    traced = getattr(subject.programs, "traced", None)
    if traced is None or finding.mode == "grad":
        return False
    slope = _slope(subject, finding, (), whole=False)
    return bool(np.isfinite(slope)) and _is_fd(subject, finding, slope)


def uses(subject: Subject, *names: str) -> bool:
    """Tell whether the program has an operation of one of these names."""
    traced = getattr(subject.programs, "traced", None)
    return traced is not None and any(
        eqn.primitive.name in names for eqn in operations(traced.value)
    )


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


def _site(jaxpr: Any, eqn: Any) -> Site:
    kind = eqn.primitive.name.removesuffix("_call")
    inner = next(programs_in(eqn), None)
    name = kind if inner is None else str(inner.debug_info.func_name)
    return Site(kind, name, where(jaxpr, eqn))


def _explains(subject: Subject, finding: Finding, chosen: Sequence[Any]) -> bool:
    """Tell whether the derivative is that of FD without some rules."""
    answers = finding.asked_of.answers
    fd, half = answers.fd[finding.entry], answers.half[finding.entry]
    if half > RESOLUTION * max(abs(fd), abs(finding.asked_of.claims.slope[finding.entry])):
        return False  # anything would explain what is hardly known
    return _is_fd(subject, finding, _slope(subject, finding, chosen))


def _has_derivative(subject: Subject, finding: Finding, chosen: Sequence[Any]) -> bool:
    return bool(np.isfinite(_slope(subject, finding, chosen)))


def _is_fd(subject: Subject, finding: Finding, slope: float) -> bool:
    answers = finding.asked_of.answers
    fd, half = answers.fd[finding.entry], answers.half[finding.entry]
    room = half + subject.material * max(abs(fd), abs(slope))
    return bool(np.isfinite(slope) and abs(slope - fd) <= room)


def _slope(
    subject: Subject, finding: Finding, chosen: Sequence[Any], *, whole: bool = True
) -> float:
    """Differentiate again along the direction of a finding, without some rules."""
    traced = subject.programs.traced
    direction = finding.asked_of.direction(finding.entry)
    moving = np.zeros(len(subject.x))
    own = slice(direction.start, direction.stop)
    moving[own] = subject.bases[direction.base, own]
    ends = np.cumsum([real.size for real in subject.arguments.reals])[:-1]
    parts = zip(np.split(moving, ends), subject.programs.reals, strict=True)
    tangents = [part.reshape(real.shape).astype(real.dtype) for part, real in parts]
    weights = np.eye(traced.total) if traced.rows is None else traced.rows
    row = weights[finding.row]
    moved = traced.moved[finding.mode]

    def of_moved(consts: Any, reals: Any, some: Any) -> Any:
        now = list(reals)
        for i, number in zip(moved, some, strict=True):
            now[i] = number
        return Without(chosen)(traced.value, consts, now)[0]

    def forward(consts: Any, reals: Any, tangents: Any) -> Any:
        point = [reals[i] for i in moved]
        return jax.jvp(lambda x: of_moved(consts, reals, x), (point,), (tangents,))[1]

    def reverse(consts: Any, reals: Any, row: Any) -> Any:
        point = [reals[i] for i in moved]
        _, back = jax.vjp(lambda x: of_moved(consts, reals, x), point)
        return back(row)[0]

    def like(array: Any) -> Any:
        return lax.convert_element_type(array, traced.dtype)

    forwards = finding.mode == "fwd"
    given = [tangents[i] for i in moved] if forwards else row
    try:
        closed = subject.programs.trace(forward if forwards else reverse, jax.tree.map(like, given))
    except Exception:
        if chosen:  # without its rule an operation may have no derivative
            return float("nan")
        raise
    try:
        found = subject.programs.run(closed, given, whole=whole)
    except Exception as error:
        subject.not_looked_for("the rule that is wrong", error)
        return float("nan")
    if forwards:
        return float(np.vdot(row, found[0]))
    return float(sum(np.vdot(g, tangents[i]) for g, i in zip(found, moved, strict=True)))
