"""One argument without a derivative rule beside one that has one (section D).

`betainc` has a derivative by x, and none by its parameters; `hessenberg` has none at all, so that
`jax.grad` by all arguments raises. The leaf that has a rule keeps its own verdict, and the hint is
to name it by `argnums`.
"""

from collections.abc import Iterator
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax.lax.linalg import hessenberg
from jax.scipy.special import betainc
from jax.scipy.stats import beta

from gallery.case import Case, at
from gallery.family import FAULTS, Family, exact

SEED, MEMBERS = 1311, 8
UNKNOWN = "cannot tell"
# Name, f(a, x, rule); a has no rule.
FORMS: tuple[Any, ...] = (
    ("betainc", lambda a, x, r: jnp.sum(r(betainc(a, 2 * a, x)))),
    ("beta_cdf", lambda a, x, r: jnp.sum(r(x * beta.cdf(x, a, a + 1)))),
    ("hessenberg", lambda a, x, r: jnp.sum(r(jnp.sin(x) * hessenberg(jnp.outer(a, a))[0][0]))),
    ("sine_betainc", lambda a, x, r: jnp.sum(r(jnp.sin(3 * betainc(a, a, x))))),
)


def cases() -> Iterator[Case]:
    rng = np.random.default_rng(SEED)
    for n in range(MEMBERS):
        label, f = FORMS[n % len(FORMS)]
        size = 1 + n % 3
        args = at(rng.uniform(0.8, 2.5, size).tolist(), rng.uniform(0.2, 0.8, size).tolist())
        build = lambda rule, f=f: lambda a, x: f(a, x, rule)
        name, why = f"field_no_rule_{label}_{n}", f"{label}: no derivative by the first argument"
        yield Case(
            name, build(exact), args, "none", why, passes=False, says=("argnums",),
            of_leaves=(UNKNOWN, "agree"),
        )  # fmt: skip
        asked = {"argnums": 1, "dtypes": ("float32",)}
        yield Case(f"{name}_asked", build(exact), args, "right", why, passes=True, **asked)
        fault = ("tenth_off", "half")[n % 2]
        yield Case(
            f"{name}_{fault}", build(FAULTS[fault]), args, "wrong", "a rule that is off",
            of_leaves=(UNKNOWN, "wrong"), dtypes=("float32",),
        )  # fmt: skip


FAMILIES = (Family("leaves", "D", tuple(cases())),)
