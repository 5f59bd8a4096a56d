"""How far a long check is, for somebody who waits at a terminal.

Nothing is written where standard error is no terminal: not in a notebook, a log or a test. A check
that is over within `PATIENCE` seconds, as most are, writes nothing either.
"""

import contextlib
import sys
import threading
from collections.abc import Callable, Iterator

PATIENCE = 3.0  # seconds without a word
CLEAR = "\r\x1b[K"  # to the start of the line, and erase it

Tell = Callable[[str], None]


@contextlib.contextmanager
def progress() -> Iterator[Tell]:
    """Give a function that takes a few words on what is being done, and shows them in time.

    The words of the moment stand in one line, which is erased at the end. They are shown from
    another thread first, because the long wait is often a compilation.
    """
    stream = sys.stderr
    if stream is None or not stream.isatty():
        yield lambda words: None
        return
    lock, patient = threading.Lock(), True
    latest = "beginning"

    def show(words: str) -> None:
        stream.write(f"{CLEAR}check_grads: {words} …")
        stream.flush()

    def tell(words: str) -> None:
        nonlocal latest
        with lock:
            latest = words
            if not patient:
                show(words)

    def lose_patience() -> None:
        nonlocal patient
        with lock:
            patient = False
            show(latest)

    timer = threading.Timer(PATIENCE, lose_patience)
    timer.daemon = True
    timer.start()
    try:
        yield tell
    finally:
        timer.cancel()
        with lock:
            if not patient:
                stream.write(CLEAR)
                stream.flush()
