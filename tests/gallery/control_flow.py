"""Right: scans, loops, branches, checkpoints, vmap inside, and Python's own control flow."""

from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from gallery.case import ALL, array, at, normal
from gallery.elementwise import right


def rnn(w: jax.Array, xs: jax.Array) -> jax.Array:
    """Return the last state of a recurrent network."""
    step = lambda h, x: (jnp.tanh(w @ h + x), None)
    return lax.scan(step, jnp.zeros(w.shape[0], w.dtype), xs)[0]


def gru(p: dict[str, jax.Array], xs: jax.Array) -> Any:
    """Return the last state of a gated recurrent unit."""

    def step(h: jax.Array, x: jax.Array) -> Any:
        z, r = jax.nn.sigmoid(p["z"] @ h + x), jax.nn.sigmoid(p["r"] @ h - x)
        return (1 - z) * h + z * jnp.tanh(p["h"] @ (r * h) + x), h

    return lax.scan(step, jnp.zeros(2, xs.dtype), xs)


def gru_arguments(dtype: str) -> tuple[Any, ...]:
    """Make the arguments of `gru`."""
    z, r, h, xs = normal(5, (2, 2), (2, 2), (2, 2), (4, 2))(dtype)
    return {"z": z, "r": r, "h": h}, xs


def fixed_carry(x: jax.Array) -> jax.Array:
    """Return a scan whose carry is float32 whatever x is: it cannot be lifted to float64."""
    return lax.scan(lambda c, v: (c + jnp.sin(v), None), jnp.zeros((), jnp.float32), x)[0]


def logistic_map(r: jax.Array) -> jax.Array:
    """Return the logistic map after 20 steps, where it is chaotic."""
    return lax.fori_loop(0, 20, lambda _, x: r * x * (1 - x), jnp.full_like(r, 0.3))


def runge_kutta(theta: jax.Array, y: jax.Array) -> jax.Array:
    """Return a pendulum after 30 steps of the classical Runge–Kutta method."""
    field = lambda y: jnp.stack([y[1], -theta[0] * jnp.sin(y[0]) - theta[1] * y[1]])

    def step(y: jax.Array, _: None) -> Any:
        k1 = field(y)
        k2 = field(y + 0.05 * k1)
        k3 = field(y + 0.05 * k2)
        return y + 0.1 / 6 * (k1 + 2 * k2 + 2 * k3 + field(y + 0.1 * k3)), None

    return lax.scan(step, y, None, length=30)[0]


def python_branch(x: jax.Array) -> jax.Array:
    """Return one of two functions, chosen by Python."""
    return jnp.sin(x) if float(lax.stop_gradient(x)) > 0 else x**2


def countdown(x: jax.Array) -> jax.Array:
    """Return x multiplied until it passes 100, or sixty times: a loop without a reverse mode."""
    going = lambda state: (state[0] < 100) & (state[1] < 60)
    return lax.while_loop(going, lambda state: (state[0] * x, state[1] + 1), (x, 0))[0]


CASES = (
    right("rnn_scan", rnn, normal(1, (3, 3), (5, 3)), "the same weights at every step"),
    right("gru_scan", gru, gru_arguments, "a pytree in, two outputs"),
    right(
        "scan_cumulative",
        lambda x: lax.scan(lambda c, v: (c * v, c + v), x[0], x)[1],
        at([0.5, 1.5, -2.0, 0.75]),
        "carry and outputs",
    ),
    right(
        "scan_reverse",
        lambda x: lax.scan(lambda c, v: (0.9 * c + v**2,) * 2, x[0], x, reverse=True)[1],
        normal(2, (4,)),
        "discounted returns",
    ),
    right(
        "associative_scan",
        lambda x: lax.associative_scan(jnp.multiply, jnp.cos(x)),
        normal(3, (6,)),
        "a tree of products",
    ),
    right(
        "fixed_dtype_carry",
        fixed_carry,
        normal(4, (4,)),
        "raises when lifted to float64",
        dtypes=("float32",),
        twin=lambda x: jnp.sum(jnp.sin(x)),
    ),
    right(
        "fori_logistic_map",
        logistic_map,
        at([3.25, 3.90625]),
        "chaos: slopes of 1e4, curved on 1e-5",
        coarse=("float32",),
        rtol=1e-4,
    ),
    right("runge_kutta", runge_kutta, at([1.0, 0.25], [1.5, 0.0]), "120 evaluations deep"),
    right(
        "cond_true", lambda x: lax.cond(x[0] > 0, jnp.sin, jnp.cos, x), at([0.5, 2.0]), "one branch"
    ),
    right(
        "cond_scalar_joint",
        lambda x: lax.cond(x > 1, lambda y: 2 * y - 1, lambda y: y**2, x),
        at(0.984375),
        "two branches that join smoothly 0.016 away",
    ),
    right(
        "switch", lambda x: lax.switch(2, [jnp.sin, jnp.cos, jnp.tanh], x), at([0.5, -1.0]), "three"
    ),
    right(
        "while_forward_only",
        countdown,
        at(1.25),
        "no reverse mode; a jump 0.02 away",
        modes=("fwd",),
    ),
    right(
        "checkpoint",
        jax.checkpoint(lambda x: jnp.sin(jnp.exp(jnp.sin(x)))),
        at([0.5, 1.5]),
        "recomputed in the reverse pass",
        dtypes=ALL,
    ),
    right(
        "checkpoint_in_scan",
        lambda w, x: lax.scan(
            jax.checkpoint(lambda c, _: (jnp.tanh(w * c), None)), x, None, length=6
        )[0],
        normal(6, (3,), (3,)),
        "both at once",
    ),
    right(
        "vmap_inside",
        lambda w, x: jnp.sum(jax.vmap(lambda v: jnp.tanh(w @ v))(x) ** 2),
        normal(7, (2, 3), (4, 3)),
        "weights shared by a batch",
    ),
    right(
        "vmap_of_grad",
        lambda x: jax.vmap(jax.grad(lambda v: jnp.sin(v) * v))(x),
        at([0.5, 2.0]),
        "a derivative inside",
    ),
    right(
        "hessian_vector",
        lambda x: jax.jvp(jax.grad(lambda v: jnp.sum(v**4)), (x,), (x,))[1],
        at([0.5, -1.5]),
        "second derivatives inside",
    ),
    right(
        "jit_inside",
        lambda x: jax.jit(lambda v: v * jnp.exp(v))(jax.jit(jnp.cos)(x)),
        at([0.5]),
        "nested jit",
    ),
    right("python_branch", python_branch, at(0.75), "cannot be traced by its value", python=True),
    right(
        "python_loop_list",
        lambda xs: sum(x * x for x in xs),
        lambda t: ([*at(1.0, 2.0, 3.0)(t)],),
        "a list of scalars",
    ),
    right("map", lambda x: lax.map(lambda v: jnp.prod(v), x), normal(8, (3, 2)), "lax.map"),
    right(
        "euler_maruyama",
        lambda theta: lax.scan(
            lambda x, n: (x - 0.1 * theta * x + 0.3 * n, x),
            jnp.ones_like(theta),
            array(theta.dtype.name, [0.5, -1.0, 0.25, 1.5, -0.5]),
        )[1],
        at(1.5),
        "a path, noise given",
    ),
)
