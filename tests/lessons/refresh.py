"""Run notebooks from top to bottom and write them back with their outputs, ready to commit.

python tests/lessons/refresh.py [NOTEBOOK ...]
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from lessons.execution import NOTEBOOKS, executed, read, write


def main(names: list[str]) -> None:
    """Refresh the notebooks of these names, such as `02_random_walks`, or all of them."""
    for path in NOTEBOOKS:
        if not names or path.stem in names:
            write(executed(read(path)), path)
            print(f"{path.name}  {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main([Path(name).stem for name in sys.argv[1:]])
