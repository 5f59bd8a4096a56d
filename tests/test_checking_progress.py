"""What a person sees who waits for a long check, and that nobody else sees it."""

import io
import time
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

from gradlab import check_grads
from gradlab.checking import progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def at_a_terminal(monkeypatch: Any, patience: float = 0.0) -> Terminal:
    """Stand in for standard error; in the test itself, because pytest sets it anew before."""
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setattr(progress, "PATIENCE", patience)
    return terminal


def test_a_long_check_tells_a_terminal_how_far_it_is(monkeypatch: Any) -> None:
    terminal = at_a_terminal(monkeypatch)
    check_grads(lambda x: jnp.abs(x), (np.zeros(300, np.float32),))
    shown = terminal.getvalue().split(progress.CLEAR)
    assert "check_grads: tracing and compiling f and its derivatives …" in shown
    assert "check_grads: direction 257 of 300 …" in shown


def test_the_line_is_erased_at_the_end_also_after_an_error(monkeypatch: Any) -> None:
    terminal = at_a_terminal(monkeypatch)

    def fails_late(x: Any) -> Any:
        while not terminal.getvalue():
            time.sleep(0.01)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        check_grads(fails_late, (1.0,))
    assert terminal.getvalue().endswith(progress.CLEAR)


def test_a_short_check_says_nothing(monkeypatch: Any) -> None:
    terminal = at_a_terminal(monkeypatch, patience=60.0)
    check_grads(jnp.sin, (0.3,))
    assert terminal.getvalue() == ""


def test_a_log_gets_nothing(monkeypatch: Any, capsys: Any) -> None:
    monkeypatch.setattr(progress, "PATIENCE", 0.0)
    check_grads(jnp.sin, (0.3,))
    assert capsys.readouterr() == ("", "")
