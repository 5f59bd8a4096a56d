"""Every argument of every helper and plot, given forty odd values: named in the error, or meant.

An error names the argument, says what was got, what was expected and what to write. What is not
refused is in LET_THROUGH, with the reason, so that nothing slips through by chance.
"""

import inspect
import re
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

import gradlab
from gradlab import plots

KEY = jax.random.key(0)
THREE = jnp.array([0.1, -0.2, 0.3])


@dataclass(frozen=True)
class Unhashable:
    """A frozen dataclass that holds an array: it looks hashable and is not."""

    weights: np.ndarray

    def __call__(self, x):
        return jnp.sum(self.weights * x)


class Thing:
    """What has nothing to do with numbers."""


# Made when it is asked for, because a generator can be used once.
ODD = {
    "None": lambda: None,
    "text": lambda: "abc",
    "a number as text": lambda: "1.5",
    "bytes": lambda: b"1",
    "a list of numbers": lambda: [0.5, 1.5, 2.5],
    "a ragged list": lambda: [[1.0], [1.0, 2.0]],
    "an empty list": list,
    "a tuple of arrays": lambda: (jnp.ones(3), jnp.ones(3)),
    "a dict": lambda: {"a": 1.0},
    "a set": lambda: {1.0, 2.0},
    "a generator": lambda: (x for x in (1.0, 2.0)),
    "a class": lambda: Thing,
    "an object": Thing,
    "a function of one argument": lambda: lambda x: jnp.sum(x) * 2.0,
    "a function of two arguments": lambda: lambda x, y: x + y,
    "a function of none": lambda: lambda: 1.0,
    "a function that returns a tuple": lambda: lambda *x: (x[0], x[0]),
    "a function that returns one row": lambda: lambda *x: jnp.ones(1),
    "a function that returns None": lambda: lambda *x: None,
    "a function that returns text": lambda: lambda *x: "abc",
    "a function that returns a complex number": lambda: lambda *x: jax.lax.complex(1.0, 2.0),
    "a function of NumPy": lambda: lambda *x: np.sum(np.sin(x[0])),
    "an unhashable function": lambda: Unhashable(np.ones(1)),
    "a bool": lambda: True,
    "a complex number": lambda: 1j,
    "a whole number": lambda: 3,
    "a number": lambda: 0.5,
    "a negative number": lambda: -1.5,
    "a huge whole number": lambda: 2**70,
    "a number of steps beyond memory": lambda: 2**62,
    "zero": lambda: 0.0,
    "NaN": lambda: float("nan"),
    "infinity": lambda: float("inf"),
    "seven numbers": lambda: np.linspace(0.1, 0.7, 7),
    "seven whole numbers": lambda: np.arange(7),
    "a column": lambda: np.ones((3, 1)),
    "an array of four axes": lambda: np.ones((2, 2, 2, 2)),
    "complex numbers": lambda: np.ones(3, complex),
    "objects": lambda: np.array([1.0, 2.0, 3.0], object),
    "an array of text": lambda: np.array(["a", "b", "c"]),
    "dates": lambda: np.array(["2026-01-01"] * 3, "datetime64[D]"),
    "long doubles": lambda: np.ones(3, np.longdouble),
    "big-endian numbers": lambda: np.array([0.0, 1.0, 2.0], ">f8"),
    "masked numbers": lambda: np.ma.array([0.0, 1.0, 2.0], mask=[True, False, False]),
    "a Series": lambda: pd.Series([0.0, 0.5, 1.0]),
    "a nullable Series": lambda: pd.Series([0.0, 0.5, None], dtype="Float64"),
    "an Index": lambda: pd.Index([0.0, 0.5, 1.0]),
    "a DataFrame": lambda: pd.DataFrame({"a": [0.0, 1.0, 2.0], "b": [0.0, 1.0, 0.5]}),
    "a random key": lambda: KEY,
    "a batch of random keys": lambda: jax.random.split(KEY, 3),
    "old keys, too long": lambda: np.zeros(3, np.uint32),
    "a shape and a dtype": lambda: jax.ShapeDtypeStruct((3,), jnp.float32),
    "a figure": plt.Figure,
}


def value(x):
    """A landscape for particles of any shape."""
    return jnp.sum(x**2)


def total(x):
    """A landscape of any pytree."""
    return sum((jnp.sum(leaf**2) for leaf in jax.tree.leaves(x)), jnp.float32(0))


