"""What goes wrong with a projection.

FarandoleError
└── ProjectionError
    ├── ProjectionStopped   a handler raised, or an event cannot be read here: this projection goes no further
    ├── ProjectionOutdated  a newer version of it, or another declaration, has the tables
    ├── ProjectionKept      a process keeps it, so it cannot be removed
    ├── UnknownProjection   the database has none of that name
    └── BeginningMissing    records that it has not seen have left the log
"""

from farandole.schemas import FarandoleError


class ProjectionError(FarandoleError):
    """Something about one projection; others go on."""


class ProjectionStopped(ProjectionError):
    """It stands before an event that it cannot take. The message names run, event, handler, and what to do."""


class ProjectionOutdated(ProjectionError):
    """The tables are of a newer version, or were declared otherwise; nothing was written."""


class ProjectionKept(ProjectionError):
    """A process keeps it. The message names the process."""


class UnknownProjection(ProjectionError):
    """The database has no projection of that name. The message names those that there are."""


class BeginningMissing(ProjectionError):
    """A projection sees every event, and some are in the log no longer. The message says what to do."""
