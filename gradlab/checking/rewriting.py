"""Run a traced program again, operation by operation, with the derivatives of some of them changed.

A jaxpr is a list of equations. Running it is a loop over them; what makes it long is only that
loops and branches hold programs of their own, which must be entered to change something inside.
"""

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import jax
import jax.numpy as jnp

from gradlab.checking.jaxprs import (
    CALLS,
    CUSTOM,
    bind,
    function_name,
    inner_jaxprs,
    look_up,
    scan_parts,
)


@dataclasses.dataclass(frozen=True)
class Site:
    """An operation whose derivative a person chose."""

    eqn: Any
    kind: str  # `stop_gradient`, `custom_jvp` or `custom_vjp`
    name: str  # of the function with the custom rule


def sites(jaxpr: Any) -> Iterator[Site]:
    """Find every `stop_gradient` and every custom rule, also inside loops and branches."""
    for eqn in jaxpr.eqns:
        name = eqn.primitive.name
        if name == "stop_gradient":
            yield Site(eqn, name, name)
        elif name in CUSTOM:
            yield Site(eqn, name.removesuffix("_call"), function_name(eqn))
        for inner in inner_jaxprs(eqn):
            yield from sites(inner)


def without(closed: Any, replaced: Sequence[Site]) -> Callable[..., list[Any]]:
    """Return the program with a switch for each site, which at 1 does what JAX does by itself.

    For `stop_gradient` that is the identity, for a custom rule the function that it is for. At 0
    the site is as it was. The values are the same either way, and one compiled program serves for
    every combination.

    Returns:
        A function of the switches, one number for each of `replaced`, and the program's arguments.
    """
    chosen = {id(site.eqn): number for number, site in enumerate(replaced)}

    def needed(jaxpr: Any) -> bool:
        return any(
            id(eqn) in chosen or any(needed(inner) for inner in inner_jaxprs(eqn))
            for eqn in jaxpr.eqns
        )

    def program(switches: Any, *args: Any) -> list[Any]:
        return _Switched(chosen, needed, switches).run(closed.jaxpr, closed.consts, *args)

    return program


class Runner:
    """Runs a program operation by operation; a subclass says what to do with each."""

    def run(self, jaxpr: Any, consts: Sequence[Any], *args: Any) -> list[Any]:
        """Run a program on its arguments."""
        values: dict[Any, Any] = dict(zip(jaxpr.constvars, consts, strict=True))
        values.update(zip(jaxpr.invars, args, strict=True))
        for eqn in jaxpr.eqns:
            inputs = look_up(eqn.invars, values)
            values.update(zip(eqn.outvars, self.apply(eqn, inputs), strict=True))
        return look_up(jaxpr.outvars, values)

    def closed(self, inner: Any) -> Callable[..., list[Any]]:
        """Return a function that runs a program which an operation holds."""
        jaxpr, consts = (inner.jaxpr, inner.consts) if hasattr(inner, "consts") else (inner, ())
        return lambda *args: self.run(jaxpr, consts, *args)

    def apply(self, eqn: Any, inputs: list[Any]) -> list[Any]:
        """Apply one operation; enter the programs that a call, a branch or a loop holds."""
        name, params = eqn.primitive.name, eqn.params
        if name in CALLS or name in CUSTOM:
            return self.closed(params["jaxpr" if "jaxpr" in params else "call_jaxpr"])(*inputs)
        if name == "cond":
            index, *operands = inputs
            branches = [self.closed(branch) for branch in params["branches"]]
            return jax.lax.switch(index, branches, *operands)
        if name == "scan":
            return _scan(eqn, self.closed(params["jaxpr"]), inputs)
        if name == "while":
            return _while(params, self.closed, inputs)
        return bind(eqn, inputs)


@dataclasses.dataclass(frozen=True)
class _Switched(Runner):
    chosen: dict[int, int]
    needed: Callable[[Any], bool]
    switches: Any

    def apply(self, eqn: Any, inputs: list[Any]) -> list[Any]:
        if id(eqn) in self.chosen:
            switch = self.switches[self.chosen[id(eqn)]]
            plain = inputs
            if eqn.primitive.name != "stop_gradient":
                plain = self.closed(eqn.params["call_jaxpr"])(*inputs)
            ruled = zip(bind(eqn, inputs), plain, strict=True)
            return [_blend(switch, found, itself) for found, itself in ruled]
        if any(self.needed(inner) for inner in inner_jaxprs(eqn)):
            return super().apply(eqn, inputs)
        return bind(eqn, inputs)


def _blend(switch: Any, found: Any, itself: Any) -> Any:
    """Return the value `found`, with its derivative at switch 0 and that of `itself` at 1."""
    if not jnp.issubdtype(jnp.result_type(found), jnp.inexact):
        return found
    value, switch = jax.lax.stop_gradient(found), jnp.asarray(switch, found.dtype)
    return (
        value + (1 - switch) * (found - value) + switch * (itself - jax.lax.stop_gradient(itself))
    )


def _scan(eqn: Any, body: Callable[..., list[Any]], inputs: list[Any]) -> list[Any]:
    consts, carried = scan_parts(eqn)
    held, start = inputs[:consts], inputs[consts : consts + carried]

    def step(carry: list[Any], x: list[Any]) -> tuple[list[Any], list[Any]]:
        found = body(*held, *carry, *x)
        return found[:carried], found[carried:]

    end, ys = jax.lax.scan(
        step, start, inputs[consts + carried :], eqn.params["length"], eqn.params["reverse"]
    )
    return [*end, *ys]


def _while(params: Any, closed_run: Callable[..., Any], inputs: list[Any]) -> list[Any]:
    of_cond, of_body = params["cond_nconsts"], params["body_nconsts"]
    cond_held, body_held = inputs[:of_cond], inputs[of_cond : of_cond + of_body]
    condition, body = closed_run(params["cond_jaxpr"]), closed_run(params["body_jaxpr"])
    return jax.lax.while_loop(
        lambda carry: condition(*cond_held, *carry)[0],
        lambda carry: body(*body_held, *carry),
        inputs[of_cond + of_body :],
    )
