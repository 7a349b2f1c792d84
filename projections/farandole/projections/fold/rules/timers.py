"""A timer fires; a run is out of time."""

from typing import TYPE_CHECKING

from farandole.eventstore import Stored
from farandole.projections.fold import compensation
from farandole.projections.fold.applied import Applied
from farandole.projections.fold.branches import leave
from farandole.projections.fold.owing import drop
from farandole.projections.fold.pending import Timer
from farandole.projections.fold.run import Fact, Result, Run, Turn
from farandole.projections.fold.taking import finish, take
from farandole.projections.fold.timers import let_go
from farandole.projections.fold.verdict import Verdict
from farandole.schemas.envelope import Envelope
from farandole.schemas.ids import OUTSIDE

if TYPE_CHECKING:
    from farandole.projections.fold.fold import Fold


def fired(fold: "Fold", run: Run, record: Stored, e: Envelope, out: Applied) -> Verdict:
    """Admitted iff the timer is pending, and due by log time."""
    timers = run.pending.timers if run.pending is not None else None
    timer = timers.get(e.causation) if timers else None
    if timer is None or timer.decision:
        return Verdict.NOT_PENDING
    refused = too_early(fold, timer, e)
    if refused is not None:
        return refused
    let_go(run, timer)
    happen(fold, run, timer, record, e, out)
    return Verdict.ADMITTED


def too_early(fold: "Fold", timer: Timer, e: Envelope) -> Verdict | None:
    """Why a record may not make the event of a timer happen; None: it may. It copies what was set, and is no other."""
    if e.id != OUTSIDE + timer.id or e.type != timer.type:
        return Verdict.UNREADABLE
    return Verdict.NOT_DUE if fold.log_time < timer.due else None


def happen(fold: "Fold", run: Run, timer: Timer, record: Stored, e: Envelope, out: Applied) -> None:
    """The event of a timer enters the history, where the outcome stands that set it."""
    run.touched = fold.log_time
    take(fold, run, Fact(e.id, timer.type, record.offset, timer.flags, timer.hops, timer.branch), out)
    if timer.branch is not None:
        leave(fold, run, timer.branch, out)


def overdue(fold: "Fold", run: Run, record: Stored, e: Envelope, out: Applied) -> Verdict:
    """Admitted iff the run has a deadline, and log time has passed it."""
    if run.pending is None or not run.pending.deadline:
        return Verdict.NOT_PENDING
    if fold.log_time < run.pending.deadline:
        return Verdict.NOT_DUE
    run.touched = fold.log_time
    compensation.give_up(run)
    finish(fold, run, record, Turn.EXPIRE, Result.EXPIRED, out)
    drop(fold, run, out)
    return Verdict.ADMITTED