def loss(w, x):
    return total((w, x))


def play(animation):
    animation._draw_frame(next(animation.new_frame_seq()))


def surrogate(f, backward, x):
    """Use what straight_through returns with and without its derivative."""
    made = gradlab.straight_through(f, backward)
    made(x)
    jax.vjp(made, x)


def td(function):
    def call(theta=THREE, s_tm1=THREE, r_t=1.0, s_t=THREE, discount_t=0.9, **options):
        return function(theta, s_tm1, r_t, s_t, discount_t, **options)

    return call


# A call of each function that works; `ODD` takes the place of each argument in turn.
LINE = jnp.array([1.0, -1.0])
INPUTS = np.array([[1.0, 2.0], [0.5, -1.0], [0.0, 1.0]])
PATH = np.array([[1.0, -1.0], [0.5, -0.5], [0.2, -0.2]])
SWEEP = pd.DataFrame({"step": [0.1, 0.01], "error": [1e-2, 1e-4]})
CALLS = {
    "sine_squared": (gradlab.sine_squared, {"x": THREE}),
    "quadratic": (gradlab.quadratic, {"x": THREE}),
    "wavy_bowl": (gradlab.wavy_bowl, {"x": THREE}),
    "paraboloid": (gradlab.paraboloid, {"x": THREE, "coefficients": 2.0}),
    "nth_derivative": (
        lambda f, n, x: gradlab.nth_derivative(f, n)(x),
        {"f": value, "n": 1, "x": 2.0},
    ),
    "random_walk": (
        gradlab.random_walk,
        {"mean": 0.1, "sd": 1.0, "key": KEY, "num_steps": 3},
    ),
    "move_samples": (
        gradlab.move_samples,
        {"gradient_func": jax.grad(value), "samples": LINE, "step_size": 0.1},
    ),
    "descend": (
        gradlab.descend,
        {"f": value, "samples": LINE, "step_size": 0.1, "num_steps": 2},
    ),
    "descent_path": (
        gradlab.descent_path,
        {"f": value, "samples": LINE, "step_size": 0.1, "num_steps": 2},
    ),
    "predict": (gradlab.predict, {"W": np.ones(2), "b": 0.5, "inputs": INPUTS}),
    "logistic_loss": (
        gradlab.logistic_loss,
        {"W": np.ones(2), "b": 0.5, "inputs": INPUTS, "targets": np.array([True, False, True])},
    ),
    "linear_value": (gradlab.linear_value, {"theta": THREE, "state": THREE}),
    "td_error": (
        td(gradlab.td_error),
        {
            "theta": THREE,
            "s_tm1": THREE,
            "r_t": 1.0,
            "s_t": THREE,
            "discount_t": 0.9,
            "value_fn": gradlab.linear_value,
        },
    ),
    "td_loss": (
        td(gradlab.td_loss),
        {
            "theta": THREE,
            "s_tm1": THREE,
            "r_t": 1.0,
            "s_t": THREE,
            "discount_t": 0.9,
            "value_fn": gradlab.linear_value,
            "stop_target": True,
        },
    ),
    "straight_through": (
        surrogate,
        {"f": jnp.round, "backward": jnp.tanh, "x": THREE},
    ),
    "per_example_grads": (
        lambda loss, argnums, **args: gradlab.per_example_grads(loss, argnums)(*args.values()),
        {"loss": loss, "argnums": 0, "argument 0": jnp.float32(0.5), "argument 1": THREE},
    ),
    "central_difference": (gradlab.central_difference, {"f": total, "x": THREE, "step": 0.1}),
    "central_difference along": (
        gradlab.central_difference,
        {"f": total, "x": THREE, "direction": THREE},
    ),
    "step_sweep": (gradlab.step_sweep, {"f": total, "x": THREE, "steps": [0.1, 0.01]}),
    "step_sweep along": (
        gradlab.step_sweep,
        {"f": total, "x": THREE, "direction": THREE, "steps": [0.1]},
    ),
    "plot_function_and_gradient": (
        plots.plot_function_and_gradient,
        {"f": value, "x": np.linspace(-1, 1, 5), "ax": None},
    ),
    "plot_walks": (plots.plot_walks, {"walks": np.ones((4, 5)), "ax": None}),
    "plot_contours": (
        plots.plot_contours,
        {"f": value, "x": np.linspace(-1, 1, 5), "y": np.linspace(-1, 1, 5), "ax": None},
    ),
    "plot_descent": (plots.plot_descent, {"f": value, "path": PATH, "ax": None}),
    "animate_descent": (
        lambda **named: play(plots.animate_descent(**named)),
        {"f": value, "path": PATH, "ax": None},
    ),
    "save_descent_gif": (
        plots.save_descent_gif,
        {"filename": "descent.gif", "f": value, "path": PATH},
    ),
    "plot_step_sweep": (plots.plot_step_sweep, {"sweep": SWEEP, "ax": None}),
    "plot_decision_boundary": (
        plots.plot_decision_boundary,
        {"W": np.ones(2), "b": 0.5, "inputs": INPUTS, "targets": np.array([1, 0, 1]), "ax": None},
    ),
}

