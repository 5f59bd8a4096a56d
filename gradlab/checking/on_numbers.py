"""A function that cannot be traced, because it looks at its values: run on numbers, one by one.

Each does what the method of the same name of `Programs` does with a compiled program, and takes
the same. A table has three rows: for each point its base, its first and its last coordinate.
"""

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from gradlab.checking.ladder import masked_on_host, split
from gradlab.checking.lifting import Traced
from gradlab.checking.limits import Floats


def values(
    traced: Traced, x: Any, carried: Any, bases: Floats, rows: Any, table: Any, steps: Floats
) -> Floats:
    """Evaluate the rows of the value at x + step · direction, `(points, rows)`."""
    found = []
    for which, step in zip(table.T, steps, strict=True):
        change = split(step * masked_on_host(bases, *which), x)
        value = np.asarray(traced.call(list(map(lax.add, x, change)), carried), np.float64)
        found.append(value if rows is None else rows @ value)
    return np.stack(found)


def pull(traced: Traced, x: Any, carried: Any, weights: Any) -> tuple[Any, list[Any]]:
    """Return the value and its gradients by reverse mode, one for each row of the weights."""
    x = [jnp.asarray(leaf) for leaf in x]
    value, pull_one = jax.vjp(lambda x: traced.call(x, carried), x)
    gradients = [pull_one(jnp.asarray(row, value.dtype))[0] for row in weights]
    return value, [np.stack(leaves) for leaves in zip(*gradients, strict=True)]


def push(
    traced: Traced, x: Any, carried: Any, rows: Any, tangents: Any, table: Sequence[Any]
) -> Floats:
    """Return the derivatives of the rows along directions, by forward mode."""
    x = [jnp.asarray(leaf) for leaf in x]
    found = []
    for which in zip(*table, strict=True):
        moved = split(masked_on_host(tangents, *which), x)
        _, slope = jax.jvp(lambda x: traced.call(x, carried), (x,), (moved,))
        slope = np.asarray(slope, np.float64)
        found.append(slope if rows is None else rows @ slope)
    return np.stack(found)
