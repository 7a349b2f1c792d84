"""The promises about what comes after a while, looked at from the records alone: sections 14 and 15."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from .record import Flag, Head, Kind, Raw
from .verdict import Verdict

Judged = tuple[Raw, Head | None, Verdict]


@dataclass
class Timers:
    """Those of one run."""

    held: dict[bytes, dict[bytes, tuple[Raw, Head]]] = field(default_factory=dict)
    """By the append of an outcome that is not whole yet: the records that set something."""
    set_by: dict[bytes, tuple[Raw, Head, int]] = field(default_factory=dict)
    """What was set, by whom, and when."""
    came: dict[bytes, int] = field(default_factory=dict)
    """Where it came due."""

    def outcome(self, raw: Raw, head: Head, log_time: int, *, whole: bool) -> None:
        parts = self.held.setdefault(head.append, {})
        if head.flags & Flag.AFTER:
            parts[head.id] = raw, head
        if whole:
            del self.held[head.append]
            for id, (its, of) in parts.items():
                self.set_by.setdefault(id, (its, of, log_time))


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
        run = runs.setdefault(raw.key, Timers())
        if head.kind == Kind.OUTCOME and verdict in (Verdict.ADMITTED, Verdict.HELD):
            run.outcome(raw, head, log_time, whole=verdict is Verdict.ADMITTED)
        if verdict is not Verdict.ADMITTED or not (
            head.kind == Kind.TIMER or (head.kind == Kind.EXPIRY and head.causation and not head.reactor)
        ):
            continue
        named = head.id[1:]
        what = f"{head.type.decode(errors='replace')} at offset {raw.offset}"
        if named not in run.set_by:
            yield f"{what} comes due, and no outcome set it"
            continue
        if named in run.came:
            yield f"{what} comes due a second time, after offset {run.came[named]}"
        run.came[named] = raw.offset
        its, of, since = run.set_by[named]
        if log_time < (of.not_after or since + max(of.delay, 0)):
            yield f"{what} came before its time"
        if raw.value != its.value or head.type != of.extra:
            yield f"{what} is not what was set at offset {its.offset}"
