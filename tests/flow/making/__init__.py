"""Makers of random records, one file for each feature."""

from . import claims, compensation, policies
from .branches import BRANCHES
from .children import CHILDREN
from .decisions import DECISIONS
from .maker import Maker
from .schedules import SCHEDULES
from .timers import TIMERS

MAKERS: tuple[Maker, ...] = (
    compensation.UNDOING,
    compensation.EDITED,
    *claims.MAKERS,
    *policies.MAKERS,
    TIMERS,
    DECISIONS,
    BRANCHES,
    CHILDREN,
    SCHEDULES,
)

__all__ = ["MAKERS", "Maker"]
