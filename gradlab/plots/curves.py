"""Figures with curves: a function and its gradient, walks, a step sweep, a decision boundary."""

from collections.abc import Callable
from typing import Any

import jax
import numpy as np
import pandas as pd
from jax.typing import ArrayLike
from matplotlib.axes import Axes

from gradlab._arguments import describe, known_numbers, require_numbers, scalar_valued
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

    Raises:
        TypeError: If `f` is not a function of one number with a scalar value, or `x` not numbers.
        ValueError: If `x` is not `(n,)`.

    Example:
        >>> import jax.numpy as jnp
        >>> from gradlab import sine_squared
        >>> ax = plot_function_and_gradient(sine_squared, jnp.linspace(-5, 5, 100))
        >>> ax.get_legend_handles_labels()[1]
        ['f(x)', 'df/dx']
    """
    f = scalar_valued("f", f, "a function of one number, such as lambda x: f(x)[0]")
    x = known_numbers("x", x, "jnp.linspace(-5, 5, 200)", ("n",))
    values, slopes = map(np.asarray, jax.jit(jax.vmap(jax.value_and_grad(f)))(x))
    ax = axes_or_new(ax)
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

    Raises:
        TypeError: If `walks` does not hold real numbers.
        ValueError: If `walks` has more than two axes or none.

    Example:
        >>> import jax
        >>> from gradlab import random_walk
        >>> keys = jax.random.split(jax.random.key(0), 200)
        >>> ax = plot_walks(jax.vmap(lambda key: random_walk(0.1, 1.0, key, 64))(keys))
        >>> ax.get_legend_handles_labels()[1]
        ['50 of 200 walks', 'mean', 'mean ± standard deviation']
    """
    write = "walks.reshape(-1, num_steps), one walk a row"
    walks = np.atleast_2d(known_numbers("walks", walks, write, ("num_steps",), ("n", "num_steps")))
    ax = axes_or_new(ax)
    number, num_steps = walks.shape
    steps = np.arange(1, num_steps + 1)
    if number == 1:
        ax.plot(steps, walks[0], color=BLUE, label="walk")
    elif number > 1:
        shown = min(number, MOST_WALKS)
        name = f"{number} walks" if shown == number else f"{shown} of {number} walks"
        lines = ax.plot(steps, walks[:shown].T, color=LIGHT, linewidth=0.6)
        lines[0].set_label(name)
        with np.errstate(invalid="ignore", over="ignore"):  # of walks that are not finite
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

    Raises:
        TypeError: If `sweep` is not such a table of numbers.

    Example:
        >>> import jax.numpy as jnp
        >>> from gradlab import step_sweep
        >>> ax = plot_step_sweep(step_sweep(jnp.tanh, 2.0))
        >>> ax.get_xscale(), ax.get_yscale()
        ('log', 'log')
    """
    write = "sweep = gradlab.step_sweep(f, x)"
    if not isinstance(sweep, pd.DataFrame) or not {"step", "error"} <= set(sweep):
        expected = "a table with columns step and error"
        raise TypeError(f"sweep: got {describe(sweep)}, expected {expected}; write {write}")
    step, error = (
        known_numbers(f"sweep['{name}']", sweep[name], write, ("n",)) for name in ("step", "error")
    )
    ax = axes_or_new(ax)
    ax.set(xscale="log", yscale="log", xlabel="step h", ylabel="|finite difference − gradient|")
    ax.set_title("Too large a step truncates, too small a step rounds off")
    shown = error > 0
    if shown.any():
        ax.plot(step[shown], error[shown], color=BLUE, marker="o", label="central difference")
        best = np.where(shown, error, np.inf).argmin()
        label = f"least error, at h = {step[best]:.1g}"
        ax.plot(step[best], error[best], "*", color=ORANGE, markersize=16, label=label)
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
        TypeError: If an argument does not hold real numbers.
        ValueError: If the shapes are not `(2,)`, `()`, `(n, 2)` and `(n,)`, or a target is
            neither 0 nor 1.

    Example:
        >>> import jax.numpy as jnp
        >>> inputs, targets = jnp.array([[1.0, 1.0], [-1.0, 0.0]]), jnp.array([True, False])
        >>> ax = plot_decision_boundary(jnp.array([2.0, 1.0]), 0.0, inputs, targets)
        >>> ax.get_legend_handles_labels()[1]
        ['true', 'false', 'p = 0.1', 'p = 0.5', 'p = 0.9']
    """
    write = "targets == 1, or another comparison, to have booleans"
    W = known_numbers("W", W, "W[:2] to see two of them, one weight for each axis", (2,))
    b = known_numbers("b", b, "b=0.0", ())
    inputs = known_numbers("inputs", inputs, "inputs[:, :2] to see two features", ("n", 2))
    targets = known_numbers("targets", targets, write, (len(inputs),))
    require_numbers("targets", targets, lambda y: (y == 0) | (y == 1), "0 or 1", write)
    ax = axes_or_new(ax)
    for label, marker, color in ((True, "o", BLUE), (False, "^", ORANGE)):
        x, y = inputs[targets == label].T
        ax.scatter(x, y, s=20, c=color, marker=marker, alpha=0.8, label=str(label).lower())

    finite = inputs[np.isfinite(inputs).all(axis=1)]
    corners = finite if len(finite) else np.array([[-1.0, -1.0], [1.0, 1.0]])
    low, high = corners.min(axis=0), corners.max(axis=0)
    margin = 0.05 * (high - low) + 0.1
    x, y = np.linspace(low - margin, high + margin, 200).T
    grid = np.stack(np.meshgrid(x, y), axis=-1)
    p = np.asarray(jax.jit(jax.vmap(predict, in_axes=(None, None, 0)))(W, b, grid))
    styles = {0.1: "dotted", 0.5: "solid", 0.9: "dashed"}
    seen = {level: style for level, style in styles.items() if p.min() < level < p.max()}
    if seen:
        ax.contour(x, y, p, levels=list(seen), colors="black", linestyles=list(seen.values()))
    for level, style in styles.items():
        ax.plot([], [], color="black", linestyle=style, label=f"p = {level}")
    ax.set(title="The decision boundary", xlabel="first feature", ylabel="second feature")
    legend_beside(ax)
    return ax
