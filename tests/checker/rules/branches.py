"""Branches and fan-in: section 13."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from checker.contracts import Contract, Contracts
from checker.record import Flag, Head, Raw
from checker.state import Debt, Event, Run
from checker.verdict import Verdict

if TYPE_CHECKING:
    from checker.fold import Fold

_FAILURE: Final = b"farandole.Failure"
_NOTHING: Final = b"farandole.Nothing"
_NO_EVENT: Final = Flag.AFTER | Flag.ASK | Flag.CHILD
_OTHERWISE: Final = Flag.AFTER | Flag.ASK


@dataclass(frozen=True, slots=True, eq=False)
class Branch:
    """A branch of a fan-out, and what it began with."""

    fan_out: "FanOut"
    number: int
    subject: tuple[int, bytes]
    """Offset and type of what a failure of all of it is about."""


@dataclass(slots=True, eq=False)
class FanOut:
    """An outcome that is a list."""

    id: bytes
    types: frozenset[str]
    inputs: tuple[int, ...]
    hops: int
    branch: Branch | None
    branches: list[Branch] = field(default_factory=list)
    going: bool = True
    """Whether one of its branches was open at the end of the last record."""


@dataclass(slots=True, eq=False)
class Gathering:
    """What a fan-in has of one fan-out."""

    fan_out: FanOut
    contract: Contract
    enough: int
    due: int
    gifts: dict[int, tuple[tuple[tuple[int, bytes], ...], int]] = field(default_factory=dict)
    """By the number of the branch: offsets and types, and hops."""

    @property
    def enough_is_there(self) -> bool:
        return 0 < self.enough <= len(self.gifts)

    def accept(self, branch: Branch, places: tuple[tuple[int, bytes], ...], hops: int) -> bool:
        if self.enough_is_there or branch.number in self.gifts:
            return False
        self.gifts[branch.number] = places, hops
        return True


def fan_out(
    fold: "Fold", run: Run, debt: Debt, records: Sequence[tuple[Raw, Head]], hops: int
) -> Sequence[Branch] | None:
    """The branch of each record, if the outcome is a fan-out."""
    first = records[0][1]
    if not first.flags & Flag.FAN_OUT:
        return None
    types = frozenset(name.decode(errors="replace") for name in first.branch.split(b"\0"))
    inputs = tuple(offset for offset, _ in debt.inputs)
    made = FanOut(first.id, types, inputs, hops, debt.branch)
    places: list[Branch] = []
    for raw, head in records if first.count else ():
        if not (places and head.flags & _OTHERWISE == _OTHERWISE):
            offset = inputs[-1] if head.flags & _NO_EVENT else raw.offset
            made.branches.append(Branch(made, len(made.branches), (offset, head.type)))
        places.append(made.branches[-1])
    run.fan_outs.append(made)
    for contract in fold.contracts.fan_ins():
        _gather(fold, run, made, contract)
    return places


def _gather(fold: "Fold", run: Run, made: FanOut, contract: Contract) -> Gathering | None:
    if contract.each not in made.types or made.hops > fold.settings["drain"]:
        return None
    due = contract.within and fold.log_time + contract.within
    run.gatherings.append(Gathering(made, contract, contract.enough, due))
    return run.gatherings[-1]


def give(fold: "Fold", run: Run, event: Event) -> None:
    """An event is the gift of its branch, if it is the first that is wanted."""
    if event.branch is not None and event.hops <= fold.settings["drain"]:
        for gathering in run.gatherings:
            if gathering.fan_out is event.branch.fan_out and event.type in gathering.contract.names:
                gathering.accept(event.branch, ((event.offset, event.type),), event.hops)


def give_failure(fold: "Fold", run: Run, debt: Debt, offset: int, hops: int) -> bool:
    """A last failure is the gift of its branch, if failures are taken."""
    given = False
    for gathering in run.gatherings:
        if debt.branch is None or gathering.fan_out is not debt.branch.fan_out:
            continue
        in_force = fold.contracts.by_reactor.get(gathering.contract.reactor)
        of = in_force.of if in_force is not None else frozenset()
        about = _meant(gathering.contract.failures, debt)
        if about is not None and (not of or debt.pair[1] in of):
            given |= gathering.accept(debt.branch, ((offset, _FAILURE), about), hops)
    return given


def _meant(failures: frozenset[bytes] | None, debt: Debt) -> tuple[int, bytes] | None:
    if failures is None:
        return None
    for offset, type in debt.inputs:
        if type in failures or (not failures and type != _NOTHING):
            return offset, type
    return None if failures else (debt.inputs[-1][0], _NOTHING)


def expiry(fold: "Fold", raw: Raw, head: Head, run: Run) -> Verdict:
    """The time of a fan-in is over."""
    for gathering in run.gatherings:
        if gathering.fan_out.id == head.causation and gathering.contract.reactor == head.reactor:
            break
    else:
        return Verdict.NOT_PENDING
    if not gathering.due or fold.log_time < gathering.due:
        return Verdict.NOT_DUE
    if gathering.contract.failures is not None:
        gathering.enough = 0
        for branch in gathering.fan_out.branches:
            gathering.accept(branch, ((raw.offset, _FAILURE), branch.subject), 0)
        _fire(run, gathering, raw.offset)
    elif (debt := _fire(run, gathering, raw.offset)) is not None:
        debt.attempts = 1
        run.failures += 1
        fold.effects.fail_for_good(run, debt, head.id, raw, 0)
    return Verdict.ADMITTED


def _fire(run: Run, gathering: Gathering, offset: int) -> Debt | None:
    """The pair that is owed now; None if it was owed before."""
    run.gatherings.remove(gathering)
    made = gathering.fan_out
    gifts = [gathering.gifts[number] for number in sorted(gathering.gifts)]
    inputs = tuple(place for places, _ in gifts for place in places)
    debt = Debt(
        (made.id, gathering.contract.reactor, b""),
        inputs or tuple((offset, _NOTHING) for offset in made.inputs),
        max((made.hops, *(hops for _, hops in gifts))),
        offset,
        of_failed=gathering.contract.failures is not None,
        branch=made.branch,
        gathered=True,
    )
    run.owe(debt)
    return debt if run.owed[debt.pair] is debt else None


def settle(fold: "Fold", run: Run, offset: int) -> None:
    """At the end of a record: fire what has all that it waits for."""
    if not run.fan_outs and not run.gatherings:
        return
    going = _going(fold, run)
    for gathering in sorted(run.gatherings, key=lambda g: len(tuple(_around_and(g.fan_out.branch))), reverse=True):
        missing = (b for b in gathering.fan_out.branches if b.number not in gathering.gifts)
        if gathering.enough_is_there or not any(b in going for b in missing):
            _fire(run, gathering, offset)
            # What it is owed for stands in a branch that is going on, then.
            going.update(_around_and(gathering.fan_out.branch))
    for made in run.fan_outs:
        made.going = any(branch in going for branch in made.branches)
    if not fold.settling:
        drop_joins_of_ended(fold, run)
        run.fan_outs = [made for made in run.fan_outs if made.going]


def _going(fold: "Fold", run: Run) -> set[Branch]:
    """The branches in which something stands, or a join waits for what can still come around it."""
    found = _standing(run)
    for branch, here in run.branch_queues.items():
        if branch not in found and any(_may_complete(fold, run, branch, reactor) for reactor in here):
            found.update(_around_and(branch))
    return found


def drop_joins_of_ended(fold: "Fold", run: Run) -> None:
    """What joins hold in branches that have ended is let go."""
    if run.branch_queues:
        going = _going(fold, run)
        run.branch_queues = {branch: queues for branch, queues in run.branch_queues.items() if branch in going}


def _may_complete(fold: "Fold", run: Run, branch: Branch, reactor: bytes) -> bool:
    contract, queues = fold.contracts.by_reactor.get(reactor), run.branch_queues[branch][reactor]
    if contract is None or not contract.active or not any(queues):
        return False
    places = (*_around(branch), None)
    lacking = [
        types
        for queue, types in zip(queues, contract.takes, strict=False)
        if not queue and _latest(run, places, types) is None
    ]
    coming = _coming(fold, run, branch)
    return all(not types.isdisjoint(coming) for types in lacking)


def _coming(fold: "Fold", run: Run, branch: Branch) -> set[bytes]:
    """Types of events that can still come around a branch: what follows from what stands there, and from signals."""
    places = {*_around(branch), None}
    enclosing = {at.fan_out for at in _around_and(branch)}
    contracts = fold.contracts
    ahead: list[bytes | Contract] = []
    if run.state == "open":
        ahead += [name for c in contracts.by_reactor.values() if c.active for name in c.signal_types]
    ahead += [timer.type for timer in run.timers.values() if timer.branch in places]
    ahead += [answer for d in run.decisions.values() if d.branch in places for answer in d.answers]
    if any(child.branch in places for child in run.children.values()):
        ahead += _news(contracts)
    standing = [debt.pair[1] for debt in run.owed.values() if debt.branch in places]
    standing += [
        g.contract.reactor for g in run.gatherings if g.fan_out.branch in places and g.fan_out not in enclosing
    ]
    ahead += [contracts.by_reactor[reactor] for reactor in standing if reactor in contracts.by_reactor]
    types: set[bytes] = set()
    reactors: set[bytes] = set()
    while ahead:
        match ahead.pop():
            case bytes() as name if name not in types:
                types.add(name)
                ahead += [c for c in contracts.on_events() if name in c.names]
            case Contract() as contract if contract.reactor not in reactors:
                reactors.add(contract.reactor)
                for form, given in contract.gives:
                    if form == "list":
                        ahead += [c for c in contracts.fan_ins() if c.each.encode() in given]
                    elif form == "child":
                        ahead += _news(contracts)
                    elif form != "none":
                        ahead += given
                if contract.failures is None:
                    ahead += [
                        c
                        for c in contracts.on_failures()
                        if (not c.of or contract.reactor in c.of) and (not c.failures or c.failures & contract.names)
                    ]
    return types


def _news(contracts: Contracts) -> list[bytes]:
    """All news of children that contracts take."""
    return [n for c in contracts.on_events() for n in c.names if n.startswith((b"child_done:", b"child_failed:"))]


def _standing(run: Run) -> set[Branch]:
    """The branches in which a pair, a timer, a decision or a child stands."""
    found: set[Branch] = set()
    for thing in (*run.owed.values(), *run.timers.values(), *run.decisions.values(), *run.children.values()):
        for branch in _around_and(thing.branch):
            if branch in found:
                break
            found.add(branch)
    return found


def _around(branch: Branch | None) -> Iterator[Branch]:
    """The branches that enclose one, from within."""
    return _around_and(branch.fan_out.branch) if branch is not None else iter(())


def _around_and(branch: Branch | None) -> Iterator[Branch]:
    while branch is not None:
        yield branch
        branch = branch.fan_out.branch


def begin(fold: "Fold", run: Run, contract: Contract) -> None:
    """A fan-in's first contract: it gathers of what there is."""
    open_now = _going(fold, run)
    known = {id(made) for made in run.fan_outs}
    again = [b.fan_out for b in open_now if id(b.fan_out) not in known]
    for made in (*run.fan_outs, *dict.fromkeys(again)):
        going = made.going or any(branch in open_now for branch in made.branches)
        gathering = _gather(fold, run, made, contract) if going or fold.settling else None
        for event in run.kept if gathering is not None else ():
            wanted = event.branch is not None and event.branch.fan_out is made and event.type in contract.names
            if gathering is not None and event.branch is not None and wanted and event.hops <= fold.settings["drain"]:
                gathering.accept(event.branch, ((event.offset, event.type),), event.hops)


