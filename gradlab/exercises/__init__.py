"""Mark the answers that a learner writes into a lesson, and answer the learner's predictions.

The lessons use `mark` under each exercise and `reveal` under each prediction; your own lessons can
use them, too.
"""

from gradlab.exercises.marking import mark
from gradlab.exercises.predictions import reveal

__all__ = ["mark", "reveal"]
