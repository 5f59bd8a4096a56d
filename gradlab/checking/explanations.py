"""Why a finding is what it is, in sentences that a second-year student understands."""

import math

from gradlab.checking.causes import Site, culprits, operation_by_operation, resemblance, uses
from gradlab.checking.intervals import FINE
from gradlab.checking.judge import AGREE, CANNOT_TELL, RESOLUTION, WRONG
from gradlab.checking.leaf_report import Why
from gradlab.checking.nonfinite import explain_nonfinite
from gradlab.checking.questions import Finding
from gradlab.checking.subject import MATERIAL, Subject

NEARLY = 3e-2  # a relative difference below this may be that of an approximate solution
COARSE = {2.0**-7: "bfloat16", 2.0**-10: "float16", 2.0**-23: "float32"}
ANOTHER = "check at another point"
NO_DERIVATIVE = "no derivative exists at this point; check at another one"
SAID = {  # of a verdict and its cause: what they are, and what to do
    (AGREE, "rounded"): (
        "small steps are lost in the rounding of numbers on the way; larger ones agree", "",
    ),
    (WRONG, "primal"): (
        "differentiating f gives another value than calling it",
        "let every custom rule return the value that its function returns",
    ),
    (WRONG, "modes"): (
        "reverse mode says {f.ad:.6g}, forward mode {f.other_ad:.6g}; both must give the same "
        "number, whatever f does",
        "look at transposes: jax.custom_transpose, jax.linear_transpose, custom_linear_solve",
    ),
    (WRONG, "kink"): (
        "f has a kink here, with slope {f.left:.6g} on the left and {f.right:.6g} on the right, "
        "and AD is not between them", "",
    ),
    (CANNOT_TELL, "kink"): (
        "f has a kink here: its slope is {f.left:.6g} on the left and {f.right:.6g} on the right, "
        "and AD lies between them", NO_DERIVATIVE,
    ),
    (CANNOT_TELL, "tie"): (
        "f has a kink here, as at a tie of three numbers: its slope along a random direction is "
        "not the sum of the slopes with respect to the single elements", NO_DERIVATIVE,
    ),
    (CANNOT_TELL, "erratic"): (
        "the slopes of f on its two sides do not settle as the step shrinks", ANOTHER,
    ),
    (CANNOT_TELL, "jump"): ("f jumps here, so it has no derivative", ANOTHER),
    (CANNOT_TELL, "infinite"): ("the argument itself is not finite here", ANOTHER),
    (CANNOT_TELL, "edge"): (
        "f is finite on one side only, so x is at the edge of its domain",
        "check at a point inside",
    ),
}  # fmt: skip


def explain(subject: Subject, finding: Finding) -> Why:
    """Say why a finding is what it is."""
    verdict, cause = finding.verdict, finding.cause
    if (verdict, cause) in SAID:
        words, hint = (text.format(f=finding) for text in SAID[verdict, cause])
        if cause == "edge" and finding.half <= RESOLUTION * abs(finding.fd):
            words += f"; the slope on that side is {finding.fd:.6g}"
        return Why(verdict, words, hint)
    if verdict == AGREE:
        return Why(verdict, _explain_agreement(subject, finding))
    if cause in ("nan", "value"):
        return explain_nonfinite(subject, finding)
    if verdict == WRONG:
        return _explain_wrong(subject, finding)
    return _explain_stairs(finding) if cause == "stairs" else _explain_noise(subject, finding)


def _explain_agreement(subject: Subject, finding: Finding) -> str:
    difference = abs(finding.ad - finding.fd)
    if finding.cause != "immaterial" or not difference > 0:
        return ""
    digits = -math.log10(max(difference, 1e-300) / max(abs(finding.fd), abs(finding.ad)))
    words = f"AD and FD differ, but they agree to {digits:.1f} digits"
    if uses(subject, "while"):
        words += "; f stops a loop at a tolerance, and AD may follow the exact solution"
    return words


def _explain_stairs(finding: Finding) -> Why:
    k, unit, steps = finding.entry, finding.unit, finding.asked_of.stairs
    width = float(finding.asked_of.values.steps[steps.rung[k]]) * abs(unit)
    above, height = float(steps.above.centre[k]) / unit, float(steps.height[k])
    piece = "that of the flat pieces between its jumps"
    hint = "give f a rule for the slope that you mean, as straight_through does"
    if abs(finding.ad - above) <= abs(finding.ad - finding.fd):
        piece = "that of the larger steps"
        hint = "a derivative of a staircase can only be a surrogate"
    words = (
        f"f is a staircase here: it jumps by about {height:.1g} at steps of about {width:.1g}. Its "
        f"slope is {finding.fd:.6g} below them and {above:.6g} above, and AD is {piece}"
    )
    return Why(CANNOT_TELL, words, hint)


