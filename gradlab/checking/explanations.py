"""Why a verdict is what it is, and what to do about it, in words for a second-year student."""

import math

from gradlab.checking.causes import culprits, nonfinite, resemblance, rounds_on_the_way, uses
from gradlab.checking.evidence import RESOLUTION
from gradlab.checking.findings import Finding
from gradlab.checking.nonfinite import Culprit
from gradlab.checking.rewriting import Site
from gradlab.checking.sights import FINE
from gradlab.checking.subject import MATERIAL, Subject
from gradlab.checking.verdicts import AGREE, CANNOT_TELL, WRONG

LOOPS = ("while", "scan")
NEARLY = 3e-2  # a relative difference below this may be that of an approximate solution
MODES = {"rev": "reverse mode", "fwd": "forward mode", "grad": "grad"}


def explain(subject: Subject, finding: Finding) -> tuple[str, str]:
    """Return the cause of a verdict and a hint, each a sentence or empty."""
    cause = finding.cause
    if finding.verdict == AGREE:
        return _explain_agreement(subject, finding)
    if cause == "primal":
        return (
            "differentiating f gives another value than calling it",
            "let every custom rule return the value that its function returns",
        )
    if cause in ("nan", "value"):
        return _explain_nonfinite(subject, finding)
    if cause == "modes":
        return (
            f"reverse mode says {finding.ad:.6g}, forward mode {finding.other_ad:.6g}; both must "
            "give the same number, whatever f does",
            "look at transposes: jax.custom_transpose, jax.linear_transpose, custom_linear_solve",
        )
    if finding.verdict == WRONG:
        return _explain_wrong(subject, finding)
    left, right = f"{finding.left:.6g}", f"{finding.right:.6g}"
    if cause == "kink":
        return (
            f"f has a kink here: its slope is {left} on the left and {right} on the right, and AD "
            "lies between them",
            "no derivative exists at this point; check at another one",
        )
    if cause == "jump":
        return "f jumps here, so it has no derivative", "check at another point"
    if cause == "stairs":
        return (
            "f is a staircase here: flat close by, with steps farther away",
            "a derivative of it can only be a surrogate",
        )
    if cause == "edge":
        return (
            "f is finite on one side only, so x is at the edge of its domain; the slope on that "
            f"side is {finding.fd:.6g}",
            "check at a point inside",
        )
    if cause == "erratic":
        return (
            "the slopes of f on its two sides do not settle as the step shrinks",
            "no derivative can be told at this point; check at another one",
        )
    if cause == "infinite":
        return "the argument itself is not finite here", "check at another point"
    if cause == "isolated":
        return "f is not finite at any point close by", "check at another point"
    return _explain_noise(subject, finding)


def _explain_agreement(subject: Subject, finding: Finding) -> tuple[str, str]:
    difference = abs(finding.ad - finding.fd)
    if finding.cause == "immaterial" and difference > 0:
        digits = -math.log10(max(difference, 1e-300) / max(abs(finding.fd), abs(finding.ad)))
        words = f"AD and FD differ, but only in the {_ordinal(int(digits) + 1)} digit"
        if digits < 3:
            words = (
                f"AD and FD differ by {difference:.1g}, which is nothing beside the largest slope"
            )
        if uses(subject, "while"):
            words += "; f stops a loop at a tolerance, AD may follow the exact solution"
        return words, ""
    return "", ""


def _explain_wrong(subject: Subject, finding: Finding) -> tuple[str, str]:
    mode = MODES[finding.mode]
    if finding.cause == "kink":
        return (
            f"f has a kink here, with slope {finding.left:.6g} on the left and "
            f"{finding.right:.6g} on the right, and AD is not between them",
            "",
        )
    if finding.other_ad is not None and not _close(finding.ad, finding.other_ad):
        other = "forward" if finding.mode == "rev" else "reverse"
        if _close(finding.other_ad, finding.fd):
            hint = "a rule that transposes a linear function is wrong, or a custom_jvp rule is not "
            hint += "linear in its tangents"
            if finding.mode == "rev" and uses(subject, "gather"):
                index = (
                    "is an index out of range? f takes the nearest element, reverse mode drops it"
                )
                hint = f"{index}; or {hint}"
            return f"{mode} is wrong where {other} mode agrees with FD", hint
    found, nearly = culprits(subject, finding), _nearly(subject, finding)
    still = abs(finding.fd) <= finding.half
    flat = finding.cause == "plateau" or (finding.flat and still and finding.ad != 0)
    if found:
        words, hint = _explain_sites(found, flat)
        hint = hint or nearly or resemblance(subject, finding)
        if finding.mode == "fwd" and "sign" in hint:  # forward mode is asked backwards
            hint += ", or the rule is not linear in its tangents"
        return words, hint
    if flat:
        return "f is flat here, so its derivative is 0, but AD says otherwise", ""
    name = "grad" if finding.mode == "grad" else "AD"
    words = f"{name} is not the slope of f{_elsewhere(finding)}"
    hints = [resemblance(subject, finding).replace("AD", name), nearly]
    return words, "; ".join(filter(None, hints))


