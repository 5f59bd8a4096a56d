"""What was compiled for a program, to be used again when the same program is traced again."""

import threading
from collections import OrderedDict
from typing import Any

import numpy as np

from gradlab.checking.jaxprs import OUTSIDE, apart, is_literal, is_program, operations
from gradlab.checking.tracing import Traced

KEPT = 32  # programs whose compiled forms are kept; the one not used for longest goes first


class Compiled:
    """Compiled programs by the text of what was traced."""

    def __init__(self) -> None:
        """Begin with none."""
        self._kept: OrderedDict[str, dict[Any, Any]] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, traced: Traced) -> dict[Any, Any]:
        """Return what was compiled for a program, to be added to; nothing if it is a new one."""
        text = _text(traced)
        if text is None:
            return {}
        with self._lock:
            found = self._kept.setdefault(text, {})
            self._kept.move_to_end(text)
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return found


def _text(traced: Traced) -> str | None:
    """Return all that a program says, or None where the text leaves something out."""
    programs = (
        [p.jaxpr for p in (traced.pull, traced.push) if p is not None] if traced.ruled else []
    )
    for jaxpr in (traced.value, *programs):
        for eqn in operations(jaxpr):
            inside = [v for v in eqn.params.values() if is_program(v)]
            arrays = [a for a in eqn.invars if is_literal(a) and np.ndim(a.val)]
            if eqn.primitive.name in OUTSIDE or arrays or any(len(apart(v)[1]) for v in inside):
                return None
    texts = (str(jaxpr) for jaxpr in (traced.value, *programs))
    return "\n".join((*texts, str(traced.moved), str(traced.arguments.abstract())))


compiled = Compiled()
