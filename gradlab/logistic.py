"""Logistic regression: probabilities, the loss that trains them, and a real table to train on."""

from __future__ import annotations  # so that help() shows the names of the types

from importlib import resources
from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

from gradlab._arguments import require_floating, require_numbers, require_real, require_shape

if TYPE_CHECKING:
    import pandas as pd


def predict(W: ArrayLike, b: ArrayLike, inputs: ArrayLike) -> Array:
    """Return the probability that each row of `inputs` has a true label.

        p = σ(inputs·W + b),    σ(z) = 1 / (1 + e⁻ᶻ) = ½ (tanh(z/2) + 1)

    Args:
        W: Weights, floating point, `(d,)`.
        b: Bias, floating point, `()`.
        inputs: One row of d features for each example, `(n, d)`.

    Returns:
        Probabilities between 0 and 1, `(n,)`.

    Raises:
        TypeError: If `W` or `b` is not floating point.
        ValueError: If the shapes are not `(d,)`, `()` and `(n, d)`.

    Example:
        >>> import jax.numpy as jnp
        >>> inputs = jnp.array([[1.0, 2.0], [3.0, -4.0]])
        >>> predict(jnp.array([2.0, -1.0]), 0.0, inputs)  # logits 0 and 10
        Array([0.5      , 0.9999546], dtype=float32)
    """
    return jax.nn.sigmoid(_logits(W, b, inputs))


def logistic_loss(W: ArrayLike, b: ArrayLike, inputs: ArrayLike, targets: ArrayLike) -> Array:
    """Return the negative log-likelihood of the targets, summed over the examples.

        L = −Σᵢ [ yᵢ log pᵢ + (1 − yᵢ) log(1 − pᵢ) ],    p = predict(W, b, inputs)

    The gradient is Σᵢ (pᵢ − yᵢ) xᵢ with respect to `W` and Σᵢ (pᵢ − yᵢ) with respect to `b`. The
    two logarithms are computed from the logit z = x·W + b, as log p = log σ(z) and log(1 − p) =
    log σ(−z), so both loss and gradient stay finite where p rounds to 0 or 1 and the formula above
    would take log 0.

    Args:
        W: Weights, floating point, `(d,)`.
        b: Bias, floating point, `()`.
        inputs: One row of d features for each example, `(n, d)`.
        targets: Labels, `(n,)`: booleans, or numbers 0 and 1. (A number between them is the
            probability of a true label, and the loss the cross-entropy.) For labels −1 and 1
            write `targets == 1`, for names `species == "Adelie"`.

    Returns:
        The loss in nats, a scalar of shape `()`. It is a sum: divide by n for the mean.

    Raises:
        TypeError: If `W` or `b` is not floating point.
        ValueError: If the shapes are not `(d,)`, `()`, `(n, d)` and `(n,)`: targets of shape
            `(n, 1)` would broadcast to n × n. If a target is not from 0 to 1, which can only be
            seen outside of `jax.jit`.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> inputs, targets = jnp.array([[1.0], [-1.0]]), jnp.array([True, False])
        >>> W, b = jnp.array([200.0]), 0.0
        >>> print(logistic_loss(-W, b, inputs, targets))  # both labels wrong, by 200 each
        400.0
        >>> print(jax.grad(logistic_loss)(-W, b, inputs, targets))
        [-2.]

        Labels −1 and 1 become booleans by a comparison:

        >>> labels = jnp.array([1, -1])
        >>> print(logistic_loss(-W, b, inputs, labels == 1))
        400.0
    """
    logits = _logits(W, b, inputs)
    write = "targets == 1, or another comparison, to have booleans"
    require_real("targets", targets, "jnp.array([True, False])")
    require_shape("targets", targets, "targets.reshape(-1), one label a row", logits.shape)
    require_numbers("targets", targets, lambda y: (y >= 0) & (y <= 1), "0 or 1", write)
    y = jnp.asarray(targets, logits.dtype)
    log_p, log_not_p = jax.nn.log_sigmoid(logits), jax.nn.log_sigmoid(-logits)
    return -jnp.sum(y * log_p + (1 - y) * log_not_p)


def load_penguins() -> pd.DataFrame:
    """Return the Palmer penguins table: 344 penguins, three species, four measurements.

    Columns: `species`, `island`, `bill_length_mm`, `bill_depth_mm`, `flipper_length_mm`,
    `body_mass_g`, `sex`, `year`; missing entries are NaN (two penguins have no measurements).

    Returns:
        pandas DataFrame of shape (344, 8).

    Example:
        >>> load_penguins()["species"].value_counts().to_dict()
        {'Adelie': 152, 'Gentoo': 124, 'Chinstrap': 68}

    References:
        Data collected by K. Gorman and the Palmer Station LTER: Gorman, Williams and Fraser,
        PLoS ONE 9(3): e90081, 2014. Published by Horst, Hill and Gorman as the R package
        palmerpenguins, 2020, under CC0 1.0 (public domain); the file here is the one in the
        Python package palmerpenguins 0.1.6.
    """
    import pandas as pd  # here, so that `import gradlab` costs what `import jax` costs

    with resources.files("gradlab").joinpath("data/penguins.csv").open() as file:
        return pd.read_csv(file)


def _logits(W: ArrayLike, b: ArrayLike, inputs: ArrayLike) -> Array:
    require_floating("W", W, "jnp.array([1., 2.]), one weight for each feature")
    require_floating("b", b, "b=0.0")
    require_shape("W", W, "W.reshape(-1), one weight for each feature", ("d",))
    require_shape("b", b, "one bias, such as b[0]", ())
    require_real("inputs", inputs, "jnp.array([[1., 2.]])")
    write = "rows of as many features as W has weights, inputs[None] for one example"
    require_shape("inputs", inputs, write, ("n", jnp.size(W)))
    return jnp.dot(inputs, W) + b
