"""Wrong: in one mode of AD only, or only in the derivative of the derivative."""

from typing import Any

import jax
import jax.numpy as jnp
from jax import Array, lax

from gallery.case import Case, at, normal
from gallery.faults import forward_distorted, reverse_distorted, second_distorted, with_pullback
from gallery.wrong_factors import wrong


def reverse(name: str, f: Any, args: Any, why: str, off: float, **more: Any) -> Case:
    """Return a case that is right forward and wrong in reverse."""
    return wrong(name, f, args, why, off, fault_in=("rev",), **more)


def forward(name: str, f: Any, args: Any, why: str, off: float, **more: Any) -> Case:
    """Return a case that is wrong forward and right in reverse."""
    return wrong(name, f, args, why, off, fault_in=("fwd",), **more)


def second(name: str, f: Any, args: Any, why: str, off: float, **more: Any) -> Case:
    """Return a case whose first derivative is right and whose second is wrong."""
    return wrong(name, f, args, why, off, order=2, **more)


def solve_untransposed(a: Array, b: Array) -> Array:
    """Return A⁻¹b whose transpose solves with A again, in place of Aᵀ."""
    return lax.custom_linear_solve(
        lambda x: a @ x,
        b,
        lambda _, b: jnp.linalg.solve(a, b),
        transpose_solve=lambda _, c: jnp.linalg.solve(a, c),
    )


def shift_untransposed(x: Array) -> Array:
    """Return x rolled by one, whose transpose rolls the same way, not back."""
    return lax.custom_linear_solve(
        lambda y: jnp.roll(y, -1),
        x,
        lambda _, b: jnp.roll(b, 1),
        transpose_solve=lambda _, c: jnp.roll(c, 1),
    )


def saved_intermediate(x: Array) -> Array:
    """Return x³, with a reverse rule whose saved 3x² is a constant to a second derivative."""
    return with_pullback(lambda x: x**3, lambda s, y, c: (c * lax.stop_gradient(3 * s[0] ** 2),))(x)


def nested_pullback(first: Any, f: Any) -> Any:
    """Return f whose derivative is `first`, itself a function with a rule of its own."""
    return with_pullback(f, lambda s, y, c: (c * first(s[0]),))


sigmoid_slope = with_pullback(
    lambda x: jax.nn.sigmoid(x) * jax.nn.sigmoid(-x),
    lambda s, y, c: (c * y,),  # the factor 1 − 2σ forgotten
)
sine_slope = with_pullback(jnp.cos, lambda s, y, c: (c * jnp.sin(s[0]),))
exp_slope = with_pullback(jnp.exp, lambda s, y, c: (0.99 * c * y,))


def relu_squared_second(x: Array) -> Array:
    """Return max(x, 0)², whose first derivative has a rule that says 1 for 2."""
    slope = with_pullback(
        lambda x: 2 * jnp.maximum(x, 0), lambda s, y, c: (jnp.where(s[0] > 0, c, 0),)
    )
    return nested_pullback(slope, lambda x: jnp.maximum(x, 0) ** 2)(x)


def hessian_of_dispersion(x: Array) -> Array:
    """Return bᵀ∇f with b(x) stopped: the derivative of b along itself is missing at order 2."""
    return jnp.sum(x**2) * 0.5 + jnp.sum(jnp.sin(second_distorted(x, 1.0)))


