"""Section 18 of the protocol: compensation, and retries with another input."""

from typing import Any

from tests.projections.fold.model.memory import Debt, Event, Memory, Run
from tests.projections.fold.model.records import Head

from farandole.eventstore import Stored


class Compensation(Memory):
    """What an end undoes."""

    def push(self, debt: Debt, outcome: bytes, emitted: list[Event]) -> None:
        contract = self.in_force(debt.reactor)
        if contract is None or not contract["compensates"] or debt.generation == b"undo":
            return
        taken = debt.events[-len(debt.types) :] if debt.types else []
        places = [offset for offset, _ in taken] + [event.offset for event in emitted]
        types = [*debt.types, *(event.type for event in emitted)]
        debt.run.stack.append((outcome, debt.reactor, places, types, debt.hops))

    def unwind(self, run: Run) -> bool:
        if not run.undoing or not run.stack:
            return False
        outcome, reactor, places, types, hops = run.stack.pop()
        events = list(zip(places, types, strict=True))
        self.debts.append(
            Debt(run, outcome, reactor, b"undo", events, types, self.log_time, hops, due=self.log_time)
        )  # fmt: skip
        return True

    def run_retry_edited(self, run: Run, debt: Debt, record: Stored, head: Head) -> str:
        contract = self.in_force(debt.reactor)
        if debt.overflowed or debt.generation == b"undo" or contract is None or set(contract["forms"]) != {"event"}:
            return "NO_CONTRACT"
        extra = head.extra
        if len(extra) < 2 or len(extra) < 2 + extra[1]:
            return "UNREADABLE"
        if len(debt.events) != len(debt.types) or extra[0] >= len(debt.types) or debt.types[extra[0]] != head.type:
            return "UNREADABLE"
        events = list(debt.events)
        events[extra[0]] = (record.offset, head.type)
        new = Debt(
            run, debt.trigger, debt.reactor, head.id, events, debt.types, self.log_time, debt.hops, debt.of_failure,
            due=self.log_time, at=debt.at, branch=debt.branch,
        )  # fmt: skip
        if any(other.key == new.key for other in self.owed(run)):
            return "REPEATED"
        debt.became = "edited"
        self.debts.append(new)
        return "ADMITTED"

    def snap_compensation(self, run: Run) -> Any:
        return run.undoing, [
            (outcome, reactor.encode(), tuple(places), tuple(types), hops)
            for outcome, reactor, places, types, hops in run.stack
        ]
