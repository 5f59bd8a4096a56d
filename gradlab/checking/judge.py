"""From what the steps show and what AD says to a verdict: agree, wrong or cannot tell.

All is in units of one step of the direction: a slope is the change of the function over a step of
1. Every array has one entry for each question, a direction and a row of the value.
"""

import dataclasses

import numpy as np
from numpy.typing import NDArray

from gradlab.checking.intervals import FINE, Bools, Claims, Floats, Values, limit

AGREE, CANNOT_TELL, WRONG = "agree", "cannot tell", "wrong"
WORST_FIRST = (WRONG, CANNOT_TELL, AGREE)

RESOLUTION = 0.05  # a slope known to within this part of itself is known; it is no tolerance
NOTHING = 1e-3  # what is less than this part of a number is nothing beside it
NEGLIGIBLE = 1e-6  # times `scale`: the rounding of AD itself
JITTER = 16.0  # times the difference of two gradients: an AD below is itself rounding
CLEAR = 4.0  # times what is immaterial or rounding: a kink or a jump of less is none
CLOSE = 6  # the finest steps: where nothing changes in them f is flat, and a jump shows in all
WIDER = (3.0, 9.0, 27.0)  # times the noise that was measured


@dataclasses.dataclass(frozen=True)
class Answers:
    """One verdict and its cause for each question, and the interval it rests on.

    The interval is `fd` ± `half`, and `rung` is the step that decided. `left` and `right` are the
    slopes of the two sides; `sharp` tells where there is a kink and both are well known, `clean`
    where AD agrees and the slope is known, `within` where AD is inside of the interval.
    """

    verdict: NDArray[np.str_]
    cause: NDArray[np.str_]
    fd: Floats
    half: Floats
    rung: NDArray[np.intp]
    left: Floats
    right: Floats
    sharp: Bools
    clean: Bools
    within: Bools


def judge(values: Values, claims: Claims) -> Answers:
    """Answer every question.

    What noise leaves open is asked again with more noise than was measured, because the noise of
    two dozen values close by may be less than that of those farther away.
    """
    with np.errstate(all="ignore"):  # NaN stands for values that are not there
        answers = _judge(values, claims, 1.0)
        for factor in WIDER if values.eps < FINE else ():
            if not np.any(answers.cause == "noise"):
                break
            again = _judge(values, claims, factor)
            better = (answers.cause == "noise") & (again.verdict != CANNOT_TELL)
            answers = taken(answers, again, better)
        return answers


def taken(answers: Answers, others: Answers, where: Bools) -> Answers:
    """Return answers with some of them replaced by others."""
    names = [field.name for field in dataclasses.fields(Answers)]
    pairs = ((name, getattr(others, name), getattr(answers, name)) for name in names)
    return Answers(**{name: np.where(where, new, old) for name, new, old in pairs})


