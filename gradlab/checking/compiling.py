"""How the checker has its programs compiled: soon, because each is for one function only.

Compiling them is most of a first check, while most of them run in less than a millisecond.
"""

import functools
from collections.abc import Callable
from typing import Any

import jax

# XLA's older code generator for CPUs takes half of the time of its newer one, for programs that run
# about as fast where they are not large (JAX 0.10.2). On other devices this does nothing.
OLDER = {"xla_cpu_use_fusion_emitters": False}
UNOPTIMISED = {"xla_backend_optimization_level": 0}
WIDE = 2048  # elements


def compiled(f: Callable[..., Any], *, width: int = 0) -> Callable[..., Any]:
    """Return f, to be compiled when it is first called.

    Args:
        f: A function of arrays.
        width: The number of elements in the widest array of a program that runs at many points;
            0 for one that runs a few times in a check, so that no optimising pays.
    """
    options: dict[str, Any] = (OLDER if width < WIDE else {}) | ({} if width else UNOPTIMISED)
    known = _known(*OLDER.items(), *UNOPTIMISED.items())
    return jax.jit(f, compiler_options={name: options[name] for name in options if name in known})


@functools.cache
def _known(*options: tuple[str, Any]) -> set[str]:
    """Return the names of those options that this XLA has; each release has others."""
    try:  # all at once, as a rule: a program of nothing takes ten milliseconds
        jax.jit(lambda: 0, compiler_options=dict(options)).lower().compile()
    except jax.errors.JaxRuntimeError:
        alone = len(options) == 1
        return set() if alone else set().union(*(_known(option) for option in options))
    return {name for name, _ in options}
