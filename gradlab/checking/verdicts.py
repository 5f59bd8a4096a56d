"""From what a ladder shows and what AD says to a verdict: agree, wrong or cannot tell.

All is in units of one step of the ladder's direction: a slope is the change of the function over
a step of 1. Every array has one entry for each question, a direction and a row of the value.
"""

import dataclasses

import numpy as np
from numpy.typing import NDArray

from gradlab.checking.evidence import RESOLUTION, SURE, Claims, Evidence
from gradlab.checking.limits import SPREAD, WIDENING, Floats
from gradlab.checking.sights import FINE, Bools, View

AGREE, CANNOT_TELL, WRONG = "agree", "cannot tell", "wrong"
WORST_FIRST = (WRONG, CANNOT_TELL, AGREE)

WIDER = (3.0, 9.0, 27.0)  # how much more noise to allow for where the first look settles nothing
USUAL = 51  # steps where x is about 1; there are more where it is tiny
DOUBT = 9.0  # a wrong derivative must be wrong with this much more noise, too
BROAD = 2.0**-12  # a plateau of this width, beside x, is no rounding


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
    see = Evidence(view, claims, factor)
    verdict = np.full(len(claims.slope), CANNOT_TELL, dtype="<U11")
    cause = np.full(len(claims.slope), "noise", dtype="<U16")

    def say(where: Bools, what: str, why: str) -> None:
        verdict[where], cause[where] = what, why

    # The later, the stronger.
    say(see.hidden, CANNOT_TELL, "hidden")
    say(see.resolved | see.still, AGREE, "")
    say(see.resolved & (see.difference > see.half), AGREE, "immaterial")
    say(see.wrong & ~see.still, WRONG, "slope")
    say(see.stairs & view.rounds, CANNOT_TELL, "stairs")
    say(see.stairs & (view.flat_width > BROAD) & ~see.resolved, WRONG, "plateau")
    say(see.erratic & (verdict == AGREE), CANNOT_TELL, "erratic")
    say(see.edge & ~see.wrong, CANNOT_TELL, "edge")
    say(see.kink & see.between, CANNOT_TELL, "kink")
    say(see.kink & ~see.between, WRONG, "kink")
    say(see.sight.jump | view.step, CANNOT_TELL, "jump")
    say(see.lost, CANNOT_TELL, "nan")
    say(see.lost & (see.measured | see.still) & ~see.edge & ~see.sight.jump, WRONG, "nan")
    say(see.lost & see.kink & see.sharp, WRONG, "nan")
    say(see.isolated, CANNOT_TELL, "isolated")
    say(~np.isfinite(view.centre), CANNOT_TELL, "value")

    within_a_unit = WIDENING * SPREAD * view.unit / view.flat_width
    exact = ((see.level & see.nothing) | (cause == "plateau")) & (within_a_unit < see.half)
    return Answers(
        verdict=verdict,
        cause=cause,
        fd=np.where(exact, 0.0, see.fd),
        half=np.where(exact, within_a_unit, see.half),
        rung=see.sight.slope.rung,
        left=see.sight.left.centre,
        right=see.sight.right.centre,
        clean=(verdict == AGREE) & see.resolved,
        within=see.difference <= see.half,
    )
