"""One gradient for each example: who pulls hardest, and how to stop them."""

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

import gradlab
from gradlab.demo.findings import Check, Findings, Picture, Settings
from gradlab.demo.labs.td import R_T, S_T, S_TM1, THETA
from gradlab.demo.self_checks import check_close, check_gradient
from gradlab.plots.style import BLUE, ORANGE, axes_or_new

MEASUREMENTS = ["bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g"]
LARGEST_NORM = 1.0


def run(settings: Settings) -> Findings:
    """Take two transitions one by one, then 342 penguins."""
    # On the page:
    theta, transition = jnp.array(THETA), [jnp.array(part) for part in (S_TM1, R_T, S_T)]
    twice = [np.stack([part, part]) for part in transition]
    two = gradlab.per_example_grads(gradlab.td_loss)(theta, *twice)
    # (to here)
    transitions = pd.DataFrame(two, columns=[f"∂/∂theta[{i}]" for i in range(3)])
    transitions.insert(0, "transition", [1, 2])

    penguins = gradlab.load_penguins().dropna(subset=MEASUREMENTS)
    measured = penguins[MEASUREMENTS].to_numpy()
    inputs = (measured - measured.mean(axis=0)) / measured.std(axis=0)
    gentoo = (penguins["species"] == "Gentoo").to_numpy()
    # On the page:
    W, b = np.zeros(4), 0.0  # as training starts: every probability is ½

    def loss(W: jax.Array, b: jax.Array, features: jax.Array, target: jax.Array) -> jax.Array:
        return gradlab.logistic_loss(W, b, features[None], target[None])

    rows = np.column_stack(gradlab.per_example_grads(loss, argnums=(0, 1))(W, b, inputs, gentoo))
    norms = np.linalg.norm(rows, axis=1)
    clipped_rows = rows * np.minimum(1.0, LARGEST_NORM / norms)[:, None]
    clipped = np.linalg.norm(clipped_rows, axis=1)
    # (to here)
    pulling = penguins[["species", "bill_length_mm", "flipper_length_mm", "body_mass_g"]]
    pulling = pulling.assign(**{"gradient norm": norms, "clipped at 1": clipped})
    pulling = pulling.nlargest(5, "gradient norm")

    alone = jax.jit(jax.grad(gradlab.td_loss))(theta, *transition)
    summed = np.append(*jax.jit(jax.grad(gradlab.logistic_loss, (0, 1)))(W, b, inputs, gentoo))

    def sorted_norms() -> Axes:
        ax = axes_or_new(None)
        ax.plot(np.sort(norms), color=BLUE, label="gradient norm of each penguin")
        ax.plot(
            np.sort(clipped), color=ORANGE, linestyle="--", label=f"clipped at {LARGEST_NORM:g}"
        )
        ax.set(
            title="How hard each penguin pulls",
            xlabel="penguins, in order",
            ylabel="norm of the gradient",
        )
        ax.legend()
        return ax

    return Findings(
        tables={
            "One transition, twice in the batch": transitions,
            "Gentoo or not, from zero weights: the five penguins that pull hardest": pulling,
        },
        notice="The gradient of a summed loss is the sum of these rows; with the rows at hand, one "
        "can see which examples it comes from, and limit what each of them may do.",
        checks=[
            check_close(
                "each row is what jax.grad gives for that transition", two, [alone] * 2, 1e-6
            ),
            check_close(
                "and that is the recorded −2.4, −4.8, 2.4", two[0], [-2.4, -4.8, 2.4], 1e-5
            ),
            check_close("the rows sum to the gradient of the sum", rows.sum(axis=0), summed, 1e-2),
            check_gradient(
                "differences see the slope of one penguin", loss, (W, b, inputs[0], gentoo[0])
            ),
            Check(
                "clipped, no row is longer than 1",
                bool(clipped.max() <= 1.0001),
                f"longest {clipped.max():.4f}",
            ),
        ],
        pictures=[
            Picture(
                "norms",
                "Per-example gradient norms, sorted: clipping shortens the longest and leaves the "
                "others as they are.",
                sorted_norms,
            )
        ],
    )
