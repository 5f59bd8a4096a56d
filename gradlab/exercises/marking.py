"""Mark an answer: what it is, what it gives, and by which mistake it differs."""

import functools
from collections.abc import Callable, Mapping
from typing import Any

from gradlab.exercises.comparing import NotYetError, Part, hint, parts, table
from gradlab.exercises.wording import called_with, explained, filled, shown


def mark(
    answer: Any,
    *cases: tuple[Any, ...],
    expected: Any = None,
    mistakes: Mapping[str, Any] | None = None,
    apply: Callable[[Any], Any] | None = None,
    requirements: Mapping[str, Callable[[Any], Any]] | None = None,
    rtol: float = 1e-4,
) -> None:
    """Print “Correct.”, or “Not yet” with what is wrong and what to write.

    A list of the right numbers counts as an array. A missing `return`, an exception, another shape
    and a text are each told in a sentence. Where numbers differ, they are shown in two columns.

    Args:
        answer: The learner's function; or, without cases, the learner's value.
        *cases: The arguments of each call, as tuples.
        expected: The right function, or without cases the right value. Without it, only the
            requirements decide.
        mistakes: For each common mistake the sentence that names it, and the wrong function, or
            value, that the mistake leads to.
        apply: What is done to the answer before it is called, such as `jax.grad`.
        requirements: What else the answer must fulfil: the sentence that is printed when it does
            not, and a function of the answer that says whether it does.
        rtol: Largest relative error. Near zero, a millionth of the largest number is allowed.

    Raises:
        TypeError: If a case is not a tuple, or a right answer could not be told from a wrong one.

    Example:
        >>> def area(width, height):
        ...     return width + height
        >>> mark(area, (1.5, 4.0), expected=lambda width, height: width * height, mistakes={
        ...     "This is half the perimeter.": lambda width, height: width + height,
        ... })
        Not yet: This is half the perimeter.
        At width = 1.5, height = 4:
          yours  expected
            5.5         6
        >>> mark(lambda width, height: height * width, (1.5, 4.0), expected=lambda a, b: a * b)
        Correct.
    """
    if expected is None and not requirements:
        raise TypeError("expected: got None and no requirements; say what the right answer is")
    if not all(isinstance(case, tuple) for case in cases):
        raise TypeError("cases: each is a tuple of arguments; write (x,) for one argument")
    function_wanted = bool(cases) or (expected is None and apply is not None)
    try:
        _require_kind(answer, expected, function_wanted)
        watched = _watched(answer, texts=apply is None) if callable(answer) else answer
        _require_values(watched, cases, expected, mistakes or {}, apply, rtol)
        for sentence, holds in (requirements or {}).items():
            _require(watched, sentence, holds)
    except NotYetError as told:
        print(f"Not yet: {told}")
    else:
        print("Correct.")


def _require_kind(answer: Any, expected: Any, function_wanted: bool) -> None:
    what = "function" if function_wanted else "answer"
    if answer is None or answer is ...:
        raise NotYetError(f"your {what} is still {answer}. Write it in the cell above and run it.")
    if isinstance(answer, str) and not isinstance(expected, str):
        raise NotYetError(f"your {what} is the text {shown(answer)}. Write it without quotes.")
    if function_wanted and not callable(answer):
        raise NotYetError(filled(f"a function is asked for, and yours is {shown(answer)}."))


def _require_values(
    answer: Any,
    cases: tuple[tuple[Any, ...], ...],
    expected: Any,
    mistakes: Mapping[str, Any],
    apply: Callable[[Any], Any] | None,
    rtol: float,
) -> None:
    """Raise `NotYetError` unless the answer gives what is expected, naming a known mistake."""
    if expected is None and not mistakes:
        return
    yours = _outcomes(answer, cases, apply)
    if isinstance(yours, NotYetError):
        raise yours
    wanted = None if expected is None else _outcomes(expected, cases, None)
    if isinstance(wanted, Exception):
        raise wanted
    if wanted is not None and _same(yours, wanted, rtol):
        return
    named = ""
    for sentence, wrong in mistakes.items():
        if not named and _same(yours, _outcomes(wrong, cases, apply), rtol):
            named = sentence
    if isinstance(yours, Exception):
        raise NotYetError(filled(named) if named else _failed(answer, yours))
    if wanted is None:
        if named:
            raise NotYetError(filled(named))
        return
    raise NotYetError(_difference(answer, cases, expected, yours, wanted, named, rtol))


