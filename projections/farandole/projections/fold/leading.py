"""What can still come: by the contracts in force, of what stands around a branch, or from outside.

A join that waits in a branch for an event of an enclosing one holds its branch as long as such an event can come.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Final

from .contracts import CHILD_DONE, CHILD_FAILED, Contract, Contracts
from .run import RunState

if TYPE_CHECKING:
    from .branches import Branch, FanOut, Waiting
    from .fold import Fold
    from .run import Fact, Join, Run

_HERE: Final = frozenset(("one", "tuple", "after", "ask"))
"""Forms of what a reactor gives that stand where its trigger stands."""


def latest(run: "Run", branch: "Branch", types: Collection[bytes]) -> "Fact | None":
    """The latest event of some types in the nearest enclosing branch that has one."""
    at: Branch | None = branch
    while at is not None:
        at = at.fanout.branch
        known = at.latest if at is not None else run.pending.latest if run.pending is not None else None
        found = [event for type, event in known.items() if type in types] if known else ()
        if found:
            return max(found, key=lambda event: event.offset)
    return None


class Coming:
    """What can still come around the branches of one run; asked for many branches at one position of the log.

    Args:
        known: what was found out before, and is so still.
    """

    def __init__(self, fold: "Fold", run: "Run", known: "Mapping[FanOut, Waiting] | None" = None) -> None:
        self._contracts = fold.contracts
        self._run = run
        self._known = {fanout: waiting.around for fanout, waiting in (known or {}).items()}
        self._standing: dict[Branch | None, set[bytes]] | None = None

    def completes(self, branch: "Branch") -> bool:
        """Whether a join that waits in a branch could be completed from around it."""
        for reactor, queues in (branch.joins or {}).items():
            contract = self._contracts.get(reactor)
            if contract is not None and contract.active and self._can_complete(branch, contract, queues):
                return True
        return False

    def _can_complete(self, branch: "Branch", contract: Contract, queues: "Join") -> bool:
        for queue, types in zip(queues, contract.takes, strict=False):
            if not queue and latest(self._run, branch, types) is None and types.isdisjoint(self.around(branch.fanout)):
                return False
        return True

    def around(self, fanout: "FanOut") -> frozenset[bytes]:
        """The types of events that can still come at the root, or in a branch that the fan-out stands in."""
        if fanout not in self._known:
            places: set[Branch | None] = {None}
            within = {fanout}
            at = fanout.branch
            while at is not None:
                places.add(at)
                within.add(at.fanout)
                at = at.fanout.branch
            names = leading_of(self._contracts)
            found = set(names.signals) if self._run.state is RunState.OPEN else set[bytes]()
            for reactor in self._sources(places, within):
                found |= names.after(reactor)
            found |= names.following(self._events(places))
            self._known[fanout] = frozenset(found)
        return self._known[fanout]

    def _sources(self, places: "Collection[Branch | None]", within: "Collection[FanOut]") -> Iterator[bytes]:
        """The reactors whose steps, or whose gathering, stand in one of these places.

        What a fan-in gathers of the branch itself, or of one around it, cannot come before the branch has ended.
        """
        if self._standing is None:
            self._standing = {}
            for pair in self._run.owed.values():
                self._standing.setdefault(pair.branch, set()).add(pair.reactor)
            self._gathering: dict[Branch | None, list[FanOut]] = {}
            pending = self._run.pending
            for fanout in ((pending.fanouts if pending is not None else None) or {}).values():
                if fanout.gatherings:
                    self._gathering.setdefault(fanout.branch, []).append(fanout)
        for place in places:
            yield from self._standing.get(place, ())
            for fanout in self._gathering.get(place, ()):
                if fanout not in within:
                    yield from (gathering.reactor for gathering in fanout.gatherings or ())

    def _events(self, places: "Collection[Branch | None]") -> Iterator[bytes]:
        """The types of what is pending in one of these places."""
        pending = self._run.pending
        if pending is None:
            return
        for timer in (pending.timers or {}).values():
            if timer.branch in places:
                yield timer.type
        for decision in (pending.decisions or {}).values():
            if decision.branch in places:
                yield from decision.answers
        if any(child.branch in places for child in (pending.children or {}).values()):
            yield from (name for name in self._contracts.by_type if name.startswith((CHILD_DONE, CHILD_FAILED)))


def leading_of(contracts: Contracts) -> "Leading":
    """What can follow from what, worked out once for the contracts in force."""
    if contracts.leading is None:
        contracts.leading = Leading(contracts)
    return contracts.leading


class Leading:
    """Which types of events can follow from which reactors, in the same place, by the contracts in force."""

    def __init__(self, contracts: Contracts) -> None:
        self._contracts = contracts
        self._after: dict[bytes, frozenset[bytes]] = {}
        named = {name.encode() for c in contracts if c.active for name in c.content.get("signals", ())}
        self.signals = self.following(named)
        """What can come from outside, and what can follow from that."""

    def after(self, reactor: bytes) -> frozenset[bytes]:
        """The types of all that can follow from a step of a reactor, in its own place."""
        if reactor not in self._after:
            contract = self._contracts.get(reactor)
            self._after[reactor] = self._closure((), () if contract is None else (contract,))
        return self._after[reactor]

    def following(self, types: "Collection[bytes] | Iterator[bytes]") -> frozenset[bytes]:
        """These types, and those of all that can follow from them."""
        return self._closure(tuple(types), ())

    def _closure(self, types: Collection[bytes], contracts: Collection[Contract]) -> frozenset[bytes]:
        found, ahead = set(types), list(types)
        seen: set[bytes] = set()
        due = list(contracts)
        while due or ahead:
            if ahead:
                due.extend(self._contracts.by_type.get(ahead.pop(), ()))
                continue
            contract = due.pop()
            if contract.reactor in seen:
                continue
            seen.add(contract.reactor)
            for given in contract.content.get("gives", ()):
                names = [name.encode() for name in given["types"]]
                if given["form"] in _HERE:
                    ahead += [name for name in names if name not in found]
                    found.update(names)
                elif given["form"] == "list":
                    due.extend(c for c in self._contracts.lists if c.each in names)
                elif given["form"] == "child":
                    news = [n for n in self._contracts.by_type if n.startswith((CHILD_DONE, CHILD_FAILED))]
                    ahead += [name for name in news if name not in found]
                    found.update(news)
            due.extend(self._catching(contract))
        return frozenset(found)

    def _catching(self, failing: Contract) -> Iterator[Contract]:
        """The contracts to which a failure of a reactor can be owed."""
        for contract in self._contracts.failed if not failing.takes_failures else ():
            of = not contract.of or failing.reactor in contract.of
            if of and (not contract.failures or not contract.failures.isdisjoint(failing.elements)):
                yield contract
