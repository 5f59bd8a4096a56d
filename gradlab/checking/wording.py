"""From findings to a report on each leaf that a second-year student understands."""

import dataclasses
import math

import numpy as np

from gradlab.checking.amendments import amended
from gradlab.checking.coordinates import COMPLEX, Coordinates
from gradlab.checking.explanations import explain
from gradlab.checking.findings import Finding
from gradlab.checking.funnel import Funnel, make_funnel
from gradlab.checking.report import LeafReport
from gradlab.checking.subject import Subject
from gradlab.checking.verdicts import AGREE, CANNOT_TELL


def describe_finding(subject: Subject, finding: Finding) -> LeafReport:
    """Put a finding into words."""
    leaf, verdict, ad, fd = finding.leaf, finding.verdict, finding.ad, finding.fd
    cause, hint = explain(subject, finding)
    if (other := amended(subject, finding)) is not None:
        verdict, ad, cause, hint = other
    index = None if finding.coordinate is None else leaf.element(finding.coordinate)
    checked = finding.asked
    if index is None and leaf.size > 1 and 0 < finding.blind < math.inf:
        checked += f" (which cannot see an error below {finding.blind:.0e} in one element)"
    return LeafReport(
        path=leaf.path,
        shape=leaf.shape,
        dtype=str(leaf.dtype),
        index=index,
        part=_part(finding),
        output=_output(subject, finding.row),
        ad=ad,
        fd=fd,
        half_width=finding.half,
        error=ad - fd,
        digits=float(min(finding.digits, 16.0)) if verdict == AGREE else 0.0,
        verdict=verdict,
        cause=cause,
        hint=hint,
        mode=finding.mode,
        order=1,
        checked=checked,
        funnel=_funnel(subject, finding, verdict),
    )


def undifferentiable(coordinates: Coordinates, reason: str) -> list[LeafReport]:
    """Report that JAX has no derivative of the function."""
    unknown = LeafReport(
        path="", shape=(), dtype="", index=None, part="", output="", ad=math.nan, fd=math.nan,
        half_width=math.inf, error=math.nan, digits=0.0, verdict=CANNOT_TELL,
        cause=f"JAX cannot differentiate f: {reason}",
        hint="give f a rule with jax.custom_jvp or jax.custom_vjp, or judge your own with grad=",
        mode="", order=1, checked="nothing",
    )  # fmt: skip
    return [
        dataclasses.replace(unknown, path=leaf.path, shape=leaf.shape, dtype=str(leaf.dtype))
        for leaf in coordinates.moving
    ]


def _funnel(subject: Subject, finding: Finding, verdict: str) -> Funnel:
    asked, k = finding.asked_of, finding.entry
    view, direction = asked.view, asked.direction(k)
    unit = 1.0
    if direction.stop - direction.start == 1:
        unit = float(subject.bases[direction.base, direction.start])
    sigma = float(view.sigma[k])
    steps, slopes, halves = make_funnel(view.steps, view.behind[k], view.ahead[k], sigma, unit)
    title = f"{finding.leaf.path}: {verdict}, AD {finding.ad:.6g}, FD {finding.fd:.6g}"
    return Funnel(steps, slopes, halves, finding.ad, finding.fd, finding.half, title)


def _part(finding: Finding) -> str:
    if finding.leaf.kind != COMPLEX or finding.coordinate is None:
        return ""
    return "real" if finding.coordinate < finding.leaf.start + finding.leaf.size else "imag"


def _output(subject: Subject, row: int) -> str:
    outputs = subject.traced.outputs
    if sum(size for _, size in outputs) == 1:
        return ""
    number = int(subject.owner[row])
    path, size = outputs[number]
    if subject.rows is None and size > 1:
        first = int(np.flatnonzero(subject.owner == number)[0])
        return f"output{path}, element {row - first}"
    if subject.rows is None:
        return f"output{path}"
    return f"a weighted sum of output{path}"
