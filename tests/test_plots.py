"""Figures show the numbers they are given, are labelled, and take none, one or many particles."""

import itertools

import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.contour import ContourSet
from matplotlib.figure import Figure
from matplotlib.quiver import Quiver
from PIL import Image

from gradlab import (
    descent_path,
    paraboloid,
    plots,
    random_walk,
    sine_squared,
    step_sweep,
    wavy_bowl,
)


def walks(number):
    keys = jax.random.split(jax.random.key(0), number)
    return jax.vmap(lambda key: random_walk(0.1, 1.0, key, 32))(keys)


def valley(particle):
    """A landscape that is not the same along both coordinates."""
    return sine_squared(particle[0]) + 0.05 * particle[1] ** 2


LINE_PATH = descent_path(wavy_bowl, jnp.linspace(-8.0, 8.0, 5), 0.5, 10)
PLANE_PATH = descent_path(paraboloid, jnp.array([[1.0, 2.0], [-1.5, 0.5]]), 0.1, 10)
INPUTS, TARGETS = np.array([[1.0, 1.0], [-1.0, 0.0], [0.5, -0.5]]), np.array([True, False, True])

DRAW = {
    "function and gradient": lambda ax=None: plots.plot_function_and_gradient(
        sine_squared, np.linspace(-5, 5, 50), ax
    ),
    "one walk": lambda ax=None: plots.plot_walks(walks(1)[0], ax),
    "walks": lambda ax=None: plots.plot_walks(walks(7), ax),
    "contours": lambda ax=None: plots.plot_contours(
        paraboloid, np.linspace(-1, 1, 20), np.linspace(-2, 2, 30), ax
    ),
    "descent on a curve": lambda ax=None: plots.plot_descent(wavy_bowl, LINE_PATH, ax),
    "descent on contours": lambda ax=None: plots.plot_descent(paraboloid, PLANE_PATH, ax),
    "step sweep": lambda ax=None: plots.plot_step_sweep(step_sweep(jnp.tanh, 2.0), ax),
    "decision boundary": lambda ax=None: plots.plot_decision_boundary(
        np.array([2.0, 1.0]), 0.0, INPUTS, TARGETS, ax
    ),
}


def named(ax, label):
    (artist,) = [a for a in ax.get_children() if a.get_label() == label]
    return artist


@pytest.mark.parametrize("draw", DRAW.values(), ids=DRAW)
def test_figure_is_labelled_and_drawn_where_it_was_asked_for(draw):
    figure, (left, right) = plt.subplots(1, 2)
    assert draw(right) is right
    assert not left.has_data()
    for text in (right.get_title(), right.get_xlabel(), right.get_ylabel()):
        assert text
    figure.canvas.draw()
    assert draw().get_figure() is not figure
    assert len(plt.get_fignums()) == 2


@pytest.mark.parametrize("draw", DRAW.values(), ids=DRAW)
def test_lines_in_the_legend_differ_in_more_than_colour(draw):
    ax = draw()
    looks = []
    for line in ax.get_lines():
        if not line.get_label().startswith("_"):
            fill = str(line.get_markerfacecolor()) == "none"
            looks.append((line.get_linestyle(), line.get_marker(), fill, line.get_linewidth()))
    scattered = [marks for marks in ax.collections if isinstance(marks, PathCollection)]
    looks += [marks.get_paths()[0].vertices.tolist() for marks in scattered]
    for one, other in itertools.combinations(looks, 2):
        assert one != other


def test_function_and_gradient_are_the_values_and_the_slopes():
    x = np.linspace(-5, 5, 50)
    ax = plots.plot_function_and_gradient(sine_squared, x)
    np.testing.assert_allclose(named(ax, "f(x)").get_ydata(), np.sin(x) ** 2, atol=1e-6)
    np.testing.assert_allclose(named(ax, "df/dx").get_ydata(), np.sin(2 * x), atol=1e-6)


def test_walks_are_drawn_with_their_mean_and_spread():
    positions = np.asarray(walks(7), float)
    ax = plots.plot_walks(positions)
    mean, sd = positions.mean(axis=0), positions.std(axis=0)
    np.testing.assert_array_equal(named(ax, "mean").get_xdata(), np.arange(1, 33))
    np.testing.assert_allclose(named(ax, "mean").get_ydata(), mean)
    band = named(ax, "mean ± standard deviation").get_paths()[0].vertices
    assert {round(y, 4) for y in band[:, 1]} >= {round(y, 4) for y in (mean + sd).tolist()}
    assert len(ax.get_lines()) == 8


