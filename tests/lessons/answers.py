"""Two typical wrong answers to every exercise, by notebook and number, that its check must reject.

Each replaces the cell tagged `exercise` and must run without an error.
"""

WRONG: dict[str, dict[int, list[str]]] = {
    "01_first_gradients": {
        1: [
            # The product rule forgotten, the factor 3 of the chain rule forgotten.
            "def my_derivative(x): return 2 * x * 3 * jnp.cos(3 * x)",
            "def my_derivative(x): return 2 * x * jnp.sin(3 * x) + x**2 * jnp.cos(3 * x)",
        ],
        2: [
            """
            def to_the_bottom(f, x):  # the wrong way
                for _ in range(5):
                    x = x + jax.grad(f)(x) / jax.grad(jax.grad(f))(x)
                return x
            """,
            """
            def to_the_bottom(f, x):  # looks for a zero of f instead
                for _ in range(5):
                    x = x - f(x) / jax.grad(f)(x)
                return x
            """,
        ],
        3: [
            """
            def my_gradient(ball):  # by the mass: without the height
                return {
                    "mass": ball["speed"] ** 2 / 2,
                    "speed": ball["mass"] * ball["speed"],
                    "height": ball["mass"] * 9.81,
                }
            """,
            """
            def my_gradient(ball):  # by the speed: the ½ stays
                return {
                    "mass": ball["speed"] ** 2 / 2 + 9.81 * ball["height"],
                    "speed": ball["mass"] * ball["speed"] / 2,
                    "height": ball["mass"] * 9.81,
                }
            """,
        ],
    },
    "02_random_walks": {
        1: [
            # As for the last position; and the part of the mean left in the walk.
            "def my_gradient(mean, sd): return 64.0, average_position(0.0, 1.0)",
            "def my_gradient(mean, sd): return 32.5, average_position(mean, sd) / sd",
        ],
        2: [
            """
            def estimates(ends, mean, sd):  # pathwise: each sample by itself
                return jax.vmap(jax.grad(lambda end: jnp.where(end > 10, 1.0, 0.0)))(ends)
            """,
            """
            def estimates(ends, mean, sd):  # the variance taken for the standard deviation
                log_density = lambda mean, end: norm.logpdf(end, 64 * mean, 64 * sd**2)
                score = jax.vmap(jax.grad(log_density), (None, 0))(mean, ends)
                return jnp.where(ends > 10, 1.0, 0.0) * score
            """,
        ],
    },
    "03_particles_on_a_landscape": {
        1: [
            """
            def my_move(gradient_func, samples, step_size):  # uphill
                return samples + step_size * jax.vmap(gradient_func)(samples)
            """,
            """
            def my_move(gradient_func, samples, step_size):  # all particles at once
                return samples - step_size * gradient_func(samples)
            """,
        ],
        2: [
            # The end of the monotone range; and what is right for x² only.
            "def longest_step(f, bottom): return 1 / jax.grad(jax.grad(f))(bottom)",
            "def longest_step(f, bottom): return 1.0",
        ],
    },
    "04_logistic_regression": {
        1: [
            """
            def my_gradient(W, b):  # the sign of the error
                error = targets - predict(W, b, inputs)
                return error @ inputs, error.sum()
            """,
            """
            def my_gradient(W, b):  # the mean instead of the sum, for b
                error = predict(W, b, inputs) - targets
                return error @ inputs, error.mean()
            """,
        ],
        2: [
            """
            def my_loss(z, y):  # e to the 200 is too large
                return y * jnp.log(1 + jnp.exp(-z)) + (1 - y) * jnp.log(1 + jnp.exp(z))
            """,
            """
            def my_loss(z, y):  # finite, and flat
                p = jnp.clip(sigmoid(z), 1e-7, 1 - 1e-7)
                return -jnp.log(p * y + (1 - p) * (1 - y))
            """,
        ],
    },
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
        3: [
            # the diagonal alone
            "def softmax_jacobian(x): return jnp.diag(jax.nn.softmax(x) * (1 - jax.nn.softmax(x)))",
            # the sign of what is off the diagonal
            """\
def softmax_jacobian(x):
    s = jax.nn.softmax(x)
    return jnp.diag(s) + jnp.outer(s, s)
""",
            # right for four numbers, and for no others
            """\
def softmax_jacobian(x):
    s = jax.nn.softmax(x)
    return jnp.eye(4) * s - jnp.outer(s, s)
""",
        ],
    },
    "08_when_gradients_lie": {
        1: [
            # transposed, but the derivative of tanh forgotten
            """\
@jax.custom_vjp
def layer(W, b, x):
    return jnp.tanh(W @ x + b)


def forward(W, b, x):
    y = layer(W, b, x)
    return y, (W, x, y)


def backward(kept, g):
    W, x, y = kept
    return jnp.outer(g, x), g, W.T @ g


layer.defvjp(forward, backward)
""",
            # transposed, and the outer product the wrong way round
            """\
@jax.custom_vjp
def layer(W, b, x):
    return jnp.tanh(W @ x + b)


def forward(W, b, x):
    y = layer(W, b, x)
    return y, (W, x, y)


def backward(kept, g):
    W, x, y = kept
    g = g * (1 - y**2)
    return jnp.outer(x, g), g, W.T @ g


layer.defvjp(forward, backward)
""",
            # right slopes, of another function
            """\
@jax.custom_vjp
def layer(W, b, x):
    return W @ x + b


def backward(kept, g):
    W, x = kept
    return jnp.outer(g, x), g, W.T @ g


layer.defvjp(lambda W, b, x: (layer(W, b, x), (W, x)), backward)
""",
        ],
        2: [
            # the ends forgotten: as if the first and the last bead were neighbours
            """\
def my_gradient(p):
    stretch = jnp.diff(p) - 1
    return jnp.append(0.0, stretch) + jnp.append(stretch, 0.0)
""",
            # the sign
            """\
def my_gradient(p):
    stretch = jnp.diff(p) - 1
    return jnp.append(stretch, 0.0) - jnp.append(0.0, stretch)
""",
            # one number for each spring
            """\
def my_gradient(p):
    return jnp.diff(p) - 1
""",
        ],
        3: [
            # clipping: the slope of the root is infinite at 0
            """\
def dome(x):
    return jnp.where(jnp.abs(x) < 1, jnp.sqrt(jnp.maximum(1 - x**2, 0.0)), 0.0)
""",
            # no nan, but no longer 0 outside
            """\
def dome(x):
    return jnp.sqrt(jnp.maximum(1 - x**2, 1e-4))
""",
            # the value repaired, which was right
            """\
def dome(x):
    return jnp.nan_to_num(jnp.sqrt(1 - x**2))
""",
        ],
    },
    "09_many_devices": {
        1: [
            # rows dropped
            """\
def deal_out(rows):
    rows = rows[: len(rows) // 8 * 8]
    return jax.device_put(rows, dealt_out), jax.device_put(jnp.ones(len(rows)), dealt_out)
""",
            # padding counts as much as the rest
            """\
def deal_out(rows):
    padded = jnp.pad(rows, ((0, -len(rows) % 8), (0, 0)))
    return jax.device_put(padded, dealt_out), jax.device_put(jnp.ones(len(padded)), dealt_out)
""",
            # copied to every device
            """\
def deal_out(rows):
    missing = -len(rows) % 8
    padded = jnp.pad(rows, ((0, missing), (0, 0)))
    weights = jnp.pad(jnp.ones(len(rows)), (0, missing))
    return jax.device_put(padded, copied), jax.device_put(weights, copied)
""",
        ],
        2: [
            # the sum
            """\
def mean_gradient(theta, s_tm1, r_t, s_t):
    return jnp.sum(per_example_grads(td_loss)(theta, s_tm1, r_t, s_t), axis=0)
""",
            # all rows go to all devices first
            """\
def mean_gradient(theta, s_tm1, r_t, s_t):
    grads = per_example_grads(td_loss)(theta, s_tm1, r_t, s_t)
    grads = jax.lax.with_sharding_constraint(grads, copied)
    return jnp.mean(grads, axis=0)
""",
            # the gradient of the other loss, whose target is not stopped
            """\
def mean_gradient(theta, s_tm1, r_t, s_t):
    loss = lambda theta, *row: td_loss(theta, *row, stop_target=False)
    return jnp.mean(per_example_grads(loss)(theta, s_tm1, r_t, s_t), axis=0)
""",
        ],
    },
}
