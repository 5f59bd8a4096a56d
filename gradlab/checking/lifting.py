"""The function in float64, where it can be had, and the precision in which it really computes.

Whether a derivative is right and whether a dtype is fine enough are two questions. Lifted to
float64, the first has a sharp answer. The lift is a tracing of the function with wider arguments
inside a thread-local context, so that JAX's own settings are those of the caller again afterwards.
"""

import contextlib
import dataclasses
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from gradlab.checking.coordinates import Coordinates, outputs
from gradlab.checking.jaxprs import inner_jaxprs, is_literal

LOOKS_AT_VALUES = (  # what JAX raises where a function needs numbers to go on
    jax.errors.ConcretizationTypeError,
    jax.errors.NonConcreteBooleanIndexError,
    jax.errors.TracerArrayConversionError,
    jax.errors.TracerIntegerConversionError,
)
TO_INTEGERS = {"round", "floor", "ceil", "sign"}
LOOPS = {"while", "scan"}
APPROXIMATE = {"while", "pure_callback", "io_callback"}


@dataclasses.dataclass(frozen=True)
class Traced:
    """A function of real coordinates with one real vector as its value.

    Attributes:
        call: Takes the real coordinates and the carried arrays, both as lists.
        jaxpr: The program, or None where the function can only be run on numbers.
        wide: Whether it runs inside the float64 context.
        lifted: Whether it takes float64 in place of the caller's dtypes.
        eps: Distance from 1 to the next number in the coarsest precision on the way.
        rounds: Whether it rounds to whole numbers, so that it may be a staircase.
        loops: Whether it does something again and again.
        approximates: Whether it has a loop that may stop at a tolerance, or cannot be looked into.
        outputs: Paths and sizes of what the value was laid end to end from.
        widest: The largest number of elements that any step of the program makes.
        why: Why it was not lifted or not traced, for the report; empty if it was.
    """

    call: Callable[[Sequence[Any], Sequence[Any]], Array]
    jaxpr: Any
    wide: bool
    lifted: bool
    eps: float
    rounds: bool
    loops: bool
    approximates: bool
    outputs: tuple[tuple[str, int], ...]
    widest: int
    why: str

    def lift(self, arrays: Sequence[Any]) -> list[Any]:
        """Cast arrays to what `call` takes."""
        return [_lifted(array) for array in arrays] if self.lifted else list(arrays)


@contextlib.contextmanager
def settings() -> Iterator[None]:
    """Run JAX as the checker needs it, in this thread and inside this block only.

    A step may leave the domain of the function, so a NaN is no error here; a float64 argument may
    meet a float32 constant of the function, so dtypes are promoted; and the checker's own programs
    are compiled and take numbers from the host, whatever the caller's are allowed to.
    """
    with (
        jax.numpy_dtype_promotion("standard"),
        jax.debug_nans(False),
        jax.debug_infs(False),
        jax.disable_jit(False),
        jax.transfer_guard("allow"),
    ):
        yield


def float64(wide: bool) -> contextlib.AbstractContextManager[Any]:
    """Let JAX compute in float64, in this thread and inside this block only; or leave it."""
    return jax.enable_x64(True) if wide else contextlib.nullcontext()


