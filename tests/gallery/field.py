"""`FAMILIES`: classes of functions on which an earlier checker failed, drawn at random.

They stand beside the gallery, not in it: its counts are compared from one edition to the next.
"""

from gallery import (
    field_data,
    field_leaves,
    field_lines,
    field_maxima,
    field_raising,
    field_smooth,
    field_solvers,
    field_staircases,
    field_swallowed,
    field_ties,
    field_tiny,
    field_unusable,
)
from gallery.family import Family

MODULES = (
    field_maxima,
    field_staircases,
    field_swallowed,
    field_tiny,
    field_solvers,
    field_unusable,
    field_raising,
    field_smooth,
    field_leaves,
    field_ties,
    field_data,
    field_lines,
)

FAMILIES: tuple[Family, ...] = tuple(family for module in MODULES for family in module.FAMILIES)
