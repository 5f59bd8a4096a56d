"""Run a traced program again, operation by operation, with some of them replaced.

A jaxpr is a list of equations. Running it is a loop over them; what makes it long is only that
loops and branches hold programs of their own, which must be entered to replace something inside.
"""

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import jax

from gradlab.checking.jaxprs import CALLS, CUSTOM, bind, function_name, inner_jaxprs, look_up


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
    """Return the program with `stop_gradient` as the identity and custom rules as their primals.

    Only the given sites are replaced. The values are the same; the derivatives are those that
    JAX would find by itself.
    """
    chosen = {id(site.eqn) for site in replaced}

    def needed(jaxpr: Any) -> bool:
        return any(
            id(eqn) in chosen or any(needed(inner) for inner in inner_jaxprs(eqn))
            for eqn in jaxpr.eqns
        )

    def run(jaxpr: Any, consts: Sequence[Any], *args: Any) -> list[Any]:
        values: dict[Any, Any] = dict(zip(jaxpr.constvars, consts, strict=True))
        values.update(zip(jaxpr.invars, args, strict=True))
        for eqn in jaxpr.eqns:
            inputs = look_up(eqn.invars, values)
            values.update(zip(eqn.outvars, apply(eqn, inputs), strict=True))
        return look_up(jaxpr.outvars, values)

    def closed_run(inner: Any) -> Callable[..., list[Any]]:
        if hasattr(inner, "consts"):
            return lambda *args: run(inner.jaxpr, inner.consts, *args)
        return lambda *args: run(inner, (), *args)

    def apply(eqn: Any, inputs: list[Any]) -> list[Any]:
        name, params = eqn.primitive.name, eqn.params
        if id(eqn) in chosen:
            return inputs if name == "stop_gradient" else closed_run(params["call_jaxpr"])(*inputs)
        if not any(needed(inner) for inner in inner_jaxprs(eqn)):
            return bind(eqn, inputs)
        if name in CALLS or name in CUSTOM:
            inner = params["jaxpr"] if "jaxpr" in params else params["call_jaxpr"]
            return closed_run(inner)(*inputs)
        if name == "cond":
            index, *operands = inputs
            branches = [closed_run(branch) for branch in params["branches"]]
            return jax.lax.switch(index, branches, *operands)
        if name == "scan":
            return _scan(params, closed_run(params["jaxpr"]), inputs)
        if name == "while":
            return _while(params, closed_run, inputs)
        return bind(eqn, inputs)

    return lambda *args: run(closed.jaxpr, closed.consts, *args)


def _scan(params: Any, body: Callable[..., list[Any]], inputs: list[Any]) -> list[Any]:
    consts, carried = params["num_consts"], params["num_carry"]
    held, start = inputs[:consts], inputs[consts : consts + carried]

    def step(carry: list[Any], x: list[Any]) -> tuple[list[Any], list[Any]]:
        found = body(*held, *carry, *x)
        return found[:carried], found[carried:]

    end, ys = jax.lax.scan(
        step, start, inputs[consts + carried :], params["length"], params["reverse"]
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
