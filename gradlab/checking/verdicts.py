"""From what a ladder shows and what AD says to a verdict: agree, wrong or cannot tell.

All is in units of one step of the ladder's direction: a slope is the change of the function over
a step of 1. Every array has one entry for each question, a direction and a row of the value.
"""

import dataclasses

import numpy as np
from numpy.typing import NDArray

from gradlab.checking.limits import SPREAD, WIDENING, Floats
from gradlab.checking.sights import FINE, Bools, View

AGREE, CANNOT_TELL, WRONG = "agree", "cannot tell", "wrong"
WORST_FIRST = (WRONG, CANNOT_TELL, AGREE)

RESOLUTION = 0.05  # a slope known to within this part of itself is known; it is no tolerance
WIDER = (3.0, 9.0, 27.0)  # how much more noise to allow for where the first look settles nothing
USUAL = 51  # steps where x is about 1; there are more where it is tiny
DOUBT = 9.0  # a wrong derivative must be wrong with this much more noise, too
SURE = 1e-3  # part of the slope to which it must be known for a doubt to become an agreement
NEGLIGIBLE = 1e-6  # times `scale`: the rounding of AD itself
EXACT = 1e4  # units in the last place of f: a change over a whole step below this is none
JITTER = 16.0  # times the difference of two modes: an AD below is itself rounding
BROAD = 2.0**-12  # a plateau of this width, beside x, is no rounding


@dataclasses.dataclass(frozen=True)
class Claims:
    """What AD says of each question.

    Attributes:
        slope: The derivative along the direction, `(questions,)`.
        spread: The root of the sum of squares of the terms that were added up for it.
        scale: A slope that is small beside this one counts as part of it.
        jitter: By how much two modes of differentiation differ.
        floor: A difference below this is lost beside the largest slope of the leaf.
        material: A relative difference below this does not matter, however sure.
    """

    slope: Floats
    spread: Floats
    scale: Floats
    jitter: Floats
    floor: Floats
    material: float


@dataclasses.dataclass(frozen=True)
class Answers:
    """One verdict and its cause for each question, and the interval it rests on."""

    verdict: NDArray[np.str_]
    cause: NDArray[np.str_]
    fd: Floats
    half: Floats
    rung: NDArray[np.intp]
    left: Floats
    right: Floats
    clean: Bools  # AD agrees, and the slope is known
    within: Bools  # AD is inside of the interval


