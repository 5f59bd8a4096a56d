"""A gradient checker that needs no tolerance: agree, wrong or cannot tell, and why."""

from gradlab.checking.check import assert_grads, check_grads
from gradlab.checking.report import GradientReport, LeafReport

__all__ = ["GradientReport", "LeafReport", "assert_grads", "check_grads"]
