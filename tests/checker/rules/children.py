"""Messages and children: section 16."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from checker.ids import partition_of
from checker.record import Flag, Head, Kind, Raw
from checker.state import Child, Event, Letter, Parent, Run, Schedule
from checker.verdict import Verdict

from . import schedules
from .branches import Branch

if TYPE_CHECKING:
    from checker.fold import Fold

STUCK, CANCELLED, LATE = 1, 2, 4
"""Flags of news."""
_DETACHED = 2
_MOST = 255
_REFUSED = 16
"""The lowest verdict that refuses."""


class _Reader:
    """Takes apart what ``extra`` says; what is missing reads as nothing."""

    def __init__(self, extra: bytes) -> None:
        self.rest = extra

    def bytes(self, count: int) -> bytes:
        taken, self.rest = self.rest[:count], self.rest[count:]
        return taken

    def number(self, size: int) -> int:
        return int.from_bytes(self.bytes(size), "big")

    def text(self, size: int = 1) -> bytes:
        return self.bytes(self.number(size))


def sender(head: Head) -> Parent | None:
    """Who bore the run that a start opens; None if ``extra`` does not fit."""
    extra = _Reader(head.extra)
    layout, flags, depth, offset = (extra.number(size) for size in (1, 1, 2, 8))
    choreography, key = extra.text(), extra.rest
    fits = layout == 1 and 1 <= len(key) <= _MOST and head.causation and head.id == b"x" + head.causation
    return Parent(choreography, key, head.causation, offset, depth, flags) if fits else None


def news(head: Head) -> tuple[int, bytes] | None:
    """The flags of news, and the name that it tells; None if ``extra`` does not fit."""
    extra = _Reader(head.extra)
    layout, flags, _, _ = (extra.number(size) for size in (1, 1, 4, 8))
    _, run_id, _, name = extra.text(), extra.text(2), extra.text(), extra.rest
    return (flags, name) if layout == 1 and run_id and 1 <= len(name) <= _MOST else None


def born(run: Run, head: Head, offset: int, branch: Branch | None) -> None:
    """A part of an outcome that bears a child; an ending run bears none, and what does not fit bears none."""
    extra = _Reader(head.extra)
    detached, choreography, run_id, name = extra.number(1), extra.text(), extra.text(), extra.rest
    place = (head.id, 0)
    if run.state != "open" or not head.extra or detached > 1 or not 1 <= len(name) <= _MOST:
        return
    if head.id in run.children or place in run.letters:
        return
    key = run_id or head.id
    run.letters[place] = Letter(Kind.START, choreography, key, offset)
    if not detached:
        run.children[head.id] = Child(head.id, name, offset, choreography, key, branch)


def ended(run: Run, offset: int) -> None:
    """A run has its result: its children are cancelled, and its parent is told."""
    for child in run.children.values():
        run.letters.pop((child.id, 0), None)
        run.letters[child.id, 1] = Letter(Kind.CANCEL, child.choreography, child.key, child.offset)
    run.children.clear()
    tell(run, offset, {"cancelled": CANCELLED, "expired": LATE}.get(run.result, 0))


def tell(run: Run, offset: int, flags: int) -> None:
    """Owe the parent news."""
    parent = run.parent
    if parent is None or parent.flags & _DETACHED:
        return
    kind = Kind.CHILD_FAILED if flags else Kind.CHILD_ENDED
    run.letters[run.start_id, 2 + run.told] = Letter(kind, parent.choreography, parent.key, offset, flags)
    run.told += 1


def never(fold: "Fold", raw: Raw, head: Head) -> Verdict:
    """A parent cancels a child that is not open here: if it was not there yet, it will never be."""
    key = raw.key or b""
    if not 1 <= len(key) <= _MOST or key in fold.closed:
        return Verdict.NO_RUN
    if not head.not_after:
        return Verdict.UNREADABLE
    if fold.log_time > head.not_after:
        return Verdict.TOO_LATE
    fold.closed.add(key, fold.log_time, fold.settings["dedup_window"], fold.settings["dedup_most"])
    return Verdict.ADMITTED


def told(fold: "Fold", raw: Raw, head: Head) -> Verdict:
    """A child's end or failure."""
    said = news(head)
    if said is None:
        return Verdict.UNREADABLE
    flags, name = said
    run = _addressed(fold, raw, head)
    if isinstance(run, Verdict):
        return run
    if isinstance(run, Schedule):
        if head.causation not in run.children:
            return Verdict.NOT_PENDING
        if flags & STUCK:
            return Verdict.NOT_TAKEN
        schedules.gone(raw.key or b"", run, head.causation)
        return Verdict.ADMITTED
    if run.state == "ending":
        return Verdict.RUN_ENDING
    child = run.children.get(head.causation)
    if child is None:
        return Verdict.NOT_PENDING
    if head.kind == Kind.CHILD_ENDED:
        type = b"child_done:" + name.rpartition(b".")[2]
    else:
        type = _failed(child)
        gathering = [g.contract for g in run.gatherings if child.branch and g.fan_out is child.branch.fan_out]
        if flags & STUCK and not any(type in c.names for c in (*fold.contracts.on_events(), *gathering)):
            return Verdict.NOT_TAKEN
    _hear(fold, run, child, raw, head, type)
    return Verdict.ADMITTED


def delivered(fold: "Fold", raw: Raw, head: Head) -> Verdict:
    """A message has come to its partition, and was judged there."""
    if len(head.extra) != 9:
        return Verdict.UNREADABLE
    run = _addressed(fold, raw, head)
    if isinstance(run, Verdict):
        return run
    if run.letters.pop((head.causation, head.attempt), None) is None:
        return Verdict.NOT_PENDING
    if isinstance(run, Schedule):
        if head.causation in run.children and head.attempt == 0 and head.extra[0] >= _REFUSED:
            schedules.gone(raw.key or b"", run, head.causation)
        return Verdict.ADMITTED
    child = run.children.get(head.causation)
    if child is not None and head.attempt == 0 and head.extra[0] >= _REFUSED:
        _hear(fold, run, child, raw, head, _failed(child))
    run.touched = fold.log_time
    return Verdict.ADMITTED


def _addressed(fold: "Fold", raw: Raw, head: Head) -> Run | Schedule | Verdict:
    key = raw.key or b""
    found = fold.schedules.get(key) if head.flags & Flag.OF_SCHEDULE else fold.runs.get(key)
    if found is not None:
        return found
    return Verdict.NO_RUN if partition_of(key, fold.partitions) == fold.partition else Verdict.MISROUTED


def _failed(child: Child) -> bytes:
    return b"child_failed:" + child.type.rpartition(b".")[2]


def _hear(fold: "Fold", run: Run, child: Child, raw: Raw, head: Head, type: bytes) -> None:
    """News enters the history; there is no more of this child."""
    del run.children[child.id]
    run.letters.pop((child.id, 0), None)
    fold.effects.admit(run, Event(head.id, type, raw.offset, 0, 0, None, 0, raw.offset, child.branch))
    run.touched = fold.log_time


OTHERS: Final[dict[Kind, Callable[["Fold", Raw, Head], Verdict]]] = {
    Kind.DELIVERED: delivered,
    Kind.CHILD_ENDED: told,
    Kind.CHILD_FAILED: told,
}