def judge(view: View, claims: Claims) -> Answers:
    """Answer every question.

    In float64 a question that noise leaves open is asked again with a wider noise. So is a wrong
    derivative before it is called wrong, and a kink before it is called one: an estimate of noise
    from two dozen values may be too small by a few times. Where x is tiny, a wrong derivative is
    asked about without the finest steps too: if these show another slope, numbers cancel in f.
    """
    with np.errstate(all="ignore"):  # NaN stands for values that are not there
        first = _judge(view, claims, 1.0)
        if view.eps > FINE:
            return first
        fields = {f.name: getattr(first, f.name).copy() for f in dataclasses.fields(first)}

        def take(where: Bools, other: Answers) -> None:
            for name, array in fields.items():
                array[where] = getattr(other, name)[where]

        if np.any(doubtful := first.cause == "slope"):
            again = _judge(view, claims, DOUBT)
            withdrawn = doubtful & (again.verdict != WRONG)
            known = (again.verdict == AGREE) & (again.half <= SURE * np.abs(again.fd))
            take(withdrawn & known, again)
            fields["verdict"][withdrawn & ~known] = CANNOT_TELL
            fields["cause"][withdrawn & ~known] = "doubt"
        if np.any(doubtful := first.cause == "kink"):
            again = _judge(view, claims, DOUBT)
            take(doubtful & (again.cause != "kink"), again)
        if np.any(wrong := fields["cause"] == "slope") and len(view.steps) > USUAL:
            again = _judge(view.without_finest(len(view.steps) - USUAL), claims, 1.0)
            apart = np.abs(again.fd - first.fd) > again.half + first.half
            apart &= (again.half <= RESOLUTION * np.abs(again.fd)) & (again.rung < USUAL // 2)
            fields["verdict"][wrong & apart], fields["cause"][wrong & apart] = (
                CANNOT_TELL,
                "plateaus",
            )
        for factor in WIDER:
            if not np.any(open_ := fields["cause"] == "noise"):
                break
            again = _judge(view, claims, factor)
            take(open_ & (again.verdict != CANNOT_TELL), again)
        return Answers(**fields)


def _judge(view: View, claims: Claims, factor: float) -> Answers:
    sight, slope = view.sight(factor), claims.slope
    fd, left, right, gap = sight.slope.centre, sight.left, sight.right, sight.gap
    spread = np.where(np.isfinite(claims.spread), claims.spread, 0.0)
    half = np.maximum(sight.slope.half, np.sqrt(view.eps) * spread)  # AD rounds, too

    larger = np.fmax(np.abs(slope), np.abs(fd))
    own = np.fmax(larger, claims.scale)
    difference = np.abs(slope - fd)
    wrong = difference - half > np.fmax(claims.material * own, claims.floor)
    resolved = half <= RESOLUTION * own
    resolved |= (half <= SURE * view.typical_slope) & (np.abs(slope) <= half)  # a slope of 0
    sides = np.fmax(np.abs(left.centre), np.abs(right.centre))
    steepest = np.fmax(sides, own)

    # Flat or constant: there is no slope to be a part of, and none is needed.
    unchanged = view.largest_change <= view.rounding
    rounded = np.abs(slope) <= JITTER * claims.jitter  # AD is 0, or nothing but its own rounding
    small = unchanged & (np.abs(slope) * view.steps[0] <= 2 * view.rounding)
    constant, hidden = small & rounded, small & ~rounded
    if (
        view.eps < FINE
    ):  # a derivative of 0, of a function whose noise alone is larger than rounding
        most = (larger + half) * view.steps[0]
        constant |= rounded & (difference <= half) & (most <= EXACT * view.eps * view.bulk)
    nothing = np.abs(slope) <= NEGLIGIBLE * claims.scale
    constant |= hidden & nothing
    rise = np.fmax(sides, larger) * view.flat_width
    level = view.flat & ((rise == 0) | (rise > view.rounding))  # flat, and not by rounding
    still = (level & nothing) | constant
    stairs = level & ~nothing & ~constant & ~wrong

    behind, ahead = view.sides
    edge = behind ^ ahead
    wrong &= ~edge | (difference > SURE * view.typical_slope)  # one-sided slopes settle slowly
    kink = (np.abs(gap.centre) - gap.half > 4 * claims.material * steepest) & ~edge & ~level
    room = claims.material * steepest
    low = np.fmin(left.centre - left.half, right.centre - right.half) - room
    high = np.fmax(left.centre + left.half, right.centre + right.half) + room
    between = (slope >= low) & (slope <= high)
    lost = ~np.isfinite(slope)
    found = np.isfinite(fd) & (half <= RESOLUTION * np.fmax(np.abs(fd), view.typical_slope))
    found |= view.flat | unchanged
    sharp = left.half + right.half < np.abs(gap.centre)
    erratic = (gap.half > view.typical_slope) & (half <= SURE * gap.half)  # only their mean settles
    if np.any(erratic):
        erratic &= view.unsettled

    verdict = np.full(len(slope), CANNOT_TELL, dtype="<U11")
    cause = np.full(len(slope), "noise", dtype="<U16")

    def say(where: Bools, what: str, why: str) -> None:
        verdict[where], cause[where] = what, why

    # The later, the stronger.
    say(hidden, CANNOT_TELL, "hidden")
    say(resolved | still, AGREE, "")
    say(resolved & (difference > half), AGREE, "immaterial")
    say(wrong & ~still, WRONG, "slope")
    say(stairs & view.rounds, CANNOT_TELL, "stairs")
    say(stairs & (view.flat_width > BROAD) & ~resolved, WRONG, "plateau")
    say(erratic & (verdict == AGREE), CANNOT_TELL, "erratic")
    say(edge & ~wrong, CANNOT_TELL, "edge")
    say(kink & between, CANNOT_TELL, "kink")
    say(kink & ~between, WRONG, "kink")
    say(sight.jump | view.step, CANNOT_TELL, "jump")
    say(lost, CANNOT_TELL, "nan")
    say(lost & (found | still) & ~edge & ~sight.jump, WRONG, "nan")
    say(lost & kink & sharp, WRONG, "nan")
    say(~behind & ~ahead, CANNOT_TELL, "isolated")
    say(~np.isfinite(view.centre), CANNOT_TELL, "value")

    within_a_unit = WIDENING * SPREAD * view.unit / view.flat_width
    exact = ((level & nothing) | (cause == "plateau")) & (within_a_unit < half)
    return Answers(
        verdict=verdict,
        cause=cause,
        fd=np.where(exact, 0.0, fd),
        half=np.where(exact, within_a_unit, half),
        rung=sight.slope.rung,
        left=left.centre,
        right=right.centre,
        clean=(verdict == AGREE) & resolved,
        within=difference <= half,
    )
