"""Finite differences: what a derivative is compared with, and how the step size makes them lie."""

from __future__ import annotations  # so that help() shows the names of the types

import functools
import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar, cast

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

from gradlab._arguments import (
    call,
    describe,
    known_numbers,
    require_floating,
    require_numbers,
    require_scalar,
    require_shape,
    scalar_valued,
)

if TYPE_CHECKING:
    import pandas as pd

F = TypeVar("F", bound=Callable[..., Any])


def _keywords_after_x(function: F) -> F:
    """Let the error about a third positional argument name the keywords that may be meant."""
    named: Any = function
    direction, step = named.__kwdefaults__

    @functools.wraps(function)
    def checked(*args: Any, **keywords: Any) -> Any:
        for third in args[2:]:
            write = f"{step}=... for the step h, or {direction}=... for the direction v"
            names = f"{step} or {direction}"
            raise TypeError(f"{names}: got {describe(third)}, expected a keyword; write {write}")
        return function(*args, **keywords)

    return cast(F, checked)


@_keywords_after_x
def central_difference(
    f: Callable[[Any], Any], x: Any, *, direction: Any = None, step: ArrayLike | None = None
) -> Any:
    """Return the directional derivative of `f` at `x` as a central finite difference.

        ( f(x + h v) − f(x − h v) ) / 2h

    The two points lie at ±h, so 2h apart. The truncation error is h²/6 times the third derivative
    along v; the round-off error is about eps·|f| / h. With both of the order of one, their sum is
    least near h = eps^⅓, so that is the step taken, in proportion to the size of `x`:

        h = eps^⅓ · max(1, |x|) / |v|,    |·| the largest element that v moves

    with the eps of the dtype: 4.9e-3 in float32 and 6.1e-6 in float64 for `x` and v of size 1.
    Where `f` lives on a scale much smaller than 1, such as `jnp.log` at 1e-3, give `step` yourself;
    where the elements of `x` differ much in size, move them one by one.

    Args:
        f: Function of `x`; its value is a floating-point array of any shape, or a pytree of them.
        x: Where to differentiate: a floating-point number, array, or pytree of arrays.
        direction: v, of the structure and shapes of `x`. By default all ones: for a number the
            derivative, for an array the sum of the partial derivatives.
        step: h, a positive scalar, in units of v.

    Returns:
        An estimate of the Jacobian-vector product ∇f(x)·v, of the shape and dtype of `f(x)`.

    Raises:
        TypeError: If `x` or `direction` is not floating point.
        ValueError: If `direction` differs from `x` in structure or shape, or `step` is a batch
            or not positive (which can be seen only outside of `jax.jit`).

    Example:
        >>> import jax, jax.numpy as jnp
        >>> print(f"{central_difference(jnp.tanh, 2.0):.4f} {jax.grad(jnp.tanh)(2.0):.4f}")
        0.0707 0.0707
        >>> w = {"a": jnp.array([1.0, 2.0]), "b": 3.0}
        >>> f = lambda w: w["b"] * jnp.sum(w["a"] ** 2)
        >>> v = {"a": jnp.array([0.0, 1.0]), "b": 0.0}  # with respect to w["a"][1] alone
        >>> print(f"{central_difference(f, w, direction=v):.2f}")
        12.00

    References:
        Nocedal and Wright, Numerical Optimization, 2nd ed. 2006, §8.1 (the choice of h).
    """
    x, v = _point_and_direction(x, direction)
    h = _default_step(x, v) if step is None else _given_step("step", step)
    ahead = call("f", f, jax.tree.map(lambda x, v: x + jnp.asarray(h, x.dtype) * v, x, v))
    behind = call("f", f, jax.tree.map(lambda x, v: x - jnp.asarray(h, x.dtype) * v, x, v))
    if not jax.tree.leaves(ahead):
        require_floating("f: the value it returned", ahead, "return in the last line of f")
    return jax.tree.map(lambda a, b: _quotient(a, b, h), ahead, behind)


