"""Compiled programs of earlier calls, for as long as the function is the same function."""

import functools
import threading
import types
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any

import jax
import numpy as np

MOST = 32  # programs that are kept; the one not used for longest goes first
SMALL_VALUES = (int, float, complex, str, bytes, bool, type(None), type(Ellipsis))


class Cache:
    """At most `MOST` values by key, safe to use from several threads."""

    def __init__(self) -> None:
        """Start empty."""
        self._values: OrderedDict[Hashable, Any] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable | None, make: Callable[[], Any]) -> Any:
        """Return the value for `key`, made if it is not there; None is never found or kept."""
        if key is None:
            return make()
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                return self._values[key]
        value = make()  # outside of the lock: tracing runs the caller's code
        with self._lock:
            self._values[key] = value
            while len(self._values) > MOST:
                self._values.popitem(last=False)
        return value

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._values.clear()


class ByIdentity:
    """An object as a key that is equal to itself only, and that keeps the object alive."""

    def __init__(self, value: Any) -> None:
        """Take the object."""
        self.value = value

    def __eq__(self, other: object) -> bool:
        """Compare identities."""
        return isinstance(other, ByIdentity) and self.value is other.value

    def __hash__(self) -> int:
        """Hash the identity."""
        return id(self.value)


class Unknown(Exception):  # noqa: N818 - not an error, an answer
    """Something that may change without being another object."""


def fingerprint(f: Any) -> Hashable | None:
    """Describe what a function computes, as far as Python can know it.

    Two functions with the same code that refer to the same objects have the same fingerprint, so a
    lambda written in a loop is compiled once; one whose global or closure was changed since has
    another, so that no stale program is judged.

    Returns:
        A key, or None where something that the function refers to might have been changed in
        place (a list, a NumPy array, an instance), or does not let itself be described.
    """
    try:
        return _print(f, set())
    except Exception:  # `Unknown`, or whatever an object raises that is asked for an attribute
        return None


def _print(value: Any, seen: set[Any]) -> Hashable:
    if isinstance(value, SMALL_VALUES):
        return type(value), value
    if isinstance(value, tuple | frozenset):
        return type(value), tuple(_print(v, seen) for v in value)
    if isinstance(value, jax.Array | np.dtype | type | types.BuiltinFunctionType):
        return ByIdentity(value)
    if type(value) is object or (
        isinstance(value, types.ModuleType) and _is_library(value.__name__)
    ):  # what jax.vmap and jax.grad close over
        return ByIdentity(value)
    if isinstance(value, types.FunctionType):
        if id(value) in seen:  # described already, or being described
            return ByIdentity(value)
        seen.add(id(value))
        return _print_function(value, seen)
    if isinstance(value, types.MethodType):
        raise Unknown
    if isinstance(value, jax.custom_jvp | jax.custom_vjp):
        rules = (getattr(value, name, None) for name in ("fun", "jvp", "fwd", "bwd"))
        return ByIdentity(value), tuple(_print(rule, seen) for rule in rules)
    wrapped = getattr(value, "__wrapped__", None)
    if callable(value) and wrapped is not None:
        return ByIdentity(value), _print(wrapped, seen)
    if isinstance(value, np.ufunc) or _is_library(type(value).__module__):
        if isinstance(value, np.ndarray | np.random.Generator | np.random.RandomState):
            raise Unknown
        return ByIdentity(value)
    if isinstance(value, functools.partial):
        parts = value.func, value.args, tuple(sorted(value.keywords.items()))
        return type(value), tuple(_print(part, seen) for part in parts)
    raise Unknown


def _print_function(f: types.FunctionType, seen: set[Any]) -> Hashable:
    cells = []
    for cell in f.__closure__ or ():
        try:
            cells.append(_print(cell.cell_contents, seen))
        except ValueError:  # not assigned yet
            cells.append(None)
    names = [] if _is_library(f.__globals__.get("__name__", "")) else sorted(_names(f.__code__))
    used: list[Hashable] = []
    for name in names:
        if name in f.__globals__:
            value = f.__globals__[name]
            module = isinstance(value, types.ModuleType)
            used.append(
                (name, _print_module(value, names, seen) if module else _print(value, seen))
            )
    defaults = _print(f.__defaults__, seen), _print(tuple((f.__kwdefaults__ or {}).items()), seen)
    return f.__code__, tuple(cells), tuple(used), defaults


def _print_module(module: types.ModuleType, names: list[str], seen: set[Any]) -> Hashable:
    """Describe what a function may use of a module: all that has a name which the function says."""
    if _is_library(module.__name__):
        return ByIdentity(module)
    fresh = [name for name in names if (module, name) not in seen]  # it may import itself
    seen |= {(module, name) for name in fresh}
    used = [(name, getattr(module, name)) for name in fresh if hasattr(module, name)]
    return ByIdentity(module), tuple(
        (
            name,
            _print_module(v, names, seen) if isinstance(v, types.ModuleType) else _print(v, seen),
        )
        for name, v in used
    )


def _is_library(module: str) -> bool:
    """Tell whether a module is one whose contents do not change."""
    return module.split(".")[0] in ("jax", "jaxlib", "numpy", "math")


def _names(code: types.CodeType) -> set[str]:
    """Collect the names that a function and the functions inside it look up."""
    names = set(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            names |= _names(constant)
    return names
