"""Jacobians and Hessians: derivatives with more than one number in, out, or both."""

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

import gradlab
from gradlab.demo.findings import Findings, Picture, Settings
from gradlab.demo.self_checks import check_close, check_gradient
from gradlab.plots.style import axes_or_new

# The original notebook: points of a paraboloid, then one with a coefficient for each coordinate.
POINTS = [[0.2, 0.3], [2.4, 3.6], [4.4, 2.1]]
COEFFICIENTS, POINT = [3.0, 2.0, 5.0, 1.0, 4.0], [2.0, 1.0, 3.0, 2.0, 4.0]


def run(settings: Settings) -> Findings:
    """Differentiate paraboloids and an affine map; multiply by a Hessian without forming it."""
    # On the page:
    points = np.array(POINTS)
    gradients = jax.jit(jax.vmap(jax.grad(gradlab.paraboloid)))(points)
    # (to here)
    table = pd.DataFrame(
        {
            "x": [str(point) for point in POINTS],
            "gradient of Σ xᵢ²": [str([round(g, 4) for g in row]) for row in gradients.tolist()],
        }
    )
    # On the page:
    coefficients, point = jnp.array(COEFFICIENTS), jnp.array(POINT)
    weighted = jax.jit(jax.grad(gradlab.paraboloid))(point, coefficients)
    # (to here)
    coordinates = pd.DataFrame({"cᵢ": COEFFICIENTS, "xᵢ": POINT, "gradient 2 cᵢ xᵢ": weighted})

    # The original notebook draws with key 137, so --seed 0 does too; at once, as each shape is
    # compiled anew.
    numbers = np.asarray(jax.random.uniform(jax.random.key(settings.seed + 137), (210,)))
    x, matrix = numbers[:10], numbers[10:].reshape(20, 10)
    forward, reverse = (
        jax.jit(jacobian(lambda x: matrix @ x))(x) for jacobian in (jax.jacfwd, jax.jacrev)
    )

    # On the page:
    def loss(x: jax.Array, coefficients: jax.Array) -> jax.Array:
        return gradlab.paraboloid(x, coefficients) * jnp.sum(gradlab.sine_squared(x))

    @jax.jit
    def hessian_vector_product(x: jax.Array, v: jax.Array) -> jax.Array:
        return jax.jvp(jax.grad(loss), (x, coefficients), (v, np.zeros(5)))[1]

    v = np.arange(5.0)
    hessian = np.asarray(jax.jit(jax.hessian(loss))(point, coefficients))
    product = hessian_vector_product(point, v)
    # (to here)
    dot_hessian = jax.jit(jax.hessian(lambda x: jnp.dot(x, x)))(jnp.array([1.0, 2.0, 3.0]))

    def heat_map() -> Axes:
        ax = axes_or_new(None)
        limit = float(np.abs(hessian).max())
        image = ax.imshow(hessian, cmap="PuOr", vmin=-limit, vmax=limit)
        for i, row in enumerate(hessian.tolist()):
            for j, entry in enumerate(row):
                dark = abs(entry) > 0.6 * limit
                ax.text(
                    j,
                    i,
                    f"{entry:.0f}",
                    ha="center",
                    va="center",
                    color="white" if dark else "black",
                )
        ax.figure.colorbar(image, ax=ax, label="second derivative")
        ax.set(title="The Hessian of Σ cᵢxᵢ² · Σ sin²xᵢ", xlabel="∂/∂xⱼ", ylabel="∂/∂xᵢ")
        return ax

    return Findings(
        tables={"Two variables": table, "A coefficient for each coordinate": coordinates},
        notice="A Jacobian has one row for each output and one column for each input; a Hessian is "
        "the Jacobian of a gradient, is symmetric, and its product with a vector does not need it.",
        checks=[
            check_close("the gradient of Σ xᵢ² is 2x", gradients, 2 * points, 1e-6),
            check_close("with coefficients it is 2 cᵢ xᵢ", weighted, [12, 4, 30, 4, 32], 0),
            check_close("the Jacobian of an affine map is its matrix", forward, matrix, 0),
            check_close("in reverse mode as well", reverse, matrix, 0),
            check_close("the Hessian of x·x is twice the identity", dot_hessian, 2 * np.eye(3), 0),
            check_close("a Hessian-vector product needs no Hessian", product, hessian @ v, 1e-2),
            check_gradient(
                "differences see the slope of the loss", loss, (point, coefficients), (0, 1)
            ),
        ],
        pictures=[
            Picture(
                "hessian", "Second derivatives: the same above and below the diagonal.", heat_map
            )
        ],
    )
