"""One gradient for each example of a batch, where `jax.grad` of the whole loss gives their sum."""

from __future__ import annotations  # so that help() shows the names of the types

import operator
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp

from gradlab._arguments import describe, require_array, require_floating, scalar_valued


def per_example_grads(
    loss: Callable[..., Any], argnums: int | Sequence[int] = 0
) -> Callable[..., Any]:
    """Return a function that gives the gradient of `loss` for each example of a batch.

        gᵢ = ∇ loss(params, xᵢ, yᵢ, …),    i = 1 … n

    It is `jit(vmap(grad(loss)))` with `params` not mapped: one compiled program without a Python
    loop. Like `jax.jit`, call it once, before a training loop: each function that it returns is
    compiled anew. The sum of the gradients is the gradient of the summed loss; singly they can be
    clipped (as differentially private training does), weighted, or looked at for outliers.

    Args:
        loss: Function of `(params, *example)` with a scalar value, for one example. Give it its
            options beforehand, with `functools.partial(loss, option=...)`.
        argnums: Which argument of `loss` is the params (a tuple: which arguments are). These
            are differentiated and shared by all examples; all others are batched.

    Returns:
        A compiled function of `(params, *batch)`. Params and batch arguments are any pytrees;
        every array in the batch has shape `(n, ...)`, one row an example. The gradients have
        the structure of the params (a tuple of them if `argnums` is one), with shape
        `(n, *leaf.shape)`.

    Raises:
        TypeError: If `loss` is not a function or `argnums` not made of ints; when called, if the
            params or the loss are not floating point.
        ValueError: When called, if a batch array has no leading axis, two batch lengths
            differ, `loss` is not a scalar for one example, or `argnums` names no argument.

    Example:
        >>> import jax.numpy as jnp
        >>> squared_error = lambda w, x, y: (w * x - y) ** 2
        >>> x, y = jnp.array([1.0, 2.0, 3.0]), jnp.array([1.0, 1.0, 1.0])
        >>> print(per_example_grads(squared_error)(1.0, x, y))  # 2 (wx − y) x
        [ 0.  4. 12.]

    References:
        Goodfellow, Efficient per-example gradient computations, 2015, arXiv:1510.01799.
        Abadi et al., Deep learning with differential privacy, 2016 (clipping each of them).
    """
    params = _argnums(argnums)
    write = "a loss of one example, such as jnp.sum(...) over its parts"
    by = params if isinstance(argnums, Sequence) else params[0]
    gradient = jax.grad(scalar_valued("loss", loss, write, takes=None), by)

    @jax.jit
    def compiled(*args: Any) -> Any:
        return jax.vmap(gradient, in_axes=_batch_axes(params, args))(*args)

    def per_example(*args: Any, **options: Any) -> Any:
        if options:
            got, write = (
                ", ".join(options),
                "grads(params, x, y), with functools.partial for options",
            )
            raise TypeError(f"{got}: got keywords, expected positions; write {write}")
        _batch_axes(params, args)  # here, because `jit` has messages of its own
        return compiled(*args)

    per_example.lower = compiled.lower  # type: ignore[attr-defined]
    return per_example


def _argnums(argnums: int | Sequence[int]) -> tuple[int, ...]:
    try:
        numbers = argnums if isinstance(argnums, Sequence) else [argnums]
        params = tuple(map(operator.index, numbers))
    except TypeError:
        params = ()
    if not params:
        message = f"argnums: got {describe(argnums)}, expected the number of an argument of loss"
        raise TypeError(f"{message}; write argnums=0, or argnums=(0, 1) for two")
    return params


def _batch_axes(params: tuple[int, ...], args: tuple[Any, ...]) -> tuple[int | None, ...]:
    """Return the `in_axes` of vmap: None for params, 0 for the batch, whose lengths must agree."""
    for argnum in params:
        if not -len(args) <= argnum < len(args):
            raise ValueError(
                f"argnums: got {argnum}, expected an argument's number; write one from 0 to "
                f"{len(args) - 1} for these {len(args)} arguments"
            )
    shared = {argnum % len(args) for argnum in params}

    lengths: dict[str, int] = {}
    for number, arg in enumerate(args):
        for path, leaf in jax.tree.leaves_with_path(arg):
            name = f"argument {number}{jax.tree_util.keystr(path)}"
            if number in shared:
                require_floating(name, leaf, "jnp.array([1., 2.])")
                continue
            require_array(name, leaf, "jnp.array([1., 2.])")
            if jnp.ndim(leaf) == 0:
                write = "jnp.array([1., 2.]), or jnp.full(n, value) for a value they share"
                raise ValueError(f"{name}: got a scalar, expected a row an example; write {write}")
            lengths[name] = jnp.shape(leaf)[0]

    if not lengths:
        raise ValueError(
            "batch: got only params, expected at least one argument with a row for each example; "
            "write grads(params, x, y)"
        )
    shortest, longest = min(lengths, key=lengths.__getitem__), max(lengths, key=lengths.__getitem__)
    if lengths[shortest] != lengths[longest]:
        raise ValueError(
            f"batch lengths differ: {shortest} has {lengths[shortest]} rows and {longest} has "
            f"{lengths[longest]}, expected one row for each example in both; write batch "
            "arguments of one length"
        )
    return tuple(None if number in shared else 0 for number in range(len(args)))
