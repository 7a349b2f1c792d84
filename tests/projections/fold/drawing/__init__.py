"""What random logs hold besides what all runs have, one file for each feature."""

from tests.projections.fold.drawing.children import Children
from tests.projections.fold.drawing.feature import Feature
from tests.projections.fold.drawing.schedules import Schedules

FEATURES: tuple[type[Feature], ...] = (Children, Schedules)

__all__ = ["FEATURES", "Feature"]