# What is not refused, by name or for every argument so called, and why.
REAL = {"a number", "a negative number", "zero", "NaN", "infinity"}  # numbers to compute with
COUNTS = {"a bool", "a whole number"}  # True counts as 1, as in Python
SCALARS = REAL | COUNTS  # a whole number becomes a floating-point one
ARRAYS = {"seven numbers", "a column", "an array of four axes"}  # any shape will do
UINTS = {"old keys, too long"}  # three zeros, where they may be numbers
WHOLE = UINTS | {"seven whole numbers"}
COMPLEX = {"a complex number", "complex numbers"}  # the landscapes are holomorphic
FUNCTIONS = {"a function of one argument", "an unhashable function"}
TREES = {"a list of numbers", "a ragged list", "a tuple of arrays", "a dict"}  # any pytree will do
# Figures take what NumPy reads as real numbers; what is not finite is left out.
COLUMNS = {"a list of numbers", "a Series", "an Index", "seven numbers", "big-endian numbers"}
LINES = COLUMNS | WHOLE | {"an empty list", "long doubles", "a nullable Series"}
PATHS = {"a tuple of arrays", "a column", "a DataFrame"}
LET_THROUGH = {
    "x": SCALARS | ARRAYS | WHOLE | COMPLEX,
    "paraboloid.coefficients": SCALARS | UINTS | COMPLEX,
    "f": FUNCTIONS,
    "ax": {"None"},
    "n": COUNTS,
    "num_steps": COUNTS,
    "nth_derivative.x": REAL,
    "mean": SCALARS,
    "sd": SCALARS - {"a negative number", "NaN"},
    "key": {"a random key"},
    "gradient_func": FUNCTIONS,
    "descend.f": {"a function of one argument"},
    "descent_path.f": {"a function of one argument"},
    "samples": {"seven numbers", "a column"},
    "step_size": SCALARS,  # a negative one climbs
    "b": REAL,
    "targets": UINTS,  # labels that are all 0
    "theta": UINTS,
    "state": UINTS,
    "s_tm1": UINTS,
    "s_t": UINTS,
    "r_t": SCALARS,
    "discount_t": SCALARS,
    "value_fn": {"a function of NumPy"},  # until it is differentiated
    "stop_target": {"a bool"},
    "straight_through.f": set(),
    "backward": {"None"},
    "straight_through.x": REAL | ARRAYS,
    "loss": {"a function of two arguments"},
    "argument 0": TREES | REAL | ARRAYS | {"None", "an empty list"},
    "argument 1": ARRAYS | WHOLE | {"a tuple of arrays"},
    "central_difference.x": TREES | REAL | ARRAYS,
    "step_sweep.x": TREES | REAL | ARRAYS,
    "central_difference along.x": set(),  # which must fit the direction
    "step_sweep along.x": set(),
    # These are called and not traced, and may return more than one number.
    "central_difference.f": FUNCTIONS
    | {"a function of NumPy", "a function that returns a tuple", "a function that returns one row"},
    "step": {"None", "a bool", "a whole number", "a number"},
    "direction": {"None"},
    "steps": {"None", "a list of numbers", "an empty list", "seven numbers", "long doubles"},
    "plot_function_and_gradient.x": LINES,
    "walks": LINES | PATHS,
    "plot_contours.x": COLUMNS | {"seven whole numbers"},
    "y": COLUMNS | {"seven whole numbers"},
    "path": PATHS,
    "plot_decision_boundary.b": SCALARS | {"a number of steps beyond memory"},
    "plot_decision_boundary.inputs": {"a DataFrame"},
    "plot_decision_boundary.targets": UINTS | {"long doubles"},  # all 0, and all 1
}
# Where two arguments do not fit together, or which is which, the other one may be named.
ALSO = {
    "W": "inputs",
    "theta": "state|s_t",
    "argnums": "argument 0",
    "argument 1": "batch|loss",
    "central_difference along.x": "direction",
    "step_sweep along.x": "direction",
}