def within(branch: Branch | None, enclosing: Branch | None) -> bool:
    """Whether one is the other, or inside of it."""
    return enclosing is None or enclosing in _around_and(branch)


def rename(run: Run, new: Contract) -> None:
    for gathering in run.gatherings:
        if gathering.contract.reactor == new.renames:
            gathering.contract = gathering.contract._replace(reactor=new.reactor)


def reshape(run: Run, new: Contract) -> None:
    """Gifts that are not taken any more are let go; all, if it is no fan-in any more."""
    mine = [g for g in run.gatherings if g.contract.reactor == new.reactor]
    for gathering in mine:
        gathering.contract = new
        gathering.gifts = {n: gift for n, gift in gathering.gifts.items() if _taken(new, gift[0])}
    if not new.gathers:
        run.gatherings = [g for g in run.gatherings if g not in mine]


def _taken(contract: Contract, places: tuple[tuple[int, bytes], ...]) -> bool:
    (_, first), *about = places
    if not about:
        return first in contract.names
    failures = contract.failures
    return failures is not None and (not failures or about[0][1] in failures)


def joined(fold: "Fold", run: Run, contract: Contract, event: Event) -> None:
    """An event has queued for a join: owe what is complete now, in its branch and in those inside it."""
    _complete(run, contract, event.branch, event, event.at)
    if fold.contracts.fan_out():
        _look_at(run, event)
        for branch in tuple(run.branch_queues):
            if event.branch is None or event.branch in _around(branch):
                while _complete(run, contract, branch, None, event.at):
                    pass