def _nearly(subject: Subject, finding: Finding) -> str:
    """Say what else looks like a small fault, in a program that has a loop."""
    difference, size = abs(finding.ad - finding.fd), max(abs(finding.ad), abs(finding.fd))
    if not 0 < difference < NEARLY * size or not any(uses(subject, loop) for loop in LOOPS):
        return ""
    return (
        f"they agree to {-math.log10(difference / size):.1f} digits: if AD is the derivative of an "
        "exact solution that the loop in f only approximates, this is the loop's error"
    )


def _explain_sites(found: list[Site], flat: bool) -> tuple[str, str]:
    site = found[0]
    if len(found) > 1 and len({(s.kind, s.name) for s in found}) > 1:
        names = sorted({_site_name(s) for s in found})
        return f"without {' and '.join(names)}, AD is what FD says", "wrong, or deliberate?"
    if site.kind == "stop_gradient":
        if flat:
            return (
                "f is flat here, and stop_gradient hides that from AD (a surrogate derivative)",
                "deliberate, as in straight-through estimators?",
            )
        return "stop_gradient removed a term: without it AD is what FD says", "deliberate?"
    if flat:
        return (
            f"f is flat here, and the {site.kind} rule of `{site.name}` says otherwise "
            "(a surrogate derivative)",
            "deliberate, as in straight-through estimators?",
        )
    return (
        f"the {site.kind} rule of `{site.name}` is wrong: without it AD is what FD says",
        "",
    )


def _explain_nonfinite(subject: Subject, finding: Finding) -> tuple[str, str]:
    culprit = nonfinite(subject)
    if finding.cause == "value":
        cause = "f itself is not finite here"
        if culprit is not None and culprit.of == "value":
            cause += f": {_operation(culprit)} is the first operation to leave the finite numbers"
        return cause, "check at another point"
    cause = f"AD is {finding.ad}, where f is finite"
    if finding.verdict == CANNOT_TELL:
        cause = f"AD is {finding.ad}, and FD finds no slope either"
    if culprit is None:
        return cause + _kink(finding), ""
    if culprit.of == "derivative":
        cause += f": the derivative of {_operation(culprit)} is not finite"
    else:
        cause += f": {_operation(culprit)} is not finite"
    if culprit.guarded and finding.verdict == WRONG:
        return cause, (
            "a `where` hides it from the value only: reverse mode multiplies it by 0, which is "
            f"NaN; give {culprit.name} a harmless input with a second `where` in front of it"
        )
    return cause + _kink(finding), ""


def _kink(finding: Finding) -> str:
    """Say that the slopes of the two sides differ, where they are well known."""
    sight, k = finding.asked_of.view.sight(), finding.entry
    known = sight.left.half[k] + sight.right.half[k] < RESOLUTION * abs(sight.gap.centre[k])
    if not known:
        return ""
    return (
        f"; f has a kink here, with slope {finding.left:.6g} on the left and {finding.right:.6g} "
        "on the right, so it has no derivative"
    )


def _explain_noise(subject: Subject, finding: Finding) -> tuple[str, str]:
    largest = max(abs(finding.fd), abs(finding.ad))
    if not math.isfinite(finding.half):
        return "too few values of f close by are finite to find a slope", "check at another point"
    size = f"± {finding.half:.2g}"
    if subject.traced.eps > FINE:
        name = {2.0**-7: "bfloat16", 2.0**-10: "float16", 2.0**-23: "float32"}.get(
            subject.traced.eps, "its precision"
        )
        return (
            f"{name}, in which f computes, is too coarse here: FD is known only to {size}, "
            f"beside a slope of {largest:.2g}",
            "compute in float64, or check at a point where f is smaller",
        )
    if finding.cause == "doubt":
        return f"AD lies just outside of FD {size}, but f is noisy here", ""
    if finding.cause == "hidden":
        return (
            f"a slope of {largest:.2g} is lost in rounding: f, or a number on the way to it, is "
            "large beside it",
            "take large constants out of f, or check at another point",
        )
    if finding.cause == "plateaus":
        return (
            "numbers cancel in f here: small steps show another slope than larger ones do",
            "rewrite f without the cancellation (jnp.expm1, jnp.log1p), or check farther away",
        )
    noisy = "f is too noisy here"
    if rounds_on_the_way(subject, finding):
        noisy = "f is too noisy here, because numbers on the way to it are rounded"
    return f"{noisy}: FD is known only to {size}, beside {largest:.2g}", ""


def _elsewhere(finding: Finding) -> str:
    if finding.others <= 0:
        return ""
    return f", here and in {finding.others} more of {finding.leaf.size} elements"


def _operation(culprit: Culprit) -> str:
    at = ", ".join(f"{number:.4g}" for number in culprit.at[:3])
    return f"`{culprit.name}` at {at}" if at else f"`{culprit.name}`"


def _site_name(site: Site) -> str:
    return (
        "stop_gradient"
        if site.kind == "stop_gradient"
        else f"the {site.kind} rule of `{site.name}`"
    )


def _ordinal(number: int) -> str:
    return f"{number}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(number, 'th') }"


def _close(first: float, second: float) -> bool:
    return abs(first - second) <= MATERIAL * max(abs(first), abs(second))
