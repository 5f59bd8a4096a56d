"""What a case of the gallery is, and the points at which its function is differentiated.

A case holds functions only: its arrays are made when `case.arguments(dtype)` is called, so that
importing the gallery costs nothing and float64 arrays are made where float64 is enabled.
"""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import jax
import jax.numpy as jnp
import ml_dtypes
import numpy as np

Maker = Callable[[str], tuple[Any, ...]]
FLOATS = ("float32", "float64")
ALL = ("bfloat16", "float16", "float32", "float64")


@dataclass(frozen=True)
class Case:
    """One function at one point, and what a checker should say of its gradient there.

    Attributes:
        name: Unique in the gallery.
        f: Takes `*args`. Its gradient is JAX's own, or `grad`.
        args: Makes the arguments, given the name of a dtype.
        kind: `right`; `wrong`, by `off` of its size; `none`, where no gradient exists; or
            `unusable`, where the rule is right and the number that the user gets is NaN,
            infinite, or without a right digit.
        why: What is hard about a right one, what is wrong with a wrong one.
        dtypes: Those in which the case makes sense.
        order: 2 where it is the derivative of the derivative that is meant.
        modes: Those which JAX has for f; a `custom_vjp` has no "fwd", a `while` loop no "rev".
        fault_in: Of a wrong one: the modes that are wrong; the others are right.
        off: Of a wrong one: |AD − true| / max(|AD|, |true|) at the worst element; a flipped sign
            is 2, a dropped or invented derivative is 1, a factor 0.99 is 0.01.
        grad: A gradient by hand, called as f is, to be judged in place of JAX's.
        argnums: What `grad` and the checker differentiate by; None is everything of floating type.
        has_aux: f returns a pair, of which the second is not differentiated.
        twin: A function with the same derivative that finite differences can take: without the
            noise, the casts, the jumps of f. By default f.
        closed: The gradient in closed form, called as f is, where there is no such twin.
        rtol: How far the derivative of f may honestly be from that of its twin, such as the
            tolerance at which a solver stops, or half a unit in the last place of an inner cast.
        coarse: Dtypes too coarse for the gradient itself: the rule is right, its value is not.
        python: f branches on values or leaves JAX, so that it cannot be traced by its value.
        sides_agree: Of a point without an obvious gradient: both one-sided slopes are equal to
            what AD says, so that "agree" is no mistake.
        source: Where the bug was met.
        tolerated: Verdicts that are not the best one and still no mistake.
        asked_modes: What the checker is given as `modes`; by default nothing.
        passes: Whether `assert_grads` must pass (True) or raise (False), where the case says so.
        says: Words that the printed report must have; `a|b` is either of two.
        never_says: Words that it must not have.
        headline: The same for the report's first paragraph.
        where: A piece of the line of source that `LeafReport.where` must name.
        of_leaves: The verdict expected of every leaf, where they differ.
    """

    name: str
    f: Callable[..., Any]
    args: Maker
    kind: Literal["right", "wrong", "none", "unusable"]
    why: str
    dtypes: tuple[str, ...] = FLOATS
    order: int = 1
    modes: tuple[str, ...] = ("fwd", "rev")
    fault_in: tuple[str, ...] = ("fwd", "rev")
    off: float = 0.0
    grad: Callable[..., Any] | None = None
    argnums: int | tuple[int, ...] | None = None
    has_aux: bool = False
    twin: Callable[..., Any] | None = None
    closed: Callable[..., Any] | None = None
    rtol: float = 1e-6
    coarse: tuple[str, ...] = ()
    python: bool = False
    sides_agree: bool = False
    source: str = ""
    tolerated: tuple[str, ...] = ()
    asked_modes: tuple[str, ...] | None = None
    passes: bool | None = None
    says: tuple[str, ...] = ()
    never_says: tuple[str, ...] = ()
    headline: tuple[str, ...] = ()
    where: str = ""
    of_leaves: tuple[str, ...] = ()

    def arguments(self, dtype: str) -> tuple[Any, ...]:
        """Make the arguments; call it and use them inside `precision(dtype)`."""
        return self.args(dtype)


@contextlib.contextmanager
def precision(dtype: str) -> Iterator[None]:
    """Enable 64-bit types for a case in float64 (or complex128), and only for it."""
    with jax.enable_x64(dtype in ("float64", "complex128")):
        yield


def array(dtype: str, values: Any) -> jax.Array:
    """Return `values` rounded to 8 significant bits: the same point in every dtype."""
    coarse = np.asarray(values, np.float64).astype(ml_dtypes.bfloat16).astype(np.float64)
    return jnp.asarray(coarse, dtype)


def at(*values: Any) -> Maker:
    """Return a maker of one argument for each of `values`, a number or nested lists of them."""
    return lambda dtype: tuple(array(dtype, value) for value in values)


def normal(seed: int, *shapes: tuple[int, ...], scale: float = 1.0, shift: float = 0.0) -> Maker:
    """Return a maker of one normally distributed argument for each shape, always the same."""

    def make(dtype: str) -> tuple[Any, ...]:
        rng = np.random.default_rng(seed)
        return tuple(array(dtype, shift + scale * rng.standard_normal(shape)) for shape in shapes)

    return make


def uniform(seed: int, *shapes: tuple[int, ...], low: float = 0.0, high: float = 1.0) -> Maker:
    """Return a maker of one uniformly distributed argument for each shape, always the same."""

    def make(dtype: str) -> tuple[Any, ...]:
        rng = np.random.default_rng(seed)
        return tuple(array(dtype, rng.uniform(low, high, shape)) for shape in shapes)

    return make
