"""Particles on a landscape: one step of gradient descent, a second one, and all the way down."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd

import gradlab
from gradlab import plots
from gradlab.demo.findings import Findings, Picture, Settings, Slider
from gradlab.demo.self_checks import check_close, check_gradient

STEP_SIZE = 0.1
STEP_SIZES = [0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.2, 1.5, 2.0]


def valley(particle: jax.Array) -> jax.Array:
    """Return sin²x₁ + 0.05 x₂², the function of two variables, for a particle (x₁, x₂)."""
    return gradlab.sine_squared(particle[0]) + 0.05 * gradlab.quadratic(particle[1])


def run(settings: Settings) -> Findings:
    """Move ten particles by one step, by two, and until they rest."""
    # On the page:
    f, num_steps = gradlab.wavy_bowl, 30 if settings.quick else 60
    # The original notebook draws from key 1, so --seed 0 does too.
    samples = jax.random.uniform(jax.random.key(settings.seed + 1), (10,), minval=-10, maxval=10)
    gradient_func = jax.grad(f)
    move = jax.jit(gradlab.move_samples, static_argnums=0)
    once = move(gradient_func, samples, 1)
    twice = move(gradient_func, once, 1)
    path = gradlab.descent_path(f, samples, STEP_SIZE, num_steps)
    # (to here)
    table = pd.DataFrame(
        {
            "start": samples,
            "gradient there": jax.jit(jax.vmap(gradient_func))(samples),
            "after one step of 1": once,
            "after two": twice,
            f"after {num_steps} of {STEP_SIZE}": path[-1],
        }
    )
    table = table.round(4) + 0.0  # and no −0
    scattered = np.random.default_rng(settings.seed).uniform(-4, 4, size=(12, 2))

    def places(x: jax.Array) -> np.ndarray:
        """Return positions with their heights, as another axis."""
        return np.stack([x, jax.jit(f)(x)], axis=-1)

    follow: Any = jax.vmap(lambda step_size: gradlab.descent_path(f, samples, step_size, 20))
    slider = Slider(
        "Ten particles at their start (hollow) and after 20 steps (filled), with the way between. "
        "Small steps do not arrive. From a step size of about 1 on, particles jump over valleys "
        "and do not come to rest.",
        STEP_SIZES,
        places(follow(jnp.array(STEP_SIZES))),
        places(jnp.linspace(-11.0, 11.0, 200)),
    )

    repeated = samples
    for _ in range(num_steps):
        repeated = move(gradient_func, repeated, STEP_SIZE)
    end = gradlab.descend(f, samples, STEP_SIZE, num_steps)

    def mean_height(samples: jax.Array, step_size: jax.Array) -> jax.Array:
        return jnp.mean(f(gradlab.descend(f, samples, step_size, 5)))

    x = np.asarray(samples)
    by_hand = x - (np.sin(2 * x) + 0.1 * x)
    return Findings(
        tables={"Ten particles on sin²x + 0.05 x²": table},
        notice="Each particle stops in the valley that its own slope leads to, which need not be "
        "the deepest; a step of 1 throws some of them past theirs.",
        checks=[
            check_close("one step is x − (sin 2x + 0.1 x)", once, by_hand, 1e-5),
            check_close("descend agrees with repeated move_samples", end, repeated, 1e-5),
            check_close("and is where descent_path ends", end, path[-1], 1e-5),
            check_gradient("differences see the slope of the landscape", f, (3.0,)),
            check_gradient(
                "and of where the particles end, with respect to start and step size",
                mean_height,
                (samples, STEP_SIZE),
                (0, 1),
            ),
        ],
        slider=slider,
        pictures=[
            Picture(
                "one-step",
                "A step of size 1: the steeper the slope, the longer the arrow, past valleys too.",
                lambda: plots.plot_descent(f, np.stack([samples, once])),
            ),
            Picture(
                "descent",
                f"{num_steps} steps of size {STEP_SIZE}: each particle goes down to a valley.",
                lambda filename: plots.save_descent_gif(filename, f, path),
                suffix=".gif",
            ),
            Picture(
                "two-variables",
                "sin²x₁ + 0.05 x₂² from above: steep across the valleys, nearly flat along them.",
                lambda: plots.plot_descent(
                    valley, gradlab.descent_path(valley, scattered, 0.5, 40)
                ),
            ),
        ],
    )
