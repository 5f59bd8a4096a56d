"""Run notebooks from top to bottom and write them back with their outputs, ready to commit.

python tests/lessons/refresh.py [NOTEBOOK ...]

The length of each lesson is computed and written into its first cell and into the README. What is
wrong with a lesson is printed; the tests find the same.
"""

import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from lessons.execution import FOLDER, NOTEBOOKS, executed, read, write
from lessons.length import length, with_length
from lessons.structure import problems

README = FOLDER.parent / "README.md"


def main(names: list[str]) -> None:
    """Refresh the notebooks of these names, such as `06_random_walks`, or all of them."""
    for path in NOTEBOOKS:
        if not names or path.stem in names:
            notebook = with_length(executed(read(path)))
            write(notebook, path)
            minutes = length(notebook).minutes
            row = re.compile(rf"^(\| \[`{path.stem}`\].*\| )\d*( min \|)$", re.M)
            README.write_text(row.sub(rf"\g<1>{minutes}\2", README.read_text()))
            print(f"{path.name}  {path.stat().st_size / 1000:.0f} kB  {length(notebook)}")
            for problem in problems(path.stem, notebook):
                print(f"    {problem}")


if __name__ == "__main__":
    main([Path(name).stem for name in sys.argv[1:]])
