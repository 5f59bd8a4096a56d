"""Figures with curves: a function and its gradient, walks, a step sweep, a decision boundary."""

from collections.abc import Callable
from typing import Any

import jax
import numpy as np
import pandas as pd
from jax.typing import ArrayLike
from matplotlib.axes import Axes

from gradlab.logistic import predict
from gradlab.plots.style import BLUE, LIGHT, ORANGE, axes_or_new, legend_beside

MOST_WALKS = 50  # more lines than this are a smear; the mean and the spread are of all walks


def plot_function_and_gradient(
    f: Callable[[Any], Any], x: ArrayLike, ax: Axes | None = None
) -> Axes:
    """Draw `f` and its derivative over the points `x`.

    Args:
        f: Function of one number with a scalar value.
        x: Points on the horizontal axis, `(n,)`, increasing.
        ax: Where to draw; a new figure if None.

    Returns:
        The Axes, with the function as a solid and the gradient as a dashed line.

    Example:
        >>> import jax.numpy as jnp
        >>> from gradlab import sine_squared
        >>> ax = plot_function_and_gradient(sine_squared, jnp.linspace(-5, 5, 100))
        >>> ax.get_legend_handles_labels()[1]
        ['f(x)', 'df/dx']
    """
    ax = axes_or_new(ax)
    values, slopes = jax.jit(jax.vmap(jax.value_and_grad(f)))(x)
    ax.axhline(0, color=LIGHT, linewidth=0.8, label="_zero")
    ax.plot(x, values, color=BLUE, label="f(x)")
    ax.plot(x, slopes, color=ORANGE, linestyle="--", label="df/dx")
    ax.set(title="A function and its gradient", xlabel="x", ylabel="f(x) and df/dx")
    ax.legend()
    return ax


def plot_walks(walks: ArrayLike, ax: Axes | None = None) -> Axes:
    """Draw random walks against the step, with their mean and their spread.

    Args:
        walks: Positions after each step, `(num_steps,)` for one walk or `(n, num_steps)`.
        ax: Where to draw; a new figure if None.

    Returns:
        The Axes. The mean and the band of ± one standard deviation are over all walks; of the
        walks themselves at most the first 50 are drawn.

    Example:
        >>> import jax
        >>> from gradlab import random_walk
        >>> keys = jax.random.split(jax.random.key(0), 200)
        >>> ax = plot_walks(jax.vmap(lambda key: random_walk(0.1, 1.0, key, 64))(keys))
        >>> ax.get_legend_handles_labels()[1]
        ['50 of 200 walks', 'mean', 'mean ± standard deviation']
    """
    ax = axes_or_new(ax)
    walks = np.atleast_2d(walks)
    number, num_steps = walks.shape
    steps = np.arange(1, num_steps + 1)
    if number == 1:
        ax.plot(steps, walks[0], color=BLUE, label="walk")
    elif number > 1:
        shown = min(number, MOST_WALKS)
        name = f"{number} walks" if shown == number else f"{shown} of {number} walks"
        lines = ax.plot(steps, walks[:shown].T, color=LIGHT, linewidth=0.6)
        lines[0].set_label(name)
        mean, sd = walks.mean(axis=0), walks.std(axis=0)
        ax.plot(steps, mean, color=BLUE, label="mean")
        ax.fill_between(
            steps, mean - sd, mean + sd, color=BLUE, alpha=0.2, label="mean ± standard deviation"
        )
    ax.set(title="Random walks", xlabel="step", ylabel="position")
    if number:
        ax.legend(loc="upper left")
    return ax


def plot_step_sweep(sweep: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw the error of a finite difference against its step, the U of round-off and truncation.

    Args:
        sweep: What `gradlab.step_sweep` returned, with columns `step` and `error`.
        ax: Where to draw; a new figure if None.

    Returns:
        The Axes, both axes logarithmic, the smallest error marked. An error of exactly 0 has no
        logarithm and is left out.

    Example:
        >>> import jax.numpy as jnp
        >>> from gradlab import step_sweep
        >>> ax = plot_step_sweep(step_sweep(jnp.tanh, 2.0))
        >>> ax.get_xscale(), ax.get_yscale()
        ('log', 'log')
    """
    ax = axes_or_new(ax)
    ax.set(
        xscale="log",
        yscale="log",
        title="Too large a step truncates, too small a step rounds off",
        xlabel="step h",
        ylabel="|finite difference − gradient|",
    )
    shown = sweep[sweep["error"] > 0]
    if len(shown):
        ax.plot(shown["step"], shown["error"], color=BLUE, marker="o", label="central difference")
        step, error = shown.nsmallest(1, "error")[["step", "error"]].iloc[0]
        label = f"least error, at h = {step:.1g}"
        ax.plot(step, error, "*", color=ORANGE, markersize=16, label=label)
        ax.legend()
    return ax


def plot_decision_boundary(
    W: ArrayLike, b: ArrayLike, inputs: ArrayLike, targets: ArrayLike, ax: Axes | None = None
) -> Axes:
    """Draw two features of labelled examples, and where logistic regression is undecided.

    Args:
        W: Weights, `(2,)`.
        b: Bias, `()`.
        inputs: Two features for each example, `(n, 2)`.
        targets: Labels, `(n,)`, boolean or 0 and 1.
        ax: Where to draw; a new figure if None.

    Returns:
        The Axes, with the boundary p = ½ as a solid line, p = 0.1 dotted and p = 0.9 dashed.

    Raises:
        ValueError: If `W` does not have two weights, one for each axis of the figure.

    Example:
        >>> import jax.numpy as jnp
        >>> inputs, targets = jnp.array([[1.0, 1.0], [-1.0, 0.0]]), jnp.array([True, False])
        >>> ax = plot_decision_boundary(jnp.array([2.0, 1.0]), 0.0, inputs, targets)
        >>> ax.get_legend_handles_labels()[1]
        ['true', 'false', 'p = 0.1', 'p = 0.5', 'p = 0.9']
    """
    ax = axes_or_new(ax)
    inputs, targets = np.asarray(inputs), np.asarray(targets, bool)
    if np.shape(W) != (2,):
        raise ValueError(
            f"W: got shape {np.shape(W)}, expected (2,), one weight for each axis; "
            "write W[:2] to see two of them"
        )
    for label, marker, color in ((True, "o", BLUE), (False, "^", ORANGE)):
        x, y = inputs[targets == label].T
        ax.scatter(x, y, s=20, c=color, marker=marker, alpha=0.8, label=str(label).lower())

    corners = inputs if len(inputs) else np.array([[-1.0, -1.0], [1.0, 1.0]])
    low, high = corners.min(axis=0), corners.max(axis=0)
    margin = 0.05 * (high - low) + 0.1
    x, y = np.linspace(low - margin, high + margin, 200).T
    grid = np.stack(np.meshgrid(x, y), axis=-1)
    p = jax.jit(jax.vmap(predict, in_axes=(None, None, 0)))(W, b, grid)
    styles = {0.1: "dotted", 0.5: "solid", 0.9: "dashed"}
    ax.contour(x, y, p, levels=list(styles), colors="black", linestyles=list(styles.values()))
    for level, style in styles.items():
        ax.plot([], [], color="black", linestyle=style, label=f"p = {level}")
    ax.set(title="The decision boundary", xlabel="first feature", ylabel="second feature")
    legend_beside(ax)
    return ax
