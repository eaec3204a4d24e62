"""Groups of a step's hosts with the same outcome and similar output, what distinguishes each group,
and the lines that show it. The pages render them."""

from .excerpts import Excerpt, Excerpts
from .groups import Printed, StepGroup, StepGroups
from .kept import excerpts, identical_groups, step_groups
from .lines import Relation, ShownLine
from .shown_values import ShownDifference, ShownVariation
from .values import ValueDifference, Variation
from .words import ShownLooseLine, VaryingWord

__all__ = [
    "Excerpt",
    "Excerpts",
    "Printed",
    "Relation",
    "ShownDifference",
    "ShownLine",
    "ShownLooseLine",
    "ShownVariation",
    "StepGroup",
    "StepGroups",
    "ValueDifference",
    "Variation",
    "VaryingWord",
    "excerpts",
    "identical_groups",
    "step_groups",
]
