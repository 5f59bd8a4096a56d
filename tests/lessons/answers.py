"""Two typical wrong answers to every exercise, by notebook and number, that its check must reject.

Each replaces the cell tagged `exercise` and must run without an error.
"""

WRONG: dict[str, dict[int, list[str]]] = {
    "05_stopping_gradients": {
        1: [
            # the semi-gradient: the target is not differentiated
            """\
def my_gradient(theta, s_tm1, r_t, s_t, discount_t):
    delta = r_t + discount_t * jnp.dot(theta, s_t) - jnp.dot(theta, s_tm1)
    return -2 * delta * s_tm1
""",
            # the discount is lost
            """\
def my_gradient(theta, s_tm1, r_t, s_t, discount_t):
    delta = r_t + discount_t * jnp.dot(theta, s_t) - jnp.dot(theta, s_tm1)
    return 2 * delta * (s_t - s_tm1)
""",
            # the derivative of δ, not of δ²: the factor δ is there, the 2 is not
            """\
def my_gradient(theta, s_tm1, r_t, s_t, discount_t):
    delta = r_t + discount_t * jnp.dot(theta, s_t) - jnp.dot(theta, s_tm1)
    return delta * (discount_t * s_t - s_tm1)
""",
            # another shape
            """\
def my_gradient(theta, s_tm1, r_t, s_t, discount_t):
    return r_t + discount_t * jnp.dot(theta, s_t) - jnp.dot(theta, s_tm1)
""",
        ],
        2: [
            # derivative 1 everywhere
            "my_sign = straight_through(jnp.sign)",
            # the right derivative, but its own value
            """\
def my_sign(x):
    return jnp.clip(x, -1.0, 1.0)
""",
            # the derivative is stopped together with the value
            """\
def my_sign(x):
    return jax.lax.stop_gradient(jnp.clip(x, -1.0, 1.0) - jnp.clip(x, -1.0, 1.0) + jnp.sign(x))
""",
        ],
    },
    "06_per_example_gradients": {
        1: [
            # the batch is looked for in the rows
            "column_grads = jax.vmap(jax.grad(td_loss), in_axes=(None, 0, 0, 0))",
            # the batch in the columns of the result as well
            "column_grads = jax.vmap(jax.grad(td_loss), in_axes=(None, 1, 0, 1), out_axes=1)",
            # states and next states exchanged
            """\
def column_grads(theta, S_tm1, r, S_t):
    return jax.vmap(jax.grad(td_loss), in_axes=(None, 1, 0, 1))(theta, S_t, r, S_tm1)
""",
        ],
        2: [
            # the 2 of the square is lost
            """\
def my_rows(w):
    slope, height = w
    error = slope * flipper[:5] + height - mass[:5]
    return jnp.stack([error * flipper[:5], error], axis=1)
""",
            # the two columns exchanged
            """\
def my_rows(w):
    slope, height = w
    error = slope * flipper[:5] + height - mass[:5]
    return 2 * jnp.stack([error, error * flipper[:5]], axis=1)
""",
            # the mean gradient instead of the rows
            """\
def my_rows(w):
    slope, height = w
    error = slope * flipper[:5] + height - mass[:5]
    return 2 * jnp.stack([error * flipper[:5], error], axis=1).mean(axis=0)
""",
        ],
    },
    "07_jacobians_and_hessians": {
        1: [
            # rows and columns exchanged
            """\
def my_jacobian(polar):
    r, phi = polar
    return jnp.array([[jnp.cos(phi), jnp.sin(phi)], [-r * jnp.sin(phi), r * jnp.cos(phi)]])
""",
            # the sign of the derivative of the cosine
            """\
def my_jacobian(polar):
    r, phi = polar
    return jnp.array([[jnp.cos(phi), r * jnp.sin(phi)], [jnp.sin(phi), r * jnp.cos(phi)]])
""",
            # one row only
            """\
def my_jacobian(polar):
    r, phi = polar
    return jnp.array([jnp.cos(phi), -r * jnp.sin(phi)])
""",
        ],
        2: [
            # right, with the Hessian that the exercise forbids
            """\
def bend(f, x, v):
    return v @ jax.hessian(f)(x) @ v
""",
            # the first derivative in the direction
            """\
def bend(f, x, v):
    return jax.jvp(f, (x,), (v,))[1]
""",
            # the product, not the number
            """\
def bend(f, x, v):
    return jax.jvp(jax.grad(f), (x,), (v,))[1]
""",
            # the Hessian once more, compiled
            """\
def bend(f, x, v):
    return v @ jax.jit(jax.hessian(f))(x) @ v
""",
        ],
    },
}
