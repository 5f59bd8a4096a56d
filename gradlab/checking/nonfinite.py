"""The first operation whose value or derivative is not finite, or the data that are not."""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from gradlab.checking.float64 import InFloat64
from gradlab.checking.jaxprs import Rerun, apart, is_float, is_literal, programs_in, where
from gradlab.checking.judge import CANNOT_TELL, WRONG
from gradlab.checking.leaf_report import Why
from gradlab.checking.questions import Finding
from gradlab.checking.subject import Subject


@dataclasses.dataclass(frozen=True)
class Culprit:
    """What made something that is not finite."""

    name: str  # of the operation, or of the data
    of: str  # `value`, `derivative` or `data`
    where: str
    at: tuple[float, ...] = ()  # the numbers that went into it there, where that can be told
    guarded: bool = False  # whether a `where` comes after it

    def __str__(self) -> str:
        """Say what is not finite, and where."""
        line = f" ({self.where})" if self.where else ""
        if self.of == "data":
            return f"{self.name}{line}"
        at = " at " * bool(self.at) + ", ".join(f"{number:.4g}" for number in self.at[:3])
        derivative = "the derivative of " * (self.of == "derivative")
        return f"{derivative}`{self.name}`{at}{line} is not finite"


def first_nonfinite(subject: Subject, *, own: bool, of_value: bool = False) -> Culprit | None:
    """Run the programs of f again and find what leaves the finite numbers first.

    Each operation is differentiated by itself, with ones as tangents, because an infinity that a
    later `where` drops from the value comes back in reverse mode, as 0 · ∞.

    Args:
        subject: The function.
        own: Whether to run in the user's own dtypes, not in float64.
        of_value: Whether to leave derivatives out.
    """
    programs, traced = subject.own if own else subject.programs, subject.traced
    if traced is None:
        return None
    try:
        given = [*traced.consts, *programs.reals]
        found = _data(subject) or _watch(traced.value, programs, given, derivatives=not of_value)
        if found is None and not of_value and traced.pull is not None:
            jaxpr, consts = apart(traced.pull)
            given = [*consts, *given, np.ones((len(traced.owner), traced.total), traced.dtype)]
            found = _watch(jaxpr, programs, given, derivatives=False)
            return found and dataclasses.replace(found, of="derivative", guarded=False)
    except Exception as error:
        subject.not_looked_for("the operation that is not finite", error)
        return None
    return found


def _data(subject: Subject) -> Culprit | None:
    """Find arrays that hold NaN, or infinities, before anything is computed."""
    jaxpr, arguments = subject.traced.value, subject.arguments
    for variable, const in zip(jaxpr.constvars, subject.traced.consts, strict=True):
        if not is_float(const) or np.isfinite(array := np.asarray(const, np.complex128)).all():
            continue
        name = "a constant array of f"
        for path, leaf in zip(arguments.paths, arguments.everything, strict=True):
            if is_float(leaf) and np.array_equal(np.asarray(leaf), array, equal_nan=True):
                name = f"the argument args{path}"
        kind = "NaN" if np.isnan(array).any() else "an infinity"
        users = (e for e in jaxpr.eqns if any(a is variable for a in e.invars if not is_literal(a)))
        user = next(users, None)
        place = "" if user is None else where(jaxpr, user)
        return Culprit(f"{name} holds {kind}", "data", place)
    return None


def _watch(jaxpr: Any, programs: Any, given: Any, *, derivatives: bool) -> Culprit | None:
    """Run a program, given its constants and inputs, and watch every operation."""
    seen: list[tuple[int, str, tuple[float, ...]]] = []
    watched: list[Any] = []
    base = InFloat64 if programs.wide else Rerun

    class Watched(base):  # type: ignore[misc, valid-type]
        def operation(self, eqn: Any, inputs: list[Any]) -> list[Any]:
            found = super().operation(eqn, inputs)
            if any(True for _ in programs_in(eqn)):
                return found
            slopes = self.slopes(eqn, inputs) if derivatives else []
            number = len(watched)
            watched.append(eqn)

            def look(before: Any, after: Any, slopes: Any) -> None:
                for of, made in (("value", after), ("derivative", slopes)):
                    for array in made:
                        bad = _made(before, array)
                        if bad is not None:
                            seen.append((number, of, _numbers(before, array, bad)))

            jax.debug.callback(look, *map(_floats, (inputs, found, slopes)))
            return found

        def slopes(self, eqn: Any, inputs: list[Any]) -> list[Any]:
            def of_floats(floats: list[Any]) -> list[Any]:
                number = iter(floats)
                now = [next(number) if is_float(x) else x for x in inputs]
                return _floats(base.operation(self, eqn, now))

            point = [jnp.asarray(x) for x in _floats(inputs)]
            try:
                return jax.jvp(of_floats, (point,), ([jnp.ones_like(x) for x in point],))[1]
            except Exception:  # an operation without a derivative has none that is not finite
                return []

    rerun = Watched()
    own = rerun.number if programs.wide else jnp.asarray
    with programs._floats():
        numbers = [own(x) if is_float(x) else x for x in given]
        consts = len(jaxpr.constvars)
        rerun(jaxpr, numbers[:consts], numbers[consts:])
        jax.effects_barrier()
    if not seen:
        return None
    number, of, at = seen[0]
    guarded = any("select_n" in eqn.primitive.name for eqn in watched[number + 1 :])
    eqn = watched[number]
    return Culprit(str(eqn.primitive.name), of, where(jaxpr, eqn), at, guarded)


def _floats(values: list[Any]) -> list[Any]:
    return [x for x in values if is_float(x)]


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
    place, made = ("", "") if culprit is None else (culprit.where, f": {culprit}")
    if of_value:
        return Why(
            CANNOT_TELL, f"f itself is not finite here{made}", "check at another point", place
        )
    beside = "where f is finite" if finding.verdict == WRONG else "and FD finds no slope either"
    cause, hint = f"AD is {finding.ad}, {beside}{made}", ""
    if finding.asked_of.answers.sharp[finding.entry]:
        cause += (
            f"; f has a kink here, with slope {finding.left:.6g} on the left and "
            f"{finding.right:.6g} on the right, so it has no derivative"
        )
    if culprit is None:
        return Why(finding.verdict, cause)
    if culprit.of == "data":
        hint = "replace it by a number before it is used; a mask afterwards comes too late for AD"
    elif culprit.guarded and finding.verdict == WRONG and finding.mode != "fwd":
        hint = (
            "a `where` hides it from the value only: reverse mode multiplies it by 0, which is "
            f"NaN; give {culprit.name} a harmless input with a second `where` in front of it"
        )
    elif culprit.name == "sqrt" and culprit.at[:1] == (0.0,):
        hint = "square the norm, jnp.sum(x**2), or use a `where` both before and after the root"
    return Why(finding.verdict, cause, hint, place)