def _difference(
    answer: Any,
    cases: tuple[tuple[Any, ...], ...],
    expected: Any,
    yours: list[Any],
    wanted: list[Any],
    named: str,
    rtol: float,
) -> str:
    """Return the mistake's sentence, the first case at which it shows, and its numbers."""
    lines = [filled(named)] if named else []
    compared: list[list[Part]] = []
    for index, (value, right) in enumerate(zip(yours, wanted, strict=True)):
        at = called_with(cases[index], answer, expected) if cases else ""
        try:
            compared.append(parts(value, right))
        except NotYetError as told:
            sentence = f"At {at}, {told}" if at else str(told)
            if lines:
                sentence = sentence[0].upper() + sentence[1:]
            return "\n".join([*lines, filled(sentence)])
    first = next(i for i, c in enumerate(compared) if any(p.wrong(rtol).any() for p in c))
    if not named:
        common = hint([part for case in compared for part in case], rtol)
        texts = any(part.expected.dtype.kind == "U" for part in compared[first])
        what = "This text differs" if texts else "These numbers differ"
        lines.append(common or f"{what} from the expected one{'s' * (not texts)}.")
    if at := called_with(cases[first], answer, expected) if cases else "":
        lines.append(filled(f"At {at}:"))
    return "\n".join([*lines, table(compared[first], rtol)])


def _require(answer: Any, sentence: str, holds: Callable[[Any], Any]) -> None:
    try:
        held = bool(holds(answer))
    except NotYetError:
        raise
    except Exception as error:
        raise NotYetError(_failed(answer, error)) from None
    if not held:
        raise NotYetError(filled(sentence))


def _outcomes(
    function: Any, cases: tuple[tuple[Any, ...], ...], apply: Callable[[Any], Any] | None
) -> list[Any] | Exception:
    """Return the value at each case, or the value itself; or the error that stopped it."""
    try:
        applied = apply(function) if apply else function
        return [applied(*case) for case in cases] if cases else [applied]
    except Exception as error:
        return error


def _same(yours: list[Any] | Exception, other: list[Any] | Exception, rtol: float) -> bool:
    if isinstance(yours, Exception) and isinstance(other, Exception):
        return type(yours) is type(other) and explained(yours, None) == explained(other, None)
    if isinstance(yours, Exception) or isinstance(other, Exception):
        return False
    try:
        compared = [part for a, b in zip(yours, other, strict=True) for part in parts(a, b)]
    except NotYetError:
        return False
    return not any(part.wrong(rtol).any() for part in compared)


def _failed(answer: Any, error: Exception) -> str:
    name = getattr(answer, "__name__", "your answer")
    return filled(f"{name} stops with an error.") + "\n" + explained(error, answer)


def _watched(answer: Callable[..., Any], texts: bool) -> Callable[..., Any]:
    """Return the learner's function with a look at whether it returns something of use."""
    if isinstance(answer, type):
        return answer

    @functools.wraps(answer)
    def watched(*args: Any, **options: Any) -> Any:
        value = answer(*args, **options)
        name = getattr(answer, "__name__", "your function")
        if value is None or value is ...:
            raise NotYetError(f"{name} returned {value}. Did you forget `return`?")
        if isinstance(value, str) and not texts:
            raise NotYetError(f"{name} returned the text {shown(value)}. Return numbers.")
        return value

    return watched
