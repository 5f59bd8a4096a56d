"""Right: solvers that iterate to a tolerance, and implicit differentiation with a right rule."""

from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from gallery.case import at, normal
from gallery.elementwise import right
from gallery.faults import with_pullback


def newton_root(a: jax.Array, tolerance: float) -> jax.Array:
    """Return the root of y³ + y = a by Newton, stopped when a step is below the tolerance."""

    def body(state: Any) -> Any:
        y, _ = state
        step = (y**3 + y - a) / (3 * y**2 + 1)
        return y - step, jnp.max(jnp.abs(step))

    start = (jnp.ones_like(a), jnp.asarray(jnp.inf, a.dtype))
    return lax.while_loop(lambda s: s[1] > tolerance, body, start)[0]


def implicit_root(tolerance: float) -> Any:
    """Return `newton_root` with dy/da = 1 / (3y² + 1), from the implicit function theorem."""
    return with_pullback(
        lambda a: newton_root(a, tolerance), lambda args, y, c: (c / (3 * y**2 + 1),)
    )


def slow_fixed_point(tolerance: float) -> Any:
    """Return y = cos(a y)/2 by substitution, stopped at a tolerance, differentiated implicitly."""

    def solve(a: jax.Array) -> jax.Array:
        def body(state: Any) -> Any:
            y, _ = state
            new = jnp.cos(a * y) / 2
            return new, jnp.max(jnp.abs(new - y))

        start = (jnp.zeros_like(a), jnp.asarray(jnp.inf, a.dtype))
        return lax.while_loop(lambda s: s[1] > tolerance, body, start)[0]

    def pullback(args: Any, y: jax.Array, c: jax.Array) -> Any:
        (a,) = args
        sine = jnp.sin(a * y) / 2
        return (c * -sine * y / (1 + sine * a),)

    return with_pullback(solve, pullback)


def custom_root(a: jax.Array) -> jax.Array:
    """Return the root of y³ + y = a by `lax.custom_root`, which differentiates in both modes."""

    def solve(f: Any, y: jax.Array) -> jax.Array:
        slope = lambda y: jax.jvp(f, (y,), (jnp.ones_like(y),))[1]
        return lax.fori_loop(0, 12, lambda _, y: y - f(y) / slope(y), y)

    return lax.custom_root(
        lambda y: y**3 + y - a, jnp.ones_like(a), solve, lambda g, b: b / g(jnp.ones_like(b))
    )


def unrolled_descent(a: jax.Array, b: jax.Array) -> jax.Array:
    """Return the point after forty steps of gradient descent on a quadratic."""
    grad = lambda x: a.T @ (a @ x - b)
    return lax.fori_loop(0, 40, lambda _, x: x - 0.05 * grad(x), jnp.zeros(a.shape[1], a.dtype))


def sinkhorn(cost: jax.Array) -> jax.Array:
    """Return the entropic transport cost between uniform weights, thirty iterations unrolled."""
    kernel = jnp.exp(-cost)

    def body(_: int, v: jax.Array) -> jax.Array:
        return 1 / (kernel.T @ (1 / (kernel @ v)))

    v = lax.fori_loop(0, 30, body, jnp.ones(cost.shape[1], cost.dtype))
    u = 1 / (kernel @ v)
    return jnp.sum(u[:, None] * kernel * v[None] * cost)


def bisection(a: jax.Array) -> jax.Array:
    """Return √a by 50 bisections, all comparisons; the gradient is given by hand."""

    def body(_: int, ends: Any) -> Any:
        low, high = ends
        middle = (low + high) / 2
        above = middle**2 > a
        return jnp.where(above, low, middle), jnp.where(above, middle, high)

    return lax.fori_loop(0, 50, body, (jnp.zeros_like(a), a + 1))[1]


