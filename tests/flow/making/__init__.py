"""Makers of random records, one file for each feature."""

from . import compensation
from .maker import Maker

MAKERS: tuple[Maker, ...] = (compensation.UNDOING, compensation.EDITED)

__all__ = ["MAKERS", "Maker"]
