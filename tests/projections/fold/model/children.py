"""Section 16 of the protocol: messages and children."""

from typing import Any

from tests.projections.fold.model.contracts import names
from tests.projections.fold.model.memory import Child, Event, Letter, Run, Schedule
from tests.projections.fold.model.records import KINDS, OF_OPEN_RUNS, Head
from tests.projections.fold.model.schedules import Schedules

from farandole.eventstore import Stored, partition_of

SENDER = 1024
"""The flag of a record whose key is a schedule's name."""


class Children(Schedules):
    """What runs tell each other."""

    # ── what is written in the records ───────────────────────────────────────────────────────────────────────────────

    def sender(self, head: Head) -> tuple[Any, ...] | None:
        """Who bore a run: choreography, key, child, offset, depth, whether a schedule, whether the child is detached."""
        extra = head.extra
        if len(extra) < 13 or extra[0] != 1 or not head.causation or head.id != b"x" + head.causation:
            return None
        choreography, key = split(extra[12:])
        if not 1 <= len(key) <= 255:
            return None
        flags, depth, offset = extra[1], int.from_bytes(extra[2:4], "big"), int.from_bytes(extra[4:12], "big")
        return choreography, key, head.causation, offset, depth, bool(flags & 1), bool(flags & 2)

    def news(self, extra: bytes) -> tuple[int, bytes] | None:
        """Flags of news, and the type of the End or the start."""
        if len(extra) < 15 or extra[0] != 1:
            return None
        rest = split(extra[14:])[1]
        size = int.from_bytes(rest[:2], "big")
        run_id, rest = rest[2 : 2 + size], rest[2 + size :]
        type = split(rest)[1]
        return (extra[1], type) if run_id and 1 <= len(type) <= 255 else None

    # ── what follows ─────────────────────────────────────────────────────────────────────────────────────────────────

    def bear(self, run: Run, part: Event) -> None:
        """A child of an open run."""
        extra = part.head.extra if part.head is not None else b""
        if run.state != "OPEN" or not extra or extra[0] > 1:
            return
        choreography, rest = split(extra[1:])
        run_id, type = split(rest)
        known = [child.id for child in run.children] + [letter.id for letter in run.letters if letter.n == 0]
        if not 1 <= len(type) <= 255 or part.id in known:
            return
        key = run_id or part.id
        if extra[0] == 0:
            run.children.append(Child(part.id, type, part.offset, choreography, key, part.branch))
        run.letters.append(Letter(part.id, 0, "START", choreography, key, part.offset, self.log_time, name=type))

    def part(self, run: Run) -> None:
        """Cancel the children."""
        for child in run.children:
            run.letters = [letter for letter in run.letters if (letter.id, letter.n) != (child.id, 0)]
            cancel = Letter(child.id, 1, "CANCEL", child.to, child.key, child.offset, self.log_time, name=child.type)
            run.letters.append(cancel)
        run.children = []

    def tell(self, run: Run, parked: int = -1) -> None:
        """Tell the parent of the result, or that a step is parked."""
        if run.parent is None or run.parent[6]:
            return
        ended = parked < 0 and run.result == "ENDED"
        flags = 1 if parked >= 0 else {"ENDED": 0, "CANCELLED": 2, "EXPIRED": 4}[run.result]
        run.letters.append(
            Letter(
                run.start,
                2 + run.told,
                "CHILD_ENDED" if ended else "CHILD_FAILED",
                run.parent[0],
                run.parent[1],
                parked if parked >= 0 else run.result_offset,
                self.log_time,
                flags,
                run.end if ended else b"",
            )
        )
        run.told += 1

    def heard(self, run: Run, child: Child, id: bytes, type: bytes, offset: int) -> None:
        """News of a child, after which there is none of it any more."""
        run.children.remove(child)
        run.letters = [letter for letter in run.letters if (letter.id, letter.n) != (child.id, 0)]
        self.take(run, Event(id, type, offset, 0, 0, child.branch))

    # ── what is admitted ─────────────────────────────────────────────────────────────────────────────────────────────

    def receiver(self, record: Stored, head: Head) -> Run | Schedule | str:
        key = record.key or b""
        if head.flags & SENDER and (schedule := self.schedule(record.key)) is not None:
            return schedule
        run = None if head.flags & SENDER else self.run(key)
        if run is None:
            return "NO_RUN" if partition_of(key, self.partitions) == self.partition else "MISROUTED"
        return "RUN_ENDING" if run.state == "ENDING" and KINDS[head.kind] in OF_OPEN_RUNS else run

    def admit_child_ended(self, record: Stored, head: Head) -> str:
        return self.admit_news(record, head, ended=True)

    def admit_child_failed(self, record: Stored, head: Head) -> str:
        return self.admit_news(record, head, ended=False)

    def admit_news(self, record: Stored, head: Head, *, ended: bool) -> str:
        told = self.news(head.extra)
        if told is None:
            return "UNREADABLE"
        run = self.receiver(record, head)
        if isinstance(run, str):
            return run
        child = next((child for child in run.children if child.id == head.causation), None)
        if child is None:
            return "NOT_PENDING"
        if isinstance(run, Schedule):
            if told[0] & 1:
                return "NOT_TAKEN"
            self.heard_by(run, child)
            return "ADMITTED"
        type = b"child_done:" + last(told[1]) if ended else b"child_failed:" + last(child.type)
        takers = self.takers() + [
            g.contract for g in run.gatherings if child.branch is not None and g.fanout is child.branch.fanout
        ]
        if not ended and told[0] & 1 and not any(type.decode(errors="replace") in names(c) for c in takers):
            return "NOT_TAKEN"
        self.heard(run, child, head.id, type, record.offset)
        run.touched = self.log_time
        return "ADMITTED"

    def takers(self) -> list[dict[str, Any]]:
        """The contracts to which events are owed."""
        return [contract for contract in self.active() if contract["forms"] != ["list"]]

    def admit_delivered(self, record: Stored, head: Head) -> str:
        if len(head.extra) != 9:
            return "UNREADABLE"
        run = self.receiver(record, head)
        if isinstance(run, str):
            return run
        named = [letter for letter in run.letters if (letter.id, letter.n) == (head.causation, head.attempt)]
        if not named:
            return "NOT_PENDING"
        run.letters.remove(named[0])
        child = next((child for child in run.children if child.id == head.causation), None)
        if isinstance(run, Schedule):
            if head.attempt == 0 and head.extra[0] >= 16 and child is not None:
                self.heard_by(run, child)
            return "ADMITTED"
        if head.attempt == 0 and head.extra[0] >= 16 and child is not None:
            self.heard(run, child, head.id, b"child_failed:" + last(child.type), record.offset)
        run.touched = self.log_time
        return "ADMITTED"

    def unknown_child(self, key: bytes, head: Head) -> str:
        """A cancel of a child that is not open."""
        if not 1 <= len(key) <= 255 or any(key == id for bucket in self.closed for _, id in bucket):
            return "NO_RUN"
        if head.not_after == 0:
            return "UNREADABLE"
        if self.log_time > head.not_after:
            return "TOO_LATE"
        self.remember(key)
        return "ADMITTED"

    # ── what is so ───────────────────────────────────────────────────────────────────────────────────────────────────

    def stands_children(self, run: Run, branch: Any) -> bool:
        return any(child.branch is branch for child in run.children)

    def coming_children(self, run: Run, places: list[Any]) -> set[str]:
        if not any(child.branch in places for child in run.children):
            return set()
        every = {name for contract in self.takers() for name in names(contract)}
        return {name for name in every if name.startswith(("child_done:", "child_failed:"))}

    def snap_children(self, run: Run) -> Any:
        return (
            run.parent,
            {child.id: (child.type, child.offset, child.to, child.key) for child in run.children},
            [(m.id, m.n, m.kind, m.to, m.key, m.offset, m.since, m.flags, m.name) for m in run.letters],
            run.told,
        )


def split(rest: bytes) -> tuple[bytes, bytes]:
    """Bytes behind their length in one byte, and what follows."""
    return (rest[1 : 1 + rest[0]], rest[1 + rest[0] :]) if rest else (b"", b"")


def last(type: bytes) -> bytes:
    return type.split(b".")[-1]
