"""gradlab: learn what a gradient is by playing with real ones, in a few lines of JAX each.

All but the two that return a table and the checker are pure functions that work under `jax.jit`,
`jax.grad` and `jax.vmap`; `help(gradlab.random_walk)` gives its formula, shapes, errors and an
example that runs. Figures are in `gradlab.plots`, and `python -m gradlab.demo` runs every lab.
"""

from typing import TYPE_CHECKING, Any

from gradlab.derivatives import nth_derivative
from gradlab.differences import central_difference, step_sweep
from gradlab.landscapes import paraboloid, quadratic, sine_squared, wavy_bowl
from gradlab.logistic import load_penguins, logistic_loss, predict
from gradlab.particles import descend, descent_path, move_samples
from gradlab.per_example import per_example_grads
from gradlab.surrogates import straight_through
from gradlab.td import linear_value, td_error, td_loss
from gradlab.walks import random_walk

if TYPE_CHECKING:
    from gradlab.checking import GradientReport, assert_grads, check_grads

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


def __getattr__(name: str) -> Any:
    """Import the checker only when it is wanted: `import gradlab` costs what `import jax` costs."""
    if name not in ("GradientReport", "assert_grads", "check_grads"):
        raise AttributeError(f"module 'gradlab' has no attribute {name!r}")
    import gradlab.checking

    return getattr(gradlab.checking, name)


def __dir__() -> list[str]:
    return __all__
