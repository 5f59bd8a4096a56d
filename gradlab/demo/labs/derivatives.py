"""First gradients: what `jax.grad` returns, by which argument, and how often it can be repeated."""

import jax
import jax.numpy as jnp
import pandas as pd

import gradlab
from gradlab import plots
from gradlab.demo.findings import Findings, Picture, Settings
from gradlab.demo.self_checks import check_close, check_gradient


def polynomial(x: jax.Array) -> jax.Array:
    """Return x³ + 2x² − 3x + 1."""
    return x**3 + 2 * x**2 - 3 * x + 1


def run(settings: Settings) -> Findings:
    """Differentiate once, by two arguments, and again and again."""
    product = jax.grad(lambda x, y: x * y, (0, 1))(1.5, 4.0)
    two_variables = jax.grad(
        lambda x, y: gradlab.sine_squared(x) + 0.05 * gradlab.quadratic(y), (0, 1)
    )
    first = pd.DataFrame(
        [
            ("x", "6", f"{jax.grad(lambda x: x)(6.0):g}"),
            ("x + 1", "5", f"{jax.grad(lambda x: x + 1.0)(5.0):g}"),
            ("x · y", "(1.5, 4)", "({:g}, {:g})".format(*product)),
            ("sin²x + 0.05 y²", "(1, 3)", "({:.6f}, {:.6f})".format(*two_variables(1.0, 3.0))),
        ],
        columns=["function", "at", "gradient"],
    )
    orders = (1, 2, 3, 4)
    tanh = jnp.array([gradlab.nth_derivative(jnp.tanh, n)(2.0) for n in orders])
    cubic = jnp.array([gradlab.nth_derivative(polynomial, n)(1.0) for n in orders])
    repeated = pd.DataFrame(
        {"derivative": orders, "tanh x at 2": tanh, "x³ + 2x² − 3x + 1 at 1": cubic}
    )

    # The first three by hand: with t = tanh 2, they are 1 − t², −2t(1 − t²), (1 − t²)(6t² − 2).
    tanh_by_hand = jnp.array([0.0706508249, -0.1362186874, 0.2526540651])
    x = jnp.linspace(-4, 4, 200)
    return Findings(
        tables={"One derivative": first, "Derivatives of derivatives": repeated},
        notice="The gradient of a product swaps its factors, and the fourth derivative of a cubic "
        "is 0: jax.grad turns a function into a function, so it can be applied again.",
        checks=[
            check_close(
                "the derivatives of tanh are those worked out by hand", tanh[:3], tanh_by_hand, 1e-6
            ),
            check_close(
                "the derivatives of the cubic are 4, 10, 6, 0", cubic, jnp.array([4.0, 10, 6, 0]), 0
            ),
            check_close(
                "the gradient of x · y is (y, x)", jnp.array(product), jnp.array([4.0, 1.5]), 0
            ),
            check_gradient(
                "sin²x has the slope that differences see", gradlab.sine_squared, (1.0,)
            ),
            check_gradient(
                "so has the third derivative of tanh", gradlab.nth_derivative(jnp.tanh, 3), (2.0,)
            ),
        ],
        pictures=[
            Picture(
                "tanh",
                "tanh (solid) and its derivative (dashed), largest where tanh is steepest, at 0.",
                lambda: plots.plot_function_and_gradient(jnp.tanh, x),
            )
        ],
    )
