"""A random walk: for a fixed key a deterministic function of its mean and its sd."""

import jax
import numpy as np
import pandas as pd

import gradlab
from gradlab import plots
from gradlab.demo.findings import Findings, Picture, Settings
from gradlab.demo.self_checks import check_close, check_gradient


def run(settings: Settings) -> Findings:
    """Differentiate the end of one walk, then look at many."""
    num_steps, number = 128, 200 if settings.quick else 2000

    # On the page:
    def last(mean: jax.Array, sd: jax.Array, key: jax.Array) -> jax.Array:
        return gradlab.random_walk(mean, sd, key, num_steps)[-1]

    gradient = jax.jit(jax.value_and_grad(last, (0, 1)))
    rows = []
    for mean, sd in ((0.0, 1.0), (0.5, 1.0), (0.5, 2.0)):
        value, (by_mean, by_sd) = gradient(mean, sd, settings.key)
        rows.append((mean, sd, float(value), float(by_mean), float(by_sd)))
    # (to here)
    gradients = pd.DataFrame(rows, columns=["mean", "sd", "last value", "∂/∂mean", "∂/∂sd"])

    # On the page:
    keys = jax.random.split(settings.key, number)
    many = jax.jit(jax.vmap(lambda key: gradlab.random_walk(0.1, 1.0, key, num_steps)))
    walks = np.asarray(many(keys))
    # (to here)
    ends = walks[:, -1]
    spread = pd.DataFrame(
        {
            f"last value of {number} walks, mean 0.1, sd 1": ["mean", "standard deviation"],
            "measured": [float(ends.mean()), float(ends.std())],
            "expected": [0.1 * num_steps, num_steps**0.5],
        }
    )
    end, slope = gradients.loc[0, "last value"], gradients["∂/∂sd"]
    # The numbers of a key may be used again and again; a key itself may not, says
    # jax.debug_key_reuse, and the checker draws the same walk many times.
    numbers = jax.random.key_data(settings.key)
    # Five standard errors: a check that a right walk fails once in two million seeds.
    within = 5 * num_steps**0.5 / number**0.5
    return Findings(
        tables={"The end of one walk": gradients, "Many walks": spread},
        notice="The partial derivative with respect to the mean is always the number of steps. "
        "That with respect to the standard deviation is the noise alone, whatever the mean and "
        "the standard deviation are: the end of the walk itself if they are 0 and 1.",
        checks=[
            check_close(
                "the derivative with respect to the mean is the number of steps",
                gradients["∂/∂mean"],
                [num_steps] * 3,
                0,
            ),
            check_close(
                "with mean 0 and sd 1 that with respect to sd is the walk's end", slope[0], end, 0
            ),
            check_close(
                "many walks end where the mean takes them", ends.mean(), 0.1 * num_steps, within
            ),
            check_gradient("differences see the same slopes", last, (0.5, 2.0, numbers), (0, 1)),
        ],
        pictures=[
            Picture(
                "walks",
                "The mean of the walks rises by 0.1 a step; their spread grows as the square root "
                "of the number of steps.",
                lambda: plots.plot_walks(walks),
            )
        ],
    )
