"""What the helpers and plots ask of their arguments, checked before anything is computed.

Types, dtypes, shapes and Python values are known while a function is traced, so these checks cost
nothing in a compiled program. Numbers are looked at only where they are known: not under `jit`.
Each message names the argument, says what was got and what was expected, and what to write.
"""

import inspect
import operator
import textwrap
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

ITSELF = "the function itself, not its value"
# What a function raises that needs to know numbers where JAX has traced arrays.
_NEEDS_NUMBERS = (jax.errors.ConcretizationTypeError, jax.errors.TracerArrayConversionError)


def is_array(x: Any) -> bool:
    """Tell whether `x` is an array (JAX or NumPy), traced or not, or a Python number."""
    return isinstance(x, jax.Array | np.ndarray | np.generic | int | float | complex)


def describe(x: Any) -> str:
    """Name `x` in an error message: `float32 of shape (3,)`, or `int 3`, or `list [1.0, 2.0]`."""
    kind = type(x).__name__
    if hasattr(x, "shape") and not isinstance(x, type):
        usual = isinstance(x, jax.Array | np.generic) or type(x) is np.ndarray
        names = [*([] if usual else [kind]), *([str(x.dtype)] if hasattr(x, "dtype") else [])]
        return f"{' '.join(names)} of shape {x.shape}"
    leaves = jax.tree.leaves(x) if isinstance(x, tuple | list | dict) else []
    traced = any(isinstance(leaf, jax.core.Tracer) for leaf in leaves)
    text = f"of {', '.join(map(describe, leaves))}" if traced else repr(x)
    return f"{kind} {textwrap.shorten(text, 60, placeholder=' …')}"


def require_array(name: str, x: Any, write: str) -> None:
    """Raise `TypeError` unless `x` is a Python number or an array of numbers that JAX can hold."""
    if not is_array(x):
        raise _no_numbers(name, x, "an array", write)
    held = False
    with suppress(TypeError):  # text, dates, objects, random keys
        held = np.dtype(getattr(x, "dtype", float)).isnative and jnp.result_type(x) is not None
    too_large = isinstance(x, int) and x.bit_length() >= jnp.iinfo(jnp.result_type(int)).bits
    if not held or too_large or isinstance(x, np.ma.MaskedArray):
        raise _no_numbers(name, x, "numbers that JAX can hold", write)


def require_real(name: str, x: Any, write: str) -> None:
    """Raise `TypeError` unless `x` is an array of booleans, integers or real numbers."""
    require_array(name, x, write)
    if jnp.iscomplexobj(x):
        raise TypeError(f"{name}: got {describe(x)}, expected real numbers; write {write}")


def require_floating(name: str, x: Any, write: str) -> None:
    """Raise `TypeError` unless `x` is an array or a number of a real floating-point dtype."""
    require_array(name, x, write)
    if not jnp.issubdtype(jnp.result_type(x), jnp.floating):
        raise TypeError(f"{name}: got {describe(x)}, expected floating point; write {write}")


def require_shape(name: str, x: Any, write: str, *shapes: tuple[int | str, ...]) -> None:
    """Raise `ValueError` unless `x` has one of these shapes, where a letter is any length."""
    require_array(name, x, write)
    got = jnp.shape(x)
    fitting = [shape for shape in shapes if len(shape) == len(got)]
    if not any(all(n in (m, str(n)) for m, n in zip(got, s, strict=True)) for s in fitting):
        expected = " or ".join(map(str, shapes)).replace("'", "")
        raise ValueError(f"{name}: got shape {got}, expected {expected}; write {write}")


def require_scalar(name: str, x: Any, write: str) -> None:
    """Raise unless `x` is one real number."""
    require_real(name, x, write)
    require_shape(name, x, write, ())


def require_function(name: str, f: Any, write: str = ITSELF, takes: int | None = 1) -> None:
    """Raise `TypeError` unless `f` can be called, with as many arguments as `takes` says."""
    if not callable(f):
        raise TypeError(f"{name}: got {describe(f)}, expected a function; write {write}")
    try:
        if takes is not None:
            inspect.signature(f).bind(*range(takes))
    except ValueError:  # built in, and does not tell
        pass
    except TypeError:
        got = f"one of {textwrap.shorten(str(inspect.signature(f)), 60, placeholder=' …')}"
        expected = f"a function of {takes} argument" + "s" * (takes != 1)
        write = f"lambda p: {name}(p[0], p[1])" if takes == 1 else write
        raise TypeError(f"{name}: got {got}, expected {expected}; write {write}") from None


