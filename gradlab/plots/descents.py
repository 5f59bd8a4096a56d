"""Figures of gradient descent: particles on a curve in one dimension, on contours in two."""

from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from jax.typing import ArrayLike
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection

from gradlab._arguments import describe, known_numbers, scalar_valued
from gradlab.plots.style import BLUE, GREY, ORANGE, axes_or_new, legend_beside

MOST_ARROWS = 100  # more arrows than this hide each other; the path is then a line
CUT = "\n(drawn as far as the numbers are finite)"
_PATH = "gradlab.descent_path(f, samples, step_size, num_steps), its [..., :2] if d > 2"


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

    Raises:
        TypeError: If `f` is not a function of one array, or `x` or `y` does not hold numbers.
        ValueError: If `x` or `y` is not `(n,)` and increasing, or `f` does not return a scalar.

    Example:
        >>> import jax.numpy as jnp
        >>> from gradlab import paraboloid
        >>> side = jnp.linspace(-2, 2, 50)
        >>> ax = plot_contours(paraboloid, side, side)
        >>> ax.get_xlabel(), ax.get_ylabel()
        ('x₁', 'x₂')
    """
    write = "jnp.linspace(-2, 2, 50)"
    for name, side in (("x", x), ("y", y)):
        steps = np.diff(known_numbers(name, side, write, ("n",)))
        if not len(steps) or not (steps > 0).all():
            expected = "two or more increasing numbers"
            raise ValueError(f"{name}: got {describe(side)}, expected {expected}; write {write}")
    heights = _heights(f, np.stack(np.meshgrid(x, y), axis=-1), (2,))
    ax = axes_or_new(ax)
    if np.nanmin(heights) < np.nanmax(heights):
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
        if there are at most 100 and as a line otherwise. A particle that diverges is drawn as
        far as its position and height are finite, and the title says so.

    Raises:
        TypeError: If `f` is not a function of one particle, or `path` does not hold numbers.
        ValueError: If `path` has another number of axes, or particles of more than two dimensions.

    Example:
        >>> import jax.numpy as jnp
        >>> from gradlab import descent_path, wavy_bowl
        >>> path = descent_path(wavy_bowl, jnp.linspace(-8.0, 8.0, 9), 0.5, 10)
        >>> plot_descent(wavy_bowl, path).get_title()
        '9 particles after 10 steps of gradient descent'
    """
    points = points_on_landscape(f, path)
    ax = plot_landscape(f, points, np.ndim(path), ax)
    num_steps, number = points.shape[0] - 1, points.shape[1]
    if num_steps * number <= MOST_ARROWS:
        start, step = points[:-1].reshape(-1, 2), np.diff(points, axis=0).reshape(-1, 2)
        in_data: Any = {"angles": "xy", "scale_units": "xy", "scale": 1}
        ax.quiver(*start.T, *step.T, **in_data, color=ORANGE, width=0.004, zorder=3)
    else:
        lines = LineCollection(list(points.swapaxes(0, 1)), colors=ORANGE, linewidths=2.4)
        ax.add_collection(lines, autolim=False)
    size = 7 if number <= 100 else 3
    plot_particles(ax, points[0], size, markerfacecolor="none", label="start")
    plot_particles(ax, points[-1], size, label="now")
    particles = "1 particle" if number == 1 else f"{number} particles"
    steps = "1 step" if num_steps == 1 else f"{num_steps} steps"
    cut = CUT if np.isnan(points).any() else ""
    ax.set_title(f"{particles} after {steps} of gradient descent{cut}")
    legend_beside(ax)
    return ax


def points_on_landscape(f: Callable[[Any], Any], path: ArrayLike) -> np.ndarray:
    """Return the particles' places in the figure, `(num_steps + 1, n, 2)`: (x, f(x)) on a curve.

    From the step on where a particle or its height is not finite, its places are NaN.
    """
    shape = ("num_steps + 1", "n")
    path = known_numbers("path", path, _PATH, shape, (*shape, 2))
    if not len(path):
        raise ValueError(f"path: got shape {path.shape}, expected one row or more; write {_PATH}")
    heights = _heights(f, path, path.shape[2:])
    places = path if path.ndim == 3 else np.stack([path, heights], axis=-1)
    gone = np.isnan(heights) | ~np.isfinite(places).all(axis=-1)
    return np.where(np.logical_or.accumulate(gone)[..., None], np.nan, places)


def plot_landscape(
    f: Callable[[Any], Any], points: np.ndarray, path_ndim: int, ax: Axes | None = None
) -> Axes:
    """Draw the part of a landscape that a path covers: its curve, or its contours in 2-D."""
    x, y = (_span(points[..., k]) for k in (0, 1))
    if path_ndim == 3:
        return plot_contours(f, x, y, ax)
    heights = _heights(f, x, ())
    ax = axes_or_new(ax)
    ax.plot(x, heights, color=GREY, label="_landscape")
    ax.set(xlabel="x", ylabel="f(x)")
    return ax


def plot_particles(ax: Axes, points: np.ndarray, size: float, **options: Any) -> Any:
    """Draw one circle for each of the points `(n, 2)` and return the line object they are."""
    (line,) = ax.plot(*points.T, "o", color=BLUE, markersize=size, zorder=4, **options)
    return line


def _heights(f: Callable[[Any], Any], points: np.ndarray, particle: tuple[int, ...]) -> np.ndarray:
    """Return `f` at points of shape `(..., *particle)`, NaN where it is not finite."""
    f = scalar_valued("f", f, "a scalar for one particle, such as jnp.sum(f(x))")
    with np.errstate(over="ignore"):  # a position may be too large for float32
        heights = np.asarray(jax.jit(jax.vmap(f))(points.reshape(-1, *particle)), float)
    heights = heights.reshape(points.shape[: points.ndim - len(particle)])
    return np.where(np.isfinite(heights), heights, np.nan)


def _span(positions: np.ndarray) -> np.ndarray:
    """Return 400 coordinates that cover the finite positions, with a margin."""
    finite = positions[np.isfinite(positions)]
    low, high = (finite.min(), finite.max()) if finite.size else (-1.0, 1.0)
    margin = 0.08 * (high - low) + 0.1
    return np.linspace(low - margin, high + margin, 400)
