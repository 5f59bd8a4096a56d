"""The first operation whose value or derivative is not finite."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from gradlab.checking.jaxprs import CALLS, bind, inner_jaxprs, look_up, primitives, scan_parts

MOST_TURNS = 200  # of a loop that are followed


@dataclasses.dataclass(frozen=True)
class Culprit:
    """An operation that made something that is not finite."""

    name: str
    of: str  # `value` or `derivative`
    at: tuple[float, ...]  # the numbers that went into it there, where that can be told
    guarded: bool  # whether a `where` comes after it


def first_nonfinite(closed: Any, args: Sequence[Any]) -> Culprit | None:
    """Run a program on numbers and find the first operation that leaves the finite numbers.

    Each operation is differentiated by itself, with ones as tangents, because an infinity that a
    later `where` drops from the value comes back in reverse mode, as 0 · ∞.
    """
    try:
        _run(closed.jaxpr, closed.consts, list(args))
    except _Found as found:
        return found.culprit
    return None


class _Found(Exception):  # noqa: N818 - the way out of nested loops
    def __init__(self, culprit: Culprit) -> None:
        super().__init__()
        self.culprit = culprit


def _run(jaxpr: Any, consts: Sequence[Any], args: Sequence[Any]) -> list[Any]:
    values: dict[Any, Any] = dict(zip(jaxpr.constvars, consts, strict=True))
    values.update(zip(jaxpr.invars, args, strict=True))
    inside = [set().union(*map(primitives, inner_jaxprs(eqn))) for eqn in jaxpr.eqns]
    later = [names | {eqn.primitive.name} for names, eqn in zip(inside, jaxpr.eqns, strict=True)]
    for place, eqn in enumerate(jaxpr.eqns):
        inputs = look_up(eqn.invars, values)
        name, params = eqn.primitive.name, eqn.params
        try:
            if name in CALLS:
                inner = params["jaxpr"]
                found = _run(getattr(inner, "jaxpr", inner), getattr(inner, "consts", ()), inputs)
            elif name == "cond":
                branch = params["branches"][int(inputs[0])]
                found = _run(branch.jaxpr, branch.consts, inputs[1:])
            elif name == "scan" and params["length"] <= MOST_TURNS:
                found = _run_scan(eqn, inputs)
            else:
                found = _apply(eqn, inputs)
        except _Found as error:
            guarded = error.culprit.guarded or any("select_n" in n for n in later[place + 1 :])
            raise _Found(dataclasses.replace(error.culprit, guarded=guarded)) from None
        values.update(zip(eqn.outvars, found, strict=True))
    return look_up(jaxpr.outvars, values)


def _run_scan(eqn: Any, inputs: list[Any]) -> list[Any]:
    params, (consts, carried) = eqn.params, scan_parts(eqn)
    held, carry = inputs[:consts], inputs[consts : consts + carried]
    xs, rows = inputs[consts + carried :], []
    turns = range(params["length"])
    for turn in reversed(turns) if params["reverse"] else turns:
        found = _run(
            params["jaxpr"].jaxpr, params["jaxpr"].consts, [*held, *carry, *(x[turn] for x in xs)]
        )
        carry = found[:carried]
        rows.append(found[carried:])
    if params["reverse"]:
        rows.reverse()
    return [*carry, *(jnp.stack(ys) for ys in zip(*rows, strict=True))]


def _apply(eqn: Any, inputs: list[Any]) -> list[Any]:
    moving = [i for i, x in enumerate(inputs) if _is_float(x)]
    if not moving or not all(_is_finite(inputs[i]) for i in moving):
        return bind(eqn, inputs)

    def of_moving(*given: Any) -> list[Any]:
        now = list(inputs)
        for i, value in zip(moving, given, strict=True):
            now[i] = value
        return [y for y in bind(eqn, now) if _is_float(y)]

    found = bind(eqn, inputs)
    name = _name(eqn)
    for y in found:
        if _is_float(y) and not _is_finite(y):
            raise _Found(Culprit(name, "value", _numbers(inputs, moving, y), False))
    point = [jnp.asarray(inputs[i]) for i in moving]
    try:
        if eqn.primitive.name == "custom_vjp_call":
            value, pull = jax.vjp(of_moving, *point)
            slopes = list(pull([jnp.ones_like(y) for y in value]))
        else:
            _, slopes = jax.jvp(of_moving, point, [jnp.ones_like(x) for x in point])
    except Exception:  # it has no derivative, so none that is not finite
        return found
    for slope in slopes:
        if not _is_finite(slope):
            raise _Found(Culprit(name, "derivative", _numbers(inputs, moving, slope), False))
    return found


def _name(eqn: Any) -> str:
    inner = eqn.params.get("call_jaxpr")
    if inner is None:
        return str(eqn.primitive.name)
    return str(getattr(inner, "jaxpr", inner).debug_info.func_name)


def _numbers(inputs: list[Any], moving: list[int], y: Any) -> tuple[float, ...]:
    """Return the numbers that went into the first element that is not finite."""
    where = np.argwhere(~np.isfinite(np.asarray(y)))[0]
    found = []
    for i in moving:
        x = np.asarray(inputs[i])
        if x.shape == np.shape(y):
            found.append(x[tuple(where)].item())
        elif x.ndim == 0:
            found.append(x.item())
    return tuple(found)


def _is_float(x: Any) -> bool:
    return jnp.issubdtype(jnp.result_type(x), jnp.inexact)


def _is_finite(x: Any) -> bool:
    return bool(jnp.all(jnp.isfinite(x)))
