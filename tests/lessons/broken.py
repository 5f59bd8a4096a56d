"""Helpers made wrong on purpose: do the lessons' own assertions notice?

python tests/lessons/broken.py [WORD ...]

prints, for every fault whose name has one of the words in it, each lesson that uses the helper with
the cell whose assertion failed first. The cells of a lesson are run here, in this process, so that
JAX starts once.
"""

import contextlib
import dataclasses
import io
import linecache
import os
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
if __name__ == "__main__":
    os.environ["XLA_FLAGS"] = "--xla_force_host_platform_device_count=8"

import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np

import gradlab
import gradlab.plots
from lessons.execution import FOLDER, code_cells, read

right = {name: getattr(gradlab, name) for name in gradlab.__all__}
drawn = {name: getattr(gradlab.plots, name) for name in gradlab.plots.__all__}


def with_all_verdicts(verdict: str) -> Callable[..., Any]:
    """Return a checker that says this of everything."""

    def check_grads(*args, **options):
        report = right["check_grads"](*args, **options)
        leaves = (dataclasses.replace(leaf, verdict=verdict) for leaf in report.leaves)
        return dataclasses.replace(report, leaves=tuple(leaves))

    return check_grads


def late_walk(mean, sd, key, num_steps):
    return right["random_walk"](mean, sd, key, num_steps) - mean


def clipped_step(gradient_func, samples, step_size):
    def clipped(x):
        return jnp.clip(gradient_func(x), -1.0, 1.0)

    return right["move_samples"](clipped, samples, step_size)


def without_discount(name: str) -> Callable[..., Any]:
    def forgets(theta, s_tm1, r_t, s_t, discount_t=1.0, **options):
        return right[name](theta, s_tm1, r_t, s_t, 1.0, **options)

    return forgets


def half_a_slope(f, backward=None):
    g = backward or (lambda x: x)
    return right["straight_through"](f, backward=lambda x: g(x) / 2)


def over_the_number_of_rows(loss, argnums=0):
    def rows(*args):
        grads = right["per_example_grads"](loss, argnums)(*args)
        return jax.tree.map(lambda leaf: leaf / leaf.shape[0], grads)

    return rows


def regularised(W, b, inputs, targets):
    return right["logistic_loss"](W, b, inputs, targets) + 1e-3 * jnp.sum(W**2)


def naive_log(W, b, inputs, targets):
    p = right["predict"](W, b, inputs)
    return -jnp.sum(jnp.log(jnp.where(targets, p, 1 - p)))


def one_sided(f, x, *, direction=None, step=None):
    h = 1e-2 if step is None else step
    v = jnp.ones_like(jnp.asarray(x, float)) if direction is None else direction
    return (f(x + h * v) - f(x)) / h


def second_for_the_third(f, n):
    return right["nth_derivative"](f, 2 if n == 3 else n)


def fewer_penguins():
    return right["load_penguins"]().iloc[:-60]


def half_the_slope_drawn(f, x, ax=None):
    ax = drawn["plot_function_and_gradient"](f, x, ax)
    line = next(line for line in ax.lines if "d" in str(line.get_label()))
    line.set_ydata(np.asarray(line.get_ydata()) / 2)
    return ax


def twice_the_band(walks, ax=None):
    ax = drawn["plot_walks"](walks, ax)
    middle = np.asarray(walks).mean(axis=0)
    for band in ax.collections:
        for path in band.get_paths():
            at = np.clip(path.vertices[:, 0].round().astype(int) - 1, 0, len(middle) - 1)
            path.vertices[:, 1] = 2 * path.vertices[:, 1] - middle[at]
    return ax


def boundary_without_b(W, b, *args, **options):
    return drawn["plot_decision_boundary"](W, 0.0 * b, *args, **options)


