"""What lapses once a run has its result: nothing that is pending can move it any more."""

from typing import TYPE_CHECKING

from . import children
from .branches import leave
from .run import Run

if TYPE_CHECKING:
    from .applied import Applied
    from .fold import Fold


def lapse_pending(fold: "Fold", run: Run, out: "Applied") -> None:
    """Let timers, decisions and deadlines go, cancel children, and tell the parent."""
    pending = run.pending
    if pending is None:
        return
    pending.deadline = 0
    for timer in (pending.timers or {}).values():
        # What a decision becomes if nobody answers stands in its branch with the decision.
        if timer.branch is not None and not timer.decision:
            leave(fold, run, timer.branch, out)
    for decision in (pending.decisions or {}).values():
        if decision.branch is not None:
            leave(fold, run, decision.branch, out)
    pending.timers = pending.decisions = None
    for fanout in (pending.fanouts or {}).values():
        for gathering in fanout.gatherings or ():
            gathering.due = 0
    children.part(fold, run, out)
    children.tell(fold, run, out)
