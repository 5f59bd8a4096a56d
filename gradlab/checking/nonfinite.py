"""The first operation whose value or derivative is not finite, or the data that are not."""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from gradlab.checking.findings import Finding, Why
from gradlab.checking.float64 import InFloat64
from gradlab.checking.jaxprs import (
    Rerun,
    apart,
    is_float,
    is_literal,
    programs_in,
    where,
)
from gradlab.checking.judge import CANNOT_TELL, WRONG
from gradlab.checking.subject import Subject


@dataclasses.dataclass(frozen=True)
class Culprit:
    """What made something that is not finite."""

    name: str  # of the operation, or of the data
    of: str  # `value`, `derivative` or `data`
    at: tuple[float, ...]  # the numbers that went into it there, where that can be told
    guarded: bool  # whether a `where` comes after it
    where: str


def first_nonfinite(subject: Subject, *, own: bool, of_value: bool = False) -> Culprit | None:
    """Run the programs of f again and find what leaves the finite numbers first.

    Each operation is differentiated by itself, with ones as tangents, because an infinity that a
    later `where` drops from the value comes back in reverse mode, as 0 · ∞.

    Args:
        subject: The function.
        own: Whether to run in the user's own dtypes, not in float64.
        of_value: Whether to leave derivatives out.
    """
    try:
        return _first_nonfinite(subject, own=own, of_value=of_value)
    except Exception as error:
        subject.not_looked_for("the operation that is not finite", error)
        return None


def _first_nonfinite(subject: Subject, *, own: bool, of_value: bool) -> Culprit | None:
    programs = subject.own if own else subject.programs
    traced = getattr(programs, "traced", None)
    if traced is None:
        return None
    data = _data(subject, traced)
    if data is not None:
        return data
    inputs = [*programs.reals]
    found = _watch(traced.value, programs, (traced.consts, inputs), derivatives=not of_value)
    if found is None and not of_value and traced.pull is not None:
        weights = np.ones((len(traced.owner), traced.total), traced.dtype)
        jaxpr, consts = apart(traced.pull)
        inputs = [*traced.consts, *programs.reals, weights]
        found = _watch(jaxpr, programs, (consts, inputs), derivatives=False)
        if found is not None:
            found = dataclasses.replace(found, of="derivative", guarded=False)
    return found


def _data(subject: Subject, traced: Any) -> Culprit | None:
    """Find arrays that hold NaN, or infinities, before anything is computed."""
    for variable, const in zip(traced.value.constvars, traced.consts, strict=True):
        if not is_float(const) or np.isfinite(np.asarray(const, np.complex128)).all():
            continue
        array = np.asarray(const, np.complex128)
        kind = "NaN" if np.isnan(array).any() else "an infinity"
        name = "a constant array of f"
        for path, leaf in zip(subject.arguments.paths, subject.arguments.everything, strict=True):
            if leaf is const or (
                is_float(leaf)
                and np.array_equal(np.asarray(leaf), np.asarray(const), equal_nan=True)
            ):
                name = f"the argument args{path}"
        users = (eqn for eqn in traced.value.eqns if variable in _variables(eqn))
        user = next(users, None)
        place = "" if user is None else where(traced.value, user)
        return Culprit(f"{name} holds {kind}", "data", (), False, place)
    return None


def _variables(eqn: Any) -> list[Any]:
    return [atom for atom in eqn.invars if not is_literal(atom)]