TAUGHT = {  # helper: the lesson that teaches it, and whose assertions must notice
    "random_walk": "06", "move_samples": "03", "td": "08", "td_loss": "08",
    "straight_through": "08", "per_example_grads": "07", "logistic_loss": "04",
    "central_difference": "11", "nth_derivative": "01", "wavy_bowl": "03", "paraboloid": "09",
    "load_penguins": "04", "check_grads": "01", "plot_function_and_gradient": "01",
    "plot_walks": "06", "plot_decision_boundary": "04",
}  # fmt: skip
FAULTS: dict[str, dict[str, Callable[..., Any]]] = {
    "random_walk: noise × 0.98": {
        "random_walk": lambda mean, sd, *rest: right["random_walk"](mean, 0.98 * sd, *rest)
    },
    "random_walk: mean one step late": {"random_walk": late_walk},
    "move_samples: step × 0.9": {
        "move_samples": lambda g, samples, step: right["move_samples"](g, samples, 0.9 * step)
    },
    "move_samples: gradient clipped at 1": {"move_samples": clipped_step},
    "td: discount of the target ignored": {
        name: without_discount(name) for name in ("td_error", "td_loss")
    },
    "td_loss: × ½": {"td_loss": lambda *args, **o: right["td_loss"](*args, **o) / 2},
    "straight_through: derivative ½": {"straight_through": half_a_slope},
    "straight_through: `backward` ignored": {
        "straight_through": lambda f, backward=None: right["straight_through"](f)
    },
    "per_example_grads: rows / n": {"per_example_grads": over_the_number_of_rows},
    "logistic_loss: hidden regularisation": {"logistic_loss": regularised},
    "logistic_loss: naive log": {"logistic_loss": naive_log},
    "central_difference: one-sided": {"central_difference": one_sided},
    "nth_derivative: third = second": {"nth_derivative": second_for_the_third},
    "wavy_bowl: 0.06": {"wavy_bowl": lambda x: right["wavy_bowl"](x) + 0.01 * x**2},
    "paraboloid: coefficients²": {
        "paraboloid": lambda x, c=1.0: right["paraboloid"](x, jnp.asarray(c) ** 2)
    },
    "load_penguins: last 60 rows gone": {"load_penguins": fewer_penguins},
    "check_grads: always agree": {"check_grads": with_all_verdicts("agree")},
    "check_grads: always wrong": {"check_grads": with_all_verdicts("wrong")},
    "plot_function_and_gradient: slope halved": {
        "plot_function_and_gradient": half_the_slope_drawn
    },
    "plot_walks: band ± 2 sd": {"plot_walks": twice_the_band},
    "plot_decision_boundary: b dropped": {"plot_decision_boundary": boundary_without_b},
}


@contextlib.contextmanager
def broken(fault: str) -> Iterator[None]:
    """Put the wrong helper in the place of the right one."""
    changed = [(gradlab.plots if n in drawn else gradlab, n, f) for n, f in FAULTS[fault].items()]
    before = dict(vars(gradlab))
    for module, name, wrong in changed:
        setattr(module, name, wrong)
    try:
        yield
    finally:
        for module, name, _ in changed:
            setattr(module, name, (drawn if module is gradlab.plots else right)[name])
        if "check_grads" in FAULTS[fault] and "check_grads" not in before:
            del gradlab.check_grads  # it is imported when it is asked for


def lessons_that_use(fault: str) -> list[str]:
    """Return the names of the lessons in whose code the helper is used."""
    names = "|".join(FAULTS[fault])
    return [
        path.stem
        for path in sorted(FOLDER.glob("*.ipynb"))
        if any(
            re.search(rf"\b({names})\(|\b({names})\b[,)]", c.source) and "import" not in c.source
            for c in code_cells(read(path))
        )
    ]


def faults_taught_in(name: str) -> list[str]:
    """Return the faults of the helpers that the lesson teaches."""
    return [fault for fault in FAULTS if name.startswith(TAUGHT[fault.partition(":")[0]])]


def first_failure(name: str) -> str | None:
    """Run the lesson's cells; return where an assertion fails first, or None.

    A cell that is stopped by another error does not count as noticed: a learner would not know why.
    """
    names = {"__name__": "__main__"}
    quiet = io.StringIO()
    with (
        contextlib.redirect_stdout(quiet),
        no_windows(),
        jax.numpy_dtype_promotion("standard"),
        jax.numpy_rank_promotion("allow"),
        plt.rc_context(),
        np.printoptions(),
    ):
        for index, cell in enumerate(read(FOLDER / f"{name}.ipynb").cells):
            if cell.cell_type != "code":
                continue
            file = f"<{name}, cell {index}>"
            source = re.sub(r"^( *)%.*", r"\1pass", cell.source, flags=re.M)  # no IPython here
            linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
            try:
                exec(compile(source, file, "exec"), names)
            except AssertionError:
                return f"cell {index}"
            finally:
                plt.close("all")
    return None


@contextlib.contextmanager
def no_windows() -> Iterator[None]:
    """Draw no figure that is shown."""
    show, plt.show = plt.show, lambda *args, **options: None
    try:
        yield
    finally:
        plt.show = show


def main(words: list[str]) -> None:
    """Print the table."""
    plt.switch_backend("agg")
    noticed = 0
    faults = [fault for fault in FAULTS if not words or any(word in fault for word in words)]
    for fault in faults:
        with broken(fault):
            found = {name: first_failure(name) for name in lessons_that_use(fault)}
        noticed += all(found.values()) and bool(found)
        told = "; ".join(f"{name[:2]} {cell or 'NOT NOTICED'}" for name, cell in found.items())
        print(f"{fault:42} {told or 'NOT USED'}", flush=True)
    print(f"noticed by every lesson that uses the helper: {noticed} of {len(faults)}")


if __name__ == "__main__":
    main(sys.argv[1:])
