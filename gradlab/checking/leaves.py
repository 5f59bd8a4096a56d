"""The report on each leaf: the verdict and its reason, and a look at the user's own dtype."""

import dataclasses
import math
from typing import Any

import numpy as np

from gradlab.checking.arguments import Leaf
from gradlab.checking.causes import by_element
from gradlab.checking.explanations import explain
from gradlab.checking.judge import AGREE, CANNOT_TELL, NOTHING, RESOLUTION, WRONG
from gradlab.checking.leaf_report import Funnel, LeafReport, Why
from gradlab.checking.nonfinite import first_nonfinite
from gradlab.checking.questions import Finding
from gradlab.checking.subject import Subject, said
from gradlab.checking.tracing import LOOKS_AT_VALUES

ROUNDING = 64  # units in the last place of f: what a slope over one step may be off by
NO_SLOPE = ("jump", "value", "infinite")  # then FD is no slope


def describe_finding(subject: Subject, finding: Finding) -> LeafReport:
    """Put a finding into words."""
    leaf, why = finding.leaf, _in_own_dtype(subject, finding, explain(subject, finding))
    index = None if finding.coordinate is None else leaf.element(finding.coordinate)
    checked = finding.asked
    if index is None and leaf.size > 1 and 0 < finding.blind < math.inf:
        checked += f" (which cannot see an error below {finding.blind:.0e} in one element)"
    (ad, fd), part = _as_jax_returns(subject, finding)
    half = finding.half
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
    leaf, agrees = finding.leaf, why.verdict == AGREE
    dtype = "the coarser dtype on the way" if leaf.dtype.itemsize >= 8 else str(leaf.dtype)
    large = f"a number on the way is too large or too small for {dtype}"
    if subject.own_value is not None and not np.isfinite(subject.own_value).all():
        words = f"f itself is not finite in {dtype}; in float64, where it is, AD agrees"
        return Why(CANNOT_TELL, words, large) if agrees else why
    number, digits = _lost_in_own_dtype(subject, leaf)
    if number is not None and np.isfinite(finding.ad):
        culprit = first_nonfinite(subject, own=True)
        made, place = ("", "") if culprit is None else (f": {culprit}", culprit.where)
        words = f"AD is {number} in {dtype}, where f is finite{made}"
        if agrees:
            return Why(WRONG, f"{words}; in float64 it is right", large, place)
        return dataclasses.replace(why, cause="; ".join(filter(None, [why.cause, words])))
    if not agrees or digits is None:
        return why
    if digits < 1:
        words = f"in float64 it agrees, but no digit of AD in {dtype} is right here"
        hint = f"numbers cancel, or are too large or too small for {dtype}; rewrite f"
        return Why(CANNOT_TELL, words, hint)
    few = "1 digit is" if digits == 1 else f"{digits} digits are"
    words = f"in float64 it agrees; of AD in {dtype} only {few} right here"
    return dataclasses.replace(why, cause=words)


def _lost_in_own_dtype(subject: Subject, leaf: Leaf) -> tuple[float | None, int | None]:
    """Compare the gradient as the user runs it with that in float64.

    Returns:
        A number in it that is not finite, or None; and to how many digits its worst element is
        right, of those that count beside the largest, or None where that is enough.
    """
    own, found = slice(leaf.start, leaf.stop), None
    unit = subject.bases[0, own]
    pairs = [
        (narrow[:, own] * unit, subject.gradients[mode][:, own] * unit)
        for mode, narrow in subject.own_gradients.items()
    ]
    if subject.own_slopes is not None:
        about = [i for i, d in enumerate(subject.first) if leaf.start <= d.start < leaf.stop]
        wide = np.stack([subject.slopes[subject.first[i]] for i in about])
        pairs.append((subject.own_slopes[about].T, wide.T))
    for narrow, wide in pairs:
        lost = ~np.isfinite(narrow) & np.isfinite(wide)
        if np.any(lost):
            return float(narrow[lost][0]), None
        with np.errstate(all="ignore"):
            size = np.max(np.abs(wide), axis=1, initial=0.0)
            size = np.fmax(size, subject.largest(leaf))[:, None]
            error = np.abs(narrow - wide)
            units = ROUNDING * subject.user_eps * np.fmax(subject.size, np.abs(subject.value))
            counts = error > np.fmax(RESOLUTION * size, units[:, None])
            counts &= np.abs(wide) >= NOTHING * size
            digits = -np.log10(error[counts] / np.abs(wide[counts]))
        if len(digits):
            worst = max(0, int(np.min(digits)))
            found = worst if found is None else min(found, worst)
    return None, found


def _as_jax_returns(subject: Subject, finding: Finding) -> tuple[tuple[Any, Any], str]:
    """Return AD and FD, and the part they are of, as `jax.grad` returns complex numbers."""
    leaf, place = finding.leaf, finding.coordinate
    if leaf.parts == 1 or place is None:
        return (finding.ad, finding.fd), ""
    flat = (place - leaf.start) % leaf.size
    ad, fd = (both[[flat, flat + leaf.size]] for both in by_element(subject, finding))
    if not np.isnan(fd).any():
        return (complex(ad[0], -ad[1]), complex(fd[0], -fd[1])), ""
    sign, part = (-1.0, "imag") if leaf.is_imaginary(place) else (1.0, "real")
    return (sign * finding.ad, sign * finding.fd), part


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