def require_count(name: str, n: Any, least: int, most: int = 2**31 - 1, write: str = "") -> int:
    """Return `n` as a Python int; raise unless it is one while tracing, and within these bounds."""
    write = write or f"{name}=10, or jax.jit(..., static_argnames={name!r}) under jit"
    try:
        count = operator.index(n)
    except TypeError:
        expected = "a Python int that is known when the function is traced"
        raise TypeError(f"{name}: got {describe(n)}, expected {expected}; write {write}") from None
    if not least <= count <= most:
        expected = f"a number from {least} to {most}"
        raise ValueError(f"{name}: got {count}, expected {expected}; write {write}")
    return count


def require_numbers(name: str, x: Any, holds: Any, expected: str, write: str) -> None:
    """Raise `ValueError` if the numbers of the array `x` are known and `holds` is false for one."""
    if not isinstance(x, jax.core.Tracer) and getattr(x, "is_fully_addressable", True):
        numbers = np.ravel(x)
        wrong = numbers[~holds(numbers)]
        if wrong.size:
            raise ValueError(f"{name}: got {wrong[0]}, expected {expected}; write {write}")


def known_numbers(name: str, x: Any, write: str, *shapes: tuple[int | str, ...]) -> np.ndarray:
    """Return an array, a column or lists of numbers as NumPy floats of one of these shapes."""
    numbers = None
    with suppress(TypeError, ValueError):  # text, complex numbers, what is traced, unequal lengths
        numbers = np.asarray(x).astype(float, casting="same_kind")
    if numbers is None or isinstance(x, np.ma.MaskedArray):
        expected = "real numbers" + ", outside of jax.jit" * isinstance(x, jax.core.Tracer)
        raise _no_numbers(name, x, expected, write)
    require_shape(name, numbers, write, *shapes)
    return numbers


def call(name: str, f: Callable[..., Any], *args: Any, **options: str) -> Any:
    """Return `f(*args)`; raise `TypeError` if it cannot be called so, or not while JAX traces."""
    require_function(name, f, takes=len(args), **options)
    try:
        return f(*args)
    except _NEEDS_NUMBERS as error:
        got, write = "a function that needs known numbers", "jnp.sin for np.sin, jnp.where for if"
        raise TypeError(f"{name}: got {got}, expected operations of JAX; write {write}") from error


def scalar_valued(name: str, f: Any, write: str, takes: int | None = 1) -> Callable[..., Any]:
    """Return `f` with a check, made when it is traced, that its value is a real scalar."""
    require_function(name, f, takes=takes)

    def checked(*args: Any) -> Any:
        value = call(name, f, *args)
        returned, instead = f"{name}: the value it returned", write
        called = f"{name}({'x' if len(args) == 1 else '...'})"
        if value is None:
            instead = f"return in the last line of {name}"
        elif isinstance(value, tuple | list):
            instead = f"{called}[0] for its first part, as has_aux=True is not known here"
        elif is_array(value) and jnp.size(value) == 1:
            instead = called + "[0]" * jnp.ndim(value)
        require_shape(returned, value, instead, ())
        require_floating(returned, value, f"{called}.astype(float)")
        return value

    return checked


def _no_numbers(name: str, x: Any, expected: str, write: str) -> TypeError:
    """Return the error for an `x` without such numbers; if it can be made of `x`, it says how."""
    if isinstance(x, np.ma.MaskedArray):
        write = f"{name}.filled(0.0), with the number that shall stand for what is masked"
    elif hasattr(x, "to_numpy"):
        write = f"{name}.to_numpy({'float' if np.asarray(x).dtype == object else ''})"
    elif isinstance(x, np.ndarray | np.generic | int) and np.asarray(x).dtype.kind in "Ofiu":
        write = f"np.asarray({name}, float)"
    return TypeError(f"{name}: got {describe(x)}, expected {expected}; write {write}")
