"""Section 13 of the protocol: branches and fan-in."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.projections.fold.model.contracts import failures, names
from tests.projections.fold.model.memory import Debt, Event, Memory, Run, methods
from tests.projections.fold.model.records import Head

from farandole.eventstore import Stored

Gift = tuple[list[tuple[int, bytes]], int]
"""Offsets and types, and hops."""


@dataclass(eq=False)
class Branch:
    fanout: "FanOut"
    index: int
    begun: tuple[int, bytes]
    """Offset and type of what a failure of the whole branch is about."""
    ended: bool = False
    """Whether nothing stood in it at the end of the last record."""


@dataclass(eq=False)
class FanOut:
    id: bytes
    types: list[str]
    inputs: list[int]
    hops: int
    branch: Branch | None
    branches: list[Branch] = field(default_factory=list)


@dataclass(eq=False)
class Gathering:
    reactor: str
    fanout: FanOut
    contract: dict[str, Any]
    """What it takes."""
    need: int
    due: int
    gifts: dict[int, Gift] = field(default_factory=dict)


def around(branch: Branch | None) -> Iterator[Branch | None]:
    """The branches that enclose one, from within, and the root last."""
    while branch is not None:
        branch = branch.fanout.branch
        yield branch


def path(branch: Branch | None) -> tuple[tuple[bytes, int], ...]:
    return () if branch is None else (*path(branch.fanout.branch), (branch.fanout.id, branch.index))


def _caught(catcher: dict[str, Any], failing: dict[str, Any]) -> bool:
    """Whether a contract can be owed a failure of a step of another."""
    if failures(failing) is not None or (catcher["of"] and failing["reactor"] not in catcher["of"]):
        return False
    wanted = failures(catcher)
    return wanted is not None and (not wanted or bool(wanted & {name.encode() for name in names(failing)}))


class Branches(Memory):
    """Fan-outs, and what gathers of them."""

    def fans(self) -> bool:
        return any(given["form"] == "list" for c in self.active() for given in c["gives"])

    def is_open(self, run: Run, branch: Branch) -> bool:
        """Whether something stands in a branch; other features say what by methods ``stands_<feature>``."""
        if any(debt.branch is branch for debt in self.owed(run)):
            return True
        if any(getattr(self, name)(run, branch) for name in methods(type(self), "stands_")):
            return True
        inner = [fanout for fanout in run.fanouts if fanout.branch is branch]
        return any(self.is_open(run, b) for fanout in inner for b in fanout.branches) or self.can_join(run, branch)

    def can_join(self, run: Run, branch: Branch) -> bool:
        """Whether a join of the branch lacks only what can still come in a branch around it, or at the root."""
        for reactor, queues in run.inner.get(branch, {}).items():
            contract = self.in_force(reactor)
            if contract is None or contract["state"] != "active" or not any(queues):
                continue
            lacking = [
                set(types)
                for queue, types in zip(queues, contract["takes"], strict=False)
                if not queue and self.look_up(run, branch, set(types)) is None
            ]
            if all(types & self.can_come(run, branch) for types in lacking):
                return True
        return False

    def can_come(self, run: Run, branch: Branch) -> set[str]:
        """The types of events that can still come around a branch."""
        places = list(around(branch))
        enclosing = {place.fanout for place in (branch, *places) if place is not None}
        reactors = {debt.reactor for debt in self.owed(run) if debt.branch in places}
        reactors |= {g.reactor for g in run.gatherings if g.fanout.branch in places and g.fanout not in enclosing}
        types: set[str] = set()
        if run.state == "OPEN":
            types |= {name for contract in self.active() for name in contract["signals"]}
        for name in methods(type(self), "coming_"):
            types |= getattr(self, name)(run, places)
        while True:
            contracts = [c for reactor in reactors if (c := self.in_force(reactor))]
            lists = {
                name for c in contracts for given in c["gives"] if given["form"] == "list" for name in given["types"]
            }
            bears = any(given["form"] == "child" for c in contracts for given in c["gives"])
            more = {
                name
                for c in contracts
                for given in c["gives"]
                if given["form"] in ("one", "tuple", "after", "ask")
                for name in given["types"]
            }
            every = {name for c in self.active() if c["forms"] != ["list"] for name in names(c)}
            more |= {name for name in every if bears and name.startswith(("child_done:", "child_failed:"))}
            following = {c["reactor"] for c in self.active() if c["forms"] != ["list"] and names(c) & (types | more)}
            following |= {c["reactor"] for c in self.active("list") if c["each"] in lists}
            following |= {
                c["reactor"] for c in self.active("failed", "either") if any(_caught(c, f) for f in contracts)
            }
            if more <= types and following <= reactors:
                return types
            types, reactors = types | more, reactors | following

    def fan_out(self, run: Run, debt: Debt, first: Event, events: list[Event], hops: int) -> None:
        types = [name.decode(errors="replace") for name in first.head.branch.split(b"\0") if name]
        inputs = [offset for offset, _ in debt.events]
        fanout = FanOut(first.id, types, inputs, hops, debt.branch)
        for event in events:
            if event.flags & 384 != 384 or not fanout.branches:
                offset = inputs[-1] if event.flags & 896 else event.offset
                fanout.branches.append(Branch(fanout, len(fanout.branches), (offset, event.type)))
            event.branch = fanout.branches[-1]
        run.fanouts.append(fanout)
        for contract in self.active("list"):
            self.gather(run, fanout, contract)

    def gather(self, run: Run, fanout: FanOut, contract: dict[str, Any]) -> Gathering | None:
        if contract["each"] not in fanout.types or fanout.hops > self.settings["drain"]:
            return None
        due = self.log_time + contract["within"] if contract["within"] else 0
        gathering = Gathering(contract["reactor"], fanout, contract, contract["enough"], due)
        run.gatherings.append(gathering)
        return gathering

    def begin_to_gather(self, run: Run, contract: dict[str, Any]) -> None:
        for fanout in run.fanouts:
            going = any(not b.ended or self.is_open(run, b) for b in fanout.branches)
            if (self.settling or going) and (gathering := self.gather(run, fanout, contract)):
                for event in run.kept:
                    self.offer_gift(gathering, event)

    def gather_anew(self, run: Run, contract: dict[str, Any]) -> None:
        for gathering in [g for g in run.gatherings if g.reactor == contract["reactor"]]:
            gathering.contract = contract
            wanted = failures(contract)
            for index, (places, _) in tuple(gathering.gifts.items()):
                type = places[-1][1]
                if len(places) == 1:
                    fits = type.decode(errors="replace") in names(contract)
                else:
                    fits = wanted is not None and (not wanted or type in wanted)
                if not fits:
                    del gathering.gifts[index]
        if contract["forms"] != ["list"]:
            run.gatherings = [g for g in run.gatherings if g.reactor != contract["reactor"]]

    def give(self, run: Run, event: Event) -> None:
        for gathering in run.gatherings:
            self.offer_gift(gathering, event)

    def offer_gift(self, gathering: Gathering, event: Event) -> None:
        takes = event.type.decode(errors="replace") in names(gathering.contract)
        if takes and event.branch in gathering.fanout.branches and event.hops <= self.settings["drain"]:
            self.accept(gathering, event.branch, [(event.offset, event.type)], event.hops)

    def accept(self, gathering: Gathering, branch: Branch, places: list[tuple[int, bytes]], hops: int) -> bool:
        full = gathering.need and len(gathering.gifts) >= gathering.need
        if full or branch.index in gathering.gifts:
            return False
        gathering.gifts[branch.index] = (places, hops)
        return True

    def give_failure(self, run: Run, debt: Debt, offset: int, hops: int) -> bool:
        gave = False
        for gathering in run.gatherings:
            wanted, of = failures(gathering.contract), (self.in_force(gathering.reactor) or {"of": []})["of"]
            if wanted is None or debt.branch not in gathering.fanout.branches or (of and debt.reactor not in of):
                continue
            meant = [
                (place, type)
                for (place, _), type in zip(debt.events, debt.types, strict=False)
                if (type in wanted if wanted else type != b"farandole.Nothing")
            ]
            if not meant and not wanted:
                meant = [(debt.events[-1][0], b"farandole.Nothing")]
            if meant:
                places = [(offset, b"farandole.Failure"), meant[0]]
                gave |= self.accept(gathering, debt.branch, places, hops)
        return gave

    def expiry_of_a_fan_in(self, run: Run, record: Stored, head: Head) -> str:
        reactor = head.reactor.decode(errors="replace")
        found = [g for g in run.gatherings if g.fanout.id == head.causation and g.reactor == reactor]
        if not found:
            return "NOT_PENDING"
        (gathering,) = found
        if not gathering.due or self.log_time < gathering.due:
            return "NOT_DUE"
        if failures(gathering.contract) is not None:
            gathering.need = 0
            for branch in gathering.fanout.branches:
                self.accept(gathering, branch, [(record.offset, b"farandole.Failure"), branch.begun], 0)
            return "ADMITTED"
        debt = self.fire(run, gathering)
        if debt is not None:
            debt.attempts = 1
            self.fail_for_good(run, debt, head.id, record.offset)
        return "ADMITTED"

    def fire(self, run: Run, gathering: Gathering) -> Debt | None:
        run.gatherings.remove(gathering)
        fanout = gathering.fanout
        gifts = [gift for _, gift in sorted(gathering.gifts.items())]
        places = [place for its, _ in gifts for place in its]
        places = places or [(offset, b"farandole.Nothing") for offset in fanout.inputs]
        debt = Debt(
            run, fanout.id, gathering.reactor, b"", places, [type for _, type in places], self.log_time,
            max([fanout.hops, *(hops for _, hops in gifts)]), failures(gathering.contract) is not None,
            due=self.log_time, branch=fanout.branch,
        )  # fmt: skip
        self.add(debt)
        return debt if any(added is debt for added in self.debts) else None

    def end_of_record(self) -> None:
        """Fan-ins that have all fire, the innermost first, for what they are owed stands in a branch of the outer ones."""
        for run in [run for run in self.runs if run.state != "CLOSED" and run.fanouts]:
            for gathering in sorted(run.gatherings, key=lambda g: -len(path(g.fanout.branch))):
                enough = gathering.need and len(gathering.gifts) >= gathering.need
                missing = [b for b in gathering.fanout.branches if b.index not in gathering.gifts]
                if enough or not any(self.is_open(run, branch) for branch in missing):
                    self.fire(run, gathering)
            for fanout in run.fanouts:
                for branch in fanout.branches:
                    branch.ended = not self.is_open(run, branch)
                    if branch.ended and not self.settling:
                        run.inner.pop(branch, None)

    def note_kept(self) -> None:
        joined = {name for c in self.active("event") if len(c["takes"]) > 1 for name in names(c)}
        for run in self.runs:
            for event in run.kept:
                if event.type.decode(errors="replace") in joined and event.hops <= self.settings["drain"]:
                    run.noted.append(event)

    def due_later(self, run: Run) -> bool:
        return run.state == "OPEN" and any(gathering.due for gathering in run.gatherings)

    def snap_branches(self, run: Run) -> Any:
        gatherings = {
            (g.fanout.id, g.reactor.encode()): (
                g.need,
                g.due if run.state == "OPEN" else 0,
                {i: ([o for o, _ in places], [t for _, t in places], hops) for i, (places, hops) in g.gifts.items()},
            )
            for g in run.gatherings
        }
        joins = {
            (path(branch), reactor.encode()): [[event.offset for event in queue] for queue in queues]
            for branch, here in run.inner.items()
            for reactor, queues in here.items()
            if any(queues)
        }
        latest: dict[bytes, int] = {}
        for event in run.noted:
            if event.branch is None:
                latest[event.type] = max(event.offset, latest.get(event.type, -1))
        return gatherings, joins, latest

    def debt_branch(self, debt: Debt) -> Any:
        return path(debt.branch)
