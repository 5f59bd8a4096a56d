"""The three programs of a check, value, gradient and slope, traced as the user runs them.

The user's code is called here and nowhere else, with the user's own dtypes and settings. What comes
out are programs, to be run as they are or in float64.
"""

import functools
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from numpy.typing import NDArray

from gradlab._arguments import describe
from gradlab.checking.arguments import Arguments, outputs
from gradlab.checking.intervals import Floats
from gradlab.checking.jaxprs import COMPILED, RULED, WIDER, Survey, apart, operations

MOST_ROWS = 16  # groups of the outputs, if no more leaves; fewer outputs stand for themselves
MOST_ENTRIES = 2**18  # of all gradients together

LOOKS_AT_VALUES = (  # what JAX raises where a function needs numbers to go on
    jax.errors.ConcretizationTypeError,
    jax.errors.NonConcreteBooleanIndexError,
    jax.errors.TracerArrayConversionError,
    jax.errors.TracerIntegerConversionError,
)


class Traced:
    """A function of real numbers with one real vector as its value, and its derivatives.

    Attributes:
        value: The program; its inputs are the reals.
        consts: Its constants, among them the arguments that are not differentiated.
        outputs: Paths and sizes of what the value is laid end to end from.
        rows: Weights with which outputs are added up, `(rows, outputs)`; None where each output
            stands for itself.
        owner: For each row, its output.
        pull: Program from constants, reals and weights to the value and the gradients of each row
            of weights; None if there is none.
        push: Program from constants, reals and tangents to the slope along the tangents; or None.
        moved: For each mode, which of the reals it differentiates with respect to.
        raised: For each mode and leaf without a derivative, what JAX said.
        known: What was made of the same programs before.
    """

    def __init__(self, f: Callable[..., Any], arguments: Arguments, modes: Sequence[str]) -> None:
        """Trace a function and its derivatives.

        Raises:
            Exception: Whatever f raises, or JAX where f looks at its values.
            TypeError: If no output is floating point.
        """
        self.arguments, self.outputs = arguments, list[tuple[str, int]]()
        closed = jax.make_jaxpr(vector_valued(f, arguments, self.outputs))(arguments.abstract())
        self.value, self.consts = apart(closed)
        self.dtype = closed.out_avals[0].dtype
        coordinates = sum(real.size for real in arguments.reals)
        self.rows, self.owner = group_outputs(self.outputs, coordinates)
        self.pull: Any = None
        self.push: Any = None
        self.moved: dict[str, list[int]] = {}
        self.raised: dict[str, dict[int, Exception]] = {}
        more = arguments.abstract(), self.outputs, modes
        if self.ruled:  # the text of the value does not say what its rules are
            for mode in modes:
                self._differentiate(mode)
            both: list[Any] = [self.pull, self.push]
            made = [program.jaxpr for program in both if program is not None]
            self.known = COMPILED.of([self.value, *made], *more, self.moved)
            return
        self.known = COMPILED.of([self.value], *more)
        if "derivatives" not in self.known:
            for mode in modes:
                self._differentiate(mode)
            if not any(self.raised.values()):
                self.known["derivatives"] = self.pull, self.push, self.moved, self.raised
        else:
            self.pull, self.push, self.moved, self.raised = self.known["derivatives"]

    @property
    def total(self) -> int:
        """The number of outputs."""
        return sum(size for _, size in self.outputs)

    @property
    def ruled(self) -> bool:
        """Whether the program has a rule that a person wrote."""
        return any(eqn.primitive.name in RULED for eqn in operations(self.value))

    @property
    def is_coarse(self) -> bool:
        """Whether any number on the way is coarser than float64."""
        made = (var.aval for eqn in operations(self.value) for var in eqn.outvars)
        dtypes = {getattr(aval, "dtype", None) for aval in made}
        return bool(dtypes & WIDER.keys() or {r.dtype for r in self.arguments.reals} & WIDER.keys())

    def survey(self, coarse: Any) -> Survey:
        """Look the value program over, given which operations do not run in float64."""
        eps = 2.0**-52
        if coarse is None:
            eps = max(float(jnp.finfo(real.dtype).eps) for real in self.arguments.reals)
        widest = max(real.size for real in self.arguments.reals)
        found = Survey(eps, widest=widest)
        found.look(self.value, [True] * len(self.value.invars), coarse)
        return found

    def _differentiate(self, mode: str) -> None:
        """Trace the derivative in one mode, with respect to all leaves that have one."""
        everything = list(range(len(self.arguments.reals)))
        program, error = self._derivative(mode, everything)
        self.raised[mode], self.moved[mode] = {}, everything
        if program is None:
            kept, first = [], 0
            for number, leaf in enumerate(self.arguments.leaves):
                own = everything[first : first + leaf.parts]
                first += leaf.parts
                alone, why = (None, error) if own == everything else self._derivative(mode, own)
                if alone is None:
                    self.raised[mode][number] = why
                else:
                    kept += own
            self.moved[mode] = kept
            program, error = self._derivative(mode, kept) if kept else (None, error)
            if program is None:  # not even those that have one alone have one together
                self.moved[mode] = []
                self.raised[mode] = dict.fromkeys(range(len(self.arguments.leaves)), error)
        if mode == "rev":
            self.pull = program
        else:
            self.push = program

    def _derivative(self, mode: str, moved: Sequence[int]) -> tuple[Any, Any]:
        """Trace the derivative with respect to some of the reals; return it, or what JAX said."""
        reals = self.arguments.abstract()
        moving = [reals[i] for i in moved]

        def of_moving(consts: Any, reals: Any, some: Any) -> Any:
            now = list(reals)
            for i, number in zip(moved, some, strict=True):
                now[i] = number
            return jax.core.eval_jaxpr(self.value, consts, *now)[0]

        def push(consts: Any, reals: Any, tangents: Any) -> Any:
            point = [reals[i] for i in moved]
            return jax.jvp(lambda x: of_moving(consts, reals, x), (point,), (tangents,))[1]

        def pull(each: Any, consts: Any, reals: Any, weights: Any) -> Any:
            point = [reals[i] for i in moved]
            value, back = jax.vjp(lambda x: of_moving(consts, reals, x), point)
            return value, each(lambda row: back(row)[0], weights)

        error: Any = None
        weights = jax.ShapeDtypeStruct((len(self.owner), self.total), self.dtype)
        ways: list[Any] = [(push, moving)]
        if mode == "rev":  # what cannot be batched goes row by row
            together = functools.partial(pull, lambda f, rows: jax.vmap(f)(rows))
            ways = [(together, weights), (functools.partial(pull, lax.map), weights)]
        for derivative, last in ways:
            try:
                program = jax.make_jaxpr(derivative)(self.consts, reals, last)
                if any(eqn.primitive.name == "custom_lin" for eqn in operations(program.jaxpr)):
                    # This raises what JAX has to say.
                    jax.jit(derivative).lower(self.consts, reals, last)
                return program, None
            except Exception as said:  # whatever a rule raises, or JAX where there is none
                error = error or said.with_traceback(None)
        return None, error


