"""Child runs: how one is born, and what parent and child tell each other.

What is to be told is owed where it is known, as a message, until the log that it goes to is known to have judged it.
"""

from typing import TYPE_CHECKING, Final

from farandole.schemas.envelope import Envelope, Kind
from farandole.schemas.kinship import CANCELLED, OUT_OF_TIME, PARKED, Birth, Sender

from .branches import hold, leave
from .pending import Child, Message, MessageKey, Parent
from .run import Result

if TYPE_CHECKING:
    from .applied import Applied
    from .fold import Fold
    from .run import Item, Run

START_OF_CHILD: Final = 0
CANCEL_OF_CHILD: Final = 1
FIRST_NEWS: Final = 2
"""Numbers of the messages of one child."""

_FLAGS_OF: Final = {Result.CANCELLED: CANCELLED, Result.EXPIRED: OUT_OF_TIME}


def parent_of(e: Envelope) -> Parent | None:
    """Who bore the run that this start opens, as its ``extra`` says; None if that cannot be read."""
    sender = Sender.read(e.extra)
    if sender is None or not e.causation or e.id != b"x" + e.causation:
        return None
    return Parent(
        sender.choreography, sender.key, e.causation, sender.offset, sender.depth, sender.of_schedule, sender.detached
    )


def short(type: bytes) -> bytes:
    """A wire name without its choreography."""
    return type.rpartition(b".")[2]


def bear(fold: "Fold", run: "Run", item: "Item", out: "Applied") -> None:
    """An open run has a child, whose start is owed to its partition. One that goes its own way is not waited for."""
    told = Birth.read(item.extra)
    if told is None:
        return
    pending = run.pend()
    key = told.run_id or item.id
    messages = pending.messages = pending.messages if pending.messages is not None else {}
    children = pending.children = pending.children if pending.children is not None else {}
    if item.id in children or (item.id, START_OF_CHILD) in messages:
        return
    type = fold.intern(told.type)
    if not told.detach:
        children[item.id] = Child(item.id, type, item.offset, told.choreography, key, item.hops, item.branch)
        if item.branch is not None:
            hold(item.branch)
    message = Message(
        item.id, START_OF_CHILD, Kind.START, told.choreography, key, item.offset, fold.log_time, name=type
    )
    owe(messages, run.id, message, out)


def part(fold: "Fold", run: "Run", out: "Applied") -> None:
    """The run has its result: its children are cancelled, those excepted that go their own way.

    A start that may not have come to its partition yet is owed no longer; the cancel keeps it from opening a run.
    """
    pending = run.pending
    if pending is None or not pending.children:
        return
    messages = pending.messages = pending.messages if pending.messages is not None else {}
    children, pending.children = pending.children, None
    for child in children.values():
        messages.pop((child.id, START_OF_CHILD), None)
        owe(messages, run.id, cancel_of(child, fold.log_time), out)
        if child.branch is not None:
            leave(fold, run, child.branch, out)


def tell(fold: "Fold", run: "Run", out: "Applied") -> None:
    """Owe the run's parent the news of its result, once."""
    if out.result is Result.NONE:
        return
    ended = run.result is Result.ENDED
    kind, flags = (Kind.CHILD_ENDED, 0) if ended else (Kind.CHILD_FAILED, _FLAGS_OF[run.result])
    _tell(fold, run, kind, run.result_offset, flags, run.end, out)


def tell_of_parking(fold: "Fold", run: "Run", offset: int, out: "Applied") -> None:
    """Owe the run's parent the news that a step is parked, unless it has its result.

    Args:
        offset: of the failure, or of the event for which a join had no room.
    """
    if run.result is Result.NONE:
        _tell(fold, run, Kind.CHILD_FAILED, offset, PARKED, b"", out)


def cancel_of(child: Child, log_time: int) -> Message:
    """What cancels a child."""
    return Message(child.id, CANCEL_OF_CHILD, Kind.CANCEL, child.to, child.key, child.offset, log_time, name=child.type)


def owe(messages: dict[MessageKey, Message], sender: bytes, message: Message, out: "Applied") -> None:
    """Owe a message, after all others."""
    messages.pop((message.id, message.n), None)
    messages[message.id, message.n] = message
    out.owe_message(sender, message)


def _tell(fold: "Fold", run: "Run", kind: int, offset: int, flags: int, name: bytes, out: "Applied") -> None:
    pending = run.pending
    if pending is None or pending.parent is None or pending.parent.detached:
        return
    parent = pending.parent
    messages = pending.messages = pending.messages if pending.messages is not None else {}
    n = FIRST_NEWS + pending.told
    pending.told += 1
    message = Message(run.start, n, kind, parent.choreography, parent.key, offset, fold.log_time, flags, name)
    owe(messages, run.id, message, out)
