"""What random logs hold besides what all runs have, one file for each feature."""

from tests.projections.fold.drawing.branches import Branches
from tests.projections.fold.drawing.children import Children
from tests.projections.fold.drawing.claims import Claims
from tests.projections.fold.drawing.compensation import Compensation
from tests.projections.fold.drawing.decisions import Decisions
from tests.projections.fold.drawing.feature import Feature
from tests.projections.fold.drawing.policies import Policies
from tests.projections.fold.drawing.schedules import Schedules
from tests.projections.fold.drawing.timers import Timers

FEATURES: tuple[type[Feature], ...] = (
    Branches,
    Claims,
    Compensation,
    Policies,
    Timers,
    Decisions,
    Children,
    Schedules,
)

__all__ = ["FEATURES", "Feature"]