def trace(
    f: Callable[..., Any],
    coordinates: Coordinates,
    reals: Sequence[Any],
    carried: Sequence[Any],
    *,
    lift: bool,
) -> Traced:
    """Trace `f` in float64 (`lift`) or in the dtypes that it was given.

    Raises:
        Exception: Whatever `f` raises where it can be neither traced nor run on numbers.
        TypeError: If no output is floating point.
    """
    names: list[tuple[str, int]] = []

    def call(reals: Sequence[Any], carried: Sequence[Any]) -> Array:
        vectors, found = outputs(f(*coordinates.together(reals, carried)))
        names[:] = found
        dtype = jnp.result_type(jnp.float32, *(v.dtype for v in vectors))
        return jnp.concatenate([v.astype(dtype) for v in vectors] or [jnp.zeros(0, dtype)])

    if lift:
        reals, carried = [_lifted(r) for r in reals], [_lifted(c) for c in carried]
    why, jaxpr, run = "", None, call
    with float64(lift):
        try:
            jaxpr = jax.make_jaxpr(call)(reals, carried)
        except LOOKS_AT_VALUES as error:
            why = f"f looks at values ({type(error).__name__})"
            call([jnp.asarray(r) for r in reals], carried)
    if jaxpr is not None:

        def run(reals: Sequence[Any], carried: Sequence[Any]) -> Array:
            return jax.core.eval_jaxpr(jaxpr.jaxpr, jaxpr.consts, *reals, *carried)[0]

    if not names:
        raise TypeError("f: it returns nothing that is floating point, so it has no derivative")
    eps = max(float(jnp.finfo(r.dtype).eps) for r in reals)
    widest = max([r.size for r in reals] + [size for _, size in names])
    rounds, loops, approximates = False, True, True
    if jaxpr is not None:
        moving = [True] * len(reals) + [False] * len(carried)
        seen = Survey(eps, widest)
        seen.walk(jaxpr.jaxpr, moving)
        eps, widest = seen.eps, seen.widest
        rounds, loops, approximates = seen.rounds, seen.loops, seen.approximates
    return Traced(
        run, jaxpr, lift, lift, eps, rounds, loops, approximates, tuple(names), widest, why
    )


class Survey:
    """What one walk over a program finds: coarsest precision, widest step, rounding, loops."""

    def __init__(self, eps: float, widest: int) -> None:
        """Start from what is known of the arguments."""
        self.eps, self.widest = eps, widest
        self.rounds = self.loops = self.approximates = False
        self.moving: set[int] = set()  # the operations that depend on an input that moves

    def walk(self, jaxpr: Any, moving: Sequence[bool]) -> list[bool]:
        """Walk a jaxpr, given which inputs move; return which outputs do."""
        moves = dict(zip(jaxpr.invars, moving, strict=True))

        def is_moving(atom: Any) -> bool:
            return not is_literal(atom) and moves.get(atom, False)

        for eqn in jaxpr.eqns:
            inputs = [is_moving(atom) for atom in eqn.invars]
            if any(inputs):
                self.moving.add(id(eqn))
            outs = [any(inputs)] * len(eqn.outvars)
            for inner in inner_jaxprs(eqn):
                number = len(inner.invars)
                given = inputs[len(inputs) - number :] if number <= len(inputs) else None
                self.walk(inner, given if given is not None else [any(inputs)] * number)
            for var, moved in zip(eqn.outvars, outs, strict=True):
                self.widest = max(self.widest, int(np.prod(getattr(var.aval, "shape", ()))))
                dtype = getattr(var.aval, "dtype", None)
                if moved and dtype is not None and jnp.issubdtype(dtype, jnp.inexact):
                    self.eps = max(self.eps, _eps(eqn, dtype))
                moves[var] = moved
            self.rounds |= any(inputs) and eqn.primitive.name in TO_INTEGERS
            self.loops |= eqn.primitive.name in LOOPS
            self.approximates |= any(inputs) and eqn.primitive.name in APPROXIMATE
        return [is_moving(atom) for atom in jaxpr.outvars]


def _eps(eqn: Any, dtype: Any) -> float:
    if eqn.primitive.name == "reduce_precision":
        return 2.0 ** -eqn.params["mantissa_bits"]
    return float(jnp.finfo(dtype).eps)


def _lifted(array: Any) -> Any:
    if jnp.issubdtype(array.dtype, jnp.complexfloating):
        return np.asarray(array).astype(np.complex128)
    if jnp.issubdtype(array.dtype, jnp.floating):
        return np.asarray(array).astype(np.float64)
    return array
