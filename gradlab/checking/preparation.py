"""Make a function ready to be checked: trace, lift and differentiate it, draw its directions."""

import zlib
from collections.abc import Callable, Hashable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from gradlab.checking.cache import Cache
from gradlab.checking.coordinates import Point
from gradlab.checking.first_look import first_look
from gradlab.checking.ladder import Direction, first_directions, make_bases
from gradlab.checking.lifting import Traced, trace
from gradlab.checking.limits import Floats
from gradlab.checking.programs import Programs
from gradlab.checking.progress import Tell
from gradlab.checking.subject import PROJECTIONS, Derivatives, Native, Subject

MOST_ROWS = 16  # groups into which the outputs are divided; fewer outputs stand for themselves
MOST_ENTRIES = 2**18  # of all gradients together
MODE_NAMES = {"rev": "reverse", "fwd": "forward"}


class Undifferentiable(Exception):  # noqa: N818 - an answer, caught by check_grads
    """JAX has no derivative of the function in any of the modes."""


def prepare(
    f: Callable[..., Any],
    point: Point,
    modes: Sequence[str],
    seed: int,
    judged: Callable[..., Any] | None,
    identity: Hashable | None,
    cache: Cache,
    tell: Tell,
) -> Subject:
    """Make a function ready to be checked, in float64 if it can be had.

    Args:
        f: The function.
        point: Its arguments.
        modes: Modes of differentiation.
        seed: Where the random directions come from.
        judged: A gradient function of the same arguments that returns one real vector, to be
            judged in place of JAX's.
        identity: Key under which the compiled programs are kept; None not to keep them.
        cache: Where they are kept.
        tell: Takes words on what is being done.

    Raises:
        Undifferentiable: If JAX has no derivative of f.
        Exception: Whatever f raises in the caller's own dtypes.
    """
    coordinates, reals, carried = point.coordinates, point.reals, point.carried

    def programs(lift: bool, of: Callable[..., Any] = f) -> Programs:
        key = None if identity is None else (identity, lift, of is f)

        def make() -> Programs:
            return Programs(trace(of, coordinates, reals, carried, lift=lift))

        return cache.get(key, make)

    def make(lift: bool) -> Subject:
        of_judged = None if judged is None else programs(lift, judged)
        return _subject(programs(lift), of_judged, point, modes, seed, tell)

    tell("tracing and compiling f and its derivatives")
    try:
        subject = make(lift=True)
    except Exception as error:
        subject = make(lift=False)
        reason = str(error).strip().split("\n")[0][:90]
        subject.notes.append(f"not lifted to float64, because of {type(error).__name__}: {reason}")
        return subject
    dtypes = sorted({str(r.dtype) for r in reals} - {"float64"})
    if dtypes and judged is None and "rev" in modes:
        _add_native(subject, programs, point)
    if dtypes:
        subject.notes.append(f"lifted from {' and '.join(dtypes)} to float64")
    return subject


def _subject(
    programs: Programs,
    judged: Programs | None,
    point: Point,
    modes: Sequence[str],
    seed: int,
    tell: Tell,
) -> Subject:
    traced, leaves = programs.traced, point.coordinates.moving
    x, others = traced.lift(point.reals), traced.lift(point.carried)
    flat = np.concatenate([np.asarray(r, np.float64).reshape(-1) for r in point.reals])
    counts = [leaf.stop - leaf.start for leaf in leaves]
    seeds = [zlib.crc32(leaf.path.encode()) ^ seed for leaf in leaves]
    bases = make_bases(flat, counts, seeds, PROJECTIONS)
    ends = np.cumsum([leaf.size for leaf in x])[:-1]
    for part, leaf in zip(np.split(bases, ends, axis=1), x, strict=True):
        part[:] = part.astype(leaf.dtype)  # as f is going to see them
    rows, owner = _rows(traced, len(flat))

    look = None
    if judged is None:
        look = first_look(programs, x, others, bases, rows, leaves, flat, modes)

    def evaluate(directions: Sequence[Direction], which: NDArray[np.intp], steps: Floats) -> Floats:
        if look is not None and look.has(directions, which, steps):
            return look.values
        return programs.values(x, others, bases, rows, directions, which, steps)

    slopes: dict[Direction, Floats] = {}
    if look is not None and look.slopes is not None:
        slopes.update(zip(look.directions, look.slopes, strict=True))

    def along(directions: Sequence[Direction]) -> Floats:
        if not slopes.keys() >= set(directions):
            found = programs.push(x, others, rows, bases, directions)
            slopes.update(zip(directions, found, strict=True))
        return np.stack([slopes[direction] for direction in directions])

    derivatives, notes, size = [], [], None
    if judged is not None:
        derivatives.append(_given(judged, x, others, rows, sum(size for _, size in traced.outputs)))
        modes = ()
    reasons = []
    for mode in modes:
        try:
            if mode == "rev":
                known = None if look is None else look.pulled
                value, size, gradients = known or programs.pull(x, others, rows)
                gradient = np.concatenate([g.reshape(len(size), -1) for g in gradients], axis=1)
                derivatives.append(Derivatives("rev", gradient))
            else:
                along(first_directions(leaves))  # so that what it raises is known
                derivatives.append(Derivatives("fwd", None, along))
        except jax.errors.JaxRuntimeError:
            raise
        except Exception as error:
            reasons.append(str(error).strip().split("\n")[0][:160].rstrip("."))
            notes.append(f"{MODE_NAMES[mode]} mode skipped: {reasons[-1]}")
    if not derivatives:
        raise Undifferentiable(reasons[0])
    if size is None:
        value = evaluate([Direction(0, 0, 1)], np.zeros(1, np.intp), np.zeros(1))[0]
        size = np.abs(value)
    if traced.why:
        notes.append(f"run on numbers, without compilation: {traced.why}")
    user_eps = max(float(jnp.finfo(r.dtype).eps) for r in point.reals)
    return Subject(
        leaves, flat, bases, evaluate, derivatives, value, size, owner, rows, traced, x, others,
        max(user_eps, traced.eps), None, notes, tell, programs=programs.of_causes,
    )  # fmt: skip