def adjoint_decay(theta: jax.Array, y0: jax.Array) -> jax.Array:
    """Return y(1) of y' = −θ y³ by 64 midpoint steps, the gradient by the continuous adjoint."""
    field = lambda theta, y: -theta * y**3
    n = 64

    def solve(theta: jax.Array, y0: jax.Array) -> jax.Array:
        def step(_: int, y: jax.Array) -> jax.Array:
            return y + field(theta, y + field(theta, y) / (2 * n)) / n

        return lax.fori_loop(0, n, step, y0)

    def pullback(args: Any, y1: jax.Array, c: jax.Array) -> Any:
        theta, _ = args

        def backward(_: int, state: Any) -> Any:
            def slope(state: Any) -> Any:
                y, a, _ = state
                return (field(theta, y), 3 * theta * y**2 * a, a * y**3)

            half = jax.tree.map(lambda s, d: s - d / (2 * n), state, slope(state))
            return jax.tree.map(lambda s, d: s - d / n, state, slope(half))

        _, a, g = lax.fori_loop(0, n, backward, (y1, c, jnp.zeros_like(c)))
        return g, a

    return with_pullback(solve, pullback)(theta, y0)


def root_formula(a: jax.Array) -> jax.Array:
    """Return the root of y³ + y = a by Cardano, for finite differences."""
    root = jnp.sqrt(a**2 / 4 + 1 / 27)
    return jnp.cbrt(a / 2 + root) + jnp.cbrt(a / 2 - root)


CASES = (
    right(
        "newton_to_1e-3",
        implicit_root(1e-3),
        at([0.5, 3.0, 20.0]),
        "stopped at 1e-3, exact to 1e-6 thanks to Newton",
        modes=("rev",),
        twin=root_formula,
        rtol=1e-4,
    ),
    right(
        "newton_converged",
        implicit_root(1e-5),
        at([0.5, 3.0]),
        "implicit and converged",
        modes=("rev",),
        twin=root_formula,
    ),
    right(
        "newton_unrolled_forward",
        lambda a: newton_root(a, 1e-3),
        at([0.5, 3.0]),
        "the loop itself, forward",
        modes=("fwd",),
        twin=root_formula,
        rtol=1e-3,
    ),
    right(
        "substitution_to_1e-3",
        slow_fixed_point(1e-3),
        at([1.0]),
        "stopped at 1e-3: its own slope is 1e-3 away from the implicit one, and jumps",
        modes=("rev",),
        twin=slow_fixed_point(1e-14),
        rtol=5e-3,
    ),
    right(
        "substitution_to_1e-6",
        slow_fixed_point(1e-6),
        at([1.0]),
        "stopped at 1e-6",
        modes=("rev",),
        twin=slow_fixed_point(1e-14),
        rtol=1e-5,
    ),
    right("custom_root", custom_root, at([0.5, 3.0]), "implicit, both modes", twin=root_formula),
    right("unrolled_descent", unrolled_descent, normal(1, (4, 2), (4,)), "forty steps"),
    right("sinkhorn", sinkhorn, normal(2, (3, 4)), "thirty alternating scalings"),
    right(
        "bisection_by_hand",
        with_pullback(bisection, lambda args, y, c: (c / (2 * y),)),
        at([2.0, 9.0]),
        "comparisons inside: f is a staircase at the last digits",
        modes=("rev",),
        twin=jnp.sqrt,
    ),
    right(
        "continuous_adjoint",
        adjoint_decay,
        at(1.5, 1.25),
        "optimise-then-discretise: right to the solver's error, 0.3 %",
        modes=("rev",),
        rtol=5e-3,
    ),
    right(
        "grad_by_hand",
        lambda x: jnp.sum(x**2) + jnp.prod(x),
        at([1.0, 2.0, -3.0]),
        "a learner's gradient",
        grad=lambda x: 2 * x + jnp.prod(x) / x,
    ),
    right(
        "grad_by_hand_two",
        lambda w, x: jnp.sum((w * x - 1) ** 2),
        at([1.0, 2.0], [0.5, -1.0]),
        "a learner's gradient by one of two arguments",
        argnums=0,
        grad=lambda w, x: 2 * x * (w * x - 1),
    ),
)
