"""A gradient checker that needs no tolerance: agree, wrong or cannot tell, and why.

To read it, follow a call in the order in which a check passes through:

- What is asked: `check` (the two functions), `arguments` (arguments as real numbers), `gradients`
  (derivatives that a person wrote, and second ones).
- The programs: `jaxprs` (traced programs, run again), `float64` (the same in float64), `tracing`
  (value, gradient and slope, traced as the user runs them), `steps` (directions and steps),
  `programs` and `on_numbers` (run at many points), `subject` and `preparation` (all that a search
  needs).
- The verdict: `intervals` (values of f, and limits as intervals), `judge` (agree, wrong or cannot
  tell), `stairs` (steps nearby), `questions` (many directions, and the answer that decides),
  `search` (the element that decides).
- The reason: `causes` (which rule is wrong, or what AD is instead), `nonfinite` (where NaN comes
  from), `explanations` and `leaves` (in words), `leaf_report` and `report` (on the screen).

Whoever wants the idea alone reads `float64`, `intervals` and `judge`.
"""

from gradlab.checking.check import assert_grads, check_grads
from gradlab.checking.leaf_report import LeafReport
from gradlab.checking.report import GradientReport

__all__ = ["GradientReport", "LeafReport", "assert_grads", "check_grads"]
