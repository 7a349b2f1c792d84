"""Timers and deadlines: section 14."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from checker.record import Head, Kind, Raw
from checker.state import Event, Run, Timer
from checker.verdict import Verdict

from . import branches, children

if TYPE_CHECKING:
    from checker.fold import Fold


def timer(fold: "Fold", raw: Raw, head: Head, run: Run) -> Verdict:
    found = run.timers.get(head.causation)
    return Verdict.NOT_PENDING if found is None or found.decision else comes(fold, raw, head, run, found)


def comes(fold: "Fold", raw: Raw, head: Head, run: Run, timer: Timer) -> Verdict:
    """The event of a timer enters the history, if its time has come."""
    if head.id != b"x" + timer.id or head.type != timer.type:
        return Verdict.UNREADABLE
    if fold.log_time < timer.due:
        return Verdict.NOT_DUE
    del run.timers[timer.id]
    run.decisions.pop(timer.decision, None)
    event = Event(head.id, head.type, raw.offset, 0, timer.flags, None, 0, raw.offset, timer.branch)
    fold.effects.admit(run, event)
    return Verdict.ADMITTED


def expiry(fold: "Fold", raw: Raw, head: Head, run: Run) -> Verdict:
    if head.causation and head.reactor:
        return branches.expiry(fold, raw, head, run)
    if head.causation:
        return nobody_answered(fold, raw, head, run)
    if not run.deadline:
        return Verdict.NOT_PENDING
    if fold.log_time < run.deadline:
        return Verdict.NOT_DUE
    run.state, run.result = "ending", "expired"
    run.lapse()
    children.ended(run, raw.offset)
    run.stack.clear()
    run.drop(raw.offset)
    return Verdict.ADMITTED


def nobody_answered(fold: "Fold", raw: Raw, head: Head, run: Run) -> Verdict:
    decision = run.decisions.get(head.causation)
    if decision is None or decision.otherwise is None:
        return Verdict.NOT_PENDING
    return comes(fold, raw, head, run, decision.otherwise)


ON_RUNS: Final[dict[Kind, Callable[["Fold", Raw, Head, Run], Verdict]]] = {
    Kind.TIMER: timer,
    Kind.EXPIRY: expiry,
}
