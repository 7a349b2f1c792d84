"""What follows from what is admitted: events that become owed, failures that park, contracts that come into force."""

from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from .contracts import Change, Contract
from .record import Flag, Raw
from .rules import branches, children
from .state import Debt, Event, Run

if TYPE_CHECKING:
    from .fold import Fold


class Effects:
    """The second half of the fold of one partition: section 6 from "Effects" on."""

    def __init__(self, fold: "Fold") -> None:
        self._fold = fold

    def settled(self) -> None:
        """Settling is over: only events that nobody ever named, and that want somebody, stay kept."""
        for run in self._fold.runs.values():
            run.kept = [e for e in run.kept if self._unserved(e)][: self._fold.settings["kept"]]
            branches.drop_joins_of_ended(self._fold, run)

    def _unserved(self, event: Event) -> bool:
        return event.type not in self._fold.contracts.ever_named and not event.flags & Flag.WANTS_NO_REACTOR

    def admit(self, run: Run, event: Event) -> None:
        """Take an event into the history, and owe what follows."""
        fold = self._fold
        run.history.append(event)
        if event.flags & Flag.END and run.state == "open":
            run.state, run.result = "ending", "ended"
            run.undoing = bool(event.flags & Flag.COMPENSATES)
            run.lapse()
            children.ended(run, event.offset)
            if event.flags & Flag.DROPS:
                run.drop(event.at)
                return
        if run.state == "open" and event.type in fold.contracts.drop_timers():
            run.passed.append((event.type, event.at, event.offset, event.branch))
            for timer in [t for t in run.timers.values() if event.type in t.unless]:
                if branches.within(timer.branch, event.branch):
                    del run.timers[timer.id]
        branches.give(fold, run, event)
        if event.hops > fold.settings["drain"]:
            return
        for contract in fold.contracts.on_events():
            if event.type in contract.names:
                self._enter(run, contract, event)
        if fold.settling or (self._unserved(event) and len(run.kept) < fold.settings["kept"]):
            run.kept.append(event)

    def _enter(self, run: Run, contract: Contract, event: Event) -> None:
        """Owe an event to a reactor whose contract names it, or let it join."""
        pair = (event.id, contract.reactor, b"")
        if contract.gathers:
            return
        if len(contract.takes) == 1:
            taking, input = contract.failures is not None, (event.offset, event.type)
            run.owe(Debt(pair, (input,), event.hops, event.at, of_failed=taking, branch=event.branch))
            return
        here = run.queues if event.branch is None else run.branch_queues.setdefault(event.branch, {})
        queues = here.setdefault(contract.reactor, [deque() for _ in contract.takes])
        queue = next(q for q, types in zip(queues, contract.takes, strict=True) if event.type in types)
        if len(queue) >= self._fold.settings["join_most"]:
            debt = Debt(
                pair, ((event.offset, event.type),), event.hops, event.at, parked=event.id, branch=event.branch,
                overflowed=True,
            )  # fmt: skip
            if debt.pair not in run.owed and not run.result:
                children.tell(run, event.offset, children.STUCK)
            run.owe(debt)
            return
        queue.append(event)
        branches.joined(self._fold, run, contract, event)

    def retry(self, run: Run, debt: Debt, offset: int) -> bool:
        """Owe a parked pair again, or let an event for which a join had no room queue again."""
        if not debt.overflowed:
            debt.parked = None
            debt.lost = 0
            return True
        contract = self._fold.contracts.by_reactor.get(debt.pair[1])
        if contract is None or not contract.active or debt.inputs[0][1] not in contract.names:
            return False
        self._enter(run, contract, _taken_back(run, debt, offset))
        return True

    def fail_for_good(self, run: Run, debt: Debt, failure: bytes, raw: Raw, hops: int) -> None:
        """Owe the last failure to those who take it, or park the pair."""
        _, reactor, _ = debt.pair
        types = {type for _, type in debt.inputs}
        takers = [
            c
            for c in self._fold.contracts.on_failures()
            if (not c.of or reactor in c.of) and (not c.failures or c.failures & types)
        ]
        lost = debt.of_failed or debt.pair[2] == b"undo" or hops > self._fold.settings["drain"]
        gift = not lost and branches.give_failure(self._fold, run, debt, raw.offset, hops)
        if lost or not (takers or gift):
            debt.parked = failure
            if not run.result:
                children.tell(run, raw.offset, children.STUCK)
            return
        run.settle(debt, "handled", raw.offset)
        for taker in takers:
            inputs = ((raw.offset, b"farandole.Failure"), *debt.inputs)
            pair = (failure, taker.reactor, b"")
            run.owe(Debt(pair, inputs, hops, raw.offset, of_failed=True, branch=debt.branch))

    def enforce(self, new: Sequence[Contract], offset: int) -> None:
        """Bring contracts into force, and let them have what they begin with."""
        fold = self._fold
        named: frozenset[bytes] = frozenset().union(*(c.names for c in new if c.active))
        unnamed = named - fold.contracts.ever_named
        dropping = fold.contracts.drop_timers()
        # They are in force from the record on that makes their append whole, not each from its own.
        fanned = fold.contracts.fan_out()
        changes = fold.contracts.enforce([contract._replace(offset=offset) for contract in new])
        fold.contracts.ever_named |= named
        dropping = fold.contracts.drop_timers() - dropping
        for run in fold.runs.values():
            if run.state == "open":
                run.passed += [(e.type, e.offset, e.offset, e.branch) for e in run.kept if e.type in dropping]
        if fold.contracts.fan_out() and not fanned:
            branches.look_at_what_is_kept(fold)
        for change in changes:
            self._replace(change, offset)
        begin = [(c.new, fold.settling and c.first) for c in changes if c.new.active]
        for run in fold.runs.values():
            for event in run.kept:
                for contract, all_of_it in begin:
                    if event.type in contract.names and (all_of_it or event.type in unnamed):
                        self._enter(run, contract, replace(event, at=offset))
            for change in changes:
                if change.first and change.new.active and change.new.gathers:
                    branches.begin(fold, run, change.new)
            if not fold.settling:
                run.kept = [event for event in run.kept if event.type not in unnamed]

    def _replace(self, change: Change, offset: int) -> None:
        new, old = change.new, change.old
        policies = self._fold.policies
        if new.renames and new.renames in policies:
            policies[new.reactor] = policies.pop(new.renames)
        for run in self._fold.runs.values():
            if new.state == "retired_drop":
                for here in (run.queues, *run.branch_queues.values()):
                    here.pop(new.reactor, None)
                run.gatherings = [g for g in run.gatherings if g.contract.reactor != new.reactor]
                run.stack = [undo for undo in run.stack if undo.reactor != new.reactor]
                for debt in [d for d in run.owed.values() if d.pair[1] == new.reactor]:
                    run.settle(debt, "retired", offset)
                    run.touched = self._fold.log_time
                continue
            if new.renames and old is not None:
                self._rename(run, new, offset)
            if old is not None and old.shape != new.shape:
                self._reshape(run, new, offset)

    def _rename(self, run: Run, new: Contract, offset: int) -> None:
        run.stack = [replace(u, reactor=new.reactor) if u.reactor == new.renames else u for u in run.stack]
        for here in (run.queues, *run.branch_queues.values()):
            if new.renames in here:
                here[new.reactor] = here.pop(new.renames)
        branches.rename(run, new)
        for debt in [d for d in run.owed.values() if d.pair[1] == new.renames]:
            trigger, _, generation = debt.pair
            run.settle(debt, "moved", offset)
            pair = (trigger, new.reactor, generation)
            moved = Debt(pair, debt.inputs, debt.hops, offset, debt.of_failed, branch=debt.branch)
            moved.first, moved.gathered = debt.place, debt.gathered
            moved.attempts, moved.parked, moved.overflowed = debt.attempts, debt.parked, debt.overflowed
            moved.lost, moved.substeps = debt.lost, debt.substeps
            run.owe(moved)

    def _reshape(self, run: Run, new: Contract, offset: int) -> None:
        branches.reshape(run, new)
        places = (run.queues, *run.branch_queues.values())
        held = [replace(e, at=offset) for here in places for queue in here.pop(new.reactor, ()) for e in queue]
        overflowed = [d for d in run.owed.values() if d.overflowed and d.pair[1] == new.reactor]
        held.extend(_taken_back(run, debt, offset) for debt in overflowed)
        for event in sorted(held, key=lambda e: e.offset):
            if event.type in new.names:
                self._enter(run, new, event)


def _taken_back(run: Run, debt: Debt, offset: int) -> Event:
    """The event of a pair for which a join had no room, which is then owed no longer."""
    run.settle(debt, "dropped", offset)
    ((place, type),) = debt.inputs
    return Event(debt.pair[0], type, place, debt.hops, 0, None, 0, offset, debt.branch)
