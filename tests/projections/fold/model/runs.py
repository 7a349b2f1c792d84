"""The rules of the records that belong to a run: the table in section 6 of the protocol."""

from tests.projections.fold.model.governing import Governing
from tests.projections.fold.model.memory import Debt, Decision, Event, Run
from tests.projections.fold.model.records import Head, whole

from farandole.eventstore import Stored, partition_of


class Runs(Governing):
    """Starts, outcomes, failures and commands."""

    def start(self, record: Stored, head: Head) -> str:
        key = record.key
        if not key or len(key) > 255:
            return "UNREADABLE"
        if self.run(key) is not None:
            return "RUN_EXISTS"
        if partition_of(key, self.partitions) != self.partition:
            return "MISROUTED"
        if any(key == id for bucket in self.closed for _, id in bucket):
            return "RUN_REMEMBERED"
        if head.not_after and self.log_time > head.not_after:
            return "TOO_LATE"
        parent = None
        if head.extra:
            parent = self.sender(head)
            if parent is None:
                return "UNREADABLE"
            if parent[4] > self.settings["depth"]:
                return "TOO_DEEP"
        run = Run(key, head.id, record.offset, self.log_time, parent=parent)
        self.runs.append(run)
        if head.delay > 0:
            run.deadline = self.log_time + head.delay
        self.take(run, Event(head.id, head.type, record.offset, 0, head.flags))
        return "ADMITTED"

    def find(self, run: Run, head: Head) -> Debt | None:
        key = (head.causation, head.reactor, head.generation)
        return next((debt for debt in self.owed(run) if debt.key == key), None)

    def run_outcome(self, run: Run, record: Stored, head: Head) -> str:
        debt = self.find(run, head)
        if debt is None:
            return "NOT_OWED"
        if debt.parked:
            return "LATE"
        hops = debt.hops + 1 if run.state == "ENDING" else 0
        part = Event(head.id, head.type, record.offset, 0, head.flags, head=head)
        events = whole(debt.received, head, part)
        if events is None:
            debt.received.append((head, part))
            return "HELD"
        debt.became = "discharged"
        first = events[0]
        events = events if head.count else []
        for event in events:
            event.hops, event.branch = hops, debt.branch
        self.push(debt, first.id, [event for event in events if not event.flags & (128 | 256 | 512)])
        if first.flags & 64:
            self.fan_out(run, debt, first, events, hops)
        asked: list[Decision | None] = []
        for event in events:
            if not event.flags & (128 | 256 | 512):
                self.take(run, event)
            elif run.state == "OPEN" and event.head is not None:
                self.set_pending(run, debt, event, event.head, asked)
        return "ADMITTED"

    def set_pending(self, run: Run, debt: Debt, part: Event, head: Head, asked: list[Decision | None]) -> None:
        """A part of an outcome that is no plain event takes effect.

        Args:
            asked: the decisions of the same outcome so far.
        """
        if head.flags & 512:
            self.bear(run, part)
        elif head.flags & 256:
            self.ask(run, asked, part, head)
        else:
            self.set_timer(run, debt, part, head)

    def run_failure(self, run: Run, record: Stored, head: Head) -> str:
        debt = self.find(run, head)
        if debt is None:
            return "NOT_OWED"
        if debt.parked:
            return "LATE"
        if head.attempt != debt.attempts + 1:
            return "WRONG_ATTEMPT"
        debt.attempts += 1
        debt.holder = b""
        if not head.flags & 8:
            debt.due = self.log_time + head.delay
            return "ADMITTED"
        self.fail_for_good(run, debt, head.id, record.offset)
        return "ADMITTED"

    def run_signal(self, run: Run, record: Stored, head: Head) -> str:
        self.take(run, Event(head.id, head.type, record.offset, 0, head.flags))
        return "ADMITTED"

    def run_cancel(self, run: Run, record: Stored, head: Head) -> str:
        if head.causation and head.causation != run.start:
            return "NOT_PENDING"
        if run.state == "ENDING" and not any(debt.parked for debt in self.owed(run)):
            return "RUN_ENDING"
        run.undoing = run.undoing or run.result == "NONE"
        self.finish(run, "CANCELLED", record.offset)
        return "ADMITTED"

    def run_pause(self, run: Run, record: Stored, head: Head) -> str:
        return self.set_paused(run, True)

    def run_resume(self, run: Run, record: Stored, head: Head) -> str:
        return self.set_paused(run, False)

    def set_paused(self, run: Run, paused: bool) -> str:
        if run.paused is paused:
            return "NO_CHANGE"
        run.paused = paused
        return "ADMITTED"

    def run_retry(self, run: Run, record: Stored, head: Head) -> str:
        parked = [debt for debt in self.owed(run) if debt.parked and debt.parked == head.causation]
        if not parked:
            return "NOT_PARKED"
        if head.flags & 2048:
            return self.run_retry_edited(run, parked[0], record, head)
        verdict = "NO_CONTRACT"
        for debt in parked:
            if not debt.overflowed:
                debt.parked, debt.forgiven, debt.lost, verdict = b"", debt.attempts, 0, "ADMITTED"
                debt.since = debt.due = self.log_time
                continue
            contract = self.in_force(debt.reactor)
            if contract is not None and contract["state"] == "active":
                debt.became, verdict = "joined anew", "ADMITTED"
                self.offer(run, contract, self.event_of(debt))
        return verdict

    def run_owe(self, run: Run, record: Stored, head: Head) -> str:
        contract = self.in_force(head.reactor.decode(errors="replace"))
        if contract is None or contract["state"] != "active" or contract["forms"] != ["event"]:
            return "NO_CONTRACT"
        if not head.causation or len(head.extra) <= 8:
            return "UNREADABLE"
        offset, type = int.from_bytes(head.extra[:8], "big"), head.extra[8:]
        if any(debt.key == (head.causation, head.reactor, head.id) for debt in self.owed(run)):
            return "REPEATED"
        reactor = contract["reactor"]
        now = self.log_time
        self.add(Debt(run, head.causation, reactor, head.id, [(offset, type)], [type], now, 0, due=now))
        return "ADMITTED"

    def waits(self, run: Run) -> bool:
        """Whether something that is pending could still move it."""
        return bool(run.timers or run.decisions or run.children or run.letters)

    def run_expire(self, run: Run, record: Stored, head: Head) -> str:
        after = self.settings["expire_after"]
        owed = self.owed(run)
        signals = any(c["signals"] for c in self.active())
        joined = any(
            queue for here in (run.queues, *run.inner.values()) for queues in here.values() for queue in queues
        )
        if self.due_later(run):
            return "NOT_DUE"
        idle = run.state == "OPEN" and not owed and not joined and not signals
        failed = bool(owed) and all(debt.parked for debt in owed)
        if not after or self.log_time < run.touched + after or not (idle or failed) or self.waits(run):
            return "NOT_DUE"
        run.undoing, run.stack = False, []
        self.finish(run, "EXPIRED", record.offset)
        return "ADMITTED"