def test_of_ten_thousand_walks_fifty_are_drawn_and_all_are_counted():
    positions = np.tile(np.arange(5.0), (10_000, 1))
    positions[5000:] += 2.0
    ax = plots.plot_walks(positions)
    assert len(ax.get_lines()) == 51
    np.testing.assert_allclose(named(ax, "mean").get_ydata(), np.arange(5.0) + 1)
    assert named(ax, "50 of 10000 walks") is not None


def test_no_walks_are_an_empty_figure():
    ax = plots.plot_walks(np.zeros((0, 5)))
    assert not ax.get_lines()
    ax.get_figure().canvas.draw()


def test_contours_lie_where_the_landscape_has_their_height_and_lower_ones_are_darker():
    ax = plots.plot_contours(valley, np.linspace(-4, 4, 200), np.linspace(-6, 6, 200))
    (contours,) = [a for a in ax.get_children() if isinstance(a, ContourSet)]
    lines = [line.vertices for line in contours.get_paths()]
    expected = np.repeat(contours.levels, [len(line) for line in lines])
    np.testing.assert_allclose(jax.vmap(valley)(np.concatenate(lines)), expected, atol=5e-3)
    brightness = contours.get_edgecolors()[:, :3].mean(axis=1)
    assert (np.diff(brightness) > 0).all()


def test_descent_in_two_dimensions_shows_both_coordinates_of_the_path():
    path = np.array([[[-1.0, 5.0], [0.5, 4.0]], [[-0.5, 4.5], [0.2, 3.0]]])
    ax = plots.plot_descent(valley, path)
    np.testing.assert_array_equal(named(ax, "now").get_xydata(), path[-1])
    assert ax.get_xlim()[1] < 2 < 3 < ax.get_ylim()[0] + 1


def test_descent_marks_the_start_and_the_end_on_the_curve():
    ax = plots.plot_descent(wavy_bowl, LINE_PATH)
    for label, row in (("start", LINE_PATH[0]), ("now", LINE_PATH[-1])):
        np.testing.assert_allclose(named(ax, label).get_xdata(), row)
        np.testing.assert_allclose(named(ax, label).get_ydata(), wavy_bowl(row), rtol=1e-6)


def test_few_steps_are_arrows_from_each_position_to_the_next():
    path = np.array([[2.0, -1.0], [1.0, -0.5]])
    ax = plots.plot_descent(wavy_bowl, path)
    (arrows,) = [a for a in ax.get_children() if isinstance(a, Quiver)]
    np.testing.assert_allclose(arrows.X, path[0])
    np.testing.assert_allclose(arrows.U, path[1] - path[0])
    heights = np.asarray(wavy_bowl(path))
    np.testing.assert_allclose(arrows.V, heights[1] - heights[0], rtol=1e-5)


def test_many_steps_are_lines_through_every_position():
    path = descent_path(paraboloid, jnp.ones((30, 2)), 0.1, 10)
    ax = plots.plot_descent(paraboloid, path)
    (lines,) = [a for a in ax.get_children() if type(a) is LineCollection]
    np.testing.assert_allclose(lines.get_segments(), np.asarray(path).swapaxes(0, 1))


@pytest.mark.parametrize(
    ("shape", "title"),
    [
        ((1, 0), "0 particles after 0 steps of gradient descent"),
        ((4, 0, 2), "0 particles after 3 steps of gradient descent"),
        ((2, 1), "1 particle after 1 step of gradient descent"),
        ((3, 10_000), "10000 particles after 2 steps of gradient descent"),
        ((3, 10_000, 2), "10000 particles after 2 steps of gradient descent"),
    ],
)
def test_descent_of_none_one_and_many_particles(shape, title):
    path = np.random.default_rng(0).normal(size=shape)
    ax = plots.plot_descent(wavy_bowl if len(shape) == 2 else paraboloid, path)
    assert ax.get_title() == title
    ax.get_figure().canvas.draw()


def test_a_diverging_descent_is_drawn_as_far_as_it_is_finite():
    path = np.array([[1.0], [10.0], [np.inf], [np.nan]])
    ax = plots.plot_descent(wavy_bowl, path)
    low, high = ax.get_xlim()
    assert low < 1.0
    assert 10.0 < high < 20.0
    ax.get_figure().canvas.draw()


def test_step_sweep_marks_the_least_error_and_leaves_out_a_zero():
    sweep = step_sweep(jnp.tanh, 2.0)
    sweep.loc[3, "error"] = 0.0
    ax = plots.plot_step_sweep(sweep)
    drawn = named(ax, "central difference").get_ydata()
    assert len(drawn) == len(sweep) - 1
    (star,) = [line for line in ax.get_lines() if line.get_label().startswith("least error")]
    assert star.get_ydata()[0] == drawn.min()


