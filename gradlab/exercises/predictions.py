"""Answer a prediction that the learner has written down, and explain the difference."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from gradlab.exercises.comparing import NotYetError, parts
from gradlab.exercises.wording import filled, shown


def reveal(
    guess: Any,
    answer: Any,
    *,
    why: str = "",
    mistakes: Mapping[str, Any] | None = None,
    within: float = 0.02,
) -> None:
    """Print whether the guess is right, the answer, and why.

    Args:
        guess: The learner's guess: a number, several numbers, or the letter of a choice. With None
            the answer is printed alone, with a line for each wrong choice.
        answer: The right answer.
        why: One or two sentences that explain it.
        mistakes: For each wrong guess that has a reason the sentence that explains it, and the
            guess.
        within: How near a guess must be, relative to the answer, to count as right.

    Example:
        >>> reveal(9.0, 6.0, why="The slope of x² is 2x.", mistakes={"9 is the value, x².": 9.0})
        Not quite: 9 is the value, x².
        The answer is 6. The slope of x² is 2x.
        >>> reveal(5.0, 6.0)
        Not quite: your guess is 1 too small.
        The answer is 6.
    """
    mistakes = mistakes or {}
    right = f"The answer is {answer if isinstance(answer, str) else shown(answer)}. {why}"
    if guess is None or guess is ...:
        print(filled(right))
        for sentence, wrong in mistakes.items():
            if isinstance(wrong, str):
                print(filled(f"Not {wrong}: {sentence}"))
        return
    try:
        compared = parts(guess, answer)
    except NotYetError as told:
        print(filled(f"Not yet: {str(told).replace('answer', 'guess')}"))
        return
    if not any(part.wrong(within).any() for part in compared):
        print(filled(f"Yes. {right}"))
        return
    named = next((s for s, wrong in mistakes.items() if _is(guess, wrong, within)), "")
    print(filled(f"Not quite: {named or _difference(guess, answer)}"))
    print(filled(right))


def _is(guess: Any, wrong: Any, within: float) -> bool:
    try:
        return not any(part.wrong(within).any() for part in parts(guess, wrong))
    except NotYetError:
        return False


def _difference(guess: Any, answer: Any) -> str:
    """Return how far the guess is from the answer where both are one number."""
    if isinstance(answer, str) or np.size(np.asarray(answer)) != 1:
        return f"your guess is {guess if isinstance(guess, str) else shown(guess)}."
    off = float(np.ravel(np.asarray(guess))[0]) - float(np.ravel(np.asarray(answer))[0])
    return f"your guess is {abs(off):.4g} too {'large' if off > 0 else 'small'}."
