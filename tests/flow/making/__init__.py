"""Makers of random records, one file for each feature."""

from .branches import BRANCHES
from .maker import Maker

MAKERS: tuple[Maker, ...] = (BRANCHES,)

__all__ = ["MAKERS", "Maker"]
