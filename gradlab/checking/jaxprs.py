"""Traced programs: run again, run again without some rules, looked at, recognised.

A traced program (a jaxpr) is a list of operations. Running it again is a loop over the list. Loops,
branches and calls hold programs of their own among their parameters; each of these is replaced by
the same program, run again. No parameter is read by its name, so that one loop serves every
operation of every release of JAX.
"""

import dataclasses
import re
import threading
from collections import OrderedDict
from collections.abc import Container, Iterator, Sequence
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

HERE = str(Path(__file__).parent)
RULED = ("custom_jvp_call", "custom_vjp_call")  # operations that a person gave a derivative
CALLS = ("jit", "pjit", "closed_call", "core_call")
CHOSEN = (*RULED, "stop_gradient")
STOPPING = ("while", "pure_callback", "io_callback")  # these may stop at a tolerance
OUTSIDE = ("pure_callback", "io_callback", "ffi_call")
WIDER = {
    jnp.dtype(name): np.dtype("complex128" if name == "complex64" else "float64")
    for name in ("bfloat16", "float16", "float32", "complex64")
}


KEPT = 32  # programs of which what was made is kept; the one not used for longest goes first


def is_program(value: Any) -> bool:
    """Tell whether a parameter of an operation is a program."""
    return hasattr(value, "eqns")


def apart(program: Any) -> tuple[Any, Sequence[Any]]:
    """Return a program without its constants, and these."""
    return getattr(program, "jaxpr", program), getattr(program, "consts", ())


def is_literal(atom: Any) -> bool:
    """Tell whether an atom is a number that stands in the program, not a variable."""
    return hasattr(atom, "val")


def programs_in(eqn: Any) -> Iterator[Any]:
    """Find the programs that an operation holds, without their constants."""
    for value in eqn.params.values():
        for part in value if isinstance(value, tuple | list) else (value,):
            if is_program(part):
                yield getattr(part, "jaxpr", part)


def operations(jaxpr: Any) -> Iterator[Any]:
    """Find all operations of a program, those inside of others too."""
    for eqn in jaxpr.eqns:
        yield eqn
        for inner in programs_in(eqn):
            yield from operations(inner)


def is_float(value: Any) -> bool:
    """Tell whether something has a floating-point dtype."""
    dtype = getattr(value, "dtype", None)
    return dtype is not None and bool(jnp.issubdtype(dtype, jnp.inexact))


def bind(eqn: Any, params: dict[str, Any], inputs: Sequence[Any]) -> list[Any]:
    """Apply an operation to numbers."""
    given = eqn.primitive.get_bind_params(params)
    functions, params = given if isinstance(given, tuple) else ((), given)  # a pair before 0.9
    found = eqn.primitive.bind(*functions, *inputs, **params)
    return list(found) if eqn.primitive.multiple_results else [found]


class Rerun:
    """Runs a program again as it is; subclasses say what to do with an operation or a number."""

    def __call__(self, jaxpr: Any, consts: Sequence[Any], inputs: Sequence[Any]) -> list[Any]:
        """Run a program on its inputs."""
        values: dict[Any, Any] = dict(zip(jaxpr.constvars, map(self.number, consts), strict=True))
        values.update(zip(jaxpr.invars, inputs, strict=True))

        def look_up(atom: Any) -> Any:
            return self.number(atom.val) if is_literal(atom) else values[atom]

        for eqn in jaxpr.eqns:
            if eqn.outvars:  # an operation without results is there for what it prints
                found = self.operation(eqn, [look_up(atom) for atom in eqn.invars])
                values.update(zip(eqn.outvars, found, strict=True))
        return [look_up(atom) for atom in jaxpr.outvars]

    def operation(self, eqn: Any, inputs: list[Any]) -> list[Any]:
        """Apply one operation, with the programs inside of it run again."""
        if eqn.primitive.name in CALLS:  # run in place: tracing it by itself would only take longer
            return self.instead(eqn, inputs)
        return bind(eqn, {name: self.inside(value) for name, value in eqn.params.items()}, inputs)

    def instead(self, eqn: Any, inputs: list[Any]) -> list[Any]:
        """Run the program that an operation holds in its place; none is the identity."""
        inner = next((v for v in eqn.params.values() if is_program(v)), None)
        return inputs if inner is None else self(*apart(inner), inputs)

    def number(self, value: Any) -> Any:
        """Return a constant of the program as it is wanted."""
        return value

    def abstract(self, aval: Any) -> Any:
        """Return the shape and dtype of an input as it is wanted."""
        return aval

    def inside(self, value: Any) -> Any:
        """Return a parameter with the programs in it run again."""
        if is_program(value):
            jaxpr, consts = apart(value)
            avals = [self.abstract(var.aval) for var in jaxpr.invars]
            again = jax.make_jaxpr(lambda *inputs: self(jaxpr, consts, inputs))(*avals)
            return again if hasattr(value, "consts") else again.jaxpr
        if isinstance(value, tuple) and hasattr(value, "_fields"):
            return type(value)(*map(self.inside, value))
        return type(value)(map(self.inside, value)) if type(value) in (tuple, list) else value


