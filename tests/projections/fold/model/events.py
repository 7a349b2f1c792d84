"""What an admitted event does: section 6 of the protocol, effects."""

from typing import Any

from tests.projections.fold.model.branches import around
from tests.projections.fold.model.children import Children
from tests.projections.fold.model.contracts import DIRECT, failures, names
from tests.projections.fold.model.memory import Debt, Decision, Event, Run, ids
from tests.projections.fold.model.records import Head


class Events(Children):
    """Events are taken into runs, owed, joined and kept; runs get results and are closed."""

    def finish(self, run: Run, result: str, offset: int) -> None:
        run.state = "ENDING"
        self.part(run)
        self.fix(run, result, b"", offset)
        self.let_lapse(run)
        self.drop_all(run)

    def drop_all(self, run: Run) -> None:
        self.drop(self.owed(run))
        run.fanouts, run.gatherings = [], []

    def fix(self, run: Run, result: str, end: bytes, offset: int) -> None:
        if run.result == "NONE":
            run.result, run.end, run.result_offset = result, end, offset
            self.results.append((run, result))
            self.tell(run)

    def set_timer(self, run: Run, debt: Debt, part: Event, head: Head) -> None:
        raise NotImplementedError

    def ask(self, run: Run, asked: list[Decision | None], part: Event, head: Head) -> None:
        raise NotImplementedError

    def let_lapse(self, run: Run) -> None:
        """What an ending run waits for no longer."""
        run.timers, run.decisions, run.deadline = [], [], 0

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
            run.undoing = bool(event.flags & 4)
            self.let_lapse(run)
            if event.flags & 2:
                self.drop_all(run)
                return
        self.pass_by(run, event)
        self.give(run, event)
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
            self.add(
                Debt(
                    run, event.id, reactor, b"", [place], [event.type], now, event.hops, taking, due=now,
                    branch=event.branch,
                )
            )  # fmt: skip
            return
        here = run.queues if event.branch is None else run.inner.setdefault(event.branch, {})
        queues = here.setdefault(reactor, [[] for _ in takes])
        at = next(i for i, types in enumerate(takes) if event.type.decode() in types)
        if len(queues[at]) >= self.settings["join_most"]:
            debt = Debt(
                run, event.id, reactor, b"", [(event.offset, event.type)], [event.type], now, event.hops, due=now,
                branch=event.branch,
            )  # fmt: skip
            debt.parked, debt.overflowed = event.id, True
            if self.add(debt) and run.result == "NONE":
                self.tell(run, parked=event.offset)
            return
        queues[at].append(event)
        self.complete(run, contract, event.branch, event)
        if self.fans():
            run.noted.append(event)
            for branch in run.inner:
                while event.branch in around(branch) and self.complete(run, contract, branch, None):
                    pass

    def complete(self, run: Run, contract: dict[str, Any], branch: Any, event: Event | None) -> bool:
        """Owe what a join has in a branch, or at the root, if it has all."""
        queues = (run.queues if branch is None else run.inner[branch]).get(contract["reactor"], [])
        heads = [queue[0] if queue else None for queue in queues]
        own = [head for head in heads if head is not None]
        parts = [
            head or self.look_up(run, branch, set(types)) for head, types in zip(heads, contract["takes"], strict=False)
        ]
        if not own or None in parts:
            return False
        for queue in queues:
            del queue[:1]
        trigger = event or max(own, key=lambda part: part.offset)
        places = [(part.offset, part.type) for part in parts]
        hops, now = max(part.hops for part in parts), self.log_time
        self.add(
            Debt(
                run, trigger.id, contract["reactor"], b"", places, [p.type for p in parts], now, hops, due=now,
                branch=branch,
            )
        )  # fmt: skip
        return True

    def look_up(self, run: Run, branch: Any, types: set[str]) -> Event | None:
        for place in around(branch):
            found = [e for e in run.noted if e.branch is place and e.type.decode(errors="replace") in types]
            if found:
                return max(found, key=lambda event: event.offset)
        return None

    def fail_for_good(self, run: Run, debt: Debt, id: bytes, offset: int) -> None:
        hops = debt.hops + 1 if run.state == "ENDING" else 0
        lost = debt.of_failure or debt.generation == b"undo" or hops > self.settings["drain"]
        takers = [] if lost else self.active("failed", "either")
        takers = [c for c in takers if not c["of"] or debt.reactor in c["of"]]
        takers = [c for c in takers if (f := failures(c)) is not None and (not f or f & set(debt.types))]
        gave = not lost and self.give_failure(run, debt, offset, hops)
        if not takers and not gave:
            debt.parked = id
            if run.result == "NONE":
                self.tell(run, parked=offset)
            return
        debt.became = "handled"
        for contract in takers:
            new = Debt(
                run, id, contract["reactor"], b"", [(offset, b""), *debt.events], debt.types,
                self.log_time, hops, of_failure=True, due=self.log_time, branch=debt.branch,
            )  # fmt: skip
            self.add(new)

    def watched(self) -> set[bytes]:
        """Types of events that drop timers."""
        in_force = [self.in_force(reactor) for reactor in {c["reactor"] for c in self.enforced}]
        return {type.encode() for c in in_force if c for type in c["unless"]}

    def pass_by(self, run: Run, event: Event) -> None:
        if run.state == "OPEN" and event.type in self.watched():
            run.passed.append((event.type, self.here, event.offset, event.branch))
            run.timers = [
                timer
                for timer in run.timers
                if event.type not in timer.unless or event.branch not in (timer.branch, *around(timer.branch))
            ]

    def add(self, debt: Debt) -> bool:
        """Owe it; False if it is owed already."""
        debt.at = self.here
        new = all(other.key != debt.key for other in self.owed(debt.run))
        if new:
            self.debts.append(debt)
        return new

    def event_of(self, debt: Debt) -> Event:
        ((offset, type),) = debt.events
        return Event(debt.trigger, type, offset, debt.hops, 0, debt.branch)