def _judge(v: Values, claims: Claims, factor: float) -> Answers:
    t, f0 = v.steps, v.centre[:, None]
    ad = np.where(np.isfinite(claims.slope), claims.slope, 0.0)
    line, sigma = ad[:, None] * t, factor * v.sigma[:, None]
    # What is left of f when the tangent that AD says is taken away, and its error.
    rise, fall = (v.ahead - f0) - line, (f0 - v.behind) - line
    rise_error = 2 * sigma + 2 * v.eps * np.abs(v.ahead)
    fall_error = 2 * sigma + 2 * v.eps * np.abs(v.behind)
    left, right = limit(fall / t, fall_error / t, (1, 2)), limit(rise / t, rise_error / t, (1, 2))
    mean = limit((rise + fall) / (2 * t), (rise_error + fall_error) / (2 * t), (2,))
    behind, ahead = v.sides
    edge = behind ^ ahead

    def one_sided(both: Floats, behind: Floats, ahead_: Floats) -> Floats:
        return np.where(edge, np.where(ahead, ahead_, behind), both)

    error = one_sided(mean.centre, left.centre, right.centre)  # FD − AD
    half = one_sided(mean.half, left.half, right.half)
    spread = np.where(np.isfinite(claims.spread), claims.spread, 0.0)
    half = np.fmax(half, np.sqrt(v.eps) * spread)  # AD rounds, too
    fd, difference = ad + error, np.abs(error)

    # How much matters.
    larger = np.fmax(np.abs(ad), np.abs(fd))
    own = np.fmax(larger, claims.scale)
    immaterial = claims.material * own

    # The slope: known, or known to be small beside what the function does; and AD outside of it.
    known = half <= RESOLUTION * own
    known |= (half <= NOTHING * v.typical_slope) & (np.abs(ad) <= half)
    wrong = difference - half > claims.material * larger

    # Flat: nothing changes close by, and not by rounding; or nothing changes at all.
    changes = np.fmax(*v.changes)
    flat = np.all(changes[:, -CLOSE:] == 0, axis=1)
    shown = larger * v.flat_width
    level = flat & ((shown == 0) | (shown > v.rounding))
    unchanged = np.max(np.nan_to_num(changes, posinf=0), axis=1) <= v.rounding
    unchanged &= behind | ahead
    constant = unchanged & (np.abs(ad) * t[0] <= 2 * v.rounding)
    nothing = np.abs(ad) <= NEGLIGIBLE * claims.scale
    rounded = np.abs(ad) <= JITTER * claims.jitter
    still = (level & nothing) | (constant & (rounded | nothing))

    # Kinks and jumps.
    gap, unsure = right.centre - left.centre, left.half + right.half
    kink = (np.abs(gap) - unsure > CLEAR * immaterial) & ~edge & ~level
    low = np.fmin(left.centre - left.half, right.centre - right.half) - immaterial
    high = np.fmax(left.centre + left.half, right.centre + right.half) + immaterial
    between = (low <= 0) & (high >= 0)
    jump = np.zeros(len(ad), np.bool_)
    for change, its_error in ((rise, rise_error), (fall, fall_error)):
        height = limit(change, its_error, (1,))
        shows = np.all(np.abs(change[:, -CLOSE:]) > CLEAR * v.rounding[:, None], axis=1)
        jump |= height.excludes(0.0) & shows

    lost = ~np.isfinite(claims.slope)
    measured = np.isfinite(fd) & (half <= RESOLUTION * np.fmax(np.abs(fd), v.typical_slope))
    verdict = np.full(len(ad), CANNOT_TELL, dtype="<U11")
    cause = np.full(len(ad), "noise", dtype="<U16")

    def say(where: Bools, what: str, why: str) -> None:
        verdict[where], cause[where] = what, why

    # The later, the stronger.
    say(known | still, AGREE, "")
    say(known & (difference > half), AGREE, "immaterial")
    say(wrong & ~still, WRONG, "slope")
    sides_differ = limit((rise - fall) / t, (rise_error + fall_error) / t, (1,)).half
    apart = np.abs(rise - fall) > 4 * (rise_error + fall_error)  # not by noise
    erratic = np.mean(apart[:, len(t) // 2 :], axis=1) > 0.5
    erratic &= (sides_differ > v.typical_slope) & (half <= NOTHING * sides_differ)
    say(erratic & (verdict == AGREE) & ~still, CANNOT_TELL, "erratic")
    say(edge & ~wrong, CANNOT_TELL, "edge")
    say(kink & between, CANNOT_TELL, "kink")
    say(kink & ~between, WRONG, "kink")
    say(jump, CANNOT_TELL, "jump")
    say(lost, CANNOT_TELL, "nan")
    say(lost & (measured | flat | unchanged | kink) & ~edge & ~jump, WRONG, "nan")
    say(~np.isfinite(v.centre), CANNOT_TELL, "value")
    sharp = kink & (unsure < RESOLUTION * np.abs(gap))
    return Answers(
        verdict, cause, fd, half, mean.rung, ad + left.centre, ad + right.centre, sharp,
        clean=(verdict == AGREE) & known, within=difference <= half,
    )  # fmt: skip


def telling(a: Answers, claims: Claims) -> tuple[Floats, Floats]:
    """Return to how many digits AD and FD are known to agree, and a rank, the least the worst.

    The rank of a question is its verdict, its digits and its size, `(questions, 3)`.
    """
    slope = claims.slope
    with np.errstate(all="ignore"):
        own = np.fmax(np.fmax(np.abs(slope), np.abs(a.fd)), claims.scale)
        difference = np.abs(slope - a.fd)
        doubt = np.where(a.verdict == WRONG, difference, np.fmax(difference, a.half))
        known = np.where(doubt > 0, -np.log10(doubt / own), 16.0)
    known = np.where(np.isfinite(known + slope), np.clip(known, -3.0, 16.0), -3.0)
    bad = np.select([a.verdict == verdict for verdict in WORST_FIRST], [0.0, 1.0, 2.0])
    size = np.where(np.isfinite(slope), np.abs(slope), np.inf)
    return known, np.stack([bad, np.round(known, 1), -size], axis=1)
