from gradlab.checking.check import assert_grads, check_grads
from gradlab.checking.report import GradientReport, LeafReport
