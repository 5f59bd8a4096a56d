"""Faults deep in loops, branches and compiled functions, to be named with their line (section F).

Each program wraps the same three pieces, a stop_gradient, a rule that is off and a division 0/0
that a `where` hides from the value, in up to three of JAX's ways to nest programs. The report's
`where` names the line that is marked here, however deep it stands.
"""

from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from gallery.case import Case, at
from gallery.family import Family

SEED = 1312
Piece = Callable[[Any], Any]


def stopped(y: Any) -> Any:
    return y * lax.stop_gradient(y)  # marked: the stop


@jax.custom_jvp
def square_root_of_one_plus(y: Any) -> Any:  # marked: the rule
    return jnp.sqrt(1 + y * y)


@square_root_of_one_plus.defjvp  # marked: the rule
def rule_that_is_off(primals: Any, tangents: Any) -> Any:  # marked: the rule
    (y,), (y_dot,) = primals, tangents
    root = square_root_of_one_plus(y)  # marked: the rule
    return root, 1.25 * y * y_dot / root  # marked: the rule


def ruled(y: Any) -> Any:
    return square_root_of_one_plus(y)  # marked: the rule


def divided(y: Any) -> Any:
    quotient = jnp.sin(y) / y  # marked: the division
    return jnp.where(y == 0, 1.0, quotient)


def harmless(y: Any) -> Any:
    return y * jnp.cos(y)


def _scan(g: Piece) -> Piece:
    return lambda y: lax.scan(lambda c, _: (c + g(y), None), 0 * y, None, length=3)[0]


def _while(g: Piece) -> Piece:
    body = lambda y: lambda c: (c[0] + 1, c[1] + g(y))
    return lambda y: lax.while_loop(lambda c: c[0] < 2, body(y), (0, 0 * y))[1]


def _switch(g: Piece) -> Piece:
    return lambda y: lax.switch(1, [jnp.sin, g, jnp.cos], y)


WAYS: dict[str, Callable[[Piece], Piece]] = {
    "plain": lambda g: g,
    "scan": _scan,
    "fori": lambda g: lambda y: lax.fori_loop(0, 2, lambda _, c: c + g(y), 0 * y),
    "while": _while,
    "cond": lambda g: lambda y: lax.cond(jnp.all(y > -9), g, jnp.sin, y),
    "switch": _switch,
    "jit": lambda g: jax.jit(lambda y: g(y) + 1),
    "checkpoint": lambda g: jax.checkpoint(lambda y: g(y) * 2),
    "vmap": lambda g: lambda y: jax.vmap(g)(y),
    "map": lambda g: lambda y: lax.map(g, y),
}
PIECES: dict[str, tuple[Piece, str, str, tuple[str, ...]]] = {
    "stop": (stopped, "wrong", "# marked: the stop", ("stop_gradient",)),
    "rule": (ruled, "wrong", "# marked: the rule", ("square_root_of_one_plus",)),
    "nan": (divided, "unusable", "# marked: the division", ("NaN|nan",)),
    "none": (harmless, "right", "", ()),
}


def nests(rng: np.random.Generator) -> Iterator[tuple[str, ...]]:
    """Yield every way alone, and some inside of others."""
    yield from ((way,) for way in WAYS)
    names = [way for way in WAYS if way not in ("plain", "vmap", "map")]
    for depth in (2, 2, 3, 3):
        yield tuple(str(way) for way in rng.choice(names, depth, replace=False))


def cases() -> Iterator[Case]:
    rng = np.random.default_rng(SEED)
    for n, ways in enumerate(nests(rng)):
        point = rng.uniform(0.4, 1.6, 2 + n % 2)
        for label, (piece, kind, line, words) in PIECES.items():
            nested = piece
            for way in reversed(ways):
                nested = WAYS[way](nested)
            at_zero = np.append(point, 0.0) if label == "nan" else point
            if label == "nan" and "while" in ways:  # forward mode drops it, as the value does
                kind, line, words = "right", "", ()
            yield Case(
                f"field_line_{label}_{'_'.join(ways)}",
                lambda x, g=nested: jnp.sum(g(1.5 * x)),
                at(at_zero.tolist()),
                kind,  # type: ignore[arg-type]
                f"{label} in {' in '.join(reversed(ways))}",
                dtypes=("float32",),
                modes=("fwd",) if "while" in ways else ("fwd", "rev"),
                asked_modes=("fwd",) if "while" in ways else None,
                says=words,
                where=line,
                closed=lambda x, ways=ways, label=label: [slope(x, ways, label)],
            )


def slope(x: Any, ways: tuple[str, ...], label: str) -> np.ndarray:
    """Return the derivative: 1.5 times that of the piece, times how often it is added up."""
    times = np.prod([{"scan": 3, "fori": 2, "while": 2, "checkpoint": 2}.get(w, 1) for w in ways])
    y = 1.5 * np.asarray(x, np.float64)
    safe = np.where(y == 0, 1, y)
    of_piece = {
        "stop": 2 * y,
        "rule": y / np.sqrt(1 + y * y),
        "nan": np.where(y == 0, 0, (np.cos(safe) - np.sin(safe) / safe) / safe),
        "none": np.cos(y) - y * np.sin(y),
    }
    return 1.5 * times * of_piece[label]


FAMILIES = (Family("lines", "F", tuple(cases())),)
