"""From findings to a report on each leaf that a second-year student understands."""

import dataclasses
import math

from gradlab.checking.causes import (
    Site,
    culprits,
    operation_by_operation,
    resemblance,
    uses,
)  # fmt: skip
from gradlab.checking.findings import Finding
from gradlab.checking.judge import AGREE, CANNOT_TELL, RESOLUTION, WRONG
from gradlab.checking.nonfinite import Culprit, first_nonfinite
from gradlab.checking.subject import MATERIAL, Subject
from gradlab.checking.values import FINE

NEARLY = 3e-2  # a relative difference below this may be that of an approximate solution
MODES = {"rev": "reverse mode", "fwd": "forward mode", "grad": "grad"}
COARSE = {2.0**-7: "bfloat16", 2.0**-10: "float16", 2.0**-23: "float32"}


@dataclasses.dataclass(frozen=True)
class Why:
    """A verdict with its cause and hint, each a sentence or empty, and the line they speak of."""

    verdict: str
    cause: str = ""
    hint: str = ""
    where: str = ""


def explain(subject: Subject, finding: Finding) -> Why:
    """Say why a finding is what it is."""
    cause, verdict = finding.cause, finding.verdict
    left, right = f"{finding.left:.6g}", f"{finding.right:.6g}"
    elsewhere = Why(verdict, hint="check at another point")
    if verdict == AGREE:
        return Why(verdict, _explain_agreement(subject, finding))
    if cause == "primal":
        return Why(
            verdict, "differentiating f gives another value than calling it",
            "let every custom rule return the value that its function returns",
        )  # fmt: skip
    if cause in ("nan", "value"):
        return _explain_nonfinite(subject, finding)
    if cause == "modes":
        return Why(
            verdict,
            f"reverse mode says {finding.ad:.6g}, forward mode {finding.other_ad:.6g}; both must "
            "give the same number, whatever f does",
            "look at transposes: jax.custom_transpose, jax.linear_transpose, custom_linear_solve",
        )
    if verdict == WRONG:
        return _explain_wrong(subject, finding)
    if cause == "kink":
        return dataclasses.replace(elsewhere, cause=(
            f"f has a kink here: its slope is {left} on the left and {right} on the right, and AD "
            "lies between them"
        ), hint="no derivative exists at this point; check at another one")  # fmt: skip
    if cause == "erratic":
        return dataclasses.replace(elsewhere, cause=(
            "the slopes of f on its two sides do not settle as the step shrinks"
        ))  # fmt: skip
    if cause == "tie":
        return dataclasses.replace(elsewhere, cause=(
            "f has a kink here, as at a tie of three numbers: its slope along a random direction "
            "is not the sum of the slopes with respect to the single elements"
        ), hint="no derivative exists at this point; check at another one")  # fmt: skip
    if cause == "jump":
        return dataclasses.replace(elsewhere, cause="f jumps here, so it has no derivative")
    if cause == "stairs":
        return _explain_stairs(finding)
    if cause == "edge":
        slope = f"; the slope on that side is {finding.fd:.6g}"
        known = finding.half <= RESOLUTION * abs(finding.fd)
        return Why(
            verdict,
            "f is finite on one side only, so x is at the edge of its domain" + slope * known,
            "check at a point inside",
        )
    if cause == "infinite":
        return dataclasses.replace(elsewhere, cause="the argument itself is not finite here")
    if cause == "isolated":
        return dataclasses.replace(elsewhere, cause="f is not finite at any point close by")
    return _explain_noise(subject, finding)


def _explain_agreement(subject: Subject, finding: Finding) -> str:
    if finding.cause == "rounded":
        return "small steps are lost in the rounding of numbers on the way; larger ones agree"
    difference = abs(finding.ad - finding.fd)
    if finding.cause != "immaterial" or not difference > 0:
        return ""
    digits = -math.log10(max(difference, 1e-300) / max(abs(finding.fd), abs(finding.ad)))
    words = f"AD and FD differ, but only in the {_ordinal(int(digits) + 1)} digit"
    if digits < 3:
        words = f"AD and FD differ by {difference:.1g}, which is nothing beside the largest slope"
    if uses(subject, "while"):
        words += "; f stops a loop at a tolerance, and AD may follow the exact solution"
    return words


def _explain_stairs(finding: Finding) -> Why:
    k = finding.entry
    steps, unit = finding.asked_of.stairs, finding.unit
    width = float(finding.asked_of.values.steps[steps.rung[k]]) * abs(unit)
    above, height = float(steps.above.centre[k]) / unit, float(steps.height[k])
    is_above = abs(finding.ad - above) <= abs(finding.ad - finding.fd)
    which = "that of the larger steps" if is_above else "that of the flat pieces between its jumps"
    return Why(
        CANNOT_TELL,
        f"f is a staircase here: it jumps by about {height:.1g} at steps of about {width:.1g}. Its "
        f"slope is {finding.fd:.6g} below them and {above:.6g} above, and AD is {which}",
        "give f a rule for the slope that you mean, as straight_through does" if not is_above
        else "a derivative of a staircase can only be a surrogate",
    )  # fmt: skip


