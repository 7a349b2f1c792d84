"""Makers of random records, one file for each feature."""

from .decisions import DECISIONS
from .maker import Maker
from .timers import TIMERS

MAKERS: tuple[Maker, ...] = (TIMERS, DECISIONS)

__all__ = ["MAKERS", "Maker"]
