"""What changes a verdict after the question about the rule is answered.

A rule that is right in float64 may still give nonsense in the caller's own dtype, and one that
differs from FD may be the derivative of something else, on purpose.
"""

import math

import numpy as np

from gradlab.checking.causes import culprits, rounds_on_the_way, unsteady, uses
from gradlab.checking.explanations import NEARLY
from gradlab.checking.findings import Finding
from gradlab.checking.subject import Subject
from gradlab.checking.verdicts import AGREE, CANNOT_TELL, WRONG

DIGITS_LOST = 0.05  # of the largest derivative: then the report says how many digits are left

Amended = tuple[str, float, str, str]  # verdict, AD, cause and hint


def amended(subject: Subject, finding: Finding) -> Amended | None:
    """Return what is to be said in place of a finding, or None where it stands."""
    odd = finding.cause in ("slope", "doubt")
    if odd and uses(subject, "random_gamma") and not culprits(subject, finding):
        words = (
            "jax.random.gamma is differentiated as a distribution, with its quantile held fixed; "
            "FD differentiates the sampler, with its random numbers held fixed"
        )
        hint = "for a distribution's derivative compare with its quantiles"
        return CANNOT_TELL, finding.ad, words, hint
    nearly = abs(finding.ad - finding.fd) < NEARLY * abs(finding.fd)
    if odd and (nearly or rounds_on_the_way(subject, finding)) and unsteady(subject, finding):
        words = "AD is off by rounding: it jitters by as much as it differs from FD"
        hint = "numbers cancel in the derivative; rewrite f, or check farther away"
        return CANNOT_TELL, finding.ad, words, hint
    return _in_own_dtype(subject, finding) if finding.verdict == AGREE else None


def _in_own_dtype(subject: Subject, finding: Finding) -> Amended | None:
    """Compare the gradient in float64, which is right, with that in the caller's dtype."""
    native, gradient, leaf = subject.native, subject.gradient(), finding.leaf
    if native is None or gradient is None or leaf.dtype == np.float64:
        return None
    if not np.all(np.isfinite(native.value)):
        words = f"f itself is not finite in {leaf.dtype}; in float64, where it is, AD agrees"
        return CANNOT_TELL, finding.ad, words, f"a number on the way is too large for {leaf.dtype}"
    own = slice(leaf.start, leaf.stop)
    narrow, wide = native.gradient[:, own], gradient[:, own]
    lost = ~np.isfinite(narrow) & np.isfinite(wide)
    if np.any(lost):
        number = narrow[lost][0]
        return (
            WRONG, float(number),
            f"AD is {number} in {leaf.dtype}, where f is finite; in float64 it is right",
            f"a number on the way is too large or too small for {leaf.dtype}",
        )  # fmt: skip
    with np.errstate(invalid="ignore"):
        size = np.max(np.abs(wide), initial=0.0)
        error = np.max(np.abs(narrow - wide), initial=0.0)
        rounding = 64 * subject.user_eps * np.max(np.abs(native.value))
    if not error > max(DIGITS_LOST * size, rounding):
        return None
    digits = max(0, int(-math.log10(error / max(size, 1e-3 * error))))
    return (
        AGREE, finding.ad,
        f"in float64 it agrees; of AD in {leaf.dtype} only {digits} digits are right here", "",
    )  # fmt: skip
