"""Files that are written whole or not at all."""

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path


class WriteError(OSError):
    """A file could not be written: the disk is full, the folder is gone or may not be written."""


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` make a file next to `path`, and move it there only once it is complete.

    Moving within a folder is atomic, so whoever reads `path` sees the old file or the new one.
    If `write` fails or is interrupted, what it made is removed and `path` is as it was.

    Raises:
        WriteError: If the operating system refuses.
    """
    unfinished = path.with_name(f".{os.getpid()}-{path.name}")  # keeps the suffix: it is the format
    try:
        write(unfinished)
        unfinished.replace(path)
    except OSError as error:
        raise WriteError(error.strerror or str(error)) from error
    finally:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)


def prepare_folder(folder: Path) -> str | None:
    """Make the folder if need be; return why files cannot be written in it, or None if they can."""
    probe = folder / f".{os.getpid()}-probe"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.touch()
        probe.unlink()
        if (folder / "index.html").is_dir():
            return "its index.html is a folder"
    except OSError as error:
        return error.strerror or str(error)
    return None