def _explain_wrong(subject: Subject, finding: Finding) -> Why:
    if finding.cause == "kink":
        return Why(
            WRONG,
            f"f has a kink here, with slope {finding.left:.6g} on the left and "
            f"{finding.right:.6g} on the right, and AD is not between them",
        )
    mode = MODES[finding.mode]
    other_ad = finding.other_ad
    if other_ad is not None and not _close(finding.ad, other_ad) and _close(other_ad, finding.fd):
        other = "forward" if finding.mode == "rev" else "reverse"
        hint = "a rule that transposes a linear function is wrong, or a custom_jvp rule is not "
        hint += "linear in its tangents"
        if finding.mode == "rev" and uses(subject, "gather"):
            index = "is an index out of range? f takes the nearest element, reverse mode drops it"
            hint = f"{index}; or {hint}"
        return Why(WRONG, f"{mode} is wrong where {other} mode agrees with FD", hint)
    difference, size = abs(finding.ad - finding.fd), max(abs(finding.ad), abs(finding.fd))
    loop = uses(subject, "while", "scan") and 0 < difference < NEARLY * size
    nearly = (
        f"they agree to {-math.log10(difference / size):.1f} digits: if AD is the derivative of an "
        "exact solution that the loop in f only approximates, this is the loop's error"
        if loop else ""
    )  # fmt: skip
    like = resemblance(subject, finding)
    if like == "conjugate":
        return Why(WRONG, "AD is the complex conjugate of what FD says", (
            "jax.grad of a real f returns ∂f/∂x − i ∂f/∂y; conjugate the gradient"
        ))  # fmt: skip
    found = culprits(subject, finding)
    if loop and (subject.survey.stops or any(site.kind == "stop_gradient" for site in found)):
        return Why(
            CANNOT_TELL,
            f"AD and FD differ by {difference:.1g}: f has a loop that may stop at a tolerance or "
            "choose its steps by one, and AD may be the derivative of the exact solution",
            "ask for a smaller tolerance, and see whether they come closer",
        )
    flat = finding.flat and abs(finding.fd) <= finding.half and finding.ad != 0
    if found:
        words, hint = _explain_sites(found, flat)
        hint = hint or nearly or like
        if finding.mode == "fwd" and "sign" in hint:  # forward mode is asked backwards
            hint += ", or the rule is not linear in its tangents"
        return Why(WRONG, words, hint, found[0].where)
    if uses(subject, "random_gamma"):
        return Why(
            CANNOT_TELL,
            "jax.random.gamma is differentiated as a distribution, with its quantile held fixed; "
            "FD differentiates the sampler, with its random numbers held fixed",
            "for a distribution's derivative compare with its quantiles",
        )
    if operation_by_operation(subject, finding):
        return Why(
            WRONG, "compiled as a whole, AD is wrong; operation by operation it is what FD says",
            "this is a fault of the compiler XLA, not of a rule; see whether a newer JAX has it",
        )  # fmt: skip
    name = "grad" if finding.mode == "grad" else "AD"
    if flat:
        return Why(WRONG, f"f is flat here, so its derivative is 0, but {name} says otherwise")
    words = f"{name} is not the slope of f{_elsewhere(finding)}"
    return Why(WRONG, words, "; ".join(filter(None, [like.replace("AD", name), nearly])))


def _explain_sites(found: list[Site], flat: bool) -> tuple[str, str]:
    site = found[0]
    line = f" ({site.where})" if site.where else ""
    if site.alone:
        return f"AD is not the slope of f, and {site}{line} is the only rule in f", ""
    if len({str(s) for s in found}) > 1:
        names = " and ".join(dict.fromkeys(str(s) for s in found))
        return f"without {names}, AD is what FD says", "are they wrong, or deliberate?"
    if site.kind == "stop_gradient":
        if flat:
            return (
                f"f is flat here, and stop_gradient{line} hides it from AD (a surrogate)",
                "is it deliberate, as in straight-through estimators?",
            )
        return (
            f"stop_gradient{line} removed a term: without it AD is what FD says",
            "is it deliberate?",
        )
    if flat:
        return (
            f"f is flat here, and {site}{line} says otherwise (a surrogate derivative)",
            "is it deliberate, as in straight-through estimators?",
        )
    return f"{site}{line} is wrong: without it AD is what FD says", ""


def _explain_nonfinite(subject: Subject, finding: Finding, own: bool = False) -> Why:
    of_value = finding.cause == "value"
    culprit = first_nonfinite(subject, own=own, of_value=of_value)
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


def _explain_noise(subject: Subject, finding: Finding) -> Why:
    largest = max(abs(finding.fd), abs(finding.ad))
    if not math.isfinite(finding.half):
        return Why(
            CANNOT_TELL, "too few values of f close by are finite to find a slope",
            "check at another point",
        )  # fmt: skip
    size = f"± {finding.half:.2g}"
    if subject.eps > FINE:
        name = COARSE.get(subject.eps, "the precision")
        return Why(
            CANNOT_TELL,
            f"{name}, in which f computes, is too coarse here: FD is known only to {size}, "
            f"beside a slope of {largest:.2g}",
            "compute in float64, or check at a point where f is smaller",
        )
    if finding.cause == "hidden":
        return Why(
            CANNOT_TELL,
            f"a slope of {largest:.2g} is lost in rounding: f, or a number on the way to it, is "
            "large beside it",
            "take large constants out of f, or check at another point",
        )
    noisy = "f is too noisy here"
    if finding.asked_of.values.size[finding.entry] > subject.size[finding.row]:
        noisy += ", because numbers on the way to it are rounded"
    return Why(CANNOT_TELL, f"{noisy}: FD is known only to {size}, beside {largest:.2g}")


def _elsewhere(finding: Finding) -> str:
    if finding.others <= 0:
        return ""
    return f", here and in {finding.others} more of {finding.leaf.size} elements"


def _ordinal(number: int) -> str:
    return f"{number}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(number, 'th') }"


def _close(first: float, second: float) -> bool:
    return abs(first - second) <= MATERIAL * max(abs(first), abs(second))
