"""Arguments, numbers and errors in words that a learner understands."""

import inspect
import linecache
import re
import textwrap
from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

WIDTH = 88
JAX_ERRORS = {
    jax.errors.TracerArrayConversionError: (
        "It calls a NumPy function where JAX has to follow each step. Use the function of the same "
        "name from jax.numpy."
    ),
    jax.errors.ConcretizationTypeError: (
        "It needs a number that JAX does not know yet, for `if`, `while`, `float`, `range` or a "
        "function of `math`. Use `jnp.where` in place of `if`, and jax.numpy in place of `math`."
    ),
    jax.errors.UnexpectedTracerError: (
        "It uses a value that an earlier call left in a variable outside the function. Compute "
        "each value inside the function."
    ),
}
COMPILED = "jaxlib._jax.PjitFunction"  # what jax.jit returns
RULE = re.compile(r"Custom VJP bwd rule must produce")
FUNCTION = re.compile(
    r"<(?:function|bound method|built-in function|built-in method) (?:[\w.<>]+\.)?(\w+|<lambda>)"
    r"(?: at 0x\w+| of (?:<.*?>|.*?))?>"
)
TRACER = re.compile(
    r"\w*Tracer(<[^>]*>|\([^()]*(\([^()]*\))?[^()]*\))?|Traced<[^>]*>\S*|\bArrayImpl\b"
)
ARRAY = re.compile(r"\b(?:Array|Typed\w+)\(([^()]*?)(?:, dtype=\w+)?(?:, weak_type=True)?\)")


def filled(text: str) -> str:
    """Return the paragraph in lines that fit beside the notebook's margin."""
    return textwrap.fill(" ".join(text.split()), WIDTH, break_on_hyphens=False)


def shown(x: Any) -> str:
    """Return a short form of an argument or an answer."""
    if isinstance(x, str):
        return f'"{x}"'
    if isinstance(x, Mapping):
        return "{" + ", ".join(f'"{key}": {shown(part)}' for key, part in x.items()) + "}"
    if isinstance(x, list | tuple):
        inside = ", ".join(map(shown, x))
        comma = "," * (len(x) == 1)
        return f"[{inside}]" if isinstance(x, list) else f"({inside}{comma})"
    if callable(x):
        return f"the function {getattr(x, '__name__', '')}".strip()
    if isinstance(x, jax.Array) and jnp.issubdtype(x.dtype, jax.dtypes.prng_key):
        return "a key"
    if not hasattr(x, "shape") and not isinstance(x, bool | int | float | complex):
        plain = " object at 0x" in repr(x)  # only where in memory it is
        what = f"an object of the class {type(x).__name__}"
        return what if plain else textwrap.shorten(repr(x), 60, placeholder=" …")
    array = np.asarray(x)
    if array.ndim == 0:
        return number(array[()])
    if array.size > 6:
        return f"an array of shape {array.shape}"
    return shown(array.tolist())


def number(x: Any, digits: int = 6) -> str:
    """Return a number with as many digits as a reader wants to see."""
    if isinstance(x, bool | np.bool_ | int | np.integer | str):
        return str(x)
    return f"{x + 0:.{digits}g}"  # not -0


def called_with(case: tuple[Any, ...], *functions: Callable[..., Any]) -> str:
    """Return the arguments with their names, taken from the first function that has them."""
    names: list[str] = []
    for function in functions:
        try:
            parameters = list(inspect.signature(function).parameters.values())
        except (TypeError, ValueError):  # built-in functions have none
            continue
        plain = [p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
        if len(plain) == len(parameters) == len(case):
            names = plain
            break
    values = [shown(x) for x in case]
    if names:
        values = [f"{name} = {value}" for name, value in zip(names, values, strict=True)]
    return ", ".join(values)


def explained(error: Exception, function: Any) -> str:
    """Return in one sentence what went wrong, and in which line of the learner's function."""
    known = (sentence for kind, sentence in JAX_ERRORS.items() if isinstance(error, kind))
    sentence = next(known, "")
    if RULE.match(str(error)):
        sentence = (
            "The function for the way back must return a tuple with one slope for each argument, "
            "and each slope must have the shape of its argument."
        )
    if not sentence:
        first, *rest = str(error).strip().splitlines() or ["no message"]
        message = " ".join([first, *rest]) if first.endswith(":") else first
        message = textwrap.shorten(readable(message), 300, placeholder=" …")
        sentence = f"{type(error).__name__}: {message}"
    line, sentence = _line(error, function), filled(sentence)
    return f"{sentence}\nThis happened in the line\n    {line}" if line else sentence


def readable(message: str) -> str:
    """Return the message without the names that JAX and Python have for what a learner wrote."""
    message = FUNCTION.sub(r"the function \1", message).replace(COMPILED, "function")
    return ARRAY.sub(r"\1", TRACER.sub("an array", message))


def _line(error: Exception, function: Any) -> str:
    """Return the last line of the function's own cell that was running, or nothing."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    file, trace, line = getattr(code, "co_filename", None), error.__traceback__, ""
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == file:
            line = linecache.getline(str(file), trace.tb_lineno).strip()
        trace = trace.tb_next
    return line
