"""Read models: the state of a run as handlers see it, the tables of runs, which `Runs` answers from, and your own.

The fold of the log itself is `farandole.projections.fold`; what needs a database is loaded when it is first asked for.
"""

from typing import TYPE_CHECKING, Any

from .custom import (
    BeginningMissing,
    Following,
    Projection,
    ProjectionError,
    ProjectionKept,
    ProjectionOutdated,
    ProjectionStopped,
    UnknownProjection,
    follow,
)
from .marking import on
from .recorded import Recorded
from .remembering import Fact, Forget, Remembered, Remembrance
from .state import State, StateFailed, fold_state

if TYPE_CHECKING:
    from .custom.declaring import table, upsert
    from .custom.dropping import drop_projection
    from .remembering import Memories, Memory, MemoryBehind
    from .runs.query import Runs

__all__ = [
    "BeginningMissing",
    "Fact",
    "Following",
    "Forget",
    "Memories",
    "Memory",
    "MemoryBehind",
    "Projection",
    "ProjectionError",
    "ProjectionKept",
    "ProjectionOutdated",
    "ProjectionStopped",
    "Recorded",
    "Remembered",
    "Remembrance",
    "Runs",
    "State",
    "StateFailed",
    "UnknownProjection",
    "drop_projection",
    "fold_state",
    "follow",
    "on",
    "table",
    "upsert",
]

_OF_SQL = {
    "Memories": ".remembering",
    "Memory": ".remembering",
    "MemoryBehind": ".remembering",
    "Runs": ".runs.query",
    "drop_projection": ".custom.dropping",
    "table": ".custom.declaring",
    "upsert": ".custom.declaring",
}


def __getattr__(name: str) -> Any:
    if name not in _OF_SQL:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    if name in ("table", "upsert"):
        import_module(".sql", __name__)  # says what to install
    return getattr(import_module(_OF_SQL[name], __name__), name)
