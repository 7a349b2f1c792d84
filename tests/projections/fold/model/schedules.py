"""Section 17 of the protocol: schedules."""

from datetime import UTC, datetime

from tests.projections.fold.model.memory import Child, Letter, Memory, Schedule
from tests.projections.fold.model.records import Head

from farandole.eventstore import Stored, partition_of


class Schedules(Memory):
    """Ticks."""

    def schedule(self, name: bytes | None) -> Schedule | None:
        return next((schedule for schedule in self.schedules if schedule.name == name), None)

    def admit_schedule(self, record: Stored, head: Head) -> str:
        name = record.key or b""
        if not 1 <= len(name) <= 234:
            return "UNREADABLE"
        return "ADMITTED" if partition_of(name, self.partitions) == self.partition else "MISROUTED"

    def admit_tick(self, record: Stored, head: Head) -> str:
        name, extra = record.key or b"", head.extra
        if not 1 <= len(name) <= 234 or len(extra) < 10 or extra[8] > 3 or len(extra) > 9 + 255:
            return "UNREADABLE"
        ms, overlap = int.from_bytes(extra[:8], "big"), ("skip", "allow", "queue", "replace")[extra[8]]
        if ms >= 253_402_300_800_000:
            return "UNREADABLE"
        if partition_of(name, self.partitions) != self.partition:
            return "MISROUTED"
        schedule = self.schedule(name)
        if schedule is None and len(self.schedules) >= self.settings["schedules_most"]:
            return "FULL"
        if schedule is not None and ms <= max(schedule.ticks):
            return "SUPERSEDED"
        if self.log_time < ms:
            return "NOT_DUE"
        if schedule is None:
            schedule = Schedule(name)
            self.schedules.append(schedule)
        schedule.ticks.append(ms)
        if schedule.children and overlap == "skip":
            return "ADMITTED"
        if schedule.children and overlap == "queue":
            schedule.waiting = (ms, head.id, record.offset)
            return "ADMITTED"
        if overlap == "replace":
            self.cancel_children(schedule)
        self.begin(schedule, ms, head.id, record.offset)
        return "ADMITTED"

    def begin(self, schedule: Schedule, ms: int, id: bytes, offset: int) -> None:
        when = datetime.fromtimestamp(ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        key = schedule.name + b"@" + when.encode()
        schedule.children = [child for child in schedule.children if child.id != id[1:]]
        schedule.children.append(Child(id[1:], b"", offset, b"", key))
        schedule.letters = [letter for letter in schedule.letters if (letter.id, letter.n) != (id[1:], 0)]
        schedule.letters.append(Letter(id[1:], 0, "START", b"", key, offset, self.log_time))

    def cancel_children(self, schedule: Schedule) -> None:
        for child in schedule.children:
            schedule.letters = [m for m in schedule.letters if (m.id, m.n) not in ((child.id, 0), (child.id, 1))]
            schedule.letters.append(Letter(child.id, 1, "CANCEL", b"", child.key, child.offset, self.log_time))
        schedule.children = []

    def heard_by(self, schedule: Schedule, child: Child) -> None:
        """A run that it started has ended, or was never started."""
        schedule.children.remove(child)
        schedule.letters = [letter for letter in schedule.letters if (letter.id, letter.n) != (child.id, 0)]
        if schedule.waiting is not None and not schedule.children:
            waiting, schedule.waiting = schedule.waiting, None
            self.begin(schedule, *waiting)
