"""The two functions that a user calls: take the arguments apart, ask, and report."""

import dataclasses
import zlib
from collections.abc import Callable, Collection, Sequence
from typing import Any

import jax
import numpy as np
from jax import Array

from gradlab._arguments import describe
from gradlab.checking.arguments import Arguments, take_apart
from gradlab.checking.gradients import hand_written, second_order
from gradlab.checking.judge import WORST_FIRST
from gradlab.checking.leaf_report import LeafReport
from gradlab.checking.leaves import describe_finding, without_derivative
from gradlab.checking.preparation import prepare, settings
from gradlab.checking.report import GradientReport
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
    """Compare what automatic differentiation says with what finite differences say.

    For every leaf of the arguments the verdict is `agree`, `wrong` or `cannot tell`, with the
    reason. There is no step size and no tolerance to choose: f is evaluated at steps of many
    sizes, the noise in its values is measured, and from both follows an interval for the slope,

        lim ( f(x + t d) − f(x − t d) ) / 2t,    t → 0

    A derivative outside the interval is wrong if it differs by more than 2e-5 of the slope. A
    smaller difference is mentioned and agrees, because adjoints, and solvers that stop at a
    tolerance, cause such differences. Inside, it agrees
    if the interval is narrow: at most 5 % of the slope, mostly less than a millionth. Otherwise
    nobody can tell, and the report says why: noise, a kink, a jump, the edge of the domain.

    A leaf of many elements is looked at along a random direction first. Where that disagrees,
    its elements are checked one by one, or, in a leaf of many thousands, the worse half is halved
    until one is left. Where it agrees, the report says which error in a single element it could
    not have seen: some 1e-5 in float64 among a hundred thousand elements.

    Value, gradient and slope are traced as they are, in the dtypes that f has, and run twice: as
    they are, and with float64 in place of every coarser dtype. The second tells whether the
    derivative is right. The first tells whether the dtype is enough: a gradient that is NaN,
    infinite or without a right digit as the user runs it never agrees.

    If JAX does not have one of the modes for f, the report says so in its headline, and is not
    `ok`; leave the mode out with `modes`. A leaf that `jax.grad` cannot differentiate is `cannot
    tell`.

    Args:
        f: Function of `args`. Its value may be a number, an array or a pytree of them.
        args: All arguments, as a tuple: `(x,)` for one. Leaves that are not floating point are
            passed on and not differentiated.
        argnums: Which arguments to differentiate; all that can be, if None.
        grad: Gradient function to judge in place of JAX's own, called with all arguments. It
            returns what `jax.grad(f, argnums)`, `jax.value_and_grad(f, argnums)` or, for an `f`
            with an array as its value, `jax.jacobian` would. If `argnums` is None and several
            arguments can be differentiated, it returns a tuple.
        order: 2 to check the derivative of the derivative as well.
        modes: Modes of differentiation to check, of `"fwd"` and `"rev"`.
        has_aux: Whether f returns a pair, of which the second is not differentiated.
        key: Where the random directions come from. By default always the same ones.

    Returns:
        A report that prints itself; see `GradientReport`.

    Raises:
        TypeError: If `args` is not a tuple or nothing in it can be differentiated.
        ValueError: If `argnums`, `order` or `modes` is out of range, or what `grad` returned has
            another shape than its argument.
        Exception: Whatever f itself raises at `args`.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> x = jnp.array([0.5, 1.0])
        >>> check_grads(lambda x: jnp.sum(jnp.sin(x)), (x,)).verdict
        'agree'
        >>> report = check_grads(lambda x: jnp.sum(x * jax.lax.stop_gradient(x)), (x,))
        >>> report.verdict, report.leaves[0].ad, round(report.leaves[0].fd, 6)
        ('wrong', 1.0, 2.0)

    References:
        Lepski, On a problem of adaptive estimation in Gaussian white noise, 1991.
        Moré and Wild, Estimating derivatives of noisy simulations, 2012.
    """
    _require_options(f, order, modes, grad, has_aux)
    value, seed = _first(f) if has_aux else f, _seed(key)
    asked = tuple(mode for mode in ("rev", "fwd") if mode in modes)
    with settings():
        arguments = take_apart(args, argnums)
        judged = None
        if grad is not None:
            alone = len(arguments.numbers) == 1 and not isinstance(argnums, tuple | list)
            judged = hand_written(grad, arguments, alone=alone, has_aux=has_aux)
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
    missing = {mode: said(next(iter(errors.values()))) for mode, errors in raised.items() if errors}
    return GradientReport(tuple(leaves), tuple(notes), skipped, tuple(missing.items()))


def assert_grads(
    f: Callable[..., Any],
    args: tuple[Any, ...],
    *,
    allow: Sequence[str] = (),
    **options: Any,
) -> None:
    """Raise `AssertionError` with the printed report unless every leaf's gradient agrees.

    Args:
        f: As in `check_grads`.
        args: As in `check_grads`.
        allow: Verdicts that pass besides `"agree"`: `("cannot tell",)` where a test accepts what
            cannot be decided.
        **options: All other arguments of `check_grads`.

    Returns:
        Nothing; it returns if every verdict is `agree` or allowed, and JAX has every mode that was
        asked for. A missing mode counts as `cannot tell`.

    Raises:
        AssertionError: If a verdict is neither `agree` nor allowed.
        ValueError: If `allow` holds something that is no verdict.

    Example:
        >>> import jax.numpy as jnp
        >>> assert_grads(jnp.tanh, (0.5,))
    """
    several = isinstance(allow, Collection) and not isinstance(allow, str)
    if not several or not all(verdict in WORST_FIRST for verdict in allow):
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