def _watch(jaxpr: Any, programs: Any, given: Any, *, derivatives: bool) -> Culprit | None:
    seen: list[tuple[int, bool, tuple[float, ...]]] = []
    watched: list[Any] = []
    base = InFloat64 if programs.wide else Rerun

    class Watched(base):  # type: ignore[misc, valid-type]
        def operation(self, eqn: Any, inputs: list[Any]) -> list[Any]:
            found = super().operation(eqn, inputs)
            if not any(True for _ in programs_in(eqn)):
                moving = [i for i, x in enumerate(inputs) if is_float(x)]
                slopes = self.slopes(eqn, inputs, moving) if derivatives and moving else []
                number = len(watched)
                watched.append(eqn)

                def look(before: Any, after: Any, slopes: Any) -> None:
                    for of_slope, made in ((False, after), (True, slopes)):
                        for array in made:
                            bad = _made(before, array)
                            if bad is not None:
                                seen.append((number, of_slope, _numbers(before, array, bad)))

                floats = [[x for x in part if is_float(x)] for part in (inputs, found, slopes)]
                jax.debug.callback(look, *floats)
            return found

        def slopes(self, eqn: Any, inputs: list[Any], moving: list[int]) -> list[Any]:
            def of_moving(*some: Any) -> list[Any]:
                now = list(inputs)
                for i, number in zip(moving, some, strict=True):
                    now[i] = number
                return [y for y in base.operation(self, eqn, now) if is_float(y)]

            point = [jnp.asarray(inputs[i]) for i in moving]
            try:
                return list(jax.jvp(of_moving, point, [jnp.ones_like(x) for x in point])[1])
            except Exception:  # an operation without a derivative has none that is not finite
                return []

    rerun = Watched()
    own = rerun.number if programs.wide else jnp.asarray
    with programs._floats():
        consts, inputs = ([x if not is_float(x) else own(x) for x in part] for part in given)
        rerun(jaxpr, consts, inputs)
        jax.effects_barrier()
    if not seen:
        return None
    number, of_slope, at = seen[0]
    eqn = watched[number]
    guarded = any("select_n" in e.primitive.name for e in watched[number + 1 :])
    kind = "derivative" if of_slope else "value"
    return Culprit(str(eqn.primitive.name), kind, at, guarded, where(jaxpr, eqn))


def _made(before: Any, array: Any) -> Any:
    """Return the place of a number that an operation made and that is not finite, or None."""
    wide = np.asarray(array).astype(np.complex128)
    floats = [np.asarray(x).astype(np.complex128) for x in before]
    if any(np.isnan(x).any() for x in floats):
        return None
    bad = np.isnan(wide) if any(np.isinf(x).any() for x in floats) else ~np.isfinite(wide)
    return np.argwhere(bad)[0] if bad.any() else None


def _numbers(before: Any, array: Any, place: Any) -> tuple[float, ...]:
    """Return the numbers that went into an element that is not finite."""
    arrays = [x for x in map(np.asarray, before) if x.ndim == 0 or x.shape == np.shape(array)]
    return tuple(x.item() if x.ndim == 0 else x[tuple(place)].item() for x in arrays)


def explain_nonfinite(subject: Subject, finding: Finding) -> Why:
    """Say why f or AD is not finite."""
    of_value = finding.cause == "value" or not np.isfinite(subject.value).all()
    culprit = first_nonfinite(subject, own=False, of_value=of_value)
    place = "" if culprit is None else culprit.where
    if of_value:
        cause = "f itself is not finite here"
        if culprit is not None:
            cause += f": {what(culprit)}"
        return Why(CANNOT_TELL, cause, "check at another point", place)
    cause = f"AD is {finding.ad}, where f is finite"
    if finding.verdict == CANNOT_TELL:
        cause = f"AD is {finding.ad}, and FD finds no slope either"
    if culprit is None:
        return Why(finding.verdict, cause + _kink(finding))
    cause += f": {what(culprit)}"
    hint = ""
    if culprit.of == "data":
        hint = "replace it by a number before it is used; a mask afterwards comes too late for AD"
    elif culprit.guarded and finding.verdict == WRONG and finding.mode != "fwd":
        hint = (
            "a `where` hides it from the value only: reverse mode multiplies it by 0, which is "
            f"NaN; give {culprit.name} a harmless input with a second `where` in front of it"
        )
    elif culprit.name == "sqrt" and culprit.at[:1] == (0.0,):
        hint = "square the norm, jnp.sum(x**2), or use a `where` both before and after the root"
    return Why(finding.verdict, cause + _kink(finding), hint, place)


def what(culprit: Culprit) -> str:
    """Say what is not finite, and where."""
    line = f" ({culprit.where})" if culprit.where else ""
    if culprit.of == "data":
        return f"{culprit.name}{line}"
    at = ", ".join(f"{number:.4g}" for number in culprit.at[:3])
    operation = f"`{culprit.name}` at {at}{line}" if at else f"`{culprit.name}`{line}"
    what = "the derivative of " if culprit.of == "derivative" else ""
    return f"{what}{operation} is not finite"


def _kink(finding: Finding) -> str:
    """Say that the slopes of the two sides differ, where they are well known."""
    if not finding.asked_of.answers.sharp[finding.entry]:
        return ""
    return (
        f"; f has a kink here, with slope {finding.left:.6g} on the left and {finding.right:.6g} "
        "on the right, so it has no derivative"
    )
