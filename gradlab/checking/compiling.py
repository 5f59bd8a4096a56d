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
    options = (OLDER if width < WIDE else {}) | ({} if width else UNOPTIMISED)
    known: Any = {name: value for name, value in options.items() if _is_known(name, value)}
    return jax.jit(f, compiler_options=known)


@functools.cache
def _is_known(name: str, value: Any) -> bool:
    """Tell whether this XLA has an option; each release has others."""
    try:
        jax.jit(lambda: 0, compiler_options={name: value}).lower().compile()
    except jax.errors.JaxRuntimeError:
        return False
    return True
