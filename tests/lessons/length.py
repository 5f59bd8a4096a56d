"""How long a lesson takes, computed from what there is to read and to do in it.

A reader takes a minute for 200 words and for 15 lines of code; an exercise takes the minutes that
its heading says, 1 to 5 for a short one, or 8 where it says none. The heading says the minutes
because most exercises are much shorter than eight minutes, and a learner wants to know which.

What nobody has to read does not count: folded solutions, the code of a folded cell, the cell that
looks for the package. The answer to a prediction is read, and its words count.
"""

import math
import re
from dataclasses import dataclass

from nbformat import NotebookNode

from lessons.execution import answers_a_guess, code_cells, has_tag

WORDS_PER_MINUTE, LINES_PER_MINUTE, MINUTES_PER_EXERCISE = 200, 15, 8
NOT_READ = ("exercise", "check", "guard", "folded")
HEADING = re.compile(r"^### (Exercise|Puzzle) (\d+): (\S.*?)(?: \((\d+) minutes?\))?$", re.M)
LENGTH = re.compile(r"^\*\*Length:\*\*.*$", re.M)
SOLUTION = re.compile(r"<details><summary>Solution</summary>.*?</details>", re.S)


@dataclass(frozen=True)
class Length:
    """What there is to read and to do in a lesson."""

    words: int
    lines: int
    exercises: tuple[int, ...]  # minutes

    @property
    def minutes(self) -> int:
        """Return how long the lesson takes."""
        reading = self.words / WORDS_PER_MINUTE + self.lines / LINES_PER_MINUTE
        return math.ceil(reading + sum(self.exercises))

    def __str__(self) -> str:
        return (
            f"about {self.minutes} minutes: {self.words} words, {self.lines} lines of code and "
            f"{len(self.exercises)} exercises"
        )


def length(notebook: NotebookNode) -> Length:
    """Return the length of a lesson."""
    texts = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
    texts += [
        output.text.partition("\nNot ")[0]
        for cell in code_cells(notebook)
        if answers_a_guess(cell)
        for output in cell.outputs
        if output.output_type == "stream"
    ]
    minutes = [int(m[4] or MINUTES_PER_EXERCISE) for text in texts for m in HEADING.finditer(text)]
    return Length(sum(map(_words, texts)), _lines(notebook), tuple(minutes))


def with_length(notebook: NotebookNode) -> NotebookNode:
    """Write the length into the first cell, where the lesson says what it needs."""
    opening = notebook.cells[0]
    opening.source = LENGTH.sub(f"**Length:** {length(notebook)}", opening.source)
    return notebook


def _words(text: str) -> int:
    """Count the words that are read: no solution, no listing, no address of a link."""
    read = SOLUTION.sub("", LENGTH.sub("", text))
    read = re.sub(r"```.*?```", "", read, flags=re.S)
    read = re.sub(r"\]\([^)]*\)|<[^>]+>", "", read)
    return len([word for word in read.split() if re.search(r"\w", word)])


def _lines(notebook: NotebookNode) -> int:
    """Count the lines of code without empty ones and comments."""
    return sum(
        bool(line.strip()) and not line.strip().startswith("#")
        for cell in code_cells(notebook)[1:]
        if not answers_a_guess(cell) and not any(has_tag(cell, tag) for tag in NOT_READ)
        for line in cell.source.splitlines()
    )
