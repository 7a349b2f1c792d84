"""Schedules: which tick of each came last, and what it waits for."""

from typing import TYPE_CHECKING

from farandole.schemas.envelope import Kind
from farandole.schemas.kinship import QUEUE, REPLACE, SKIP, Ticked, scheduled_run

from .children import START_OF_CHILD, cancel_of, owe
from .pending import Child, Message, MessageKey

if TYPE_CHECKING:
    from .applied import Applied
    from .fold import Fold


class Schedule:
    """A schedule that has ticked in this partition."""

    __slots__ = ("children", "last", "messages", "name", "waiting")

    def __init__(self, name: bytes) -> None:
        self.name = name
        self.last = -1
        """Its newest tick, in milliseconds since 1970 UTC."""
        self.children: dict[bytes, Child] | None = None
        """Runs that it started and of which no end was told yet."""
        self.messages: dict[MessageKey, Message] | None = None
        self.waiting: tuple[int, bytes, int] | None = None
        """The tick that starts once no child is left: milliseconds, id and offset of its record."""


def ticked(fold: "Fold", schedule: Schedule, tick: Ticked, id: bytes, offset: int, out: "Applied") -> None:
    """A tick was admitted: a run is started, now or later, or not at all.

    Args:
        id: of its record, which the run's start will have.
    """
    schedule.last = tick.ms
    if schedule.children and tick.overlap == SKIP:
        return
    if schedule.children and tick.overlap == QUEUE:
        schedule.waiting = (tick.ms, id, offset)
        return
    if schedule.children and tick.overlap == REPLACE:
        _part(fold, schedule, out)
    _begin(fold, schedule, tick.ms, id, offset, out)


def heard(fold: "Fold", schedule: Schedule, child: bytes, out: "Applied") -> None:
    """A run that the schedule started has told of its end, or could not be started."""
    if schedule.children is not None:
        schedule.children.pop(child, None)
    if schedule.messages is not None:
        schedule.messages.pop((child, START_OF_CHILD), None)
    if schedule.waiting is not None and not schedule.children:
        (ms, id, offset), schedule.waiting = schedule.waiting, None
        _begin(fold, schedule, ms, id, offset, out)


def _begin(fold: "Fold", schedule: Schedule, ms: int, id: bytes, offset: int, out: "Applied") -> None:
    """Owe the start of a tick's run. What it starts with is read where it is sent."""
    child, key = id[1:], scheduled_run(schedule.name, ms)
    children = schedule.children = schedule.children if schedule.children is not None else {}
    messages = schedule.messages = schedule.messages if schedule.messages is not None else {}
    children.pop(child, None)
    children[child] = Child(child, b"", offset, b"", key, 0)
    owe(messages, schedule.name, Message(child, START_OF_CHILD, Kind.START, b"", key, offset, fold.log_time), out)


def _part(fold: "Fold", schedule: Schedule, out: "Applied") -> None:
    """Cancel what it started before."""
    children, schedule.children = schedule.children or {}, None
    messages = schedule.messages = schedule.messages if schedule.messages is not None else {}
    for child in children.values():
        messages.pop((child.id, START_OF_CHILD), None)
        owe(messages, schedule.name, cancel_of(child, fold.log_time), out)
