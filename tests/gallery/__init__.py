"""Functions at points where a checker of gradients must say yes, no, or that it cannot tell.

`CASES` holds all of them. The modules up to `structures` hold right gradients, those whose names
begin with `wrong` wrong ones, those that begin with `no_` points without one.
"""

from gallery import (
    control_flow,
    elementwise,
    indexing,
    iterations,
    linear_algebra,
    no_finite_gradient,
    no_gradient,
    noisy,
    sampling,
    scales,
    special,
    structures,
    transforms,
    wrong_axes,
    wrong_bugs,
    wrong_bugs_of_models,
    wrong_elements,
    wrong_factors,
    wrong_modes,
    wrong_stops,
    wrong_terms,
)
from gallery.case import Case, precision

MODULES = (
    elementwise,
    special,
    scales,
    noisy,
    linear_algebra,
    transforms,
    indexing,
    control_flow,
    iterations,
    sampling,
    structures,
    wrong_factors,
    wrong_elements,
    wrong_axes,
    wrong_terms,
    wrong_stops,
    wrong_modes,
    wrong_bugs,
    wrong_bugs_of_models,
    no_gradient,
    no_finite_gradient,
)

CASES: tuple[Case, ...] = tuple(case for module in MODULES for case in module.CASES)

__all__ = ["CASES", "MODULES", "Case", "precision"]
