"""The true derivative, found without the checker: eighth-order central differences in float64.

At each of twelve steps, each a third of the one before, the difference

    f'(x) ≈ Σⱼ cⱼ ( f(x + j h) − f(x − j h) ) / h,    c = 4/5, −1/5, 4/105, −1/280

has an error of h⁸; where three successive steps agree best, the truncation error has gone and
the round-off error not yet come. How well they agree is the error that is returned.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from gallery.case import Case

_COEFFICIENTS = np.array([4 / 5, -1 / 5, 4 / 105, -1 / 280])
_STEPS = 0.25 * 3.0 ** -np.arange(13)


def leaves_of(args: tuple[Any, ...], argnums: Any = None) -> tuple[list[Any], Any]:
    """Return the leaves that can be differentiated, and how to put new ones in their places."""
    leaves, structure = jax.tree.flatten(args)
    if argnums is None:
        chosen: tuple[int, ...] = tuple(range(len(args)))
    else:
        chosen = argnums if isinstance(argnums, tuple) else (argnums,)
    owners = [i for i, arg in enumerate(args) for _ in jax.tree.leaves(arg)]
    places = [
        i
        for i, leaf in enumerate(leaves)
        if jnp.issubdtype(jnp.result_type(leaf), jnp.inexact) and owners[i] in chosen
    ]

    def put(new: list[Any]) -> Any:
        full = list(leaves)
        for place, leaf in zip(places, new, strict=True):
            full[place] = leaf
        return jax.tree.unflatten(structure, full)

    return [leaves[place] for place in places], put


def paired(tree: Any) -> Any:
    """Return Re Σ wᵢ vᵢ over all floating elements of a tree: one real number, no two w equal.

    A single number keeps the weight 1.
    """
    leaves = [v for v in jax.tree.leaves(tree) if jnp.issubdtype(jnp.result_type(v), jnp.inexact)]
    total: Any = 0.0
    for k, v in enumerate(leaves):
        w = 1 + 0.5 * np.sin(3.0 * np.arange(v.size) + k) if v.size > 1 or k else np.ones(1)
        real = jnp.finfo(v.dtype).dtype
        weights = jnp.asarray(w.reshape(v.shape), real)
        term = jnp.sum(weights * jnp.real(v))
        if jnp.iscomplexobj(v):
            term = term + jnp.sum(weights * weights * jnp.imag(v))
        total = total + term.astype(jnp.float64 if real == jnp.float64 else jnp.float32)
    return total


def scalar(
    case: Case, f: Callable[..., Any], args: tuple[Any, ...]
) -> tuple[Callable[[list[Any]], Any], list[Any]]:
    """Return f as a real function of its floating leaves, and these leaves."""
    leaves, put = leaves_of(args, case.argnums)

    def phi(leaves: list[Any]) -> Any:
        value = f(*put(leaves))
        return paired(value[0] if case.has_aux else value)

    return phi, leaves


def derivative_by_ad(
    phi: Callable[..., Any], mode: str, python: bool = False
) -> Callable[[list[Any]], list[Any]]:
    """Return the gradient of a real function of a list of leaves, by one mode of AD."""
    if mode == "rev":
        return jax.grad(phi)

    def forward(leaves: list[Any]) -> list[Any]:
        found = []
        for k, leaf in enumerate(leaves):
            units = jnp.eye(leaf.size, dtype=leaf.dtype).reshape((leaf.size, *leaf.shape))

            def slope(unit: Any, k: int = k) -> Any:
                tangents = [jnp.zeros_like(x) for x in leaves]
                tangents[k] = unit
                return jax.jvp(phi, (leaves,), (tangents,))[1]

            if python or not leaf.size:  # element by element, outside of any trace
                found.append(jnp.asarray([slope(unit) for unit in units]).reshape(leaf.shape))
                continue
            slopes = jax.lax.map(slope, units)
            if jnp.iscomplexobj(leaf):
                slopes = jax.lax.complex(slopes, -jax.lax.map(slope, 1j * units))
            found.append(slopes.reshape(leaf.shape))
        return found

    return forward


def by_ad(case: Case, args: tuple[Any, ...], mode: str) -> list[np.ndarray]:
    """Return what the case claims as its gradient: by `grad`, or by one mode of JAX's AD."""
    if case.grad is not None:
        return [np.asarray(g) for g in jax.tree.leaves(case.grad(*args))]
    phi, leaves = scalar(case, case.f, args)
    gradient = derivative_by_ad(phi, mode, case.python)
    if case.order == 2:
        gradient = derivative_by_ad(_slope(phi, mode), mode)
    run = gradient if case.python else jax.jit(gradient)
    return [np.asarray(g) for g in run(leaves)]


