"""From findings to a report on each leaf that a second-year student understands."""

import dataclasses
import math

import numpy as np

from gradlab.checking.arguments import Leaf
from gradlab.checking.causes import by_element
from gradlab.checking.explanations import Why, explain, what
from gradlab.checking.findings import Finding
from gradlab.checking.funnel import Funnel
from gradlab.checking.judge import AGREE, CANNOT_TELL, RESOLUTION, WRONG
from gradlab.checking.nonfinite import first_nonfinite
from gradlab.checking.report import LeafReport
from gradlab.checking.subject import Subject, said
from gradlab.checking.tracing import LOOKS_AT_VALUES

NO_SLOPE = ("jump", "isolated", "value", "infinite")  # then FD is no slope


def describe_finding(subject: Subject, finding: Finding) -> LeafReport:
    """Put a finding into words."""
    leaf, why = finding.leaf, _in_own_dtype(subject, finding, explain(subject, finding))
    index = None if finding.coordinate is None else leaf.element(finding.coordinate)
    checked = finding.asked
    if index is None and leaf.size > 1 and 0 < finding.blind < math.inf:
        checked += f" (which cannot see an error below {finding.blind:.0e} in one element)"
    ad, fd, half, part = _as_jax_returns(subject, finding)
    unknown = half > RESOLUTION * abs(fd) and why.verdict == CANNOT_TELL
    if finding.cause in NO_SLOPE or (unknown and finding.cause in ("edge", "nan")):
        fd, half = math.nan, math.inf
    return LeafReport(
        path=leaf.path,
        shape=leaf.shape,
        dtype=str(leaf.dtype),
        index=index,
        part=part,
        output=_output(subject, finding.row),
        ad=ad,
        fd=fd,
        half_width=half,
        error=ad - fd,
        digits=float(min(finding.digits, 16.0)) if why.verdict == AGREE else 0.0,
        verdict=why.verdict,
        cause=why.cause,
        hint=why.hint,
        where=why.where,
        mode=finding.mode,
        order=1,
        checked=checked,
        funnel=_funnel(subject, finding, why.verdict),
    )


def without_derivative(subject: Subject, leaf: Leaf) -> LeafReport:
    """Report that JAX has no derivative with respect to a leaf."""
    number = subject.arguments.leaves.index(leaf)
    raised = [errors[number] for errors in subject.programs.raised.values() if number in errors]
    reason = said(raised[0]) if raised else "no mode of differentiation was asked for"
    of_numpy = any(isinstance(error, LOOKS_AT_VALUES) for error in raised)
    hint = "give f a rule with jax.custom_jvp or jax.custom_vjp, or pass your own gradient as grad"
    if of_numpy:
        reason = "it calls NumPy or math, or looks at its values"
        hint = "use jax.numpy in place of NumPy or math in what you differentiate"
    elif len(subject.leaves) > 1:
        hint = f"name the arguments that have a derivative with argnums; or {hint}"
    return LeafReport(
        path=leaf.path, shape=leaf.shape, dtype=str(leaf.dtype), index=None, part="", output="",
        ad=math.nan, fd=math.nan, half_width=math.inf, error=math.nan, digits=0.0,
        verdict=CANNOT_TELL, cause=f"JAX cannot differentiate f: {reason}", hint=hint, where="",
        mode="", order=1, checked="nothing",
    )  # fmt: skip


def _in_own_dtype(subject: Subject, finding: Finding, why: Why) -> Why:
    """Look at the gradient as the user runs it, beside that in float64, which is right."""
    leaf = finding.leaf
    lost, digits, number = subject.lost_in_own_dtype(leaf)
    if subject.own_value is not None and not np.isfinite(subject.own_value).all():
        if why.verdict == AGREE:
            return Why(
                CANNOT_TELL,
                f"f itself is not finite in {leaf.dtype}; in float64, where it is, AD agrees",
                f"a number on the way is too large for {leaf.dtype}",
            )
        return why
    if lost and np.isfinite(finding.ad):
        culprit = first_nonfinite(subject, own=True)
        made = "" if culprit is None else f": {what(culprit)}"
        words = f"AD is {number} in {leaf.dtype}, where f is finite{made}"
        if why.verdict != AGREE:
            return dataclasses.replace(why, cause=f"{why.cause}; {words}" if why.cause else words)
        place = "" if culprit is None else culprit.where
        return Why(
            WRONG, f"{words}; in float64 it is right",
            f"a number on the way is too large or too small for {leaf.dtype}", place,
        )  # fmt: skip
    if why.verdict == AGREE and digits is not None:
        if digits < 1:
            return Why(
                CANNOT_TELL,
                f"in float64 it agrees, but no digit of AD in {leaf.dtype} is right here",
                f"numbers cancel, or are too large or too small for {leaf.dtype}; rewrite f",
            )
        words = f"in float64 it agrees; of AD in {leaf.dtype} only {digits} digits are right here"
        return dataclasses.replace(why, cause=words.replace(" 1 digits are", " 1 digit is"))
    return why


def _as_jax_returns(subject: Subject, finding: Finding) -> tuple[complex, complex, float, str]:
    """Return AD, FD, its half-width and the part, as `jax.grad` returns complex numbers."""
    leaf, place = finding.leaf, finding.coordinate
    if leaf.parts == 1 or place is None:
        return finding.ad, finding.fd, finding.half, ""
    ad, fd = by_element(subject, finding)
    flat = (place - leaf.start) % leaf.size
    both = [flat, flat + leaf.size]
    if np.isnan(fd[both]).any():
        sign = -1.0 if leaf.is_imaginary(place) else 1.0
        part = "imag" if leaf.is_imaginary(place) else "real"
        return sign * finding.ad, sign * finding.fd, finding.half, part
    (x, y), (u, v) = ad[both], fd[both]
    return complex(x, -y), complex(u, -v), finding.half, ""


def _funnel(subject: Subject, finding: Finding, verdict: str) -> Funnel:
    asked, k = finding.asked_of, finding.entry
    values, unit = asked.values, finding.unit
    t, sigma = values.steps * abs(unit), float(values.sigma[k])
    with np.errstate(all="ignore"):
        slopes = (values.ahead[k] - values.behind[k]) / (2 * values.steps * unit)
    title = f"{finding.leaf.path}: {verdict}, AD {finding.ad:.6g}, FD {finding.fd:.6g}"
    rows = zip(t.tolist(), slopes.tolist(), (2 * sigma / t).tolist(), strict=True)
    return Funnel(tuple(rows), finding.ad, finding.fd, finding.half, title)


def _output(subject: Subject, row: int) -> str:
    outputs, rows = subject.programs.outputs, subject.programs.rows
    if sum(size for _, size in outputs) == 1:
        return ""
    number = int(subject.programs.owner[row])
    path, size = outputs[number]
    if rows is None and size > 1:
        first = int(np.flatnonzero(subject.programs.owner == number)[0])
        return f"output{path}, element {row - first}"
    return f"output{path}" if rows is None else f"a weighted sum of output{path}"