def _given(judged: Programs, x: Any, others: Any, rows: Any, outputs: int) -> Derivatives:
    """Run a gradient function that is to be judged."""
    jacobian = judged.value(x, others).reshape(-1, sum(leaf.size for leaf in x))
    if len(jacobian) != outputs:
        like = "grad" if outputs == 1 else "jacobian"
        raise ValueError(
            f"grad: got the gradients of {len(jacobian)} outputs, expected {outputs}, as f has; "
            f"return arrays of the shapes that jax.{like}(f) returns"
        )
    return Derivatives("grad", jacobian if rows is None else rows @ jacobian)


def _add_native(subject: Subject, programs: Callable[[bool], Programs], point: Point) -> None:
    """Differentiate in the caller's own dtypes, too."""
    gradient = subject.gradient()
    if gradient is None or subject.traced.jaxpr is None:
        return
    try:
        value, _, gradients = programs(False).pull(point.reals, point.carried, subject.rows)
    except Exception:
        return
    wide = subject.value
    with np.errstate(invalid="ignore", over="ignore"):
        terms = np.abs(gradient) @ np.abs(subject.bases[0])  # of a sum that may cancel to nothing
        size = np.fmax(np.fmax(subject.size, np.abs(wide)), terms)
        room = subject.user_eps**0.5 * subject.over_output(size)
        other = np.isfinite(value) & (np.abs(value - wide) > 10 * room)
    if np.any(other):
        subject.notes.append(
            "f computes other numbers in float64 (does it draw random ones, or do numbers cancel?)"
        )
        return
    narrow = np.concatenate([g.reshape(len(value), -1) for g in gradients], axis=1)
    subject.native = Native(narrow, value)


def _rows(traced: Traced, coordinates: int) -> tuple[NDArray[Any] | None, NDArray[np.intp]]:
    """Divide the outputs into at most 16 groups, each a sum with random weights.

    No group has outputs of two leaves, so that one of size 1e6 does not hide one of size 1e-3.

    Returns:
        Weights, `(rows, outputs)`, or None where each output stands for itself; and for each row
        its output leaf.
    """
    total = sum(size for _, size in traced.outputs)
    owner = np.repeat(np.arange(len(traced.outputs)), [size for _, size in traced.outputs])
    most = max(1, min(MOST_ROWS, MOST_ENTRIES // max(coordinates, total)))
    if total <= most:
        return None, owner
    generator = np.random.default_rng(0)
    signs = 1.0 - 2.0 * generator.integers(0, 2, total)
    weights = signs * generator.uniform(0.5, 1.0, total)
    row = np.empty(total, np.intp)
    owners: list[int] = []
    start = 0
    for number, (_, size) in enumerate(traced.outputs):
        share = min(size, max(1, most * size // total))
        row[start : start + size] = len(owners) + generator.permutation(size) % share
        owners += [number] * share
        start += size
    rows = np.zeros((len(owners), total), np.float64 if traced.lifted else np.float32)
    rows[row, np.arange(total)] = weights
    return rows, np.array(owners)