def about(table, function, argument, otherwise):
    names = (f"{function}.{argument}", f"{function.split()[0]}.{argument}", argument)
    return next((table[name] for name in names if name in table), otherwise)


@pytest.mark.filterwarnings("ignore:Python iterable type 'generator':DeprecationWarning")
@pytest.mark.parametrize(
    ("function", "argument"), [(name, arg) for name, (_, args) in CALLS.items() for arg in args]
)
def test_an_odd_argument_is_named_or_let_through_on_purpose(
    function, argument, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    f, good = CALLS[function]
    names = "|".join(filter(None, [re.escape(argument), about(ALSO, function, argument, None)]))
    accepted, unclear = set(), []
    with jax.numpy_dtype_promotion("standard"):  # as users have it
        for kind, make in ODD.items() if argument != "ax" else list(ODD.items())[::4]:
            try:
                f(**good | {argument: make()})
            except (TypeError, ValueError) as error:
                form = rf"({names})\b.*: got .+, expected .+; write .+"
                if not re.fullmatch(form, str(error)) or plt.get_fignums():
                    unclear.append(f"{kind}: {error!r}, {len(plt.get_fignums())} figures")
            else:
                accepted.add(kind)
            plt.close("all")
    assert unclear == []
    assert accepted == about(LET_THROUGH, function, argument, set())


@pytest.mark.parametrize("function", CALLS)
def test_the_calls_that_are_made_odd_work_as_they_are(function, tmp_path, monkeypatch):
    """The negative control: it is the odd argument that fails."""
    monkeypatch.chdir(tmp_path)
    f, good = CALLS[function]
    f(**good)


def test_every_argument_of_every_helper_and_plot_is_made_odd():
    from_the_checker = {"GradientReport", "assert_grads", "check_grads"}
    for module, names in (
        (gradlab, set(gradlab.__all__) - from_the_checker),
        (plots, plots.__all__),
    ):
        for name in names:
            tried = {
                arg for call, (_, args) in CALLS.items() if call.split()[0] == name for arg in args
            }
            assert set(inspect.signature(getattr(module, name)).parameters) <= tried, name
    known = {f"{call}.{arg}" for call, (_, args) in CALLS.items() for arg in args}
    known |= {name.split(".")[1] for name in known}
    assert {*LET_THROUGH, *ALSO} <= known


TRACED = [("nth_derivative", "n"), ("random_walk", "num_steps"), ("descend", "num_steps")]
TRACED += [("td_loss", "stop_target"), ("step_sweep", "x")]
TRACED += [
    (c, a) for c, (_, args) in CALLS.items() if c in plots.__all__ for a in args if a != "ax"
]


@pytest.mark.parametrize(("function", "argument"), TRACED)
def test_what_must_be_known_is_refused_by_name_where_it_is_traced(function, argument):
    f, good = CALLS[function]
    with pytest.raises((TypeError, ValueError)) as raised:
        jax.jit(lambda odd: f(**good | {argument: odd}))(THREE)
    assert re.fullmatch(rf"{argument}\b.*: got .+, expected .+; write .+", str(raised.value))
    assert not plt.get_fignums()


@pytest.mark.parametrize(
    ("function", "step"), [("central_difference", "step"), ("step_sweep", "steps")]
)
def test_a_third_positional_argument_is_told_its_keyword(function, step):
    with pytest.raises(TypeError) as raised:
        getattr(gradlab, function)(jnp.sin, 1.0, 1e-3)
    assert str(raised.value) == (
        f"{step} or direction: got float 0.001, expected a keyword; write {step}=... for the step "
        "h, or direction=... for the direction v"
    )


def test_a_keyword_for_a_batch_is_told_that_positions_count():
    with pytest.raises(TypeError) as raised:
        gradlab.per_example_grads(loss)(w=1.0, x=THREE)
    assert str(raised.value) == (
        "w, x: got a keyword, expected a position; write grads(params, x, y), and "
        "functools.partial(loss, option=...) for options"
    )
