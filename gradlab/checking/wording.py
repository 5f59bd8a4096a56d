"""From findings to sentences that a second-year student understands."""

import math
from typing import Any

import numpy as np

from gradlab.checking.coordinates import COMPLEX, Coordinates
from gradlab.checking.report import LeafReport
from gradlab.checking.search import Finding
from gradlab.checking.subject import Subject
from gradlab.checking.verdicts import AGREE, CANNOT_TELL, WRONG

RATIOS = {
    -1.0: "AD is −1 times FD: a sign is wrong",
    2.0: "AD is twice FD: a factor of 2 too many",
    0.5: "AD is half of FD: a factor of 2 is missing",
    -2.0: "AD is −2 times FD: a sign and a factor of 2",
    -0.5: "AD is −½ times FD: a sign and a factor of ½",
    3.0: "AD is three times FD",
    4.0: "AD is four times FD",
    0.25: "AD is a quarter of FD",
}


def describe_finding(subject: Subject, finding: Finding) -> LeafReport:
    """Put a finding into words."""
    leaf = finding.leaf
    verdict = finding.verdict
    cause, hint = _reason(subject, finding)
    digits = min(finding.digits, 16.0) if verdict == AGREE else 0.0
    if verdict == AGREE:
        native = _native(subject, finding)
        if native is not None:
            verdict, cause, hint = native
    index = None if finding.coordinate is None else leaf.element(finding.coordinate)
    return LeafReport(
        path=leaf.path,
        shape=leaf.shape,
        dtype=str(leaf.dtype),
        index=index,
        output=_output(subject, finding.row),
        ad=finding.ad,
        fd=finding.fd,
        half_width=finding.half,
        error=finding.ad - finding.fd,
        digits=digits,
        verdict=verdict,
        cause=cause,
        hint=hint,
        mode=finding.mode,
        order=1,
        checked=finding.asked,
        funnel=None,
    )


def undifferentiable(
    coordinates: Coordinates, reason: str, order: int
) -> list[LeafReport]:
    """Report that JAX has no derivative of the function."""
    nan = math.nan
    return [
        LeafReport(
            path=leaf.path, shape=leaf.shape, dtype=str(leaf.dtype), index=None, output="", ad=nan,
            fd=nan, half_width=math.inf, error=nan, digits=0.0, verdict=CANNOT_TELL,
            cause=f"JAX cannot differentiate f: {reason}",
            hint="give f a derivative with jax.custom_jvp or jax.custom_vjp, or judge your own "
            "with grad=", mode="", order=order, checked="nothing",
        )  # fmt: skip
        for leaf in coordinates.moving
    ]


def _reason(subject: Subject, finding: Finding) -> tuple[str, str]:
    return finding.cause, ""


def _native(subject: Subject, finding: Finding) -> tuple[str, str, str] | None:
    return None


def _output(subject: Subject, row: int) -> str:
    return ""
