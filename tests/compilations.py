"""What JAX traces, lowers and compiles while a function runs."""

from collections.abc import Callable
from typing import Any

import jax

_events: list[str] = []
jax.monitoring.register_event_duration_secs_listener(
    lambda event, *_, **__: _events.append(event) if "/compile/" in event else None
)


def compiled_by(f: Callable[..., Any], *args: Any) -> list[str]:
    """Return what JAX traced, lowered and compiled in a call; a `backend` is a program of XLA."""
    _events.clear()
    f(*args)
    return [event.rsplit("/")[-1].removesuffix("_compile_duration") for event in _events]
