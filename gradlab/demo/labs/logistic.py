"""Logistic regression: the seed's four examples, then penguins that training has not seen."""

import jax
import jax.numpy as jnp
import pandas as pd
from matplotlib.axes import Axes

import gradlab
from gradlab import plots
from gradlab.demo.findings import Check, Findings, Picture, Settings
from gradlab.demo.self_checks import check_close, check_gradient

# Seed 002: its inputs and targets, and the W and b that its key drew.
INPUTS = [[0.52, 1.12, 0.77], [0.88, -1.08, 0.15], [0.52, 0.06, -1.30], [0.74, -2.49, 1.39]]
TARGETS = [True, True, False, True]
W, B = [-0.36838785, -2.275689, 0.01144757], 0.8535516
RECORDED_GRADIENT = [-0.16965583, -0.8774644, -1.4901346, -0.29227245]

FEATURES = ["bill_length_mm", "bill_depth_mm"]


def run(settings: Settings) -> Findings:
    """Differentiate the seed's loss by both parameters, then train on four penguins out of five."""
    seed = (jnp.array(W), B, jnp.array(INPUTS), jnp.array(TARGETS))
    loss, (by_w, by_b) = jax.value_and_grad(gradlab.logistic_loss, (0, 1))(*seed)
    gradient = jnp.append(by_w, by_b)
    parameters = pd.DataFrame(
        {
            "parameter": ["W[0]", "W[1]", "W[2]", "b"],
            "gradient": gradient,
            "recorded in the seed": RECORDED_GRADIENT,
        }
    )

    penguins = gradlab.load_penguins().dropna(subset=FEATURES)
    order = jax.random.permutation(settings.key, len(penguins))
    measured = jnp.array(penguins[FEATURES].to_numpy(), dtype=jnp.float32)[order]
    adelie = jnp.array((penguins["species"] == "Adelie").to_numpy())[order]
    train, test = slice(0, len(penguins) * 4 // 5), slice(len(penguins) * 4 // 5, None)
    inputs = (measured - measured[train].mean(axis=0)) / measured[train].std(axis=0)

    def mean_loss(parameters: jax.Array, rows: slice = train) -> jax.Array:
        return gradlab.logistic_loss(
            parameters[:2], parameters[2], inputs[rows], adelie[rows]
        ) / len(adelie[rows])

    def accuracy(parameters: jax.Array, rows: slice) -> float:
        p = gradlab.predict(parameters[:2], parameters[2], inputs[rows])
        return float(jnp.mean((p > 0.5) == adelie[rows]))

    # The three parameters are one particle that rolls down the loss.
    path = gradlab.descent_path(mean_loss, jnp.zeros((1, 3)), 1.0, 100 if settings.quick else 500)
    start, end = path[0, 0], path[-1, 0]
    training = pd.DataFrame(
        [
            (
                name,
                len(adelie[rows]),
                float(mean_loss(start, rows)),
                float(mean_loss(end, rows)),
                accuracy(end, rows),
            )
            for name, rows in (("training", train), ("unseen", test))
        ],
        columns=["rows", "penguins", "loss each, before", "loss each, after", "accuracy"],
    )
    unseen = training.loc[1, "accuracy"]

    def boundary() -> Axes:
        ax = plots.plot_decision_boundary(end[:2], end[2], inputs[test], adelie[test])
        ax.set(
            title="Adelie (true) or not, on unseen penguins",
            xlabel="bill length, standardised",
            ylabel="bill depth, standardised",
        )
        return ax

    return Findings(
        tables={
            "The seed's loss": parameters,
            "Adelie or not, by two measurements of the bill": training,
        },
        notice="One function gives all four partial derivatives; following such a gradient tells "
        f"apart {unseen:.0%} of the penguins that training never saw.",
        checks=[
            check_close(
                "the loss is the one that the seed recorded", loss, 3.051938533782959, 1e-5
            ),
            check_close("so is its gradient", gradient, jnp.array(RECORDED_GRADIENT), 1e-5),
            check_gradient("differences see the same slope by W", gradlab.logistic_loss, seed, 0),
            check_gradient("and by b", gradlab.logistic_loss, seed, 1),
            check_gradient("and on the penguins", mean_loss, (end,)),
            Check("nine of ten unseen penguins are told apart", unseen >= 0.9, f"{unseen:.1%}"),
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
