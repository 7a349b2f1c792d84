"""What parent and child tell each other, and whether it was delivered."""

from typing import TYPE_CHECKING, Final

from farandole.eventstore import Stored, partition_of
from farandole.projections.fold.applied import Applied
from farandole.projections.fold.branches import leave, settle_branches
from farandole.projections.fold.children import START_OF_CHILD, short
from farandole.projections.fold.contracts import CHILD_DONE, CHILD_FAILED, MOST_NAME
from farandole.projections.fold.owing import close_if_done
from farandole.projections.fold.pending import Child, Message, MessageKey
from farandole.projections.fold.run import TAKES, Fact, Run, RunState
from farandole.projections.fold.schedules import Schedule, heard
from farandole.projections.fold.taking import take
from farandole.projections.fold.verdict import Verdict
from farandole.schemas.envelope import Envelope, Flag, Kind
from farandole.schemas.kinship import PARKED, Judged, News

if TYPE_CHECKING:
    from farandole.projections.fold.fold import Fold

_OF_SCHEDULE: Final = int(Flag.OF_SCHEDULE)


def news(fold: "Fold", record: Stored, e: Envelope, out: Applied) -> Verdict:
    """A child's end or failure: admitted iff that child is pending. The key names the run or the schedule."""
    told = News.read(e.extra)
    if told is None:
        return Verdict.UNREADABLE
    receiver = _receiver(fold, record, e, out)
    if isinstance(receiver, Verdict):
        return receiver
    if isinstance(receiver, Schedule):
        if receiver.children is None or e.causation not in receiver.children:
            return Verdict.NOT_PENDING
        if told.flags & PARKED:
            return Verdict.NOT_TAKEN
        heard(fold, receiver, e.causation, out)
        return Verdict.ADMITTED
    child = _pending(receiver, e.causation)
    if child is None:
        return Verdict.NOT_PENDING
    type = CHILD_DONE + short(told.type) if e.kind == Kind.CHILD_ENDED else CHILD_FAILED + short(child.type)
    if e.kind == Kind.CHILD_FAILED and told.flags & PARKED and not _taken(fold, child, type):
        return Verdict.NOT_TAKEN
    _hear(fold, receiver, child, Fact(e.id, fold.intern(type), record.offset, 0, child.hops, child.branch), out)
    return Verdict.ADMITTED


def delivered(fold: "Fold", record: Stored, e: Envelope, out: Applied) -> Verdict:
    """Admitted iff the message is owed. A start that was refused is news of the child: it failed."""
    judged = Judged.read(e.extra)
    if judged is None:
        return Verdict.UNREADABLE
    receiver = _receiver(fold, record, e, out)
    if isinstance(receiver, Verdict):
        return receiver
    refused = e.attempt == START_OF_CHILD and e.extra[0] >= Verdict.UNREADABLE
    if isinstance(receiver, Schedule):
        if not _discharge(receiver.messages, e):
            return Verdict.NOT_PENDING
        if refused and receiver.children is not None and e.causation in receiver.children:
            heard(fold, receiver, e.causation, out)
        return Verdict.ADMITTED
    if receiver.pending is None or not _discharge(receiver.pending.messages, e):
        return Verdict.NOT_PENDING
    child = _pending(receiver, e.causation) if refused else None
    if child is not None:
        type = fold.intern(CHILD_FAILED + short(child.type))
        _hear(fold, receiver, child, Fact(e.id, type, record.offset, 0, child.hops, child.branch), out)
    receiver.touched = fold.log_time
    if receiver.state is RunState.ENDING:
        close_if_done(fold, receiver, out)
    return Verdict.ADMITTED


def unknown(fold: "Fold", record: Stored, e: Envelope) -> Verdict:
    """A parent's cancel of a child that is not open here: one that was never, and now never will be."""
    key = record.key or b""
    if not 0 < len(key) <= MOST_NAME or key in fold.closed:
        return Verdict.NO_RUN
    if not e.not_after:
        return Verdict.UNREADABLE
    if fold.log_time > e.not_after:
        return Verdict.TOO_LATE
    fold.closed.add(key, fold.log_time, fold.settings.dedup_window, fold.settings.dedup_most)
    return Verdict.ADMITTED


def _receiver(fold: "Fold", record: Stored, e: Envelope, out: Applied) -> Run | Schedule | Verdict:
    """The open run or the schedule that the key names, or what refuses the record."""
    key = record.key or b""
    if e.flags & _OF_SCHEDULE:
        schedule = fold.schedules.get(key)
        return schedule if schedule is not None else _nobody(fold, key)
    run = fold.runs.get(key)
    if run is None:
        return _nobody(fold, key)
    out.run = run
    if e.kind not in TAKES[run.state]:
        return Verdict.RUN_ENDING
    if fold.saver is not None:
        fold.saver.before(run)
    return run


def _nobody(fold: "Fold", key: bytes) -> Verdict:
    return Verdict.NO_RUN if partition_of(key, fold.partitions) == fold.partition else Verdict.MISROUTED


def _pending(run: Run, child: bytes) -> Child | None:
    return None if run.pending is None or run.pending.children is None else run.pending.children.get(child)


def _discharge(messages: dict[MessageKey, Message] | None, e: Envelope) -> bool:
    """Owe a message no longer; False if it is not owed."""
    return messages is not None and messages.pop((e.causation, e.attempt), None) is not None


def _taken(fold: "Fold", child: Child, type: bytes) -> bool:
    """Whether a reactor takes news of this type, or a fan-in waits for it."""
    if type in fold.contracts.by_type:
        return True
    gatherings = child.branch.fanout.gatherings if child.branch is not None else None
    return any(type in gathering.events for gathering in gatherings or ())


def _hear(fold: "Fold", run: Run, child: Child, fact: Fact, out: Applied) -> None:
    """News of a child enters the run's history, and nothing more is waited for of it."""
    pending = run.pend()
    if pending.children is not None:
        del pending.children[child.id]
    if pending.messages is not None:
        # Its start has come to its partition, whatever became of the word that it has.
        pending.messages.pop((child.id, START_OF_CHILD), None)
    take(fold, run, fact, out)
    if child.branch is not None:
        leave(fold, run, child.branch, out)
    run.touched = fold.log_time
    settle_branches(fold, run, out)