class Without(Rerun):
    """Runs a program with what JAX does by itself in place of chosen rules and `stop_gradient`."""

    def __init__(self, chosen: Sequence[Any]) -> None:
        """Take the operations."""
        self.chosen = {id(eqn) for eqn in chosen}

    def operation(self, eqn: Any, inputs: list[Any]) -> list[Any]:
        """Apply an operation, or what it would be without its rule."""
        if id(eqn) not in self.chosen:
            return super().operation(eqn, inputs)
        return self.instead(eqn, inputs)


@dataclasses.dataclass
class Survey:
    """What a look over a program finds, of the operations that depend on a moving input.

    Attributes:
        eps: Distance from 1 to the next number in the coarsest precision on the way.
        stops: Whether it has a loop that may stop at a tolerance, or leaves JAX.
        outside: Whether it leaves JAX.
        widest: The largest number of elements that any operation makes.
        moving: The operations themselves, by their identity.
    """

    eps: float
    stops: bool = False
    outside: bool = False
    widest: int = 1
    moving: set[int] = dataclasses.field(default_factory=set)

    def look(self, jaxpr: Any, moving: Sequence[bool], coarse: Container[int] | None) -> None:
        """Look at a program, given which inputs move.

        Args:
            jaxpr: The program.
            moving: For each input, whether it moves.
            coarse: The operations that are not run in float64; None if none of them is.
        """
        moves = dict(zip(jaxpr.invars, moving, strict=True))
        for eqn in jaxpr.eqns:
            name = eqn.primitive.name
            inputs = [not is_literal(atom) and moves.get(atom, False) for atom in eqn.invars]
            moved = any(inputs)
            self.outside |= name in OUTSIDE
            if moved:
                self.moving.add(id(eqn))
                self.stops |= name in STOPPING
            for inner in programs_in(eqn):
                last = inputs[-len(inner.invars) :] if inner.invars else []
                whole = len(last) == len(inner.invars)
                self.look(inner, last if whole else [moved] * len(inner.invars), coarse)
            for var in eqn.outvars:
                moves[var] = moved
                self.widest = max(self.widest, int(np.prod(getattr(var.aval, "shape", ()))))
                if moved and is_float(var.aval) and (coarse is None or id(eqn) in coarse):
                    self.eps = max(self.eps, float(jnp.finfo(var.aval.dtype).eps))


def where(jaxpr: Any, eqn: Any) -> str:
    """Return file and line of the code that an operation comes from; empty if JAX does not know.

    A file below the current folder is named from there, and a cell of a notebook as a cell.
    """
    text = jaxpr.replace(eqns=[eqn], outvars=[]).pretty_print(source_info=True)
    found = re.search(r"# (\S.*?):(\d+)(?::\d+)? \(", text)
    if not found or found[1].startswith(HERE):
        return ""
    file, line = found.groups()
    if "ipykernel" in file or file.startswith("<ipython"):
        return f"line {line} of a cell"
    if file.startswith("<"):  # typed at a prompt
        return f"line {line}"
    return f"{file.removeprefix(f'{Path.cwd()}/')}:{line}"


class Compiled:
    """What was made of programs, by their text: it holds no numbers and no code of the user."""

    def __init__(self) -> None:
        """Begin with none."""
        self._kept: OrderedDict[str, dict[Any, Any]] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, jaxprs: Sequence[Any], *more: Any) -> dict[Any, Any]:
        """Return what was made of programs, to be added to; nothing if they are new.

        Args:
            jaxprs: The programs.
            *more: What else must be the same.
        """
        if not all(_is_told_by_its_text(jaxpr) for jaxpr in jaxprs):
            return {}
        text = "\n".join(map(str, (*jaxprs, *more)))
        with self._lock:
            found = self._kept.setdefault(text, {})
            self._kept.move_to_end(text)
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return found


def _is_told_by_its_text(jaxpr: Any) -> bool:
    """Tell whether a text leaves nothing out: no array, and no code outside of JAX."""
    for eqn in operations(jaxpr):
        inside = [value for value in eqn.params.values() if is_program(value)]
        arrays = [atom for atom in eqn.invars if is_literal(atom) and np.ndim(atom.val)]
        if eqn.primitive.name in OUTSIDE or arrays or any(len(apart(v)[1]) for v in inside):
            return False
    return True


COMPILED = Compiled()
