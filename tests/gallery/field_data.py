"""NaN and infinity in the data that a function holds, which a mask drops later (section F).

The value is finite and the derivative NaN: 0 · NaN on the way back. The cause is in the data, and
its report says so, with the line where the data enters; only where a `where` stands in the
function is one mentioned.
"""

from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from gallery.case import Case, at
from gallery.family import Family
from gallery.faults import distorted

SEED = 1310


def squares_of_known(w: Any, x: Any, y: Any) -> Any:
    return jnp.nanmean((x @ w - y) ** 2)  # NaN rows of x


def masked_scores(w: Any, x: Any, y: Any) -> Any:
    scores = jnp.exp(x @ w)
    return jnp.sum(jnp.where(jnp.isnan(scores), 0, scores * y))  # NaN scores are dropped


def dropped_row(w: Any, x: Any, y: Any) -> Any:
    rows = jnp.where(jnp.isnan(x).any(1), -1, 0)
    sums = jax.ops.segment_sum(jnp.sin(x @ w) * y, rows, num_segments=1)  # −1 is dropped
    return jnp.sum(sums)


def scanned(w: Any, x: Any, y: Any) -> Any:
    def body(total: Any, row: Any) -> Any:
        value = jnp.tanh(row[0] @ w) * row[1]
        return total + jnp.where(jnp.isnan(value), 0, value), None  # in a scan

    return lax.scan(body, jnp.zeros((), w.dtype), (x, y))[0]


FORMS = (
    ("nanmean", squares_of_known, False),
    ("where", masked_scores, True),
    ("segment_sum", dropped_row, True),
    ("scan", scanned, True),
)


def cases() -> Iterator[Case]:
    rng = np.random.default_rng(SEED)
    for n in range(8):
        label, f, _ = FORMS[n % len(FORMS)]
        rows, size = int(rng.integers(3, 6)), int(rng.integers(2, 4))
        x, y = rng.standard_normal((rows, size)), rng.uniform(0.5, 1.5, rows)
        clean, bad = x.copy(), int(rng.integers(rows))
        x[bad, int(rng.integers(size))] = np.nan
        start = at(rng.uniform(-1, 1, size).tolist())
        over = lambda f, x, y: lambda w: f(w, jnp.asarray(x, w.dtype), jnp.asarray(y, w.dtype))
        kept = np.delete(clean, bad, 0), np.delete(y, bad)
        kept_f = over(f, *kept)
        more = {"dtypes": ("float32",), "twin": kept_f}
        yield Case(
            f"field_nan_data_{label}_{n}", over(f, x, y), start, "unusable",
            f"NaN in a row that {label} drops", says=("NaN|nan", "data|constant|argument"), **more,
        )  # fmt: skip
        yield Case(
            f"field_clean_data_{label}_{n}", kept_f, start, "right", "without that row",
            dtypes=("float32",),
        )  # fmt: skip
        wrong = lambda w, g=kept_f: distorted(g(w), 0.9)
        if n < 4:
            name = f"field_clean_data_{label}_{n}_tenth_off"
            yield Case(name, wrong, start, "wrong", "a tenth off", off=0.1, dtypes=("float32",))


FAMILIES = (Family("nan_in_data", "F", tuple(cases())),)
