"""What random logs hold besides what all runs have, one file for each feature."""

from tests.projections.fold.drawing.branches import Branches
from tests.projections.fold.drawing.feature import Feature

FEATURES: tuple[type[Feature], ...] = (Branches,)

__all__ = ["FEATURES", "Feature"]