def _explain_wrong(subject: Subject, finding: Finding) -> Why:
    ad, fd, other_ad = finding.ad, finding.fd, finding.other_ad
    if other_ad is not None and not _close(ad, other_ad) and _close(other_ad, fd):
        hint = (
            "a rule that transposes a linear function is wrong, or a custom_jvp rule is not linear "
            "in its tangents"
        )
        mode, other = ("reverse", "forward") if finding.mode == "rev" else ("forward", "reverse")
        if mode == "reverse" and uses(subject, "gather"):
            index = "is an index out of range? f takes the nearest element, reverse mode drops it"
            hint = f"{index}; or {hint}"
        return Why(WRONG, f"{mode} mode is wrong where {other} mode agrees with FD", hint)
    like = resemblance(subject, finding)
    if like.startswith("AD is the complex conjugate"):
        hint = "jax.grad of a real f returns ∂f/∂x − i ∂f/∂y; conjugate the gradient"
        return Why(WRONG, like, hint)
    found = culprits(subject, finding)
    difference, size = abs(ad - fd), max(abs(ad), abs(fd))
    nearly = ""
    if uses(subject, "while", "scan") and 0 < difference < NEARLY * size:
        if subject.survey.stops or any(site.kind == "stop_gradient" for site in found):
            return Why(
                CANNOT_TELL,
                f"AD and FD differ by {difference:.1g}: f has a loop that may stop at a tolerance "
                "or choose its steps by one, and AD may be the derivative of the exact solution",
                "ask for a smaller tolerance, and see whether they come closer",
            )
        nearly = (
            f"they agree to {-math.log10(difference / size):.1f} digits: if AD is the derivative "
            "of an exact solution that the loop in f only approximates, this is the loop's error"
        )
    flat = finding.flat and abs(fd) <= finding.half and ad != 0
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
    words = f"{name} is not the slope of f"
    if finding.others > 0:
        words += f", here and in {finding.others} more of {finding.leaf.size} elements"
    return Why(WRONG, words, "; ".join(filter(None, [like.replace("AD", name), nearly])))


def _explain_sites(found: list[Site], flat: bool) -> tuple[str, str]:
    names, site = list(dict.fromkeys(str(site) for site in found)), found[0]
    if len(names) > 1:
        return f"without {' and '.join(names)}, AD is what FD says", (
            "are they wrong, or deliberate?"
        )
    here = f"{site} ({site.where})" if site.where else str(site)
    deliberate = "is it deliberate, as in straight-through estimators?"
    if site.alone:
        return f"AD is not the slope of f, and {here} is the only rule in f", ""
    if site.kind == "stop_gradient":
        if flat:
            return f"f is flat here, and {here} hides it from AD (a surrogate)", deliberate
        return f"{here} removed a term: without it AD is what FD says", "is it deliberate?"
    if flat:
        return f"f is flat here, and {here} says otherwise (a surrogate derivative)", deliberate
    return f"{here} is wrong: without it AD is what FD says", ""


def _explain_noise(subject: Subject, finding: Finding) -> Why:
    size, largest = f"± {finding.half:.2g}", max(abs(finding.fd), abs(finding.ad))
    words, hint = "f is too noisy here", ""
    if not math.isfinite(finding.half):
        return Why(CANNOT_TELL, "too few values of f close by are finite to find a slope", ANOTHER)
    if subject.eps > FINE:
        words = (
            f"{COARSE.get(subject.eps, 'the precision')}, in which f computes, is too coarse here"
        )
        size += f", beside a slope of {largest:.2g}"
        hint = "compute in float64, or check at a point where f is smaller"
    else:
        size += f", beside {largest:.2g}"
        if finding.asked_of.values.size[finding.entry] > subject.size[finding.row]:
            words += ", because numbers on the way to it are rounded"
    return Why(CANNOT_TELL, f"{words}: FD is known only to {size}", hint)


def _close(first: float, second: float) -> bool:
    return abs(first - second) <= MATERIAL * max(abs(first), abs(second))
