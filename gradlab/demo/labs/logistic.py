"""Logistic regression: four examples, then penguins that training has not seen."""

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

import gradlab
from gradlab import plots
from gradlab.demo.findings import Check, Findings, Picture, Settings
from gradlab.demo.self_checks import check_close, check_gradient

# The original notebook: its inputs and targets, and the W and b that its key drew.
INPUTS = [[0.52, 1.12, 0.77], [0.88, -1.08, 0.15], [0.52, 0.06, -1.30], [0.74, -2.49, 1.39]]
TARGETS = [True, True, False, True]
W, B = [-0.36838785, -2.275689, 0.01144757], 0.8535516
RECORDED_GRADIENT = [-0.16965583, -0.8774644, -1.4901346, -0.29227245]

FEATURES = ["bill_length_mm", "bill_depth_mm"]


def run(settings: Settings) -> Findings:
    """Differentiate the loss with respect to W and b, then train on four penguins of five."""
    # On the page:
    seed = (jnp.array(W), B, jnp.array(INPUTS), jnp.array(TARGETS))
    loss, gradients = jax.jit(jax.value_and_grad(gradlab.logistic_loss, (0, 1)))(*seed)
    # (to here)
    gradient = np.append(*gradients)
    parameters = pd.DataFrame(
        {
            "parameter": ["W[0]", "W[1]", "W[2]", "b"],
            "gradient": gradient,
            "in the original notebook": RECORDED_GRADIENT,
        }
    )

    penguins = gradlab.load_penguins().dropna(subset=FEATURES)
    penguins = penguins.sample(frac=1.0, random_state=settings.seed)
    measured, adelie = penguins[FEATURES].to_numpy(), (penguins["species"] == "Adelie").to_numpy()
    split = len(penguins) * 4 // 5
    # The unseen rows have no say in the scale, either.
    inputs = (measured - measured[:split].mean(axis=0)) / measured[:split].std(axis=0)
    seen, unseen = (inputs[:split], adelie[:split]), (inputs[split:], adelie[split:])

    # On the page:
    @jax.jit
    def mean_loss(parameters: jax.Array, inputs: jax.Array, targets: jax.Array) -> jax.Array:
        return gradlab.logistic_loss(parameters[:2], parameters[2], inputs, targets) / len(targets)

    # The three parameters are one particle that rolls down the loss.
    num_steps = 100 if settings.quick else 500
    path = gradlab.descent_path(lambda p: mean_loss(p, *seen), np.zeros((1, 3)), 1.0, num_steps)
    # (to here)
    start, end = np.asarray(path)[[0, -1], 0]
    W_end, b_end = end[:2], end[2]

    def row(
        name: str, inputs: np.ndarray, targets: np.ndarray
    ) -> tuple[str, int, float, float, float]:
        before, after = (
            float(mean_loss(parameters, inputs, targets)) for parameters in (start, end)
        )
        told_apart = np.asarray(gradlab.predict(W_end, b_end, inputs)) > 0.5
        return name, len(targets), before, after, float((told_apart == targets).mean())

    training = pd.DataFrame(
        [row("training", *seen), row("unseen", *unseen)],
        columns=["rows", "penguins", "loss each, before", "loss each, after", "accuracy"],
    )
    accuracy = float(training["accuracy"].iloc[-1])

    def boundary() -> Axes:
        ax = plots.plot_decision_boundary(W_end, b_end, *unseen)
        ax.set(
            title="Adelie (true) or not, on unseen penguins",
            xlabel="bill length, standardised",
            ylabel="bill depth, standardised",
        )
        return ax

    return Findings(
        tables={
            "Four examples: the gradient of the loss": parameters,
            "Adelie or not, by two measurements of the bill": training,
        },
        notice="One call gives all four partial derivatives; following such a gradient tells "
        f"Adelie from the others for {accuracy:.0%} of the penguins that training never saw.",
        checks=[
            check_close(
                "151 of the 342 measured penguins are Adelie",
                [len(adelie), adelie.sum()],
                [342, 151],
                0,
            ),
            check_close("the loss is the recorded one", loss, 3.051938533782959, 1e-5),
            check_close("so is its gradient by all four", gradient, RECORDED_GRADIENT, 1e-5),
            check_gradient("differences see the same slope", gradlab.logistic_loss, seed, (0, 1)),
            check_gradient("and on the penguins", mean_loss, (start, *unseen)),
            Check("nine of ten unseen penguins are told apart", accuracy >= 0.9, f"{accuracy:.1%}"),
        ],
        pictures=[
            Picture(
                "boundary",
                "Each mark is a penguin that training did not see; on the solid line the model is "
                "undecided.",
                boundary,
            )
        ],
    )
