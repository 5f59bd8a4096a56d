"""Files that are written whole or not at all."""

import os
from collections.abc import Callable
from pathlib import Path


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` make a file next to `path`, and move it there only once it is complete.

    Moving within a folder is atomic, so whoever reads `path` sees the old file or the new one.
    If `write` fails or is interrupted, what it made is removed and `path` is as it was.
    """
    unfinished = path.with_name(f".{os.getpid()}-{path.name}")  # keeps the suffix: it is the format
    try:
        write(unfinished)
        unfinished.replace(path)
    finally:
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
