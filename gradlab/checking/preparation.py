"""Make a function ready to be checked: trace it, run it, in float64 if that is possible."""

import contextlib
import zlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import jax
import numpy as np

from gradlab.checking.arguments import Arguments
from gradlab.checking.intervals import FINE, Floats
from gradlab.checking.on_numbers import OnNumbers
from gradlab.checking.programs import Programs
from gradlab.checking.steps import FEW, exponents, first_directions, make_bases, points
from gradlab.checking.subject import Subject, said
from gradlab.checking.tracing import LOOKS_AT_VALUES, Traced


@contextlib.contextmanager
def settings() -> Iterator[None]:
    """Let the checker's own programs run, whatever the user's may do, in this thread and block.

    A step may leave the domain of the function, so a NaN is no error here; and programs are
    compiled and take numbers from the host. Dtypes are promoted as the user has it.
    """
    with (
        jax.debug_nans(False),
        jax.debug_infs(False),
        jax.disable_jit(False),
        jax.transfer_guard("allow"),
    ):
        yield


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

    def ready(programs: Any, own: Any, *notes: str) -> Subject:
        return _run(programs, own, arguments, x, bases, asked, judged, list(notes))

    def on_numbers(why: str) -> Subject:
        return ready(OnNumbers(f, arguments, asked), None, f"run on numbers, {why}")

    try:
        traced = Traced(f, arguments, asked)
    except Exception as error:  # if f raises this on numbers too, it is the user's
        return on_numbers(f"without tracing: f looks at its values ({type(error).__name__})")
    own, notes = Programs(traced, wide=False), []
    if traced.is_coarse or own.survey.outside:
        coarse = sorted({str(r.dtype) for r in arguments.reals} - {"float64"})
        if traced.is_coarse:
            named = " and ".join(coarse or ["coarser numbers"])
            notes = [f"run in float64 in place of {named}"]
        try:
            return ready(Programs(traced, wide=True), own, *notes)
        except Exception as error:
            notes = [f"not run in float64, because of {type(error).__name__}: {said(error)}"]
    try:
        return ready(own, own, *notes)
    except jax.errors.JaxRuntimeError:  # a callback that raises at a far step
        return on_numbers("one by one: f raises an error at some of the steps")


def _run(
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
    short = len(x) > FEW and programs.eps < FINE
    ladders = [exponents(direction, x, programs.eps, short=short) for direction in first]
    alike = all(ks == ladders[0] for ks in ladders)
    which, steps = points(len(first), ladders[0]) if alike else points(0, ())
    values, pulled, slopes = programs.look(bases, first, (which, steps), **given)
    output = programs.plain() if pulled is None else pulled[0]
    weights = np.eye(len(output)) if programs.rows is None else programs.rows
    found = Subject(
        arguments, programs, own, x, bases, modes, first, notes,
        value=values[0], size=np.abs(weights) @ np.abs(output), primal=weights @ output,
        looked={(tuple(first), which.tobytes(), steps.tobytes()): values},
        slopes={} if slopes is None else dict(zip(first, slopes, strict=True)),
    )  # fmt: skip
    if pulled is not None:
        found.gradients["rev"] = _side_by_side(programs, pulled[1])
    if own is not None and own is not programs and modes:
        _, pulled, found.own_slopes = own.look(bases, first, **given)
        if pulled is not None:
            found.own_value = pulled[0]
            found.own_gradients["rev"] = _side_by_side(own, pulled[1])
    if own is not None and own is not programs and found.own_value is None:
        found.own_value = own.plain()
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
