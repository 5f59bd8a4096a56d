from gradlab.checks2.check import assert_grads, check_grads
from gradlab.checks2.report import GradientReport, LeafReport
