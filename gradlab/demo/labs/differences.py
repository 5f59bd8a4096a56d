"""Finite differences: which step is right, and why a smaller one is worse."""

import jax
import jax.numpy as jnp
import pandas as pd
from matplotlib.axes import Axes

import gradlab
from gradlab import plots
from gradlab.demo.findings import Findings, Picture, Settings
from gradlab.demo.labs.logistic import INPUTS, TARGETS, B, W
from gradlab.demo.self_checks import check_below, check_close
from gradlab.plots.style import GREY

SMALL_STEP = 1e-4 / 2  # the original notebook divides f(b + eps/2) − f(b − eps/2) by eps = 1e-4


def run(settings: Settings) -> Findings:
    """Compare steps on a logistic loss, in float32 and in float64."""

    def sweep(dtype: str) -> tuple[pd.DataFrame, pd.DataFrame]:
        # On the page:
        weights, inputs, targets = jnp.array(W, dtype), jnp.array(INPUTS, dtype), jnp.array(TARGETS)

        @jax.jit
        def loss(b: jax.Array) -> jax.Array:
            return gradlab.logistic_loss(weights, b, inputs, targets)

        b = jnp.array(B, dtype)
        derivative = float(jax.grad(loss)(b))
        estimates = {
            "5e-05": gradlab.central_difference(loss, b, step=SMALL_STEP),
            "chosen from the dtype": gradlab.central_difference(loss, b),
        }
        # (to here)
        rows = [
            (dtype, name, float(fd), derivative, abs(float(fd) / derivative - 1))
            for name, fd in estimates.items()
        ]
        columns = ["dtype", "step", "finite difference", "gradient", "relative error"]
        return pd.DataFrame(rows, columns=columns), gradlab.step_sweep(loss, b)

    single, single_sweep = sweep("float32")
    with jax.enable_x64(True):  # thread-local, and undone here
        double, double_sweep = sweep("float64")
    table = pd.concat([single, double], ignore_index=True)
    errors = table["relative error"]

    def both_sweeps() -> Axes:
        ax = plots.plot_step_sweep(single_sweep)
        ax.plot(
            double_sweep["step"],
            double_sweep["error"],
            color=GREY,
            marker="s",
            linestyle="--",
            label="the same in float64",
        )
        ax.legend()
        return ax

    best, truncated = single_sweep["error"].min(), single_sweep["error"].iloc[0]
    rounded = single_sweep["error"][single_sweep["step"] < 1e-4].median()
    return Findings(
        tables={"The derivative of a logistic loss with respect to b": table},
        notice="A step that is too small loses its digits to rounding, one that is too large sees "
        "a chord and not a tangent; the best is of the order of the cube root of eps.",
        checks=[
            check_close("AD gives the recorded gradient", single["gradient"][0], -0.29227245, 1e-6),
            check_below("the chosen step is right to three digits in float32", errors[1], 1e-3),
            check_below("and to eight in float64", errors[3], 1e-8),
            check_below(
                "the best error is below a hundredth of the largest step's", best, truncated / 100
            ),
            check_below("and below a hundredth of the small steps'", best, rounded / 100),
        ],
        pictures=[
            Picture(
                "sweep",
                "The error of a central difference against its step. From the right it falls as "
                "h², then rounding makes it rise as 1/h.",
                both_sweeps,
            )
        ],
    )
