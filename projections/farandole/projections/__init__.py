"""Read models: the state of a run as handlers see it, and the tables of runs, which `Runs` answers from.

The fold of the log itself is `farandole.projections.fold`; what needs a database is loaded when it is first asked for.
"""

from typing import TYPE_CHECKING, Any

from .marking import on
from .state import State, StateFailed, fold_state

if TYPE_CHECKING:
    from .runs.query import Runs

__all__ = ["Runs", "State", "StateFailed", "fold_state", "on"]


def __getattr__(name: str) -> Any:
    if name == "Runs":
        from .runs.query import Runs

        return Runs
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
