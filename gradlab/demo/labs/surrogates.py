"""Straight through: the value of a staircase with the gradient of a slope, so that it trains."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

import gradlab
from gradlab.demo.findings import Check, Findings, Picture, Settings
from gradlab.demo.self_checks import check_close
from gradlab.plots.style import BLUE, ORANGE, axes_or_new

WEIGHTS = [2.0, -1.0, 3.0]  # what a layer with whole-number weights is to find


def run(settings: Settings) -> Findings:
    """Round 3.2, then train a layer whose weights are rounded, with and without the estimator."""
    # On the page:
    rounded = gradlab.straight_through(jnp.round)
    clipped = gradlab.straight_through(jnp.sign, backward=lambda x: jnp.clip(x, -1.0, 1.0))
    functions = {"round": jnp.round, "straight-through round": rounded}
    # (to here)
    at = pd.DataFrame(
        [(name, float(f(3.2)), float(jax.grad(f)(3.2))) for name, f in functions.items()],
        columns=["function", "value at 3.2", "derivative there"],
    )

    inputs = np.random.default_rng(settings.seed).normal(size=(64, 3))
    num_steps = 50 if settings.quick else 100
    runs = {name: train(f, inputs, num_steps) for name, f in functions.items()}
    layer = pd.DataFrame(
        [
            (name, float(losses[0]), float(losses[-1]), str(np.round(weights).astype(int).tolist()))
            for name, (losses, weights) in runs.items()
        ],
        columns=["weights rounded by", "loss before", "loss after", "rounded weights"],
    )
    plain, through = (losses for losses, _ in runs.values())

    def curves() -> Axes:
        ax = axes_or_new(None)
        ax.plot(plain, color=ORANGE, linestyle="--", label="round")
        ax.plot(through, color=BLUE, label="straight-through round")
        ax.set(title="A layer with rounded weights", xlabel="step", ylabel="mean squared error")
        ax.legend()
        return ax

    x = jnp.array([-jnp.inf, -2.5, -0.2, 0.0, 1e-30, 3.2, 1e30, jnp.inf])
    bits, expected_bits = (np.asarray(f(x)).view(np.int32) for f in (rounded, jnp.round))
    same = bits == expected_bits  # as bits, so that −0 differs from 0
    slopes = jax.jit(jax.vmap(jax.grad(rounded)))(x)
    clipped_slopes = jax.jit(jax.vmap(jax.grad(clipped)))(jnp.array([-2.0, 0.5, 2.0]))
    return Findings(
        tables={"Rounding 3.2": at, f"A layer that shall find {[int(w) for w in WEIGHTS]}": layer},
        notice="The derivative of rounding is 0, so a layer with rounded weights stands still; "
        "with the derivative of the identity in its place, the same layer finds its weights.",
        checks=[
            Check(
                "the values are those of round, bit for bit",
                bool(same.all()),
                f"{int(same.sum())} of {x.size}",
            ),
            check_close("the derivative is that of the identity", slopes, [1] * x.size, 0),
            check_close("or of a clipped identity, if asked", clipped_slopes, [0, 1, 0], 0),
            Check(
                "straight through, the layer trains",
                bool(through[-1] < 1e-3),
                f"loss {through[-1]:.3g}",
            ),
            Check(
                "with plain rounding it does not",
                bool(plain[-1] == plain[0]),
                f"loss {plain[-1]:.3g}",
            ),
        ],
        pictures=[
            Picture(
                "training",
                "With plain rounding (dashed) the loss stands still; straight through it falls.",
                curves,
            )
        ],
    )


def train(
    rounding: Callable[[Any], Any], inputs: np.ndarray, num_steps: int
) -> tuple[jax.Array, jax.Array]:
    """Return the losses and the last weights of descent from zero with rounded weights."""

    # On the page:
    def loss(weights: jax.Array) -> jax.Array:
        return jnp.mean((inputs @ (rounding(weights) - np.array(WEIGHTS))) ** 2)

    path = gradlab.descent_path(loss, np.zeros((1, 3)), 0.05, num_steps)[:, 0]
    # (to here)
    return jax.jit(jax.vmap(loss))(path), path[-1]
