"""What random logs hold besides what all runs have, one file for each feature."""

from tests.projections.fold.drawing.compensation import Compensation
from tests.projections.fold.drawing.feature import Feature

FEATURES: tuple[type[Feature], ...] = (Compensation,)

__all__ = ["FEATURES", "Feature"]