CASES = (
    reverse(
        "transpose_sign",
        lambda x: jnp.sum(reverse_distorted(jnp.sin(x), -1.0)),
        at([0.5, 1.0]),
        "a sign in the transpose",
        2.0,
    ),
    reverse(
        "transpose_ten_percent",
        lambda x: reverse_distorted(jnp.exp(x), 0.9),
        at([0.5, -1.0]),
        "a factor in the transpose",
        0.1,
    ),
    reverse(
        "transpose_one_percent",
        lambda x: reverse_distorted(jnp.tanh(x), 0.99),
        at([0.5, -1.0]),
        "1 % in the transpose",
        0.01,
    ),
    reverse(
        "transpose_0.1_percent",
        lambda x: reverse_distorted(x**2, 0.999),
        at([0.5, -1.0]),
        "0.1 % in the transpose",
        0.001,
    ),
    reverse(
        "solve_untransposed",
        lambda a, b: solve_untransposed(a + 3 * jnp.eye(3, dtype=a.dtype), b),
        normal(1, (3, 3), (3,)),
        "A for Aᵀ in the transposed solve",
        0.4943,
    ),
    reverse(
        "shift_untransposed",
        lambda x: shift_untransposed(jnp.sin(x)),
        normal(2, (5,)),
        "a shift that is not undone",
        0.3165,
    ),
    reverse(
        "transpose_in_scan",
        lambda x: lax.scan(
            lambda c, _: (jnp.cos(reverse_distorted(c, 0.9)), None), x, None, length=4
        )[0],
        at(0.5),
        "10 % at every step of a scan: 34 % together",
        0.3439,
    ),
    reverse(
        "transpose_one_leaf",
        lambda x, y: jnp.sum(jnp.sin(x)) + jnp.sum(reverse_distorted(y**2, 0.5)),
        at([0.5, 2.0], [1.0]),
        "one leaf of two",
        0.5,
    ),
    forward(
        "forward_sign",
        lambda x: jnp.sum(forward_distorted(jnp.sin(x), -1.0)),
        at([0.5, 1.0]),
        "a sign, forward only",
        2.0,
    ),
    forward(
        "forward_ten_percent",
        lambda x: forward_distorted(jnp.exp(x), 0.9),
        at([0.5, -1.0]),
        "10 %, forward only",
        0.1,
    ),
    forward(
        "forward_one_percent",
        lambda x: forward_distorted(jnp.tanh(x), 0.99),
        at([0.5, -1.0]),
        "1 %, forward only",
        0.01,
    ),
    forward(
        "forward_dropped",
        lambda x, y: jnp.sum(x**2) + jnp.sum(forward_distorted(jnp.sin(y), 0.0)),
        at([1.0], [0.5, 2.0]),
        "a leaf without forward derivative",
        1.0,
    ),
    forward(
        "forward_under_vmap",
        lambda x: jax.vmap(lambda v: forward_distorted(v**2, 2.0))(x),
        at([0.5, 1.5]),
        "twice, inside vmap",
        0.5,
    ),
    second(
        "second_saved_intermediate",
        saved_intermediate,
        at([0.5, -1.5]),
        "what the rule saved is a constant",
        1.0,
        modes=("rev",),
        source="pytorch/pytorch#76185",
    ),
    second(
        "second_sigmoid",
        nested_pullback(sigmoid_slope, jax.nn.sigmoid),
        at([0.5, -1.5]),
        "a wrong Hessian of the sigmoid",
        1.245,
        modes=("rev",),
        source="tensorflow/tensorflow#3767",
    ),
    second(
        "second_sign",
        nested_pullback(sine_slope, jnp.sin),
        at([0.5, 2.0]),
        "a sign in the second derivative",
        2.0,
        modes=("rev",),
    ),
    second(
        "second_one_percent",
        nested_pullback(exp_slope, jnp.exp),
        at([0.5, 2.0]),
        "1 % in the second derivative",
        0.01,
        modes=("rev",),
    ),
    second(
        "second_relu_squared",
        relu_squared_second,
        at([1.5, -1.0]),
        "half of the second derivative",
        0.5,
        modes=("rev",),
    ),
    second(
        "second_extra_term",
        lambda x: jnp.sum(second_distorted(jnp.sin(x), 0.5)),
        at([0.5, 1.0]),
        "an extra term at order 2",
        0.8032,
    ),
    second(
        "second_dispersion",
        hessian_of_dispersion,
        at([0.5, 1.0]),
        "a dependence that the first derivative cannot show",
        0.7732,
        source="zgbkdlm/tme#7",
    ),
    second(
        "second_one_leaf",
        lambda x, y: jnp.sum(x**3) + jnp.sum(second_distorted(y**2, 0.01)),
        at([0.5, 1.0], [1.5]),
        "one leaf of two, at order 2",
        0.043,
    ),
    second(
        "second_stopped_curvature",
        lambda x: jnp.sum(
            lax.stop_gradient(jnp.cos(x)) * x + lax.stop_gradient(jnp.sin(x) - jnp.cos(x) * x)
        ),
        at([0.5, 1.0]),
        "tangent only: value and slope right, no curvature",
        1.0,
    ),
)
