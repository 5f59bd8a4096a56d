"""A gradient checker that needs no tolerance: agree, wrong or cannot tell, and why.

To read it, follow a call in the order in which a check passes through:

- What is asked: `check` (the two functions), `arguments` (arguments as real numbers), `gradients`
  (derivatives that a person wrote, and second ones).
- The programs: `jaxprs` (traced programs, run again), `float64` (the same in float64), `tracing`
  (value, gradient and slope, traced as the user runs them), `steps` (directions and steps),
  `compiled`, `programs` and `on_numbers` (run at many points), `subject` and `preparation` (all
  that a search needs).
- The verdict: `intervals` (limits as intervals), `values` (what is known of f), `judge` (agree,
  wrong or cannot tell), `stairs` (steps nearby), `questions` (many directions at once), `findings`
  and `search` (the element that decides).
- The reason: `causes` (whose fault it is), `nonfinite` (where NaN comes from), `explanations` and
  `leaves` (in words), `funnel` and `report` (on the screen).

Whoever wants the idea alone reads `float64`, `intervals` and `judge`.
"""

from gradlab.checking.check import assert_grads, check_grads
from gradlab.checking.report import GradientReport, LeafReport

__all__ = ["GradientReport", "LeafReport", "assert_grads", "check_grads"]