def test_step_sweep_of_a_straight_line_is_empty_where_every_error_is_zero():
    sweep = step_sweep(lambda x: 0.0 * x, 1.0, steps=[0.5, 0.25])
    ax = plots.plot_step_sweep(sweep)
    assert not ax.get_lines()
    ax.get_figure().canvas.draw()


def test_decision_boundary_is_where_the_logit_is_zero():
    ax = plots.plot_decision_boundary(np.array([2.0, 1.0]), 0.5, INPUTS, TARGETS)
    (contours,) = [a for a in ax.get_children() if hasattr(a, "levels")]
    boundary = contours.get_paths()[list(contours.levels).index(0.5)].vertices
    np.testing.assert_allclose(boundary @ [2.0, 1.0] + 0.5, 0.0, atol=1e-2)
    styles = dict(zip(contours.levels, contours.linestyles, strict=True))
    for level, style in styles.items():
        assert (
            named(ax, f"p = {level}").get_linestyle()
            == {"dotted": ":", "solid": "-", "dashed": "--"}[style]
        )
    for level, path in zip(contours.levels, contours.get_paths(), strict=True):
        logits = path.vertices @ [2.0, 1.0] + 0.5
        np.testing.assert_allclose(1 / (1 + np.exp(-logits)), level, atol=1e-2)
    assert len(named(ax, "true").get_offsets()) == 2
    assert len(named(ax, "false").get_offsets()) == 1


def test_decision_boundary_without_examples():
    ax = plots.plot_decision_boundary(np.array([2.0, 1.0]), 0.0, INPUTS[:0], TARGETS[:0])
    ax.get_figure().canvas.draw()


@pytest.mark.parametrize(("f", "path"), [(wavy_bowl, LINE_PATH), (paraboloid, PLANE_PATH)])
def test_gif_has_a_frame_for_each_position_and_they_differ(tmp_path, f, path):
    plots.save_descent_gif(tmp_path / "descent.gif", f, path)
    with Image.open(tmp_path / "descent.gif") as image:
        assert image.n_frames == len(path)
        assert image.info["loop"] == 0
        assert image.info["duration"] == 80  # milliseconds
        first = np.asarray(image.convert("RGB"))
        image.seek(len(path) - 1)
        assert image.info["duration"] == 1500
        last = np.asarray(image.convert("RGB"))
    changed = (first != last).any(axis=-1).mean()
    assert 0 < changed < 0.2  # the particles have moved, the landscape has not
    assert not plt.get_fignums()


def test_gif_draws_the_landscape_once_for_all_frames(tmp_path, monkeypatch):
    drawn, draw = [], Figure.draw
    monkeypatch.setattr(Figure, "draw", lambda self, to: (drawn.append(self), draw(self, to)))
    plots.save_descent_gif(tmp_path / "descent.gif", wavy_bowl, LINE_PATH)
    assert len(drawn) == 1
    # The negative control: Matplotlib's own writer draws everything for every frame.
    plots.animate_descent(wavy_bowl, LINE_PATH).save(tmp_path / "slow.gif", writer="pillow")
    assert len(drawn) > len(LINE_PATH)


def test_gif_of_no_particles(tmp_path):
    plots.save_descent_gif(tmp_path / "none.gif", wavy_bowl, np.zeros((2, 0)))
    assert (tmp_path / "none.gif").stat().st_size > 0


@pytest.mark.parametrize("k", [0, 4, 10])
def test_each_frame_shows_the_particles_their_trails_and_the_step(k):
    animation = plots.animate_descent(wavy_bowl, LINE_PATH)
    ax = plt.gcf().axes[0]
    for _, frame in zip(range(k + 1), animation.new_frame_seq(), strict=False):
        animation._draw_frame(frame)
    (particles,) = [line for line in ax.get_lines() if line.get_marker() == "o"]
    np.testing.assert_allclose(particles.get_xdata(), LINE_PATH[k])
    (trails,) = [a for a in ax.get_children() if type(a) is LineCollection]
    segments = np.array(trails.get_segments())
    np.testing.assert_allclose(segments[..., 0], np.asarray(LINE_PATH[: k + 1]).T)
    assert [text.get_text() for text in ax.texts] == [f"step {k}"]


def test_animation_plays_every_position():
    animation = plots.animate_descent(wavy_bowl, LINE_PATH)
    assert len(list(animation.new_frame_seq())) == len(LINE_PATH)
    player = animation.to_jshtml()
    assert player.count("frames[") >= len(LINE_PATH)