def by_differences(case: Case, args: tuple[Any, ...], mode: str) -> tuple[list[Any], list[Any]]:
    """Return the true gradient and its error for float64 `args`, leaf by leaf.

    With `order=2` it is that of the first derivative along a fixed direction, as AD has it: the
    same case in order 1 shows that one to be right.
    """
    phi, leaves = scalar(case, case.twin or case.f, args)
    if case.order == 2:
        phi = _slope(phi, mode)
    gradients, errors = [], []
    for k, leaf in enumerate(leaves):
        gradient, error = _leaf_differences(phi, leaves, k, case.python)
        if jnp.iscomplexobj(leaf):
            imaginary, more = _leaf_differences(phi, leaves, k, case.python, unit=1j)
            gradient, error = gradient - 1j * imaginary, np.maximum(error, more)
        gradients.append(gradient)
        errors.append(error)
    return gradients, errors


def _slope(phi: Callable[[list[Any]], Any], mode: str) -> Callable[[list[Any]], Any]:
    """Return the derivative of phi along a fixed direction, itself a function of the leaves."""

    def along(leaves: list[Any]) -> Any:
        if mode == "rev":
            return paired(jax.grad(phi)(leaves))
        ones = [jnp.ones_like(leaf) for leaf in leaves]
        return jax.jvp(phi, (leaves,), (ones,))[1]

    return along


def _leaf_differences(
    phi: Callable[[list[Any]], Any],
    leaves: list[Any],
    k: int,
    python: bool,
    unit: complex = 1.0,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the differences by every element of leaf k, along the real or imaginary axis."""
    leaf = np.asarray(leaves[k])
    if leaf.size == 0:
        return np.zeros(leaf.shape), np.zeros(leaf.shape)
    parts = leaf.imag if unit == 1j else leaf.real
    sizes = np.where(np.abs(leaf) > 0, np.abs(leaf), np.max(np.abs(leaf), initial=0) or 1.0)
    h = sizes.reshape(-1, 1) * _STEPS  # (elements, steps)
    x = parts.reshape(-1, 1, 1)
    j = np.arange(1, 5)
    # The points as they were rounded, so that their rounding costs nothing.
    offsets = np.stack([x + j * h[..., None], x - j * h[..., None]]) - x

    def value(element: Any, offset: Any) -> Any:
        moved = list(leaves)
        flat = jnp.ravel(leaves[k])
        moved[k] = flat.at[element].add(offset.astype(flat.dtype) * unit).reshape(leaf.shape)
        return phi(moved)

    elements = np.broadcast_to(np.arange(leaf.size).reshape(1, -1, 1, 1), offsets.shape)
    flat_offsets, flat_elements = offsets.reshape(-1), elements.reshape(-1)
    if python:
        pairs = zip(flat_elements, jnp.asarray(flat_offsets), strict=True)
        values = np.array([float(value(element, offset)) for element, offset in pairs])
    else:
        run = jax.jit(lambda e, d: jax.lax.map(lambda pair: value(*pair), (e, d)))
        values = np.asarray(run(flat_elements, flat_offsets), np.float64)
    ahead, behind = values.reshape(offsets.shape)
    with np.errstate(invalid="ignore"):  # outside of the domain of f
        slopes = (ahead - behind) / ((offsets[0] - offsets[1]) / 2) * j
        return _most_settled(np.sum(slopes * _COEFFICIENTS, -1), leaf.shape)


def _most_settled(slopes: np.ndarray, shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Return, of slopes of shape (elements, steps), the middle of the three that agree best."""
    change = np.abs(np.diff(slopes, axis=-1))
    change = np.where(np.isfinite(change), change, np.inf)
    error = np.maximum(change[:, 1:], change[:, :-1])
    best = np.argmin(error, axis=-1)
    rows = np.arange(len(slopes))
    return slopes[rows, best + 1].reshape(shape), error[rows, best].reshape(shape)


def one_sided(
    case: Case, args: tuple[Any, ...], gradient: list[np.ndarray]
) -> list[tuple[float, float, float]]:
    """Return the slopes to the left and to the right by every element, and what AD says of each.

    A slope is taken at two steps, 1e-5 and 1e-6; where they differ, it is NaN: it has no limit.
    """
    phi, leaves = scalar(case, case.f, args)
    if case.order == 2:
        phi = _slope(phi, case.modes[-1])
    found = []
    for k, leaf in enumerate(leaves):
        for i in range(leaf.size):

            def value(offset: float, k: int = k, i: int = i) -> float:
                flat = np.ravel(np.asarray(leaves[k])).copy()
                flat[i] += offset
                moved = [*leaves[:k], jnp.asarray(flat).reshape(leaves[k].shape), *leaves[k + 1 :]]
                return float(phi(moved))

            with np.errstate(all="ignore"):
                slopes = [
                    [(value(side * h) - value(0.0)) / (side * h) for h in (1e-5, 1e-6)]
                    for side in (-1, 1)
                ]
            left, right = (
                s[1] if abs(s[0] - s[1]) < 1e-3 * max(1, abs(s[1])) else np.nan for s in slopes
            )
            found.append((left, right, float(np.ravel(gradient[k])[i])))
    return found
