"""Makers of random records, one file for each feature."""

from .children import CHILDREN
from .maker import Maker
from .schedules import SCHEDULES

MAKERS: tuple[Maker, ...] = (CHILDREN, SCHEDULES)

__all__ = ["MAKERS", "Maker"]