@pytest.mark.parametrize("shape", [(3,), (3, 4, 3), (2, 2, 2, 2)])
@pytest.mark.parametrize("draw", [plots.plot_descent, plots.animate_descent])
def test_a_path_of_another_shape_is_refused(draw, shape):
    with pytest.raises(ValueError, match="path") as raised:
        draw(paraboloid, np.ones(shape))
    assert str(raised.value) == (
        f"path: got shape {shape}, expected (num_steps + 1, n) or (num_steps + 1, n, 2); write "
        "gradlab.descent_path(f, samples, step_size, num_steps), its [..., :2] if d > 2"
    )


def test_decision_boundary_needs_two_weights():
    with pytest.raises(ValueError, match="W") as raised:
        plots.plot_decision_boundary(np.ones(3), 0.0, INPUTS, TARGETS)
    assert str(raised.value) == (
        "W: got shape (3,), expected (2,); write W[:2] to see two of them, one weight for each axis"
    )


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize("dimensions", [1, 2])
def test_a_path_that_overflows_is_drawn_as_far_as_it_is_finite_and_says_so(
    tmp_path, number, dimensions
):
    """Each step multiplies by −9; after some twenty the height overflows, then the position."""
    start = jnp.array([[1.0, 2.0], [0.5, 1e-3]])[:number, :dimensions]
    start = start[:, 0] if dimensions == 1 else start
    path = descent_path(paraboloid, start, 5.0, 60)
    assert not np.isfinite(path).all()
    ax = plots.plot_descent(paraboloid, path)
    assert "drawn as far as the numbers are finite" in ax.get_title()
    ax.get_figure().canvas.draw()
    (lines,) = [a for a in ax.collections if type(a) is LineCollection] or [None]
    drawn = (
        sum(np.isfinite(line).all(axis=1).sum() for line in lines.get_segments()) if lines else 0
    )
    (arrows,) = [a for a in ax.collections if isinstance(a, Quiver)] or [None]
    drawn += int((~np.ma.getmaskarray(np.ma.masked_invalid(arrows.U))).sum()) if arrows else 0
    assert drawn >= 15
    plots.save_descent_gif(tmp_path / "away.gif", paraboloid, path)
    with Image.open(tmp_path / "away.gif") as image:
        assert image.n_frames == 61


def test_a_path_that_stays_finite_says_nothing():
    assert "finite" not in plots.plot_descent(wavy_bowl, LINE_PATH).get_title()


@pytest.mark.parametrize("weight", [0.0, 1e3])
def test_a_boundary_outside_of_the_figure_is_left_out(weight):
    ax = plots.plot_decision_boundary(np.array([0.0, 0.0]), weight, INPUTS, TARGETS)
    ax.get_figure().canvas.draw()
    assert not [a for a in ax.get_children() if isinstance(a, ContourSet)]


def test_a_landscape_of_one_height_has_no_contours():
    ax = plots.plot_contours(lambda p: 0.0 * p[0], [0.0, 1.0], [0.0, 1.0])
    ax.get_figure().canvas.draw()


@pytest.mark.parametrize("convert", [list, jnp.array, np.array, pd.Series])
def test_figures_take_the_numbers_that_people_have(convert):
    x = np.linspace(-1.0, 1.0, 5)
    assert len(plots.plot_function_and_gradient(sine_squared, convert(x)).get_lines()) == 3
    plots.plot_contours(paraboloid, convert(x), convert(x))
    plots.plot_walks(convert(x))
    plots.plot_decision_boundary(convert([1.0, 2.0]), 0.0, INPUTS, convert([0, 1, 1]))


@pytest.mark.parametrize("targets", [[-1, 1, 1], [0.2, 0.9, 1.0], [1.0, np.nan, 0.0], [1, 2, 1]])
def test_labels_that_are_not_zero_or_one_are_refused(targets):
    with pytest.raises(ValueError, match=r"targets: got .+, expected 0 or 1; write targets == 1"):
        plots.plot_decision_boundary(np.array([2.0, 1.0]), 0.0, INPUTS, np.array(targets))
    assert not plt.get_fignums()


@pytest.mark.parametrize("name", ["descent.jpg", "descent.png", "descent", "none/descent.gif"])
def test_a_gif_of_another_name_is_refused_before_anything_is_drawn(tmp_path, name, monkeypatch):
    monkeypatch.setattr(Figure, "draw", lambda *_: pytest.fail("it draws"))
    with pytest.raises(ValueError, match=r"filename: got .+, expected a name that ends in .gif"):
        plots.save_descent_gif(tmp_path / name, wavy_bowl, LINE_PATH)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("draw", [plots.plot_descent, plots.animate_descent])
def test_a_path_without_rows_is_refused(draw):
    with pytest.raises(
        ValueError, match=r"path: got shape \(0, 3\), expected one row or more; write"
    ):
        draw(wavy_bowl, np.zeros((0, 3)))
