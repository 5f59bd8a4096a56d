"""gradlab: learn what a gradient is by playing with real ones, in a few lines of JAX each.

All but the two that return a table and the checker are pure functions that work under `jax.jit`,
`jax.grad` and `jax.vmap`; `help(gradlab.random_walk)` gives its formula, shapes, errors and an
example that runs. Figures are in `gradlab.plots`, and `python -m gradlab.demo` runs every lab.
"""

from gradlab.checking import GradientReport, assert_grads, check_grads
from gradlab.derivatives import nth_derivative
from gradlab.differences import central_difference, step_sweep
from gradlab.landscapes import paraboloid, quadratic, sine_squared, wavy_bowl
from gradlab.logistic import load_penguins, logistic_loss, predict
from gradlab.particles import descend, descent_path, move_samples
from gradlab.per_example import per_example_grads
from gradlab.surrogates import straight_through
from gradlab.td import linear_value, td_error, td_loss
from gradlab.walks import random_walk

__all__ = [
    "GradientReport",
    "assert_grads",
    "central_difference",
    "check_grads",
    "descend",
    "descent_path",
    "linear_value",
    "load_penguins",
    "logistic_loss",
    "move_samples",
    "nth_derivative",
    "paraboloid",
    "per_example_grads",
    "predict",
    "quadratic",
    "random_walk",
    "sine_squared",
    "step_sweep",
    "straight_through",
    "td_error",
    "td_loss",
    "wavy_bowl",
]
