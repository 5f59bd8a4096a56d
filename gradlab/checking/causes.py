"""Which part of a program makes a derivative wrong, found by taking it out."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import jax
import numpy as np
from jax import lax

from gradlab.checking.findings import Finding
from gradlab.checking.jaxprs import CHOSEN, Without, operations, programs_in, where
from gradlab.checking.judge import RESOLUTION
from gradlab.checking.subject import Subject

MOST_TRIALS = 48  # of programs with some rules taken out


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
        if len(rules) == 1 and not np.isfinite(_slope(subject, finding, rules)):
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


def _site(jaxpr: Any, eqn: Any) -> Site:
    kind = eqn.primitive.name.removesuffix("_call")
    inner = next(programs_in(eqn), None)
    name = kind if inner is None else str(inner.debug_info.func_name)
    place = where(jaxpr, eqn)
    if not place and inner is not None and inner.eqns:  # f itself has the rule
        place = where(inner, inner.eqns[0])
    return Site(kind, name, place)


def _explains(subject: Subject, finding: Finding, chosen: Sequence[Any]) -> bool:
    """Tell whether the derivative is that of FD without some rules."""
    answers, k = finding.asked_of.answers, finding.entry
    fd, half = answers.fd[k], answers.half[k]
    if half > RESOLUTION * max(abs(fd), abs(finding.asked_of.claims.slope[finding.entry])):
        return False  # anything would explain what is hardly known
    return _is_fd(subject, finding, _slope(subject, finding, chosen))


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

    def of_moved(consts: Any, reals: Any) -> tuple[Any, Any]:
        def f(some: Any) -> Any:
            now = list(reals)
            for i, number in zip(moved, some, strict=True):
                now[i] = number
            return Without(chosen)(traced.value, consts, now)[0]

        return f, [reals[i] for i in moved]

    def forward(consts: Any, reals: Any, tangents: Any) -> Any:
        f, point = of_moved(consts, reals)
        return jax.jvp(f, (point,), (tangents,))[1]

    def reverse(consts: Any, reals: Any, row: Any) -> Any:
        return jax.vjp(*of_moved(consts, reals))[1](row)[0]

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
