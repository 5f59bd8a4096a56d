"""What the helpers ask of their arguments, checked while a function is traced.

Only what JAX knows at trace time is looked at (types, dtypes, shapes, static Python values),
never the numbers in an array: a check costs nothing in a compiled program. Each message names
the argument, says what was got and what was expected, and what to write instead.
"""

import operator
import textwrap
from collections.abc import Callable
from typing import Any

import jax.numpy as jnp


def is_array(x: Any) -> bool:
    """Tell whether `x` is an array (JAX or NumPy), traced or not, or a Python number."""
    return isinstance(x, int | float | complex) or (hasattr(x, "dtype") and hasattr(x, "shape"))


def describe(x: Any) -> str:
    """Name `x` in an error message: `float32 of shape (3,)`, or `int 3`, or `list [1.0, 2.0]`."""
    if is_array(x) and hasattr(x, "dtype"):
        return f"{jnp.result_type(x)} of shape {jnp.shape(x)}"
    return f"{type(x).__name__} {textwrap.shorten(repr(x), 60, placeholder=' …')}"


def require_array(name: str, x: Any, write: str) -> None:
    """Raise `TypeError` unless `x` is an array or a Python number."""
    if not is_array(x):
        raise TypeError(f"{name}: got {describe(x)}, expected an array; write {write}")


def require_function(name: str, f: Any, write: str) -> None:
    """Raise `TypeError` unless `f` can be called."""
    if not callable(f):
        raise TypeError(f"{name}: got {describe(f)}, expected a function; write {write}")


def require_floating(name: str, x: Any, write: str) -> None:
    """Raise `TypeError` unless `x` is an array or a number of a real floating-point dtype."""
    require_array(name, x, write)
    if not jnp.issubdtype(jnp.result_type(x), jnp.floating):
        raise TypeError(f"{name}: got {describe(x)}, expected floating point; write {write}")


def require_shape(name: str, x: Any, shape: tuple[int, ...], write: str) -> None:
    """Raise `ValueError` unless the array `x` has exactly this shape."""
    require_array(name, x, write)
    if jnp.shape(x) != shape:
        raise ValueError(f"{name}: got shape {jnp.shape(x)}, expected {shape}; write {write}")


def require_count(name: str, n: Any, at_least: int) -> int:
    """Return `n` as a Python int; raise unless it is one while tracing, and large enough."""
    try:
        count = operator.index(n)
    except TypeError:
        raise TypeError(
            f"{name}: got {describe(n)}, expected a Python int that is known when the function "
            f"is traced; write {name}=10, or jax.jit(..., static_argnames={name!r}) under jit"
        ) from None
    if count < at_least:
        raise ValueError(f"{name}: got {count}, expected at least {at_least}")
    return count


def scalar_valued(name: str, f: Callable[..., Any], write: str) -> Callable[..., Any]:
    """Return `f` with a check, made when it is traced, that its value is a real scalar."""
    require_function(name, f, "a function, not its value")

    def checked(*args: Any) -> Any:
        value = f(*args)
        require_shape(f"{name}: the value it returned", value, (), write)
        require_floating(f"{name}: the value it returned", value, f"{name}(...).astype(float)")
        return value

    return checked
