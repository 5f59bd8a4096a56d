"""Figures of gradient descent: particles on a curve in one dimension, on contours in two."""

from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from jax.typing import ArrayLike
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection

from gradlab.plots.style import BLUE, GREY, ORANGE, axes_or_new, legend_beside

MOST_ARROWS = 100  # more arrows than this hide each other; the path is then a line


def plot_contours(
    f: Callable[[Any], Any], x: ArrayLike, y: ArrayLike, ax: Axes | None = None
) -> Axes:
    """Draw lines of equal height of a landscape over two coordinates.

    Args:
        f: Landscape: takes one particle of shape `(2,)`, returns a scalar.
        x: First coordinates of the grid, `(n,)`, increasing.
        y: Second coordinates of the grid, `(m,)`, increasing.
        ax: Where to draw; a new figure if None.

    Returns:
        The Axes, darker where the landscape is lower.

    Example:
        >>> import jax.numpy as jnp
        >>> from gradlab import paraboloid
        >>> side = jnp.linspace(-2, 2, 50)
        >>> ax = plot_contours(paraboloid, side, side)
        >>> ax.get_xlabel(), ax.get_ylabel()
        ('x₁', 'x₂')
    """
    ax = axes_or_new(ax)
    grid = np.stack(np.meshgrid(x, y), axis=-1)
    heights = jax.jit(jax.vmap(jax.vmap(f)))(grid)
    lines = ax.contour(x, y, heights, levels=14, cmap="Greys_r", linewidths=0.7)
    ax.clabel(lines, list(lines.levels)[::3], fmt="%.3g", fontsize=8)
    ax.set(title="A landscape over two coordinates", xlabel="x₁", ylabel="x₂")
    return ax


def plot_descent(f: Callable[[Any], Any], path: ArrayLike, ax: Axes | None = None) -> Axes:
    """Draw particles on their way down a landscape, from their start to where they are now.

    Args:
        f: Landscape: takes one particle, returns a scalar.
        path: Positions that `gradlab.descent_path` returned: `(num_steps + 1, n)` to be drawn on
            the curve of `f`, or `(num_steps + 1, n, 2)` to be drawn on its contours.
        ax: Where to draw; a new figure if None.

    Returns:
        The Axes: hollow circles at the start, filled ones at the end, every step as an arrow
        if there are at most 100 and as a line otherwise.

    Raises:
        ValueError: If `path` has another number of axes, or particles of more than two dimensions.

    Example:
        >>> import jax.numpy as jnp
        >>> from gradlab import descent_path, wavy_bowl
        >>> path = descent_path(wavy_bowl, jnp.linspace(-8.0, 8.0, 9), 0.5, 10)
        >>> plot_descent(wavy_bowl, path).get_title()
        '9 particles after 10 steps of gradient descent'
    """
    ax = plot_landscape(f, path, ax)
    points = points_on_landscape(f, path)
    num_steps, number = points.shape[0] - 1, points.shape[1]
    if num_steps * number <= MOST_ARROWS:
        start, step = points[:-1].reshape(-1, 2), np.diff(points, axis=0).reshape(-1, 2)
        ax.quiver(
            *start.T,
            *step.T,
            angles="xy",
            scale_units="xy",
            scale=1,
            color=ORANGE,
            width=0.004,
            zorder=3,
        )
    else:
        lines = LineCollection(list(points.swapaxes(0, 1)), colors=ORANGE, linewidths=2.4)
        ax.add_collection(lines, autolim=False)
    size = 7 if number <= 100 else 3
    plot_particles(ax, points[0], size, markerfacecolor="none", label="start")
    plot_particles(ax, points[-1], size, label="now")
    particles = "1 particle" if number == 1 else f"{number} particles"
    steps = "1 step" if num_steps == 1 else f"{num_steps} steps"
    ax.set_title(f"{particles} after {steps} of gradient descent")
    legend_beside(ax)
    return ax


def plot_landscape(f: Callable[[Any], Any], path: ArrayLike, ax: Axes | None = None) -> Axes:
    """Draw the part of a landscape that a path covers: its curve, or its contours in 2-D."""
    path = np.asarray(path)
    if path.ndim not in (2, 3) or path.shape[2:] not in ((), (2,)):
        raise ValueError(
            f"path: got shape {path.shape}, expected (num_steps + 1, n) or (num_steps + 1, n, 2); "
            "write path[..., :2] to see two coordinates of particles that have more"
        )
    ax = axes_or_new(ax)
    if path.ndim == 3:
        plot_contours(f, _span(path[..., 0]), _span(path[..., 1]), ax)
    else:
        x = _span(path)
        ax.plot(x, jax.jit(jax.vmap(f))(x), color=GREY, label="_landscape")
        ax.set(xlabel="x", ylabel="f(x)")
    return ax


def points_on_landscape(f: Callable[[Any], Any], path: ArrayLike) -> np.ndarray:
    """Return the particles' places in the figure, `(num_steps + 1, n, 2)`: (x, f(x)) on a curve."""
    path = np.asarray(path)
    if path.ndim == 3:
        return path
    return np.stack([path, jax.jit(jax.vmap(jax.vmap(f)))(path)], axis=-1)


def plot_particles(ax: Axes, points: np.ndarray, size: float, **options: Any) -> Any:
    """Draw one circle for each of the points `(n, 2)` and return the line object they are."""
    (line,) = ax.plot(*points.T, "o", color=BLUE, markersize=size, zorder=4, **options)
    return line


def _span(positions: np.ndarray) -> np.ndarray:
    """Return 400 coordinates that cover the finite positions, with a margin."""
    finite = positions[np.isfinite(positions)]
    low, high = (finite.min(), finite.max()) if finite.size else (-1.0, 1.0)
    margin = 0.08 * (high - low) + 0.1
    return np.linspace(low - margin, high + margin, 400)
