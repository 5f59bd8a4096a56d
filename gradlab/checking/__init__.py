"""A gradient checker that needs no tolerance: agree, wrong or cannot tell, and why.

To read it, follow a call:

- What is asked: `check` (the two functions), `coordinates` (arguments as real numbers), `gradients`
  (derivatives that a person wrote, and second ones), `cache` and `progress`.
- The function, made ready: `jaxprs` (what a traced program is), `lifting` (the same in float64),
  `ladder` (steps and directions), `programs` and `on_numbers` (values and derivatives, compiled or
  not), `first_look` (the same by one program), `subject` and `preparation` (all that a search
  needs).
- The verdict: `limits` (intervals for a limit), `sights` (what the values show), `evidence` (what
  speaks for and against AD), `verdicts` (agree, wrong or cannot tell), `questions` (many directions
  at once), `findings` and `search` (the element that decides).
- The reason: `rewriting` and `causes` (whose fault it is), `nonfinite` (where NaN came from),
  `amendments` (dtypes and distributions), `explanations` and `wording` (in words), `funnel` and
  `report` (on the screen).

Whoever wants the idea alone reads `limits`, `sights`, `evidence` and `verdicts`.
"""

from gradlab.checking.check import assert_grads, check_grads
from gradlab.checking.report import GradientReport, LeafReport

__all__ = ["GradientReport", "LeafReport", "assert_grads", "check_grads"]
