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
}
