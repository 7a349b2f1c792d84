"""Schedules: section 17."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from checker.ids import partition_of
from checker.record import Head, Kind, Raw
from checker.state import Letter, Schedule
from checker.verdict import Verdict

if TYPE_CHECKING:
    from checker.fold import Fold

_SKIP, _ALLOW, _QUEUE, _REPLACE = range(4)
_MOST_NAME, _MOST_TYPE = 234, 255


def governed(fold: "Fold", raw: Raw, head: Head) -> Verdict:
    name = raw.key or b""
    if not 1 <= len(name) <= _MOST_NAME:
        return Verdict.UNREADABLE
    return Verdict.ADMITTED if partition_of(name, fold.partitions) == fold.partition else Verdict.MISROUTED


def tick(fold: "Fold", raw: Raw, head: Head) -> Verdict:
    name, extra = raw.key or b"", head.extra
    ms, overlap, type = int.from_bytes(extra[:8], "big"), extra[8:9], extra[9:]
    if not 1 <= len(name) <= _MOST_NAME or not overlap or overlap[0] > _REPLACE or not 1 <= len(type) <= _MOST_TYPE:
        return Verdict.UNREADABLE
    if ms // 1000 > int(datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC).timestamp()):
        return Verdict.UNREADABLE
    if partition_of(name, fold.partitions) != fold.partition:
        return Verdict.MISROUTED
    if name not in fold.schedules and len(fold.schedules) >= fold.settings["schedules_most"]:
        return Verdict.FULL
    if name in fold.schedules and fold.schedules[name].last >= ms:
        return Verdict.SUPERSEDED
    if fold.log_time < ms:
        return Verdict.NOT_DUE
    schedule = fold.schedules.setdefault(name, Schedule())
    schedule.last = ms
    how = overlap[0] if schedule.children else _ALLOW
    if how == _QUEUE:
        schedule.waiting = (ms, head.id, raw.offset)
    elif how == _REPLACE:
        for child, key in schedule.children.items():
            for n in (0, 1):
                schedule.letters.pop((child, n), None)
            schedule.letters[child, 1] = Letter(Kind.CANCEL, b"", key, -1)
        schedule.children.clear()
    if how in (_ALLOW, _REPLACE):
        _start(name, schedule, ms, head.id, raw.offset)
    return Verdict.ADMITTED


def gone(name: bytes, schedule: Schedule, child: bytes) -> None:
    """A run that it started has come to its end, or never began."""
    del schedule.children[child]
    schedule.letters.pop((child, 0), None)
    if schedule.waiting is not None and not schedule.children:
        waiting, schedule.waiting = schedule.waiting, None
        _start(name, schedule, *waiting)


def _start(name: bytes, schedule: Schedule, ms: int, id: bytes, offset: int) -> None:
    key = name + datetime.fromtimestamp(ms // 1000, UTC).strftime("@%Y-%m-%dT%H:%M:%SZ").encode()
    schedule.children.pop(id[1:], None)
    schedule.letters.pop((id[1:], 0), None)
    schedule.children[id[1:]] = key
    schedule.letters[id[1:], 0] = Letter(Kind.START, b"", key, offset)


OTHERS: Final[dict[Kind, Callable[["Fold", Raw, Head], Verdict]]] = {
    Kind.TICK: tick,
    Kind.SCHEDULE: governed,
}
