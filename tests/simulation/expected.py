"""What should have become owed, worked out from the contracts and from what was admitted; and what should not."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from farandole.eventstore import Stored
from farandole.projections.fold import UNDO, Contract, Fact, PairKey, Result, Settings
from farandole.schemas.envelope import Flag

from .story import Debt, RunStory
from .tags import tag_of
from .transcript import Line

if TYPE_CHECKING:
    from .world import World

FAILURE: Final = b"farandole.Failure"


def dropping(line: Line) -> int:
    """Which of the events that were just admitted is the End that drops what is owed, if it is the run's first; or -1."""
    finals = Flag.FINAL_END | Flag.END
    drop = (i for i, fact in enumerate(line.admitted) if fact.flags & finals == finals)
    return max(drop, default=-1) if line.result is Result.ENDED else -1


class Expected:
    """The part of the judge that knows who owes what.

    Attributes:
        runs: those that are open.
        in_force: the contract of each reactor.
        named: event types that an active contract ever named.
        born: log time of the genesis.
    """

    world: "World"
    records: dict[int, Stored]

    def __init__(self) -> None:
        self.runs: dict[bytes, RunStory] = {}
        self.in_force: dict[bytes, Contract] = {}
        self.named: set[bytes] = set()
        self.log_time = 0
        self.born: int | None = None
        self.settings = Settings()

    def _note_owed(self, number: int, line: Line, by_a_person: bool) -> Iterator[str]:
        for owed in line.owed:
            story = self.runs.get(owed.run)
            if story is None:
                continue
            debt = story.debts.get(owed.key)
            if debt is None:
                hops = max(story.hops.get(offset, 0) for offset in owed.inputs)
                debt = story.debts[owed.key] = Debt(number, owed.inputs, owed.types, hops)
                what = f"{owed.key[1].decode()} of {owed.key[0].decode()}"
                if owed.key[2] == UNDO:
                    continue
                edited = line.envelope is not None and line.envelope.flags & Flag.EDITED
                gathers = owed.key[1].decode() in self.world.repertoire.fan_ins
                if not edited and not gathers and story.at.get(owed.key[0]) not in owed.inputs:
                    yield f"{what} is owed for something else than its trigger"
                if hops > self.settings.drain:
                    yield f"{what} is owed {hops} outcomes after the End"
            if by_a_person:
                debt.failures, debt.parked = 0, b""

    def _expected(self, number: int, line: Line, story: RunStory, pair: PairKey) -> Iterator[str]:
        """What each event that was just admitted is owed to."""
        last_drop = dropping(line)
        for i, fact in enumerate(line.admitted):
            far = story.hops[fact.offset] > self.settings.drain
            if fact.type == FAILURE:
                yield from self._failure_expected(fact, story, pair, far)
                continue
            story.events.append((number, fact, tag_of(self.records[fact.offset])))
            if i > last_drop and not far:
                for contract in self.in_force.values():
                    if contract.active and contract.direct and fact.type in contract.names:
                        yield from self._owed(story, (fact.id, contract.reactor, b""))

    def _failure_expected(self, fact: Fact, story: RunStory, pair: PairKey, far: bool) -> Iterator[str]:
        debt = story.debts.get(pair)
        if debt is None or far or pair[2] == UNDO:
            return
        if self._of_failure(debt):
            if any(key[0] == fact.id for key in story.debts):
                yield f"a failure of {pair[1].decode()}, which itself takes failures, was caught"
            return
        for contract in self.in_force.values():
            alone = contract.active and contract.form != "list" and (not contract.of or pair[1] in contract.of)
            taken = contract.failures if alone else None
            if taken is not None and (not taken or taken & set(debt.types)):
                yield from self._owed(story, (fact.id, contract.reactor, b""))

    def _of_failure(self, debt: Debt) -> bool:
        return dict(self.records[debt.inputs[0]].headers).get("ce_type") == FAILURE

    def _owed(self, story: RunStory, pair: PairKey) -> Iterator[str]:
        if pair not in story.debts:
            yield f"{pair[1].decode()} of {pair[0].decode()} in {story.key.decode()} should be owed, and is not"

    def _begun_with(self, line: Line, first: set[bytes]) -> Iterator[str]:
        """What contracts that just came into force begin with: all that came before, what nobody had named, or nothing.

        Args:
            first: reactors that never had a contract.
        """
        settling = self.born is None or self.log_time <= self.born + self.settings.settle
        unnamed = set[bytes]().union(*(c.elements for c in line.contracts if c.active)) - self.named
        for contract in line.contracts:
            self.in_force[contract.reactor] = contract
            if not contract.active:
                continue
            self.named |= contract.elements
            if not contract.direct:
                continue
            begins = contract.names if settling and contract.reactor in first else contract.names & unnamed
            for owed in line.owed:
                if owed.key[1] == contract.reactor and not begins.issuperset(owed.types):
                    yield f"{contract.reactor.decode()} is owed {owed.key[0].decode()}, which came before its contract"
            for story in self.runs.values():
                if story.dropped is not None:
                    continue
                for _, fact, _ in story.events:
                    wanted = (contract.reactor in first and settling) or not fact.flags & Flag.NO_REACTOR
                    if fact.type in begins and wanted and story.hops[fact.offset] <= self.settings.drain:
                        yield from self._owed(story, (fact.id, contract.reactor, b""))
