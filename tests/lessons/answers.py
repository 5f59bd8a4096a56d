"""Right and wrong answers to the exercises of a lesson, tried in its kernel.

`ASK` goes into a kernel in which a notebook has run. It keeps what the notebook asks of `mark`, so
that other answers can be marked in the same way, and prints what was said to each as JSON. What
the lesson's own functions give does not depend on the answer, so each of them is called once.
"""

ASK = '''
import contextlib as _contextlib, io as _io, json as _json
import gradlab.exercises as _exercises
import gradlab.exercises.marking as _marking
import numpy as _numpy

_asked = []


def mark(answer, *cases, **options):
    """Mark the answer, and remember the question."""
    _asked.append((answer, cases, options))
    return _exercises.mark(answer, *cases, **options)


def _said(answer, cases, options):
    with _contextlib.redirect_stdout(_io.StringIO()) as printed:
        _exercises.mark(answer, *cases, **options)
    return printed.getvalue()


def _as_list(value):
    if isinstance(value, dict):
        return {key: _as_list(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_as_list(part) for part in value]
    if _numpy.ndim(value):
        return [_as_list(part) for part in value]
    return value


@_contextlib.contextmanager
def _called_once(functions):
    """Keep what these give at the cases of one exercise."""
    outcomes, kept = _marking._outcomes, {}

    def once(function, cases, apply):
        if not any(function is own for own in functions):
            return outcomes(function, cases, apply)
        key = (id(function), apply is None)
        if key not in kept:
            kept[key] = outcomes(function, cases, apply)
        return kept[key]

    _marking._outcomes = once
    try:
        yield
    finally:
        _marking._outcomes = outcomes


def _tried():
    """Return what is said to the solution as a list, to answers of no use, and to the mistakes."""
    solution, cases, options = _asked[-1]
    called = callable(solution)
    useless = {"None": None, "a text": "a word", "the dots": ..., "a shape": _numpy.ones((2, 3, 5))}
    if called:
        useless |= {
            "no return": lambda *args: None,
            "returns a text": lambda *args: "a word",
            "returns a shape": lambda *args: _numpy.ones((2, 3, 5)),
            "raises": lambda *args: {}["oops"],
            "a number": 3.7,
        }
    listed = (lambda *args: _as_list(solution(*args))) if called else _as_list(solution)
    mistakes = options["mistakes"]
    with _called_once([options.get("expected"), *mistakes.values()]):
        return {
            "list": None if options.get("apply") else _said(listed, cases, options),
            "useless": {name: _said(answer, cases, options) for name, answer in useless.items()},
            "mistakes": {s: _said(wrong, cases, options) for s, wrong in mistakes.items()},
            "requirements": list(options.get("requirements") or ()),
        }
'''
TELL = "print(_json.dumps(_tried()))"
