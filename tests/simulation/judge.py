"""The promises, held against what happened. Nothing here trusts the fold's rules: only what it admitted, and when."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from farandole.eventstore import Stored
from farandole.projections.fold import Contract, Fact, PairKey, Settings, Verdict
from farandole.schemas import UndecodableValue, system_records
from farandole.schemas.envelope import Envelope, Flag, Kind

from .deployments import ATTEMPTS, ORDERED
from .handlers import Execution
from .transcript import Line, Transcript

if TYPE_CHECKING:
    from .world import World

COMMANDS: Final = frozenset((Kind.SIGNAL, Kind.CANCEL, Kind.PAUSE, Kind.RESUME, Kind.RETRY, Kind.OWE))
OURS: Final = frozenset(("Unlucky", "GiveUp", "RetryAfter"))
"""Errors that handlers raise here."""
FAILURE: Final = b"farandole.Failure"


@dataclass(slots=True)
class Debt:
    """A pair that became owed."""

    since: int
    """The number of the line with which it did."""
    inputs: tuple[int, ...]
    types: tuple[bytes, ...]
    failures: int = 0
    """Since it was last made owed by a person."""
    attempt: int = 0
    done: int | None = None


@dataclass(slots=True)
class RunStory:
    """One run, from its start to its end."""

    key: bytes
    start: bytes
    began: int
    events: list[tuple[int, Fact, int]] = field(default_factory=list)
    """Line, event, and its tag."""
    ids: set[bytes] = field(default_factory=set)
    failures: set[bytes] = field(default_factory=set)
    debts: dict[PairKey, Debt] = field(default_factory=dict)
    dropped: int | None = None
    """The line that dropped what was owed."""
    closed: int | None = None


def broken(world: "World") -> list[str]:
    """One line for each promise that was broken."""
    executions: dict[PairKey, list[Execution]] = {}
    for execution in world.stage.executions:
        executions.setdefault(execution.pair, []).append(execution)
    found = list(world.stage.wrong)
    for transcript in world.log.transcripts:
        where = f"partition {transcript.fold.partition}: "
        found += [where + problem for problem in Judge(world, transcript, executions).judge()]
    found += _repeated(world)
    return found


class Judge:
    """Reads one partition from its beginning."""

    def __init__(self, world: "World", transcript: Transcript, executions: Mapping[PairKey, list[Execution]]) -> None:
        self.world = world
        self.transcript = transcript
        self.records = {line.record.offset: line.record for line in transcript.lines}
        self.executions = executions
        self.runs: dict[bytes, RunStory] = {}
        self.stories: list[RunStory] = []
        self.closed: dict[bytes, int] = {}
        self.commands: dict[bytes, int] = {}
        self.in_force: dict[bytes, Contract] = {}
        self.were: dict[bytes, set[str]] = {}
        self.named: set[bytes] = set()
        self.log_time = 0
        self.born: int | None = None
        self.settings = Settings()
        self.first_seen: dict[tuple[PairKey, int], bytes] = {}
        self.seen: set[bytes] = set()

    def judge(self) -> Iterator[str]:
        for number, line in enumerate(self.transcript.lines):
            self.log_time = max(self.log_time, line.record.time)
            for problem in self._line(number, line):
                yield f"offset {line.record.offset}: {problem}"
        for story in self.stories:
            for problem in self._story(story):
                yield f"{story.key.decode()}: {problem}"

    # ── one record ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _line(self, number: int, line: Line) -> Iterator[str]:
        e = line.envelope
        if e is None:
            return
        if e.kind == Kind.OUTCOME:
            yield from self._first_of_its_id(line, e)
        if line.verdict is not Verdict.ADMITTED:
            return
        if e.not_after and self.log_time > e.not_after and (e.kind == Kind.START or e.kind in COMMANDS):
            yield f"a {Kind(e.kind).name} acted after its time"
        if e.kind == Kind.GENESIS:
            self.born = self.log_time
            self.settings = Settings.of(system_records.GENESIS.decode(line.record.value)["settings"])
        elif e.kind == Kind.CONTRACT:
            yield from self._contracts(number, line)
        elif e.kind < Kind.GENESIS:
            yield from self._of_run(number, line, e)

    def _first_of_its_id(self, line: Line, e: Envelope) -> Iterator[str]:
        """Who does not fold, and keeps the first record of each id, sees each place of an outcome once."""
        if (line.record.partition, line.record.offset) in self.world.garbage or e.id in self.seen:
            return
        self.seen.add(e.id)
        place = ((e.causation, e.reactor, e.generation), e.index)
        if self.first_seen.setdefault(place, e.id) != e.id:
            yield f"a second id for event {e.index} of what {e.reactor.decode()} made of {e.causation.decode()}"

    def _of_run(self, number: int, line: Line, e: Envelope) -> Iterator[str]:
        key = line.record.key or b""
        if e.kind == Kind.START:
            yield from self._started(number, key, e)
        story = self.runs.get(key)
        if story is None:
            yield f"{Kind(e.kind).name} admitted into {key!r}, which is not open"
            return
        if e.kind in COMMANDS:
            if e.id in self.commands:
                yield f"{Kind(e.kind).name} {e.id.decode()} acted twice"
            self.commands[e.id] = number
        pair = (e.causation, e.reactor, e.generation)
        if e.kind == Kind.OUTCOME:
            yield from self._outcome(number, line, story, pair)
        elif e.kind == Kind.FAILURE:
            yield from self._failure(number, line, e, story, pair)
        for fact in line.admitted:
            if fact.id in story.ids:
                yield f"event {fact.id.decode()} entered the history of {key.decode()} twice"
            story.ids.add(fact.id)
        drops = e.kind in (Kind.CANCEL, Kind.EXPIRE) or any(
            fact.flags & Flag.FINAL_END and fact.flags & Flag.END for fact in line.admitted
        )
        if drops:
            story.dropped = number
        self._note_owed(number, line, e.kind == Kind.RETRY)
        yield from self._expected(number, line, story, e, pair)
        for closed in line.closed:
            self._close(number, closed)

    def _started(self, number: int, key: bytes, e: Envelope) -> Iterator[str]:
        if key in self.runs:
            yield f"{key.decode()} was started while it was open"
        window = self.settings.dedup_window
        if key in self.closed and self.log_time <= self.closed[key] + window:
            yield f"{key.decode()} was started again within the dedup window"
        story = self.runs[key] = RunStory(key, e.id, number)
        self.stories.append(story)

    def _close(self, number: int, key: bytes) -> None:
        story = self.runs.pop(key, None)
        if story is not None:
            story.closed = number
        self.closed[key] = self.log_time

    # ── steps ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _outcome(self, number: int, line: Line, story: RunStory, pair: PairKey) -> Iterator[str]:
        reactor = pair[1].decode()
        debt = story.debts.get(pair)
        if debt is None:
            yield f"an outcome of {reactor} was admitted that nobody owed"
            return
        if debt.done is not None:
            yield f"{reactor} of {pair[0].decode()} has two admitted outcomes"
        debt.done = number
        tags = tuple(tag_of(self.records[fact.offset]) for fact in line.admitted)
        # A start that comes again after the dedup window opens a second run, in which all has the ids of the first.
        here = (self.transcript.fold.partition, story.began)
        tries = sorted(self.executions.get(pair, []), key=lambda x: x.run != here)
        made_by = next((x for x in tries if x.gives == tags), None)
        if not tries:
            yield f"an outcome of {reactor} was admitted, but its handler never ran"
        elif made_by is None:
            yield f"an admitted outcome of {reactor}, {tags}, is torn or mixed: no execution made that"
        elif made_by.run == here:
            yield from self._what_it_was_given(debt, made_by)
        if reactor in ORDERED:
            yield from self._in_order(number, story, pair, debt)

    def _what_it_was_given(self, debt: Debt, execution: Execution) -> Iterator[str]:
        taken = tuple(tag_of(self.records[offset]) for offset in debt.inputs)
        if FAILURE in (self._type(offset) for offset in debt.inputs[:1]):
            taken = taken[1:]
        if execution.takes != taken:
            yield f"{execution.reactor} was given {execution.takes}, and owed for {taken}"

    def _type(self, offset: int) -> bytes:
        envelope = self.transcript.lines[offset].envelope
        return b"" if envelope is None else envelope.type

    def _in_order(self, number: int, story: RunStory, pair: PairKey, debt: Debt) -> Iterator[str]:
        for key, other in story.debts.items():
            earlier = key[1] == pair[1] and other.since < debt.since and max(other.inputs) < max(debt.inputs)
            if earlier and other.done is None and story.dropped is None:
                yield f"{pair[1].decode()} did {pair[0].decode()} before {key[0].decode()}, which came earlier"

    def _failure(self, number: int, line: Line, e: Envelope, story: RunStory, pair: PairKey) -> Iterator[str]:
        reactor = e.reactor.decode()
        debt = story.debts.get(pair)
        if debt is None or debt.done is not None:
            yield f"a failure of {reactor} was admitted that nobody owed"
            return
        if e.id in story.failures:
            yield f"attempt {e.attempt} of {reactor} was counted twice"
        story.failures.add(e.id)
        debt.failures += 1
        debt.attempt += 1
        try:
            error = system_records.FAILURE.decode(line.record.value)["error"].rpartition(".")[2]
        except UndecodableValue:
            error = "?"
        if error not in OURS and not (error == "EarlierShape" and self._of_earlier_shape(debt, pair[1])):
            yield f"{reactor} failed with {error}, which no handler raises"
        if e.flags & Flag.LAST and error == "Unlucky" and debt.failures < ATTEMPTS:
            yield f"{reactor} was given up after {debt.failures} attempts of {ATTEMPTS}"
        if debt.failures > ATTEMPTS:
            yield f"{reactor} was attempted {debt.failures} times of {ATTEMPTS}"
        if e.flags & Flag.LAST and any(owed.key[0] == e.id for owed in line.owed):
            debt.done = number

    def _of_earlier_shape(self, debt: Debt, reactor: bytes) -> bool:
        """Whether a step is owed for something else than its reactor takes by now."""
        takes = self.in_force[reactor].takes
        return len(takes) != len(debt.types) or any(t not in names for t, names in zip(debt.types, takes, strict=True))

    # ── what should be owed ──────────────────────────────────────────────────────────────────────────────────────────

    def _note_owed(self, number: int, line: Line, by_a_person: bool) -> None:
        for owed in line.owed:
            story = self.runs.get(owed.run)
            if story is None:
                continue
            debt = story.debts.setdefault(owed.key, Debt(number, owed.inputs, owed.types))
            if by_a_person:
                debt.failures = 0

    def _expected(self, number: int, line: Line, story: RunStory, e: Envelope, pair: PairKey) -> Iterator[str]:
        last_drop = max(
            (i for i, fact in enumerate(line.admitted) if fact.flags & Flag.FINAL_END and fact.flags & Flag.END),
            default=-1,
        )
        for i, fact in enumerate(line.admitted):
            if fact.type == FAILURE:
                yield from self._failure_expected(fact, story, pair)
                continue
            story.events.append((number, fact, tag_of(self.records[fact.offset])))
            if i > last_drop:
                for contract in self.in_force.values():
                    alone = contract.active and contract.form == "event" and len(contract.takes) == 1
                    if alone and fact.type in contract.takes[0]:
                        yield from self._owed(story, (fact.id, contract.reactor, b""))

    def _failure_expected(self, fact: Fact, story: RunStory, pair: PairKey) -> Iterator[str]:
        failed = self.in_force.get(pair[1])
        if failed is None or failed.form == "failed":
            return
        types = story.debts[pair].types
        for contract in self.in_force.values():
            catches = contract.active and contract.form == "failed" and (not contract.of or pair[1] in contract.of)
            if catches and (not contract.takes[0] or contract.takes[0] & set(types)):
                yield from self._owed(story, (fact.id, contract.reactor, b""))

    def _owed(self, story: RunStory, pair: PairKey) -> Iterator[str]:
        if pair not in story.debts:
            yield f"{pair[1].decode()} of {pair[0].decode()} in {story.key.decode()} should be owed, and is not"

    def _contracts(self, number: int, line: Line) -> Iterator[str]:
        machine = self.world.wrote.get(line.envelope.append) if line.envelope is not None else None
        settling = self.born is None or self.log_time <= self.born + self.settings.settle
        unnamed = set[bytes]().union(*(c.names for c in line.contracts if c.active)) - self.named
        self._note_owed(number, line, False)
        for contract in line.contracts:
            were = self.were.setdefault(contract.reactor, set())
            first = not were
            if contract.id in were and not getattr(machine, "take_over", False):
                yield f"a superseded contract of {contract.reactor.decode()} is back by itself"
            were.add(contract.id)
            self.in_force[contract.reactor] = contract
            self.named |= contract.names
            if contract.form != "event" or len(contract.takes) != 1:
                continue
            begins = contract.names if settling and first else contract.names & unnamed
            for story in self.runs.values():
                if story.dropped is not None:
                    continue
                for _, fact, _ in story.events:
                    wanted = (first and settling) or not fact.flags & Flag.NO_REACTOR
                    if fact.type in begins and wanted:
                        yield from self._owed(story, (fact.id, contract.reactor, b""))

    # ── whole runs ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _story(self, story: RunStory) -> Iterator[str]:
        open_run = self.transcript.fold.runs.get(story.key) if story.closed is None else None
        for pair, debt in story.debts.items():
            if debt.done is not None or (story.dropped is not None and story.dropped >= debt.since):
                continue
            if open_run is None or pair not in open_run.owed:
                yield f"{pair[1].decode()} of {pair[0].decode()} was owed, and forgotten"
        here = (self.transcript.fold.partition, story.began)
        for pair in story.debts:
            for execution in self.executions.get(pair, ()):
                if execution.run == here and execution.looked_back is not None:
                    yield from self._what_it_saw(story, pair, execution)

    def _what_it_saw(self, story: RunStory, pair: PairKey, execution: Execution) -> Iterator[str]:
        """Everybody who looks back sees the same, whenever it is."""
        before, seen = [], set(execution.looked_back or ())
        for _, fact, tag in story.events:
            if fact.type.decode().rpartition(".")[2] in execution.looked_for:
                before.append(tag)
            if fact.id == pair[0]:
                break
        if list(execution.looked_back or ()) != before:
            extra, missing = sorted(seen - set(before)), sorted(set(before) - seen)
            wrong = f"{extra} too many, {missing} too few" if extra or missing else "another order"
            yield f"{execution.reactor} looked back and saw {wrong}"


def _repeated(world: "World") -> Iterator[str]:
    """One process makes one attempt once, for as long as it keeps the partition's state."""
    done: dict[tuple[object, ...], float] = {}
    for x in world.stage.executions:
        key = (x.process, x.run, x.pair, x.attempt)
        if key in done and x.began - done[key] < 50 and not world.astray(x.process):
            yield f"{x.process} made attempt {x.attempt} of {x.reactor} twice"
        done[key] = x.began


def tag_of(record: Stored) -> int:
    """The first field of an event of ours."""
    value, shift, found = record.value or b"", 0, 0
    for byte in value[10:]:
        found |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            break
    return found >> 1