def vector_valued(
    f: Callable[..., Any], arguments: Arguments, names: list[tuple[str, int]]
) -> Callable[[Sequence[Any]], Any]:
    """Return f as a function of its reals with one vector as its value.

    Args:
        f: The function.
        arguments: Its arguments.
        names: Filled with paths and sizes of what the vector is laid end to end from.
    """

    def vector(reals: Sequence[Any]) -> Any:
        value = f(*arguments.together(reals))
        vectors, names[:] = outputs(value)
        if not names:
            leaves = ", ".join(describe(leaf) for leaf in jax.tree.leaves(value)[:4]) or "None"
            raise TypeError(
                f"f: it returned {leaves}, expected something floating point, because nothing else "
                "has a derivative"
            )
        dtype = np.float64 if any(v.dtype == np.float64 for v in vectors) else np.float32
        return jnp.concatenate([v.astype(dtype) for v in vectors])

    return vector


def group_outputs(
    names: Sequence[tuple[str, int]], coordinates: int
) -> tuple[Floats | None, NDArray[np.intp]]:
    """Divide the outputs into 16 groups, or one for each leaf if there are more: sums with weights.

    No group has outputs of two leaves, so that one of size 1e6 does not hide one of size 1e-3.

    Returns:
        Weights, `(rows, outputs)`, or None where each output stands for itself; and for each row
        its output leaf.
    """
    sizes = [size for _, size in names]
    total = sum(sizes)
    most = max(1, min(MOST_ROWS, MOST_ENTRIES // max(coordinates, total)))
    if total <= most:
        return None, np.repeat(np.arange(len(names)), sizes)
    generator = np.random.default_rng(0)
    signs = 1.0 - 2.0 * generator.integers(0, 2, total)
    weights = signs * generator.uniform(0.5, 1.0, total)
    row = np.empty(total, np.intp)
    owners: list[int] = []
    start = 0
    for number, size in enumerate(sizes):
        share = min(size, max(1, most * size // total))
        row[start : start + size] = len(owners) + generator.permutation(size) % share
        owners += [number] * share
        start += size
    rows = np.zeros((len(owners), total))
    rows[row, np.arange(total)] = weights
    return rows, np.array(owners)
