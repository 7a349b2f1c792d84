"""What random logs hold besides what all runs have, one file for each feature."""

from tests.projections.fold.drawing.claims import Claims
from tests.projections.fold.drawing.compensation import Compensation
from tests.projections.fold.drawing.feature import Feature
from tests.projections.fold.drawing.policies import Policies

FEATURES: tuple[type[Feature], ...] = (
    Claims,
    Compensation,
    Policies,
)

__all__ = ["FEATURES", "Feature"]
