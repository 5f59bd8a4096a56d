"""One gradient for each example of a batch, where `jax.grad` of the whole loss gives their sum."""

from __future__ import annotations  # so that help() shows the names of the types

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp

from gradlab._arguments import (
    require_array,
    require_count,
    require_floating,
    require_shape,
    scalar_valued,
)


def per_example_grads(
    loss: Callable[..., Any], argnums: int | Sequence[int] = 0
) -> Callable[..., Any]:
    """Return a function that gives the gradient of `loss` for each example of a batch.

        gᵢ = ∇ loss(params, xᵢ, yᵢ, …),    i = 1 … n

    It is `jit(vmap(grad(loss)))` with `params` not mapped: one compiled program without a Python
    loop. The sum of the gradients is the gradient of the summed loss; singly they can be clipped
    (as differentially private training does), weighted, or looked at for outliers.

    As with `jax.jit`, call it once, before a training loop: each function that it returns is
    compiled anew. What `loss` reads from outside, a global variable or an attribute of an object
    (as a bound method does), is read when it is compiled and not again: after a change of it call
    `per_example_grads` anew, or give the value to `loss` as an argument. To save memory, call the
    function with a part of the batch at a time. On a mesh with explicit axes give numbers among
    the params as arrays, `jnp.float32(1.0)`: JAX does not differentiate by Python numbers there.

    Args:
        loss: Function of `(params, *example)` with a scalar value, for one example. Params and
            examples are told apart by their position, so give options beforehand, with
            `functools.partial(loss, option=...)`.
        argnums: Which argument of `loss` is the params (a tuple: which arguments are). These
            are differentiated and shared by all examples; all others are batched.

    Returns:
        A function of `(params, *batch)`, compiled at its first call. Params and batch arguments
        are any pytrees; every array in the batch has shape `(n, ...)`, one row an example. The
        gradients have the structure of the params (a tuple of them if `argnums` is one), with
        shape `(n, *leaf.shape)`.

    Raises:
        TypeError: If `loss` is not a function or `argnums` not made of ints; when called, if the
            params or the loss are not floating point.
        ValueError: When called, if a batch array has no leading axis, two batch lengths differ,
            `loss` is not a scalar for one example, or `argnums` names no argument.

    Example:
        >>> import jax.numpy as jnp
        >>> squared_error = lambda w, x, y: (w * x - y) ** 2
        >>> x, y = jnp.array([1.0, 2.0, 3.0]), jnp.array([1.0, 1.0, 1.0])
        >>> print(per_example_grads(squared_error)(1.0, x, y))  # 2 (wx − y) x
        [ 0.  4. 12.]

        What `loss` reads from outside is read once:

        >>> scale = 1.0
        >>> grads = per_example_grads(lambda w, x: scale * w * x)
        >>> print(grads(1.0, x))
        [1. 2. 3.]
        >>> scale = 10.0  # not seen
        >>> print(grads(1.0, x))
        [1. 2. 3.]

    References:
        Goodfellow, Efficient per-example gradient computations, 2015, arXiv:1510.01799.
        Abadi et al., Deep learning with differential privacy, 2016 (clipping each of them).
    """
    write = "argnums=0, or argnums=(0, 1) for two"
    numbers: Any = argnums if isinstance(argnums, Sequence) else [argnums]
    params = [require_count("argnums", n, -99, 99, write) for n in numbers or [numbers]]
    write = "a loss of one example, such as jnp.sum(...) over its parts"
    f = scalar_valued("loss", loss, write, takes=None)
    gradient = jax.grad(f, params if isinstance(argnums, Sequence) else params[0])

    @jax.jit
    def compiled(*args: Any) -> Any:
        return jax.vmap(gradient, in_axes=_batch_axes(params, args))(*args)

    def per_example(*args: Any, **named: Any) -> Any:
        if named:
            write = "grads(params, x, y), and functools.partial(loss, option=...) for options"
            raise TypeError(
                f"{', '.join(named)}: got a keyword, expected a position; write {write}"
            )
        _batch_axes(params, args)  # here, because `jit` has messages of its own
        return compiled(*args)

    per_example.lower = compiled.lower  # type: ignore[attr-defined]
    return per_example


def _batch_axes(params: list[int], args: tuple[Any, ...]) -> tuple[int | None, ...]:
    """Return the `in_axes` of vmap: None for params, 0 for the batch, whose lengths must agree."""
    most, write = len(args) - 1, "grads(params, x, y), params first, or with argnums"
    shared = [require_count("argnums", n, ~most, most, write) % len(args) for n in params]
    as_first = ""
    rows: tuple[int, ...] = ()
    for number, arg in enumerate(args):
        for path, leaf in jax.tree.leaves_with_path(arg):
            name = f"argument {number}{jax.tree_util.keystr(path)}"
            if number in shared:
                require_floating(name, leaf, "jnp.array([1., 2.])")
                continue
            require_array(name, leaf, "jnp.array([1., 2.])")
            shape = jnp.shape(leaf)
            write = f"one row for each example{as_first}, or jnp.full(n, value) to share one"
            as_first, rows = as_first or f", as {name} has", rows or shape[:1]
            require_shape(name, leaf, write, (*(rows or ("n",)), *shape[1:]))
    if not rows:
        raise ValueError(f"batch: got only params, expected a row for each example; write {write}")
    return tuple(None if number in shared else 0 for number in range(len(args)))