def look_at_what_is_kept(fold: "Fold") -> None:
    """A contract gives lists, and none did: joins in branches find the latest of what is kept."""
    joins = [c for c in fold.contracts.on_events() if len(c.takes) > 1]
    for run in fold.runs.values():
        for event in run.kept:
            if event.hops <= fold.settings["drain"] and any(event.type in c.names for c in joins):
                _look_at(run, event)


def _look_at(run: Run, event: Event) -> None:
    known = run.latest.get((event.branch, event.type))
    if known is None or known.offset < event.offset:
        run.latest[event.branch, event.type] = event


def _complete(run: Run, contract: Contract, branch: Branch | None, came: Event | None, at: int) -> bool:
    here = run.queues if branch is None else run.branch_queues[branch]
    queues = here.get(contract.reactor)
    if queues is None or not any(queues):
        return False
    places: Iterable[Branch | None] = () if branch is None else (*_around(branch), None)
    taken: list[tuple[Event, bool]] = []
    for queue, types in zip(queues, contract.takes, strict=True):
        event = queue[0] if queue else _latest(run, places, types)
        if event is None:
            return False
        taken.append((event, bool(queue)))
    for queue in filter(None, queues):
        queue.popleft()
    trigger = came or max((event for event, own in taken if own), key=lambda event: event.offset)
    inputs = tuple((event.offset, event.type) for event, _ in taken)
    hops = max(event.hops for event, _ in taken)
    run.owe(Debt((trigger.id, contract.reactor, b""), inputs, hops, at, branch=branch))
    return True


def _latest(run: Run, places: Iterable[Branch | None], types: frozenset[bytes]) -> Event | None:
    for place in places:
        found = [event for type in types if (event := run.latest.get((place, type))) is not None]
        if found:
            return max(found, key=lambda event: event.offset)
    return None
