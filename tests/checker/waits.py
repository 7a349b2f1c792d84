"""The promises about what comes after a while, looked at from the records alone: sections 14 and 15."""

from collections.abc import Iterator, Sequence

from .record import Flag, Head, Kind, Raw
from .verdict import Verdict

Judged = tuple[Raw, Head | None, Verdict]
Timers = tuple[dict[bytes, tuple[Raw, Head, int]], dict[bytes, int]]
"""Of one run: what was set, with who set it and when; and where it came due."""


def broken_waits(records: Sequence[Judged]) -> Iterator[str]:
    """One line for each event that came before its time, twice, or otherwise than it was set."""
    runs: dict[bytes | None, Timers] = {}
    log_time = 0
    for raw, head, verdict in records:
        log_time = max(log_time, raw.time)
        if head is None:
            continue
        if head.kind == Kind.START and verdict is Verdict.ADMITTED:
            # Perhaps not for the first time: all ids of the run are then what they were.
            runs.pop(raw.key, None)
        set_by, came = runs.setdefault(raw.key, ({}, {}))
        if head.kind == Kind.OUTCOME and head.flags & Flag.AFTER and verdict in (Verdict.ADMITTED, Verdict.HELD):
            set_by.setdefault(head.id, (raw, head, log_time))
        if verdict is not Verdict.ADMITTED or not (
            head.kind == Kind.TIMER or (head.kind == Kind.EXPIRY and head.causation and not head.reactor)
        ):
            continue
        named = head.id[1:]
        what = f"{head.type.decode(errors='replace')} at offset {raw.offset}"
        if named not in set_by:
            yield f"{what} comes due, and no outcome set it"
            continue
        if named in came:
            yield f"{what} comes due a second time, after offset {came[named]}"
        came[named] = raw.offset
        its, of, since = set_by[named]
        if log_time < (of.not_after or since + max(of.delay, 0)):
            yield f"{what} came before its time"
        if raw.value != its.value or head.type != of.extra:
            yield f"{what} is not what was set at offset {its.offset}"
