"""The two functions that a user calls: take the arguments apart, ask, and report."""

import dataclasses
import functools
import zlib
from collections.abc import Callable, Collection, Hashable, Sequence
from typing import Any

import jax
import numpy as np
from jax import Array

from gradlab._arguments import describe
from gradlab.checking.cache import Cache, fingerprint
from gradlab.checking.coordinates import Coordinates, Point, apart
from gradlab.checking.gradients import hand_written, second_order
from gradlab.checking.lifting import settings
from gradlab.checking.preparation import Undifferentiable, prepare
from gradlab.checking.progress import Tell, progress
from gradlab.checking.report import GradientReport, LeafReport
from gradlab.checking.search import search
from gradlab.checking.verdicts import WORST_FIRST
from gradlab.checking.wording import describe_finding, undifferentiable

MODES = ("fwd", "rev")
FIRST_DERIVATIVES = {
    "rev": "over rev: of the gradient of f, its outputs summed with fixed random weights",
    "fwd": "over fwd: of the slope of f along a fixed random direction",
}
_cache = Cache()


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

    A derivative outside the interval is wrong, if it is off by more than 2e-5 of the slope, which
    adjoints and solvers stopped at a tolerance can be; less is said, and agrees. Inside, it agrees
    if the interval is narrow: at most 5 % of the slope, mostly less than a millionth. Otherwise
    nobody can tell, and the report says why: noise, a kink, a jump, the edge of the domain.

    A leaf of many elements is looked at along a random direction first. Where that disagrees,
    its elements are checked one by one, or, in a leaf of many thousands, the worse half is halved
    until one is left. Where it agrees, the report says which error in a single element it could
    not have seen: some 1e-5 in float64 among a hundred thousand elements.

    The function is lifted to float64 where that is possible, so the verdict is on the rule; how
    many digits of it are left in the dtype of the arguments is said as well.

    Args:
        f: Function of `args`. Its value may be a number, an array or a pytree of them.
        args: All arguments, as a tuple: `(x,)` for one. Leaves that are not floating point are
            passed on and not differentiated.
        argnums: Which arguments to differentiate; all that can be, if None.
        grad: Gradient function to judge in place of JAX's own, called with all arguments. It
            returns what `jax.grad(f, argnums)` would; for an `f` with an array as its value, what
            `jax.jacobian` would. If `argnums` is None and several arguments can be
            differentiated, it returns a tuple.
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
    _require_arguments(f, order, modes, grad)
    value = _first(f) if has_aux else f
    point = apart(args, argnums)
    coordinates = point.coordinates
    if not any(leaf.size for leaf in coordinates.moving):
        raise TypeError(
            f"args: got {', '.join(describe(a) for a in jax.tree.leaves(args)) or 'nothing'}, "
            "expected a floating-point number to differentiate; write jnp.array([1., 2.])"
        )
    functions, statics = fingerprint((f, grad)), fingerprint(coordinates.statics)
    known = functions is not None and statics is not None
    identity = (functions, statics, has_aux, coordinates.key()) if known else None
    seed = _seed(key)
    modes = tuple(mode for mode in ("rev", "fwd") if mode in modes)

    with settings(), progress() as tell:
        check = functools.partial(_check, point, modes, seed, tell)
        judged = None if grad is None else hand_written(grad, args, argnums, coordinates)
        leaves, notes, known_modes = check(value, identity, judged)
        for mode in known_modes if order == 2 else ():
            derivative = second_order(value, coordinates, mode)
            more, also, _ = check(derivative, None if identity is None else (identity, mode))
            for leaf in more:
                both = " over ".join(filter(None, (leaf.mode, mode)))
                cause = leaf.cause and f"taking the first derivative as f, {leaf.cause}"
                leaves.append(dataclasses.replace(leaf, order=2, mode=both, cause=cause))
            also.append(FIRST_DERIVATIVES[mode])
            notes += [note for note in also if note not in notes]
    return _report(leaves, notes, coordinates)


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
        Nothing; it returns if every verdict is `agree` or allowed.

    Raises:
        AssertionError: If a verdict is neither `agree` nor allowed.
        ValueError: If `allow` holds something that is no verdict.

    Example:
        >>> import jax.numpy as jnp
        >>> assert_grads(jnp.tanh, (0.5,))
    """
    if not isinstance(allow, Collection) or not set(allow) <= set(WORST_FIRST):
        raise ValueError(
            f'allow: got {allow!r}, expected a tuple of verdicts; write allow=("cannot tell",)'
        )
    __tracebackhide__ = True  # pytest shows the test and the report, not this function
    report = check_grads(f, args, **options)
    if any(leaf.verdict not in ("agree", *allow) for leaf in report.leaves):
        raise AssertionError(report)


def _check(
    point: Point,
    modes: Sequence[str],
    seed: int,
    tell: Tell,
    f: Callable[..., Any],
    identity: Hashable | None,
    judged: Callable[..., Any] | None = None,
) -> tuple[list[LeafReport], list[str], list[str]]:
    """Check one function; return what was found, remarks, and the modes that it has."""
    try:
        subject = prepare(f, point, modes, seed, judged, identity, _cache, tell)
    except Undifferentiable as error:
        return undifferentiable(point.coordinates, str(error)), [], []
    leaves = [describe_finding(subject, finding) for finding in search(subject)]
    return leaves, subject.notes, [derivatives.mode for derivatives in subject.derivatives]


def _report(leaves: list[LeafReport], notes: list[str], coordinates: Coordinates) -> GradientReport:
    moved = {leaf.path for leaf in coordinates.moving if leaf.size}
    skipped = (leaf.path for leaf in coordinates.leaves if leaf.path not in moved)
    return GradientReport(tuple(leaves), tuple(notes), tuple(skipped))


def _first(f: Callable[..., Any]) -> Callable[..., Any]:
    def without_aux(*args: Any) -> Any:
        pair = f(*args)
        if not isinstance(pair, tuple) or len(pair) != 2:
            raise TypeError(f"f: got {describe(pair)}, expected a pair, because has_aux is True")
        return pair[0]

    return without_aux


def _require_arguments(f: Any, order: Any, modes: Any, grad: Any) -> None:
    if not callable(f):
        raise TypeError(f"f: got {describe(f)}, expected a function")
    if order not in (1, 2):
        raise ValueError(f"order: got {order!r}, expected 1 or 2")
    if not isinstance(modes, Collection) or not modes or not set(modes) <= set(MODES):
        raise ValueError(f'modes: got {modes!r}, expected some of "fwd" and "rev"; write ("rev",)')
    if grad is not None and not callable(grad):
        raise TypeError(
            f"grad: got {describe(grad)}, expected a function; write grad=lambda x: ..."
        )
    if grad is not None and order == 2:
        raise ValueError("order: got 2 with grad=, expected 1; write check_grads(grad, args)")


def _seed(key: Array | None) -> int:
    if key is None:
        return 0
    if jax.numpy.issubdtype(jax.numpy.result_type(key), jax.dtypes.prng_key):
        key = jax.random.key_data(key)
    return zlib.crc32(np.asarray(key).tobytes())
