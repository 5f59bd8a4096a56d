"""First gradients: what `jax.grad` returns, with respect to what, and applied again and again."""

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd

import gradlab
from gradlab import plots
from gradlab.demo.findings import Findings, Picture, Settings
from gradlab.demo.self_checks import check_close, check_gradient


def polynomial(x: jax.Array) -> jax.Array:
    """Return x³ + 2x² − 3x + 1."""
    return x**3 + 2 * x**2 - 3 * x + 1


def run(settings: Settings) -> Findings:
    """Differentiate once, with respect to two arguments, and again and again."""
    # On the page:
    product = jax.grad(lambda x, y: x * y, (0, 1))(1.5, 4.0)

    @jax.jit
    def two_variables(x: float, y: float) -> jax.Array:
        return gradlab.sine_squared(x) + 0.05 * gradlab.quadratic(y)

    slopes = jax.grad(two_variables, (0, 1))(1.0, 3.0)
    # (to here)
    first = pd.DataFrame(
        [
            ("x", "6", f"{jax.grad(lambda x: x)(6.0):g}"),
            ("x + 1", "5", f"{jax.grad(lambda x: x + 1.0)(5.0):g}"),
            ("x · y", "(1.5, 4)", "({:g}, {:g})".format(*product)),
            ("sin²x + 0.05 y²", "(1, 3)", "({:.6f}, {:.6f})".format(*slopes)),
        ],
        columns=["function", "at", "gradient"],
    )
    # On the page:
    orders = (1, 2, 3, 4)

    @jax.jit
    def all_orders() -> tuple[list[jax.Array], list[jax.Array]]:
        """Return derivatives 1 to 4 of tanh at 2 and of the polynomial at 1."""
        tanh, cubic = (
            [gradlab.nth_derivative(f, n) for n in orders] for f in (jnp.tanh, polynomial)
        )
        return [derivative(2.0) for derivative in tanh], [derivative(1.0) for derivative in cubic]

    tanh, cubic = map(np.array, all_orders())
    # (to here)
    repeated = pd.DataFrame(
        {"derivative": orders, "tanh x at 2": tanh, "x³ + 2x² − 3x + 1 at 1": cubic}
    )

    # The first three by hand: with t = tanh 2, they are 1 − t², −2t(1 − t²), (1 − t²)(6t² − 2).
    tanh_by_hand = [0.0706508249, -0.1362186874, 0.2526540651]
    x = np.linspace(-4, 4, 200)
    return Findings(
        tables={"One derivative": first, "Derivatives of derivatives": repeated},
        notice="The gradient of a product swaps its factors, and the fourth derivative of a cubic "
        "is 0: jax.grad turns a function into a function, so it can be applied again.",
        checks=[
            check_close(
                "the derivatives of tanh are those worked out by hand", tanh[:3], tanh_by_hand, 1e-6
            ),
            check_close("the derivatives of the cubic are 4, 10, 6, 0", cubic, [4, 10, 6, 0], 0),
            check_close("the gradient of x · y is (y, x)", product, [4.0, 1.5], 0),
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