@_keywords_after_x
def step_sweep(
    f: Callable[[Any], Any],
    x: Any,
    *,
    direction: Any = None,
    steps: Sequence[float] | Array | None = None,
) -> pd.DataFrame:
    """Return central differences at many step sizes, and how far each is from the derivative.

    Plotted against the step on logarithmic axes, the error is a U: on the right the truncation
    error falls as h², on the left the round-off error rises as 1/h.

    Args:
        f: Function of `x` with a scalar value.
        x: Where to differentiate: a floating-point number, array, or pytree of arrays.
        direction: As in `central_difference`.
        steps: Step sizes, positive: a list or an array. By default two to a decade, from the size
            of `x` (at least 1) down to eps times that.

    Returns:
        DataFrame with one row a step, in the order of `steps`: `step` is h, `estimate` the central
        difference, and `error` |estimate − ∇f(x)·v|, where ∇f(x)·v is what `jax.jvp` says.

    Raises:
        TypeError: As `central_difference`, or under `jax.jit`, where no table can be made.
        ValueError: As `central_difference`, or if `f` does not return a scalar.

    Example:
        >>> import jax.numpy as jnp
        >>> sweep = step_sweep(jnp.tanh, 2.0, steps=[1e-1, 1e-2, 1e-6])
        >>> int(sweep["error"].idxmin())  # the first is too large, the last too small
        1
    """
    import pandas as pd  # here, so that `import gradlab` costs what `import jax` costs

    f = scalar_valued("f", f, "one component of it, such as lambda x: f(x)[0]")
    x, v = _point_and_direction(x, direction)
    derivative = float(known_numbers("x", jax.jvp(f, (x,), (v,))[1], "a number", ()))
    if steps is None:
        size, half_decades = float(_size(x, v)), math.floor(-2 * math.log10(_coarsest_eps(x)))
        steps = [size * 10 ** (-k / 2) for k in range(half_decades + 1)]
    rows = []
    for step in known_numbers("steps", steps, "steps=[1e-1, 1e-2]", ("n",)).tolist():
        estimate = float(central_difference(f, x, direction=v, step=_given_step("steps", step)))
        rows.append((step, estimate, abs(estimate - derivative)))
    return pd.DataFrame(rows, columns=["step", "estimate", "error"], dtype=float)


def _point_and_direction(x: Any, direction: Any) -> tuple[Any, Any]:
    """Return both as pytrees of arrays, after checking that one can be added to the other."""
    write = "2.0 or jnp.array([1., 2.])"
    if not jax.tree.leaves(x):
        raise ValueError(f"x: got {x}, expected at least one number; write {write}")
    for path, leaf in jax.tree.leaves_with_path(x):
        require_floating(f"x{jax.tree_util.keystr(path)}", leaf, write)
    x = jax.tree.map(jnp.asarray, x)
    if direction is None:
        return x, jax.tree.map(jnp.ones_like, x)

    write = "one number for each element of x"
    expected, got = (str(jax.tree.structure(tree)) for tree in (x, direction))
    if got != expected:
        raise ValueError(
            f"direction: got {got}, expected {expected}, the structure of x; write {write}"
        )
    for (path, leaf), element in zip(
        jax.tree.leaves_with_path(direction), jax.tree.leaves(x), strict=True
    ):
        name = f"direction{jax.tree_util.keystr(path)}"
        require_shape(name, leaf, write, element.shape)
        require_floating(name, leaf, "jnp.array([1., 0.])")
    return x, jax.tree.map(lambda v, x: jnp.asarray(v, x.dtype), direction, x)


def _quotient(ahead: Any, behind: Any, h: ArrayLike) -> Array:
    require_floating("f: the value it returned", ahead, "f(x).astype(float)")
    return (ahead - behind) / jnp.asarray(2 * h, jnp.result_type(ahead))


def _default_step(x: Any, v: Any) -> Array:
    return _coarsest_eps(x) ** (1 / 3) * _size(x, v)


def _given_step(name: str, step: ArrayLike) -> ArrayLike:
    require_scalar(name, step, "one step, or gradlab.step_sweep for many")
    positive, write = (lambda h: (h > 0) & (h < math.inf)), f"{name}=1e-3"
    require_numbers(name, step, positive, "a positive number", write)
    return step


def _coarsest_eps(x: Any) -> float:
    return max(float(jnp.finfo(leaf.dtype).eps) for leaf in jax.tree.leaves(x))


def _size(x: Any, v: Any) -> Array:
    """Return max(1, |x|) / |v|, the size in units of v of the elements of x that v moves."""
    dtype = jnp.result_type(float)

    def largest(tree: Any) -> Array:
        leaves = [jnp.max(jnp.abs(leaf), initial=0).astype(dtype) for leaf in jax.tree.leaves(tree)]
        return jnp.stack(leaves).max()

    moved = largest(jax.tree.map(lambda x, v: jnp.where(v == 0, 0, x), x, v))
    reach = largest(v)
    return jnp.maximum(1, moved) / jnp.where(reach > 0, reach, 1)
