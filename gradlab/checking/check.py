"""The two functions that a user calls: take the arguments apart, ask, and report."""

import dataclasses
import zlib
from collections.abc import Callable, Collection, Sequence
from typing import Any

import jax
import numpy as np
from jax import Array

from gradlab._arguments import describe
from gradlab.checking.arguments import Arguments, argument_numbers, take_apart
from gradlab.checking.gradients import hand_written, second_order
from gradlab.checking.judge import WORST_FIRST
from gradlab.checking.leaves import describe_finding, without_derivative
from gradlab.checking.preparation import prepare
from gradlab.checking.programs import settings
from gradlab.checking.report import GradientReport, LeafReport
from gradlab.checking.search import search
from gradlab.checking.subject import said

MODES = ("fwd", "rev")
FIRST_DERIVATIVES = {
    "rev": "second derivatives in reverse mode are those of the gradient of f, its outputs summed "
    "with fixed random weights",
    "fwd": "second derivatives in forward mode are those of the slope of f along a fixed random "
    "direction",
}


def check_grads(
    f: Callable[..., Any],
    args: tuple[Any, ...],
    *,
    argnums: int | Sequence[int] | None = None,
    grad: Callable[..., Any] | None = None,
    order: int = 1,
    modes: Sequence[str] = MODES,
    has_aux: bool = False,
    key: Array | None = None,
) -> GradientReport:
    """DOC."""
    _require_options(f, order, modes, grad, has_aux)
    value, seed = _first(f) if has_aux else f, _seed(key)
    asked = tuple(mode for mode in ("rev", "fwd") if mode in modes)
    with settings():
        arguments = take_apart(args, argnums)
        judged = None
        if grad is not None:
            numbers = argument_numbers(arguments, argnums)
            alone = isinstance(argnums, int) or (argnums is None and len(numbers) == 1)
            judged = hand_written(grad, arguments, numbers, alone=alone, has_aux=has_aux)
        leaves, notes, raised = _check(value, arguments, asked, seed, judged)
        for mode in asked if order == 2 else ():
            if len(raised.get(mode, ())) == len(arguments.leaves):
                continue
            derivative = second_order(value, arguments, mode)
            more, also, _ = _check(derivative, arguments, asked, seed)
            leaves += [leaf.of_second_order(mode) for leaf in more]
            notes += [note for note in (*also, FIRST_DERIVATIVES[mode]) if note not in notes]
    moved = {leaf.path for leaf in arguments.leaves if leaf.size}
    skipped = tuple(path for path in arguments.paths if path not in moved)
    missing = {
        mode: said(next(iter(errors.values())))
        for mode, errors in raised.items()
        if len(errors) == len(arguments.leaves)
    }
    return GradientReport(tuple(leaves), tuple(notes), skipped, tuple(missing.items()))


def assert_grads(
    f: Callable[..., Any],
    args: tuple[Any, ...],
    *,
    allow: Sequence[str] = (),
    **options: Any,
) -> None:
    """DOC."""
    if (
        isinstance(allow, str)
        or not isinstance(allow, Collection)
        or not all(verdict in WORST_FIRST for verdict in allow)
    ):
        raise ValueError(
            f'allow: got {allow!r}, expected a tuple of verdicts; write allow=("cannot tell",)'
        )
    __tracebackhide__ = True  # pytest shows the test and the report, not this function
    report = check_grads(f, args, **options)
    passed = ("agree", *allow)
    if any(leaf.verdict not in passed for leaf in report.leaves) or (
        report.raised and "cannot tell" not in allow
    ):
        raise AssertionError(report)


def _check(
    f: Callable[..., Any],
    arguments: Arguments,
    modes: Sequence[str],
    seed: int,
    judged: Callable[..., Any] | None = None,
) -> tuple[list[LeafReport], list[str], dict[str, dict[int, Exception]]]:
    """Check one function; return what was found, remarks, and the modes that JAX does not have."""
    subject = prepare(f, arguments, modes, seed, judged)
    findings = search(subject) if subject.modes else []
    found = {finding.leaf.path: describe_finding(subject, finding) for finding in findings}
    raised = subject.programs.raised
    leaves = []
    for leaf in subject.leaves:
        report = found.get(leaf.path) or without_derivative(subject, leaf)
        error = raised.get("rev", {}).get(arguments.leaves.index(leaf))
        if error is not None and report.verdict == "agree":
            cause = f"jax.grad raises an error: {said(error)}; forward mode agrees with FD"
            hint = 'leave reverse mode out with modes=("fwd",)'
            report = dataclasses.replace(report, verdict="cannot tell", cause=cause, hint=hint)
        leaves.append(report)
    return leaves, subject.notes, raised


def _first(f: Callable[..., Any]) -> Callable[..., Any]:
    def without_aux(*args: Any) -> Any:
        pair = f(*args)
        if not isinstance(pair, tuple) or len(pair) != 2:
            raise TypeError(f"f: got {describe(pair)}, expected a pair, because has_aux is True")
        return pair[0]

    return without_aux


def _require_options(f: Any, order: Any, modes: Any, grad: Any, has_aux: Any) -> None:
    if not callable(f):
        raise TypeError(f"f: got {describe(f)}, expected a function")
    if isinstance(order, bool) or not isinstance(order, int) or order not in (1, 2):
        raise ValueError(f"order: got {order!r}, expected 1 or 2")
    known = isinstance(modes, tuple | list | set | frozenset) and all(m in MODES for m in modes)
    if not known or not modes:
        raise ValueError(f'modes: got {modes!r}, expected some of "fwd" and "rev"; write ("rev",)')
    if not isinstance(has_aux, bool):
        raise TypeError(f"has_aux: got {describe(has_aux)}, expected True or False")
    if grad is not None and not callable(grad):
        raise TypeError(
            f"grad: got {describe(grad)}, expected a function; write grad=lambda x: ..."
        )
    if grad is not None and order == 2:
        raise ValueError("order: got 2 with grad=, expected 1; write check_grads(grad, args)")


def _seed(key: Any) -> int:
    if key is None:
        return 0
    dtype = getattr(key, "dtype", None)
    if dtype is not None and jax.numpy.issubdtype(dtype, jax.dtypes.prng_key):
        key = jax.random.key_data(key)
    elif dtype != np.uint32:
        raise TypeError(f"key: got {describe(key)}, expected a random key; write jax.random.key(0)")
    return zlib.crc32(np.asarray(key).tobytes())
