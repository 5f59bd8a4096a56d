"""What makes a derivative wrong: a rule, found by taking it out, or what AD is in place of FD."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import jax
import numpy as np
from jax import lax

from gradlab.checking.intervals import Floats
from gradlab.checking.jaxprs import CHOSEN, Without, operations, programs_in, where
from gradlab.checking.judge import RESOLUTION
from gradlab.checking.questions import Finding
from gradlab.checking.steps import masked_on_host
from gradlab.checking.subject import MATERIAL, Subject

MOST_TRIALS = 48  # of programs with some rules taken out
RATIOS = {
    -1.0: "−1 times FD here: a sign is wrong",
    2.0: "twice FD here: a factor 2 too many, or a term counted twice",
    0.5: "half of FD here: a factor 2 is missing",
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
        return self.name if self.kind == self.name else f"the {self.kind} rule of `{self.name}`"


def culprits(subject: Subject, finding: Finding) -> list[Site]:
    """Find the rules without which AD says what FD says.

    Every `stop_gradient` and every custom rule is replaced by what JAX would do by itself. If the
    derivative is then right, as few of them as are enough are named.
    """
    if not subject.traced or finding.mode == "grad":
        return []
    jaxpr = subject.traced.value
    sites = [eqn for eqn in operations(jaxpr) if eqn.primitive.name in CHOSEN]
    trials = 0

    def explain(chosen: Sequence[Any]) -> bool:
        nonlocal trials
        trials += 1
        return trials <= MOST_TRIALS and _explains(subject, finding, chosen)

    if not sites or not explain(sites):
        rules = [eqn for eqn in sites if eqn.primitive.name != "stop_gradient"]
        if len(rules) == 1 and not np.isfinite(_slope(subject, finding, rules)):
            return [dataclasses.replace(_site(jaxpr, rules[0]), alone=True)]
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
    return list(dict.fromkeys(_site(jaxpr, eqn) for eqn in sites))


def operation_by_operation(subject: Subject, finding: Finding) -> bool:
    """Tell whether AD is what FD says if its program is not compiled as a whole."""
    if not subject.traced or finding.mode == "grad":
        return False
    return _is_fd(subject, finding, _slope(subject, finding, (), whole=False))


def uses(subject: Subject, *names: str) -> bool:
    """Tell whether the program has an operation of one of these names."""
    every = operations(subject.traced.value) if subject.traced else ()
    return any(eqn.primitive.name in names for eqn in every)


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
    size = max(abs(finding.fd), abs(finding.ad))
    if finding.half > RESOLUTION * size:
        return False  # anything would explain what is hardly known
    return _is_fd(subject, finding, _slope(subject, finding, chosen))


def _is_fd(subject: Subject, finding: Finding, slope: float) -> bool:
    room = finding.half + MATERIAL * max(abs(finding.fd), abs(slope))
    return bool(np.isfinite(slope) and abs(slope - finding.fd) <= room)


def _slope(
    subject: Subject, finding: Finding, chosen: Sequence[Any], *, whole: bool = True
) -> float:
    """Differentiate again along the direction of a finding, without some rules."""
    traced = subject.traced
    direction = finding.asked_of.direction(finding.entry)
    moving = masked_on_host(subject.bases, direction.base, direction.start, direction.stop - 1)
    reals = subject.programs.reals
    parts = zip(np.split(moving, np.cumsum([r.size for r in reals])[:-1]), reals, strict=True)
    tangents = [part.reshape(real.shape).astype(real.dtype) for part, real in parts]
    weights = np.eye(traced.total) if traced.rows is None else traced.rows
    row, moved = weights[finding.row], traced.moved[finding.mode]

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
    except Exception:  # without its rule an operation may have no derivative
        return float("nan")
    try:
        found = subject.programs.run(closed, given, whole=whole)
    except Exception as error:
        subject.not_looked_for("the rule that is wrong", error)
        return float("nan")
    if forwards:
        return float(np.vdot(row, found[0])) / finding.unit
    total = sum(np.vdot(g, tangents[i]) for g, i in zip(found, moved, strict=True))
    return float(total) / finding.unit


def by_element(subject: Subject, finding: Finding) -> tuple[Floats, Floats]:
    """Return AD and FD of all coordinates of a leaf, NaN where they were not asked about."""
    leaf = finding.leaf
    ad, fd = np.full((2, leaf.stop - leaf.start), np.nan)
    for asked in finding.every:
        for number, direction in enumerate(asked.directions if asked.mode == finding.mode else ()):
            if direction.stop - direction.start == 1 and leaf.start <= direction.start < leaf.stop:
                question, place = number * asked.rows + finding.row, direction.start - leaf.start
                unit = subject.bases[0, direction.start]
                ad[place] = asked.claims.slope[question] / unit
                fd[place] = asked.answers.fd[question] / unit
    return ad, fd


def resemblance(subject: Subject, finding: Finding) -> str:
    """Say what AD is in place of FD, if it is simple: a conjugate, a transpose, a factor."""
    leaf, (ad, fd) = finding.leaf, by_element(subject, finding)
    near = 1e-4 * np.max(np.abs(fd), initial=0.0)
    if np.nanmax(np.abs(ad - fd), initial=0.0) > 10 * near:  # NaN where not all were asked
        if leaf.parts == 2:
            (x, y), (u, v) = ad.reshape(2, -1), fd.reshape(2, -1)
            if np.allclose(x, u, rtol=0, atol=near) and np.allclose(-y, v, rtol=0, atol=near):
                return "AD is the complex conjugate of what FD says"
        elif leaf.shape[-2:-1] == leaf.shape[-1:] != ():
            ad, fd = ad.reshape(leaf.shape), fd.reshape(leaf.shape)
            across = np.swapaxes(fd, -1, -2)
            if np.allclose(ad, across, rtol=0, atol=near):
                return (
                    "AD is the transpose of what FD says: a transpose is missing, or one too many"
                )
            if np.allclose(ad + np.swapaxes(ad, -1, -2), fd + across, rtol=0, atol=near):
                return (
                    "AD and FD of [i, j] and [j, i] have the same sum, so AD is right along "
                    "symmetric changes; if f takes a symmetric matrix, check "
                    "lambda m: f((m + m.T) / 2)"
                )
    room = max(1e-4, finding.half / abs(finding.fd)) if finding.fd else np.inf
    if not np.isfinite([finding.ad, finding.fd]).all() or room > 0.1:
        return ""
    quotient = finding.ad / finding.fd
    arrays = [*subject.arguments.reals, *(subject.traced.consts if subject.traced else ())]
    lengths = {n for array in arrays for n in (*np.shape(array), np.size(array)) if n > 2}
    for n in sorted(lengths) if room < 1e-3 else ():
        for ratio, written, one, other in (
            (n, f"{n} times FD", "sum", "mean"), (1 / n, f"FD / {n}", "mean", "sum"),
        ):  # fmt: skip
            if abs(quotient - ratio) <= room * ratio:
                return (
                    f"AD is {written} here, and {n} is the length or size of an array: is it the "
                    f"gradient of a {one}, where f is a {other}?"
                )
    for number, words in RATIOS.items():
        if abs(quotient - number) <= room * abs(number):
            return f"AD is {words}"
    dropped = abs(finding.ad) <= 1e-12 * abs(finding.fd)
    return "AD is 0 where f has a slope: a term was dropped" if dropped else ""
