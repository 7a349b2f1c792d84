"""Section 14 of the protocol: timers and deadlines."""

from typing import Any

from tests.projections.fold.model.branches import Branches, around
from tests.projections.fold.model.events import Events
from tests.projections.fold.model.memory import Debt, Event, Run, Timer
from tests.projections.fold.model.records import Head

from farandole.eventstore import Stored


class Timers(Events, Branches):
    """What is due at a time."""

    def set_timer(self, run: Run, debt: Debt, part: Event, head: Head) -> None:
        if not 1 <= len(head.extra) <= 255 or any(timer.id == head.id for timer in run.timers):
            return
        contract = self.in_force(debt.reactor)
        unless = {type.encode() for type in contract["unless"]} if contract else set[bytes]()
        trigger = max(offset for offset, _ in debt.events)
        places = [part.branch, *around(part.branch)]
        for type, at, offset, branch in run.passed:
            if type in unless and branch in places and (at > debt.at or offset > trigger):
                return
        flags = head.flags & (1 | 2 | 4 | 16)
        run.timers.append(Timer(head.id, head.extra, self.due(head), flags, unless, part.branch))

    def due(self, head: Head) -> int:
        return head.not_after if head.not_after != 0 else self.log_time + max(head.delay, 0)

    def run_timer(self, run: Run, record: Stored, head: Head) -> str:
        found = [timer for timer in run.timers if timer.id == head.causation and not timer.decision]
        if not found:
            return "NOT_PENDING"
        return self.happen(run, found[0], record, head)

    def happen(self, run: Run, timer: Timer, record: Stored, head: Head) -> str:
        verdict = self.too_early(timer, head)
        if verdict == "ADMITTED":
            run.timers.remove(timer)
            self.take(run, Event(head.id, head.type, record.offset, 0, timer.flags, timer.branch))
        return verdict

    def too_early(self, timer: Timer, head: Head) -> str:
        if head.id != b"x" + timer.id or head.type != timer.type:
            return "UNREADABLE"
        return "NOT_DUE" if self.log_time < timer.due else "ADMITTED"

    def run_expiry(self, run: Run, record: Stored, head: Head) -> str:
        if head.causation and head.reactor:
            return self.expiry_of_a_fan_in(run, record, head)
        if head.causation:
            return self.expire_decision(run, record, head)
        if not run.deadline:
            return "NOT_PENDING"
        if self.log_time < run.deadline:
            return "NOT_DUE"
        run.stack = []
        self.finish(run, "EXPIRED", record.offset)
        return "ADMITTED"

    def expire_decision(self, run: Run, record: Stored, head: Head) -> str:
        raise NotImplementedError

    def stands_timers(self, run: Run, branch: Any) -> bool:
        return any(timer.branch is branch for timer in run.timers)

    def coming_timers(self, run: Run, places: list[Any]) -> set[str]:
        return {timer.type.decode(errors="replace") for timer in run.timers if timer.branch in places}

    def snap_timers(self, run: Run) -> Any:
        timers = sorted((t.id, t.type, t.due, t.flags, sorted(t.unless), t.decision) for t in run.timers)
        root = [(type, at, offset) for type, at, offset, branch in run.passed if branch is None]
        last = {
            type: (max(at for t, at, _ in root if t == type), max(o for t, _, o in root if t == type))
            for type, _, _ in root
        }
        return timers, run.deadline, last
