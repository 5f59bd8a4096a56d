from gradlab.checking.check import check_grads
from gradlab.checking.report import GradientReport
