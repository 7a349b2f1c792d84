"""What an admitted event does: section 6 of the protocol, effects."""

from typing import Any

from tests.projections.fold.model.children import Children
from tests.projections.fold.model.contracts import DIRECT, failures, names
from tests.projections.fold.model.memory import Debt, Event, Run, ids


class Events(Children):
    """Events are taken into runs, owed, joined and kept; runs get results and are closed."""

    def finish(self, run: Run, result: str, offset: int) -> None:
        run.state = "ENDING"
        self.part(run)
        self.fix(run, result, b"", offset)
        self.drop(self.owed(run))

    def fix(self, run: Run, result: str, end: bytes, offset: int) -> None:
        if run.result == "NONE":
            run.result, run.end, run.result_offset = result, end, offset
            self.results.append((run, result))
            self.tell(run)

    def drop(self, debts: list[Debt]) -> None:
        for debt in debts:
            debt.became = "dropped"

    def remember(self, id: bytes) -> None:
        now, most = self.log_time, self.settings["dedup_most"]
        last = self.closed[-1] if self.closed else None
        if (
            last is None
            or now >= last[0][0] + self.settings["dedup_window"] // 24
            or len(ids(last)) >= max(most // 24, 1)
        ):
            last = []
            self.closed.append(last)
        last.append((now, id))
        while sum(len(ids(bucket)) for bucket in self.closed) > most:
            del self.closed[0]

    def take(self, run: Run, event: Event) -> None:
        self.admitted.append((run, event))
        if event.flags & 1 and run.state == "OPEN":
            run.state = "ENDING"
            self.part(run)
            self.fix(run, "ENDED", event.type, event.offset)
            if event.flags & 2:
                self.drop(self.owed(run))
                return
        if event.hops > self.settings["drain"]:
            return
        for contract in self.active(*DIRECT):
            if event.type.decode(errors="replace") in names(contract):
                self.offer(run, contract, event)
        if self.settling:
            run.kept.append(event)
        elif event.type.decode(errors="replace") not in self.named() and not event.flags & 16:
            if len(run.kept) < self.settings["kept"]:
                run.kept.append(event)
            else:
                run.unserved += 1

    def offer(self, run: Run, contract: dict[str, Any], event: Event) -> None:
        reactor, takes, now = contract["reactor"], contract["takes"], self.log_time
        if contract["forms"] == ["list"]:
            return
        if len(takes) == 1:
            place, taking = (event.offset, event.type), failures(contract) is not None
            self.add(Debt(run, event.id, reactor, b"", [place], [event.type], now, event.hops, taking, due=now))
            return
        queues = run.queues.setdefault(reactor, [[] for _ in takes])
        at = next(i for i, types in enumerate(takes) if event.type.decode() in types)
        if len(queues[at]) >= self.settings["join_most"]:
            debt = Debt(
                run, event.id, reactor, b"", [(event.offset, event.type)], [event.type], now, event.hops, due=now
            )
            debt.parked, debt.overflowed = event.id, True
            self.add(debt)
            return
        queues[at].append(event)
        if all(queues):
            parts = [queue.pop(0) for queue in queues]
            places = [(part.offset, part.type) for part in parts]
            hops = max(part.hops for part in parts)
            self.add(Debt(run, event.id, reactor, b"", places, [p.type for p in parts], now, hops, due=now))

    def add(self, debt: Debt) -> None:
        if all(other.key != debt.key for other in self.owed(debt.run)):
            self.debts.append(debt)

    def event_of(self, debt: Debt) -> Event:
        ((offset, type),) = debt.events
        return Event(debt.trigger, type, offset, debt.hops, 0)
