"""Where everything stands that fan-outs made, worked out from what was admitted; and what fan-ins should be owed."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from farandole.projections.fold import FAILURE, NOTHING, Contract, PairKey, Verdict
from farandole.schemas.envelope import Envelope, Flag, Kind, unpack

from .story import RunStory
from .transcript import Line, Owed
from .waits import Waits

if TYPE_CHECKING:
    from .judge import Judge

Path = tuple[tuple[bytes, int], ...]
"""The fan-outs that something stands in, outermost first, each with the number of its branch; the root is empty."""


@dataclass(slots=True)
class Gathering:
    """What a fan-in should come to be owed of one fan-out."""

    contract: Contract
    gave: set[int] = field(default_factory=set)
    fired: bool = False
    told: bool = False
    """Whether its time was over."""
    late: bool = False
    """Whether it began when the fan-out was there already: what it was given of what came before is not known here."""


@dataclass(slots=True)
class FanOut:
    id: bytes
    types: list[bytes]
    width: int
    at: Path
    hops: int
    gatherings: list[Gathering]


@dataclass(slots=True)
class Places:
    """Of one run."""

    events: dict[bytes, Path] = field(default_factory=dict)
    """By the id of an event or a final failure."""
    offsets: dict[int, bytes] = field(default_factory=dict)
    pairs: dict[PairKey, Path] = field(default_factory=dict)
    latest: dict[tuple[Path, bytes], int] = field(default_factory=dict)
    """The highest offset of a type at a place."""
    fan_outs: dict[bytes, FanOut] = field(default_factory=dict)
    waits: Waits = field(default_factory=Waits)


class Branching:
    """The part of the judge that knows of branches."""

    def __init__(self, judge: "Judge") -> None:
        self._judge = judge
        self._runs: dict[int, Places] = {}
        """By the line with which a run began."""

    def catches(self, story: RunStory, line: Line, pair: PairKey) -> bool:
        """Whether the last failure of a step is what its branch gives to a fan-in."""
        places = self._of(story)
        debt = story.debts[pair]
        far = story.ended is not None and debt.hops + 1 > self._judge.settings.drain
        if far or self._judge._of_failure(debt) or FAILURE in debt.types:
            return False
        found = [
            gathering
            for gathering, number in self._gathered_at(places, places.pairs.get(pair, ()))
            if number not in gathering.gave
            and not (gathering.late and pair in line.parked)
            and (failures := gathering.contract.failures) is not None
            and (not failures or failures & set(debt.types))
            and (not gathering.contract.of or pair[1] in gathering.contract.of)
        ]
        for gathering in found:
            gathering.gave.add(places.pairs[pair][-1][1])
        return bool(found)

    def forget(self, reactor: bytes) -> None:
        """The contract of a fan-in was replaced or retired: nothing is expected of what it gathered so far."""
        for places in self._runs.values():
            for made in places.fan_outs.values():
                made.gatherings = [g for g in made.gatherings if g.contract.reactor != reactor]

    def contracts(self, line: Line) -> Iterator[str]:
        """What came to be owed with contracts, and the fan-ins that begin with them."""
        for owed in line.owed:
            story = self._judge.runs.get(owed.run)
            if story is not None:
                yield from self._owed(story, self._of(story), owed, Kind.CONTRACT)
        for contract in line.contracts:
            if contract.form != "list" or not contract.active or self._judge.were[contract.reactor]:
                continue
            for story in self._judge.runs.values():
                for made in self._of(story).fan_outs.values():
                    if contract.each in made.types:
                        made.gatherings.append(Gathering(contract, late=True))

    def part(self, line: Line, e: Envelope) -> None:
        """A record of an outcome of which more is to come."""
        story = self._judge.runs.get(line.record.key or b"")
        if story is not None:
            self._of(story).waits.part(e)

    def line(self, number: int, story: RunStory, line: Line) -> Iterator[str]:
        """One admitted record of a run, once the judge knows what it did."""
        e = line.envelope
        if e is None or line.verdict is not Verdict.ADMITTED:
            return
        places = self._of(story)
        pair = (e.causation, e.reactor, e.generation)
        at = places.pairs.get(pair, ()) if e.kind in (Kind.OUTCOME, Kind.FAILURE) else ()
        if e.kind == Kind.OUTCOME:
            places.waits.part(e)
        contract = self._judge.in_force.get(e.reactor)
        waited = places.waits.admitted(e, line, at, contract.unless if contract is not None else frozenset())
        if story.ended is not None:
            places.waits.end()
        at = at if waited is None else waited
        made = (
            self._fan_out(story, places, line, pair, at) if e.kind == Kind.OUTCOME and e.flags & Flag.FANOUT else None
        )
        if e.kind == Kind.EXPIRY and e.causation in places.fan_outs:
            for gathering in places.fan_outs[e.causation].gatherings:
                gathering.told |= gathering.contract.reactor == e.reactor
        for branch, fact in enumerate(line.admitted):
            places.events[fact.id] = place = (*at, (made.id, branch)) if made is not None else at
            places.offsets[fact.offset] = fact.id
            for gathering, giver in self._gathered_at(places, place):
                enough = 0 < gathering.contract.enough <= len(gathering.gave)
                near = story.hops[fact.offset] <= self._judge.settings.drain
                if near and fact.type in gathering.contract.elements and not enough:
                    gathering.gave.add(giver)
        for owed in line.owed:
            if owed.run == story.key:
                yield from self._owed(story, places, owed, e.kind)
        if e.kind == Kind.EXPIRY and (story.key, pair) in line.settled:
            self._judge._fail_for_good(number, line, e, story, pair)
        for fact in line.admitted:
            key = places.events[fact.id], fact.type
            places.latest[key] = max(places.latest.get(key, -1), fact.offset)
        # What a person has done again at the root may lead to what a join in a branch waits for.
        again = any(key[2] and debt.open for key, debt in story.debts.items())
        if story.dropped is None and story.closed is None and not again:
            yield from self._should_fire(story, places)

    def _of(self, story: RunStory) -> Places:
        return self._runs.setdefault(story.began, Places())

    def _gathered_at(self, places: Places, at: Path) -> Iterator[tuple[Gathering, int]]:
        """What gathers in the innermost fan-out of a place, and the number of the branch."""
        made = places.fan_outs.get(at[-1][0]) if at else None
        for gathering in made.gatherings if made is not None else ():
            if not gathering.fired:
                yield gathering, at[-1][1]

    def _fan_out(self, story: RunStory, places: Places, line: Line, pair: PairKey, at: Path) -> FanOut:
        e = line.envelope
        assert e is not None
        if line.admitted:
            e = unpack(self._judge.records[line.admitted[0].offset].headers)
        types = e.branch.split(b"\0")
        if line.admitted:
            hops = story.hops[line.admitted[0].offset]
        else:
            hops = 0 if story.ended is None else story.debts[pair].hops + 1
        near = hops <= self._judge.settings.drain
        contracts = self._judge.in_force.values() if near else ()
        gathering = [Gathering(c) for c in contracts if c.active and c.form == "list" and c.each in types]
        made = places.fan_outs[e.id] = FanOut(e.id, types, len(line.admitted), at, hops, gathering)
        return made

    def _owed(self, story: RunStory, places: Places, owed: Owed, kind: int) -> Iterator[str]:
        trigger, reactor, generation = owed.key
        what = f"{reactor.decode()} of {trigger.decode()}"
        made = places.fan_outs.get(trigger)
        contract = self._judge.in_force.get(reactor)
        gathers = made is not None and reactor.decode() in self._judge.world.repertoire.fan_ins
        known = owed.key in places.pairs
        if known:
            if gathers and story.debts[owed.key].done is not None:
                yield f"{what} is owed a second time, and a fan-in fires once"
            return
        if gathers and made is not None:
            places.pairs[owed.key] = made.at
            debt = story.debts[owed.key]
            debt.hops = max(debt.hops, made.hops)
            yield from self._gathered(story, places, owed, made, what)
            return
        at = places.pairs[owed.key] = () if generation else places.events.get(trigger, ())
        if contract is not None and contract.form == "join" and not generation and kind != Kind.CONTRACT:
            yield from self._joined(places, owed, at, what)

    def _joined(self, places: Places, owed: Owed, at: Path, what: str) -> Iterator[str]:
        for offset, type in zip(owed.inputs, owed.types, strict=False):
            from_ = places.events.get(places.offsets.get(offset, b""), ())
            if at[: len(from_)] != from_:
                yield f"{what} joins what is of another branch"
            elif from_ != at and places.latest.get((from_, type), -1) > offset:
                yield f"{what} joins an event of an enclosing branch that is not the latest"

    def _gathered(self, story: RunStory, places: Places, owed: Owed, made: FanOut, what: str) -> Iterator[str]:
        numbers = []
        about = False
        for offset, type in zip(owed.inputs, owed.types, strict=False):
            if type not in (FAILURE, NOTHING) and not about:
                at = places.events.get(places.offsets.get(offset, b""), ())
                if at[:-1] != made.at or not at or at[-1][0] != made.id:
                    yield f"{what} gathers what no branch of its own gave"
                else:
                    numbers.append(at[-1][1])
            about = type == FAILURE
        if numbers != sorted(set(numbers)):
            yield f"{what} gathers branches {numbers}, which are not in their order"
        for gathering in made.gatherings:
            if gathering.contract.reactor != owed.key[1]:
                continue
            gathering.fired = True
            need = gathering.contract.enough
            if gathering.told or gathering.late or (need and len(gathering.gave) >= need):
                continue
            missing = (n for n in range(made.width) if n not in gathering.gave)
            still = [n for n in missing if self._owes(story, places, made, n) or self._waits(places, made, n)]
            if still:
                yield f"{what} is owed while branches {still} are open"

    def _should_fire(self, story: RunStory, places: Places) -> Iterator[str]:
        for made in places.fan_outs.values():
            for gathering in made.gatherings:
                if gathering.fired or gathering.late:
                    continue
                need = gathering.contract.enough
                enough = bool(need) and len(gathering.gave) >= need
                missing = (n for n in range(made.width) if n not in gathering.gave)
                if enough or gathering.told or not any(self._open(story, places, made, n) for n in missing):
                    # Told once.
                    gathering.fired = True
                    why = "enough is there" if enough else "no branch is open that gave nothing"
                    yield f"{gathering.contract.reactor.decode()} of {made.id.decode()} should have fired: {why}"

    def _open(self, story: RunStory, places: Places, made: FanOut, number: int) -> bool:
        """Whether a branch may go on."""
        return (
            self._owes(story, places, made, number)
            or self._waits(places, made, number, sure=False)
            or self._joins(story, places, made, number)
        )

    def _joins(self, story: RunStory, places: Places, made: FanOut, number: int) -> bool:
        """Whether a join in a branch has something, and all that it lacks can still come by a signal."""
        branch = (*made.at, (made.id, number))
        come = self._by_signals()
        there = [(places.events[id], self._judge._type(offset), offset) for offset, id in places.offsets.items()]
        inside = {at for at, _, _ in there if at[: len(branch)] == branch}
        for contract in self._judge.in_force.values():
            if not contract.active or contract.form != "join":
                continue
            taken = {o for pair, debt in story.debts.items() if pair[1] == contract.reactor for o in debt.inputs}
            for place in inside:
                queued = {type for at, type, offset in there if at == place and offset not in taken}
                around = {type for at, type, _ in there if len(at) < len(place) and place[: len(at)] == at}
                lacks = [types for types in contract.takes if not (queued | around).intersection(types)]
                if queued & contract.elements and lacks and all(come.intersection(types) for types in lacks):
                    return True
        return False

    def _by_signals(self) -> set[bytes]:
        """Types that can still come into an open run from outside, and those that can follow from them."""
        active = [c for c in self._judge.in_force.values() if c.active]
        come = {name.encode() for c in active for name in c.content["signals"]}
        known = 0
        while known < len(come):
            known = len(come)
            for c in active:
                if c.form != "list" and come & c.elements:
                    come |= {
                        t.encode()
                        for gives in c.content["gives"]
                        if gives["form"] not in ("list", "child")
                        for t in gives["types"]
                    }
        return come

    def _waits(self, places: Places, made: FanOut, number: int, *, sure: bool = True) -> bool:
        """Whether something is waited for in a branch; if it need not be sure, whether something may be."""
        branch = (*made.at, (made.id, number))
        waits = places.waits.waits.values()
        return any(wait.at[: len(branch)] == branch and (wait.sure or not sure) for wait in waits)

    def _owes(self, story: RunStory, places: Places, made: FanOut, number: int) -> bool:
        branch = (*made.at, (made.id, number))
        return any(
            at[: len(branch)] == branch and story.debts[pair].open
            for pair, at in places.pairs.items()
            if pair in story.debts
        )
