"""Custom projections: read models of one's own, from handlers typed by event. What needs a database is loaded later."""

from .errors import (
    BeginningMissing,
    ProjectionError,
    ProjectionKept,
    ProjectionOutdated,
    ProjectionStopped,
    UnknownProjection,
)
from .live import Following, follow
from .logs import Archive, Log, Source, types_of
from .memory import MemoryProjector
from .projection import Projection, events_of, name_of, tables_of, writes

__all__ = [
    "Archive",
    "BeginningMissing",
    "Following",
    "Log",
    "MemoryProjector",
    "Projection",
    "ProjectionError",
    "ProjectionKept",
    "ProjectionOutdated",
    "ProjectionStopped",
    "Source",
    "UnknownProjection",
    "events_of",
    "follow",
    "name_of",
    "tables_of",
    "types_of",
    "writes",
]
