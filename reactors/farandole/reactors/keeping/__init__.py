"""Keeping: what every worker does for the partitions that it owns, with no leader; one file for each duty."""

from .duty import NEWS
from .keeper import Keeper
from .logclock import LogClock
from .rounds import ROUND

__all__ = ["NEWS", "ROUND", "Keeper", "LogClock"]
