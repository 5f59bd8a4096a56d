"""Print the path of the newest Python here that is 3.12 or later, or nothing if there is none.

Pythons are looked for on PATH and where pyenv keeps its own. Each is asked what it is, because a
program of that name may be pyenv's, and may run no Python at all.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

ASK = """
import ensurepip, sys, sysconfig
final = sys.version_info.releaselevel == "final"
if sys.version_info >= (3, 12) and final and not sysconfig.get_config_var("Py_GIL_DISABLED"):
    print(*sys.version_info[:3], sys.executable)
"""


def pythons() -> Iterator[Path]:
    """Find programs that may be a Python."""
    for folder in os.get_exec_path():
        for path in Path(folder).glob("python3*"):
            if re.fullmatch(r"python3(\.\d+)?", path.name):
                yield path
    for root in pyenv_roots():
        yield from Path(root, "versions").glob("*/bin/python3")


def pyenv_roots() -> Iterator[str]:
    """Return the folder of pyenv, as its variable says and as pyenv itself says."""
    if os.environ.get("PYENV_ROOT"):
        yield os.environ["PYENV_ROOT"]
    if shutil.which("pyenv"):
        yield answer("pyenv", "root").strip()


def answer(*command: str | Path) -> str:
    """Return what a program prints, or nothing if it fails."""
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return ""


def newest() -> str:
    """Return the path of the newest Python; of equal ones the first on PATH."""
    found = [answer(path, "-I", "-c", ASK).split(maxsplit=3) for path in pythons()]
    known = [(tuple(map(int, version)), path.strip()) for *version, path in filter(None, found)]
    return max(known, key=lambda pair: pair[0])[1] if known else ""


if __name__ == "__main__":
    print(newest())
