"""Figures: a function with its gradient, walks, descents, a step sweep, a decision boundary.

Every function draws on the Axes given as `ax`, or on a new figure, and returns the Axes, so that a
caller can change the title or add to it. Lines differ in style or marker as well as in colour, so
a figure stays readable in grey. Points that are not finite are left out.
"""

from gradlab.plots.animations import animate_descent, save_descent_gif
from gradlab.plots.curves import (
    plot_decision_boundary,
    plot_function_and_gradient,
    plot_step_sweep,
    plot_walks,
)
from gradlab.plots.descents import plot_contours, plot_descent

__all__ = [
    "animate_descent",
    "plot_contours",
    "plot_decision_boundary",
    "plot_descent",
    "plot_function_and_gradient",
    "plot_step_sweep",
    "plot_walks",
    "save_descent_gif",
]
