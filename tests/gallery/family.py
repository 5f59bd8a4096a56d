"""What a family is: one class of functions that failed in the field, as members drawn at random.

A family holds at least eight right members, and faulty twins of them: the same function with a
rule that is wrong. Who always says "agree" fails on the twins, who always says "wrong" on the rest.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import jax
import numpy as np
from jax import lax

from gallery.case import Case
from gallery.faults import distorted

Rule = Callable[[Any], Any]
Built = Callable[[Rule], Callable[..., Any]]


@dataclass(frozen=True)
class Family:
    """One class of the field.

    Attributes:
        name: Unique among the families.
        section: Of the issue that lists the classes, such as `A1`.
        cases: The members and their twins.
    """

    name: str
    section: str
    cases: tuple[Case, ...]


def exact(v: Any) -> Any:
    """Return v with its right derivative: the rule of a right member."""
    return v


def over(rule: Callable[[jax.Array], jax.Array]) -> Rule:
    """Return a rule for every leaf of a tree."""
    return lambda tree: jax.tree.map(rule, tree)


FAULTS: dict[str, Rule] = {
    "stopped": over(lax.stop_gradient),
    "tenth_off": over(lambda v: distorted(v, 0.9)),
    "sign": over(lambda v: distorted(v, -1.0)),
    "half": over(lambda v: distorted(v, 0.5)),
}


def with_twins(
    build: Built, right: Case, faults: tuple[str, ...] = (), **more: Any
) -> Iterator[Case]:
    """Yield a right member, and a faulty twin for each of `faults`.

    `build(rule)` returns the function with `rule` around a term of it; the member's own is the one
    with the right rule. `more` is what is different in the twins.
    """
    yield replace(right, f=build(exact))
    for fault in faults:
        changes = {
            "kind": "wrong",
            "tolerated": (),
            "says": (),
            "headline": (),
            "where": "",
            **more,
        }
        yield replace(right, name=f"{right.name}_{fault}", f=build(FAULTS[fault]), **changes)


def spread(n: int, count: int = 2) -> tuple[str, ...]:
    """Return the faults of member n: each member has some, all members together have all."""
    names = tuple(FAULTS)
    return tuple(names[(n + k) % len(names)] for k in range(count))


def double(*values: Any) -> tuple[np.ndarray, ...]:
    """Return arguments as float64 arrays, for a closed form."""
    return tuple(np.asarray(value, np.float64) for value in values)
