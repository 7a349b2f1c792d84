"""Makers of random records, one file for each feature."""

from .maker import Maker
from .timers import TIMERS

MAKERS: tuple[Maker, ...] = (TIMERS,)

__all__ = ["MAKERS", "Maker"]
