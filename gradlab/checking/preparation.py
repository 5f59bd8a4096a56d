"""Make a function ready to be checked: trace it, run it, in float64 if that is possible."""

import zlib
from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np

from gradlab.checking.arguments import Arguments
from gradlab.checking.intervals import Floats
from gradlab.checking.on_numbers import OnNumbers
from gradlab.checking.programs import Programs
from gradlab.checking.steps import FEW, exponents, first_directions, make_bases, points
from gradlab.checking.subject import Subject, said
from gradlab.checking.tracing import LOOKS_AT_VALUES, Traced
from gradlab.checking.values import FINE


def prepare(
    f: Callable[..., Any],
    arguments: Arguments,
    modes: Sequence[str],
    seed: int,
    judged: Callable[..., Any] | None = None,
) -> Subject:
    """Make a function ready to be checked, in float64 if it can be had.

    Args:
        f: The function.
        arguments: Where.
        modes: Modes of differentiation.
        seed: Where the random directions come from.
        judged: A gradient of the same arguments as one real vector, judged in place of JAX's.

    Raises:
        Exception: Whatever f raises at its arguments.
    """
    x = np.concatenate([np.asarray(r, np.float64).reshape(-1) for r in arguments.reals])
    counts = [leaf.stop - leaf.start for leaf in arguments.leaves]
    seeds = [zlib.crc32(leaf.path.encode()) ^ seed for leaf in arguments.leaves]
    bases = make_bases(x, counts, seeds, 1)
    asked = modes if judged is None else ()
    notes: list[str] = []
    try:
        traced = Traced(f, arguments, asked)
    except Exception as error:  # if f raises this on numbers too, it is the user's
        numbers = OnNumbers(f, arguments, asked)
        reason = type(error).__name__
        notes.append(f"run on numbers, without tracing: f looks at its values ({reason})")
        return _subject(numbers, None, arguments, x, bases, asked, judged, notes)
    own = Programs(traced, wide=False)
    if traced.is_coarse or own.survey.outside:
        try:
            wide = Programs(traced, wide=True)
            found = _subject(wide, own, arguments, x, bases, asked, judged, notes)
        except Exception as error:
            notes[:] = [f"not run in float64, because of {type(error).__name__}: {said(error)}"]
        else:
            coarse = sorted({str(r.dtype) for r in arguments.reals} - {"float64"})
            if traced.is_coarse:
                words = " and ".join(coarse or ["coarser numbers"])
                notes.append(f"run in float64 in place of {words}")
            return found
    try:
        return _subject(own, own, arguments, x, bases, asked, judged, notes)
    except jax.errors.JaxRuntimeError:  # a callback that raises at a far step
        numbers = OnNumbers(f, arguments, asked)
        notes.append("run on numbers, one by one: f raises an error at some of the steps")
        return _subject(numbers, None, arguments, x, bases, asked, judged, notes)


def _subject(
    programs: Any, own: Any, arguments: Arguments, x: Floats, bases: Floats, asked: Sequence[str],
    judged: Callable[..., Any] | None, notes: list[str],
) -> Subject:  # fmt: skip
    """Run the programs at the point and along the directions that are asked about first."""
    bases = bases.copy()
    ends = np.cumsum([real.size for real in programs.reals])[:-1]
    for part, real in zip(np.split(bases, ends, axis=1), programs.reals, strict=True):
        part[:] = part.astype(real.dtype)  # as f is going to see them
    modes = [mode for mode in asked if programs.moved[mode]]
    given = {"gradient": "rev" in modes, "slopes": "fwd" in modes}
    first = first_directions([leaf for leaf in arguments.leaves if leaf.size])
    rungs = exponents(first, x, programs.eps, short=len(x) > FEW and programs.eps < FINE)
    alike = all(ks == rungs[0] for ks in rungs)
    which, steps = points(rungs) if alike else (np.zeros(1, np.intp), np.zeros(1))
    values, pulled, slopes = programs.look(bases, first, (which, steps), **given)
    own_pulled, own_slopes = None, None
    if own is not None and own is not programs and modes:
        _, own_pulled, own_slopes = own.look(bases, first, **given)
    output = programs.plain() if pulled is None else pulled[0]
    weights = np.eye(len(output)) if programs.rows is None else programs.rows
    found = Subject(
        arguments, programs, own, x, bases, modes, first, notes,
        value=values[0], size=np.abs(weights) @ np.abs(output), primal=weights @ output,
        gradients={}, own_gradients={}, own_slopes=own_slopes,
        own_value=own.plain() if own_pulled is None and own is not None else None,
        looked={(tuple(first), which.tobytes(), steps.tobytes()): values},
        slopes={} if slopes is None else dict(zip(first, slopes, strict=True)),
    )  # fmt: skip
    if pulled is not None:
        found.gradients["rev"] = _side_by_side(programs, pulled[1])
    if own_pulled is not None:
        found.own_value = own_pulled[0]
        found.own_gradients["rev"] = _side_by_side(own, own_pulled[1])
    if judged is not None:
        found.modes = ["grad"]
        found.gradients["grad"] = _by_hand(judged, arguments, programs, wide=programs.wide)
        if programs.wide:
            found.own_gradients["grad"] = _by_hand(judged, arguments, programs, wide=False)
    return found


def _side_by_side(programs: Any, gradients: Sequence[Floats]) -> Floats:
    """Lay the gradients of the rows end to end, `(rows, coordinates)`."""
    rows, known = len(programs.owner), iter(gradients)
    return np.concatenate(
        [
            next(known).reshape(rows, -1) if number in programs.moved["rev"]
            else np.full((rows, real.size), np.nan)
            for number, real in enumerate(programs.reals)
        ],
        axis=1,
    )  # fmt: skip


def _by_hand(
    judged: Callable[..., Any], arguments: Arguments, programs: Any, *, wide: bool
) -> Floats:
    """Run a gradient that a person wrote; return `(rows, coordinates)`."""
    of_complex = len(programs.outputs) == 2 and programs.outputs[1][0].endswith(".imag")
    judged = judged(of_complex)
    try:
        vector = Programs(Traced(judged, arguments, ()), wide=wide).plain()
    except LOOKS_AT_VALUES:
        vector = OnNumbers(judged, arguments, ()).plain()
    jacobian = vector.reshape(-1, sum(real.size for real in arguments.reals))
    outputs = sum(size for _, size in programs.outputs)
    if len(jacobian) != outputs:
        like = "grad" if outputs == 1 else "jacobian"
        raise ValueError(
            f"grad: got the gradients of {len(jacobian)} outputs, expected {outputs}, as f has; "
            f"return arrays of the shapes that jax.{like}(f) returns"
        )
    return jacobian if programs.rows is None else programs.rows @ jacobian
