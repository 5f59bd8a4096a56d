"""What a traced program is made of.

A jaxpr is a list of equations. Each applies a primitive to atoms, which are variables or literal
numbers; loops, branches and calls hold jaxprs of their own among their parameters.

Both are told by what they have, not by their types: the module of JAX that has these brings much
with it, and importing it takes a tenth of a first check.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

CUSTOM = ("custom_jvp_call", "custom_vjp_call")  # functions with a rule of their own
CALLS = ("jit", "pjit", "closed_call", "core_call", "remat2", "remat", "checkpoint")


def is_literal(atom: Any) -> bool:
    """Tell whether an atom is a number that stands in the program, not a variable."""
    return hasattr(atom, "val")


def look_up(atoms: Sequence[Any], values: Mapping[Any, Any]) -> list[Any]:
    """Return the numbers that atoms stand for, given the values of all variables."""
    return [atom.val if is_literal(atom) else values[atom] for atom in atoms]


def inner_jaxprs(eqn: Any) -> Iterator[Any]:
    """Find the programs that an operation holds."""
    for value in eqn.params.values():
        for candidate in value if isinstance(value, tuple | list) else (value,):
            candidate = getattr(candidate, "jaxpr", candidate)
            if hasattr(candidate, "eqns"):
                yield candidate


def primitives(jaxpr: Any) -> set[str]:
    """Collect the names of all operations of a program."""
    names = set()
    for eqn in jaxpr.eqns:
        names.add(eqn.primitive.name)
        for inner in inner_jaxprs(eqn):
            names |= primitives(inner)
    return names


def bind(eqn: Any, inputs: Sequence[Any]) -> list[Any]:
    """Apply one operation as it is."""
    given = eqn.primitive.get_bind_params(eqn.params)
    functions, params = given if isinstance(given, tuple) else ((), given)  # a pair before 0.9
    found = eqn.primitive.bind(*functions, *inputs, **params)
    return list(found) if eqn.primitive.multiple_results else [found]


def scan_parts(eqn: Any) -> tuple[int, int]:
    """Return how many inputs of a scan it holds fixed, and how many it carries on.

    They are told from those that it takes apart by their axes, because the parameters that say so
    have other names in other releases of JAX. A scan takes its inputs in this order.
    """
    body = getattr(eqn.params["jaxpr"], "jaxpr", eqn.params["jaxpr"])

    def whole(outer: Sequence[Any], inner: Sequence[Any]) -> int:
        return sum(a.aval.ndim == b.aval.ndim for a, b in zip(outer, inner, strict=True))

    carried = whole(eqn.outvars, body.outvars)
    return whole(eqn.invars, body.invars) - carried, carried


def function_name(eqn: Any) -> str:
    """Return the name of the function that has the custom rule."""
    jaxpr = getattr(eqn.params["call_jaxpr"], "jaxpr", eqn.params["call_jaxpr"])
    return str(jaxpr.debug_info.func_name)
