"""Gradient descent in motion: a player for notebooks and a GIF for everything else."""

import os
from collections.abc import Callable
from typing import Any

import numpy as np
from jax.typing import ArrayLike
from matplotlib.animation import FuncAnimation
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from PIL import Image  # Pillow comes with Matplotlib

from gradlab._arguments import describe
from gradlab.plots.descents import CUT, plot_landscape, plot_particles, points_on_landscape
from gradlab.plots.style import FIGURE_SIZE, ORANGE

MILLISECONDS_A_FRAME = 80
PAUSE_AT_THE_END = 1500  # milliseconds, so that a loop does not hide where the particles arrived


def animate_descent(
    f: Callable[[Any], Any], path: ArrayLike, ax: Axes | None = None
) -> FuncAnimation:
    """Return an animation of particles going down a landscape, one frame for each row of the path.

    In a notebook, `IPython.display.HTML(animate_descent(f, path).to_jshtml())` shows a player.
    `save_descent_gif` writes a file, many times faster than `.save` of the animation does.

    Args:
        f: Landscape: takes one particle, returns a scalar.
        path: Positions that `gradlab.descent_path` returned, `(num_steps + 1, n)` or
            `(num_steps + 1, n, 2)`.
        ax: Where to draw; a new figure if None.

    Returns:
        A Matplotlib animation; keep a reference to it for as long as it shall run.

    Raises:
        TypeError: As `plot_descent`.
        ValueError: As `plot_descent`.
    """
    points = points_on_landscape(f, path)
    ax = plot_landscape(f, points, np.ndim(path), ax)
    _, show = _moving_particles(points, ax)
    figure = ax.get_figure(root=True)
    assert figure is not None  # plot_landscape has drawn on it
    return FuncAnimation(figure, show, len(points), interval=MILLISECONDS_A_FRAME, blit=True)


def save_descent_gif(
    filename: str | os.PathLike[str], f: Callable[[Any], Any], path: ArrayLike
) -> None:
    """Write the animation of particles going down a landscape as a GIF that loops.

    The landscape is drawn once; each frame adds only the particles and their trails, and all
    frames share one palette.

    Args:
        filename: Where to write, ending in `.gif`.
        f: Landscape: takes one particle, returns a scalar.
        path: Positions that `gradlab.descent_path` returned, `(num_steps + 1, n)` or
            `(num_steps + 1, n, 2)`.

    Raises:
        TypeError: As `plot_descent`.
        ValueError: As `plot_descent`, or if `filename` does not end in `.gif`.
    """
    name = os.fspath(filename) if isinstance(filename, str | os.PathLike) else ""
    if not name.lower().endswith(".gif") or not os.path.isdir(os.path.dirname(name) or "."):
        expected = "a name that ends in .gif, in a folder that exists"
        raise ValueError(
            f"filename: got {describe(filename)}, expected {expected}; write 'descent.gif'"
        )
    points = points_on_landscape(f, path)
    figure = Figure(figsize=FIGURE_SIZE, layout="constrained")
    canvas = FigureCanvasAgg(figure)
    ax = plot_landscape(f, points, np.ndim(path), figure.add_subplot())
    artists, show = _moving_particles(points, ax)
    for artist in artists:
        artist.set_animated(True)
    size = canvas.get_width_height()
    canvas.draw()
    background = canvas.copy_from_bbox(figure.bbox)

    frames = []
    for k in range(len(points)):
        canvas.restore_region(background)
        for artist in show(k):
            ax.draw_artist(artist)
        frame = Image.frombuffer("RGBA", size, canvas.buffer_rgba(), "raw", "RGBA", 0, 1)
        frames.append(frame.convert("RGB"))
    palette = frames[-1].quantize(64, Image.Quantize.FASTOCTREE)  # median cut would tint the white
    first, *others = [frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames]
    durations = [MILLISECONDS_A_FRAME] * len(others) + [PAUSE_AT_THE_END]
    first.save(filename, save_all=True, append_images=others, duration=durations, loop=0)


def _moving_particles(
    points: np.ndarray, ax: Axes
) -> tuple[list[Artist], Callable[[int], list[Artist]]]:
    """Add the artists that move, and return them with the function that shows them at step k."""
    particles = plot_particles(ax, points[0], 7 if points.shape[1] <= 100 else 3)
    trails = LineCollection([], colors=ORANGE, linewidths=2.4)
    ax.add_collection(trails, autolim=False)
    cut = CUT if np.isnan(points).any() else ""
    ax.set_title(f"Gradient descent, step by step{cut}")
    counter = ax.text(0.02, 0.95, "", transform=ax.transAxes, va="top", family="monospace")
    artists = [trails, particles, counter]

    def show(k: int) -> list[Artist]:
        trails.set_segments(list(points[: k + 1].swapaxes(0, 1)))
        particles.set_data(*points[k].T)
        counter.set_text(f"step {k}")
        return artists

    return artists, show
