"""Compare an answer with what is expected: its form first, then each number."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from gradlab.exercises.wording import number, shown

ROWS = 6


class NotYetError(Exception):
    """What is to be told to the learner in place of a comparison of numbers."""


@dataclass(frozen=True)
class Part:
    """The numbers in one place of the answer, beside the expected ones."""

    place: str
    yours: np.ndarray
    expected: np.ndarray

    def wrong(self, rtol: float) -> np.ndarray:
        """Return where the numbers differ by more than `rtol` of the expected one.

        A zero has no relative error: a millionth of the largest expected number is allowed as well.
        """
        if self.expected.dtype.kind == "U":
            same = np.char.lower(np.char.strip(self.yours)) == np.char.lower(self.expected)
            return ~np.asarray(same)
        finite = np.abs(self.expected[np.isfinite(self.expected)])
        scale = finite.max(initial=0) or 1.0
        close = np.isclose(self.yours, self.expected, rtol, 1e-6 * scale, equal_nan=True)
        return ~np.asarray(close)


def parts(yours: Any, expected: Any, place: str = "") -> list[Part]:
    """Return the numbers of both side by side, lists of right numbers taken for arrays.

    Raises:
        NotYetError: If the answer has another form than what is expected.
    """
    if yours is None and not place:
        raise NotYetError("your answer is None. Did you forget `return`?")
    if isinstance(expected, Mapping):
        return _parts_of_dictionary(yours, expected, place)
    if isinstance(expected, list | tuple):
        if not _is_sequence(yours) or len(yours) != len(expected):
            wanted = f"{len(expected)} value{'s' * (len(expected) != 1)} in a tuple"
            raise NotYetError(f"{_it(place)} is {_kind(yours)}, not {wanted}.")
        pairs = enumerate(zip(yours, expected, strict=True))
        return [part for i, (a, b) in pairs for part in parts(a, b, f"{place}[{i}]")]
    inside = jax.tree.leaves_with_path(expected)
    if inside and inside[0][0]:  # a class of the lesson's own, registered with JAX
        if not isinstance(yours, type(expected)):
            raise NotYetError(f"{_it(place)} is {_kind(yours)}, not a {type(expected).__name__}.")
        return [
            part
            for mine, (path, right) in zip(jax.tree.leaves(yours), inside, strict=True)
            for part in parts(mine, right, place + jax.tree_util.keystr(path))
        ]
    return [_part(yours, expected, place)]


def _parts_of_dictionary(yours: Any, expected: Mapping[Any, Any], place: str) -> list[Part]:
    keys = ", ".join(f'"{key}"' for key in expected)
    if not isinstance(yours, Mapping):
        raise NotYetError(f"{_it(place)} is {_kind(yours)}, not a dictionary with the keys {keys}.")
    if set(yours) != set(expected):
        raise NotYetError(f"{_it(place)} has other keys than {keys}.")
    return [part for k in expected for part in parts(yours[k], expected[k], f'{place}["{k}"]')]


def _part(yours: Any, expected: Any, place: str) -> Part:
    wanted = np.asarray(expected)
    asked = _asked(wanted)
    try:
        if callable(yours) or isinstance(yours, Mapping):
            raise TypeError
        array = np.asarray(yours)
    except (TypeError, ValueError):  # a list with rows of different lengths, too
        raise NotYetError(f"{_it(place)} is {_kind(yours)}, not {asked}.") from None
    if (array.dtype.kind == "U") != (wanted.dtype.kind == "U") or array.dtype.kind not in "biufcU":
        raise NotYetError(f"{_it(place)} is {_kind(yours)}, not {asked}.")
    if isinstance(yours, list | tuple) and array.size == wanted.size == 1:
        array = array.reshape(wanted.shape)
    if array.shape != wanted.shape and array.ndim == 0:
        raise NotYetError(f"{_it(place)} is {_kind(yours)}, not {asked}.")
    if array.shape != wanted.shape:
        other = " It is transposed." if array.shape == wanted.shape[::-1] else ""
        if array.shape == (1,) and wanted.ndim == 0:
            other = " Write [0] after it to take its one number."
        raise NotYetError(f"{_it(place)} has the shape {array.shape}, not {_asked(wanted)}.{other}")
    return Part(place, array, wanted)


def table(compared: list[Part], rtol: float) -> str:
    """Return the numbers that differ, the learner's and the expected ones in two columns."""
    rows = []
    for part in compared:
        for index in np.argwhere(part.wrong(rtol)):
            at = tuple(index)
            inside = f"[{', '.join(map(str, index.tolist()))}]" if at else ""
            yours, expected = part.yours[at], part.expected[at]
            digits = next((d for d in (6, 9) if number(yours, d) != number(expected, d)), 12)
            rows.append((part.place + inside, number(yours, digits), number(expected, digits)))
    left_out = len(rows) - ROWS if len(rows) > ROWS + 1 else 0
    head = [("", "yours", "expected"), *(rows[:ROWS] if left_out else rows)]
    widths = [max(map(len, column)) for column in zip(*head, strict=True)]
    lines = [
        "".join(f"  {cell:>{width}}" for cell, width in zip(row, widths, strict=True) if width)
        for row in head
    ]
    return "\n".join(lines + [f"  and {left_out} more"] * bool(left_out))


def hint(compared: list[Part], rtol: float) -> str:
    """Return what all numbers have in common that makes them wrong, or nothing."""
    yours = np.concatenate([part.yours.ravel() for part in compared])
    expected = np.concatenate([part.expected.ravel() for part in compared])
    if "U" in (yours.dtype.kind, expected.dtype.kind):
        return ""
    if np.array_equal(yours, np.zeros_like(yours)) or not np.all(np.isfinite(yours)):
        return ""
    which = "Each number" if yours.size > 1 else "The number"
    if not Part("", yours, -expected).wrong(rtol).any():
        return f"{which} has the wrong sign."
    turned = [Part(p.place, p.yours.T, p.expected) for p in compared]
    if all(p.yours.shape == p.expected.shape and not p.wrong(rtol).any() for p in turned):
        return "The array is transposed."
    large = np.abs(expected) > 1e-6 * np.abs(expected).max()
    ratios = yours[large] / expected[large]
    if ratios.size > 1 and not Part("", yours, ratios[0] * expected).wrong(rtol).any():
        return f"Each number is {number(ratios[0], 4)} times the expected one."
    return ""


def _is_sequence(x: Any) -> bool:
    return isinstance(x, list | tuple) or getattr(x, "ndim", 0) > 0


def _it(place: str) -> str:
    return f"the part {place} of your answer" if place else "your answer"


def _asked(wanted: np.ndarray) -> str:
    if wanted.dtype.kind == "U":
        return "a text"
    return f"numbers of shape {wanted.shape}" if wanted.ndim else "a single number"


def _kind(x: Any) -> str:
    if x is None:
        return "None"
    if isinstance(x, str):
        return f"the text {shown(x)}"
    if isinstance(x, Mapping):
        return "a dictionary"
    if callable(x):
        return "a function"
    if isinstance(x, bool | np.bool_):
        return str(x)
    if _is_sequence(x):
        array = hasattr(x, "shape")
        return f"an array of shape {x.shape}" if array else f"a {type(x).__name__} of {len(x)}"
    return f"the number {shown(x)}" if np.isscalar(x) or hasattr(x, "shape") else shown(x)
