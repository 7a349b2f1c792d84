"""Read models: the state of a run as handlers see it. The fold of the log itself is `farandole.projections.fold`."""

from .marking import on
from .state import State, StateFailed, fold_state

__all__ = ["State", "StateFailed", "fold_state", "on"]
