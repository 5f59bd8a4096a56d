"""Temporal differences: the same loss with two gradients, and what each of them learns."""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

import gradlab
from gradlab.demo.findings import Findings, Picture, Settings
from gradlab.demo.self_checks import check_close, check_gradient
from gradlab.plots.style import BLUE, ORANGE, axes_or_new

# The original notebook: the parameters of a linear value function, and one transition.
THETA, S_TM1, R_T, S_T = [0.1, -0.1, 0.0], [1.0, 2.0, -1.0], 1.0, [2.0, 1.0, 0.0]

# Sutton and Barto (2018), example 11.2: A leads to B or to C, then B pays 1 and C pays 0.
A, B, C, END = [1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [0.0, 0.0, 0.0]
STATES, NEXT_STATES = [A, B, A, C], [B, END, C, END]
REWARDS, DISCOUNTS = [0.0, 1.0, 0.0, 0.0], [1.0, 0.0, 1.0, 0.0]


def run(settings: Settings) -> Findings:
    """Differentiate the loss of one transition in two ways, then learn three values in both."""
    # On the page:
    transition = (jnp.array(THETA), jnp.array(S_TM1), R_T, jnp.array(S_T))
    residual_loss = partial(gradlab.td_loss, stop_target=False)
    delta = gradlab.td_error(*transition)
    value_slope = jax.jit(jax.grad(gradlab.linear_value))(*transition[:2])
    stopped, followed = (
        jax.jit(jax.grad(f))(*transition) for f in (gradlab.td_loss, residual_loss)
    )
    # (to here)
    gradients = pd.DataFrame(
        [("constant", *stopped.tolist()), ("differentiated too", *followed.tolist())],
        columns=["target", "∂/∂theta[0]", "∂/∂theta[1]", "∂/∂theta[2]"],
    )

    def held(theta: jax.Array, s_tm1: jax.Array, r_t: jax.Array, s_t: jax.Array) -> jax.Array:
        """Return the loss with the target as the reward, so that stopping it changes nothing."""
        target = r_t + gradlab.linear_value(jnp.array(THETA, s_t.dtype), s_t)
        return gradlab.td_loss(theta, s_tm1, target, s_t, 0.0)

    num_steps = 200 if settings.quick else 1000
    values = {
        "semi-gradient": learn(gradlab.td_loss, num_steps),
        "residual gradient": learn(residual_loss, num_steps),
    }
    learned = pd.DataFrame(
        [(name, *value.tolist()) for name, value in values.items()],
        columns=["learned with", "A", "B", "C"],
    )
    semi_gradient, residual_gradient = values.values()

    def bars() -> Axes:
        ax = axes_or_new(None)
        x = np.arange(3)
        ax.bar(x - 0.2, semi_gradient, 0.4, color=BLUE, label="semi-gradient")
        ax.bar(x + 0.2, residual_gradient, 0.4, color=ORANGE, hatch="//", label="residual gradient")
        ax.set(title="What the two gradients learn", xlabel="state", ylabel="value")
        ax.set_xticks([0, 1, 2], ["A", "B", "C"])
        ax.legend()
        return ax

    return Findings(
        tables={
            f"The gradient of one transition, with TD error {delta:.1f}": gradients,
            "Three values: A leads to B or C with equal chance, B pays 1, C pays 0": learned,
        },
        notice="The value of a state is the reward still to come; the target is the reward plus "
        "the next state's value. Both gradients shrink the same loss, but only the one that takes "
        "the target for a constant learns that B is worth 1 and C nothing.",
        checks=[
            check_close("the gradient of a linear value is the state", value_slope, S_TM1, 0),
            check_close("the TD error is 1.2", delta, 1.2, 1e-6),
            check_close(
                "with the target constant the gradient is −2.4, −4.8, 2.4",
                stopped,
                [-2.4, -4.8, 2.4],
                1e-5,
            ),
            check_close(
                "with the target differentiated it is 2.4, −2.4, 2.4",
                followed,
                [2.4, -2.4, 2.4],
                1e-5,
            ),
            check_close("the semi-gradient learns ½, 1, 0", semi_gradient, [0.5, 1, 0], 1e-3),
            check_close(
                "the residual gradient learns ½, ¾, ¼", residual_gradient, [0.5, 0.75, 0.25], 1e-3
            ),
            check_gradient("differences see the residual gradient", residual_loss, transition),
            check_gradient("and, once the target is a number, the semi-gradient", held, transition),
        ],
        pictures=[
            Picture(
                "a-split",
                "Values learned from the same transitions: ½, 1, 0 are right; ½, ¾, ¼ are not.",
                bars,
            )
        ],
    )


def learn(loss: Callable[..., Any], num_steps: int) -> jax.Array:
    """Return the values of A, B and C after descent on the mean loss of the transitions."""
    # On the page:
    batch = [jnp.array(part) for part in (STATES, REWARDS, NEXT_STATES, DISCOUNTS)]

    def mean_loss(theta: jax.Array) -> jax.Array:
        return jnp.mean(jax.vmap(partial(loss, theta))(*batch))

    return gradlab.descend(mean_loss, np.zeros((1, 3)), 0.5, num_steps)[0]
    # (to here)
