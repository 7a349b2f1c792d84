"""The rules of the records that belong to a run: the table in section 6 of the protocol."""

from tests.projections.fold.model.contracts import failures
from tests.projections.fold.model.governing import Governing
from tests.projections.fold.model.memory import Debt, Event, Run
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
        part = Event(head.id, head.type, record.offset, 0, head.flags, head.extra)
        events = whole(debt.received, head, part)
        if events is None:
            debt.received.append((head, part))
            return "HELD"
        debt.became = "discharged"
        for event in events if head.count else ():
            event.hops = hops
            if event.flags & 512:
                self.bear(run, event)
            elif not event.flags & (128 | 256):
                self.take(run, event)
        return "ADMITTED"

    def run_failure(self, run: Run, record: Stored, head: Head) -> str:
        debt = self.find(run, head)
        if debt is None:
            return "NOT_OWED"
        if debt.parked:
            return "LATE"
        if head.attempt != debt.attempts + 1:
            return "WRONG_ATTEMPT"
        debt.attempts += 1
        if not head.flags & 8:
            debt.due = self.log_time + head.delay
            return "ADMITTED"
        hops = debt.hops + 1 if run.state == "ENDING" else 0
        takers = [] if debt.of_failure or hops > self.settings["drain"] else self.active("failed", "either")
        takers = [c for c in takers if not c["of"] or debt.reactor in c["of"]]
        takers = [c for c in takers if (f := failures(c)) is not None and (not f or f & set(debt.types))]
        if not takers:
            debt.parked = head.id
            if run.result == "NONE":
                self.tell(run, parked=record.offset)
            return "ADMITTED"
        debt.became = "handled"
        for contract in takers:
            new = Debt(
                run, head.id, contract["reactor"], b"", [(record.offset, b""), *debt.events], debt.types,
                self.log_time, hops, of_failure=True, due=self.log_time,
            )  # fmt: skip
            self.add(new)
        return "ADMITTED"

    def run_signal(self, run: Run, record: Stored, head: Head) -> str:
        self.take(run, Event(head.id, head.type, record.offset, 0, head.flags))
        return "ADMITTED"

    def run_cancel(self, run: Run, record: Stored, head: Head) -> str:
        if head.causation and head.causation != run.start:
            return "NOT_PENDING"
        if run.state == "ENDING" and not any(debt.parked for debt in self.owed(run)):
            return "RUN_ENDING"
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
        verdict = "NO_CONTRACT"
        for debt in parked:
            if not debt.overflowed:
                debt.parked, debt.forgiven, debt.due, verdict = b"", debt.attempts, self.log_time, "ADMITTED"
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

    def run_expire(self, run: Run, record: Stored, head: Head) -> str:
        after = self.settings["expire_after"]
        owed = self.owed(run)
        signals = any(c["signals"] for c in self.active())
        joined = any(queue for queues in run.queues.values() for queue in queues)
        waits = bool(run.children or run.letters)
        idle = run.state == "OPEN" and not owed and not joined and not signals and not waits
        failed = bool(owed) and all(debt.parked for debt in owed) and not waits
        if not after or self.log_time < run.touched + after or not (idle or failed):
            return "NOT_DUE"
        self.finish(run, "EXPIRED", record.offset)
        return "ADMITTED"
