"""The promises, held against what happened. Nothing here trusts the fold's rules: only what it admitted, and when."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

from farandole.eventstore import partition_of
from farandole.projections.fold import NOTHING, UNDO, Contract, PairKey, Result, Settings, Verdict
from farandole.schemas import UndecodableValue, system_records
from farandole.schemas.envelope import Envelope, Flag, Kind

from .branching import Branching
from .deployments import ATTEMPTS
from .expected import Expected, dropping
from .handlers import Execution
from .hindsight import repeated, whole_run
from .story import Debt, RunStory
from .tags import tag_of, tag_taken
from .transcript import Line, Transcript

if TYPE_CHECKING:
    from .world import World

COMMANDS: Final = frozenset((Kind.SIGNAL, Kind.ANSWER, Kind.CANCEL, Kind.PAUSE, Kind.RESUME, Kind.RETRY, Kind.OWE))
OURS: Final = frozenset(("Unlucky", "GiveUp", "RetryAfter", "TooLargeOutcome"))
"""Errors that handlers raise here, and that of an outcome which the log does not take."""
FAILURE: Final = b"farandole.Failure"
KINDS: Final = frozenset((*range(1, 22), *range(32, 39)))
"""Kinds of records, as the page of the protocol has them."""


def broken(world: "World") -> list[str]:
    """One line for each promise that was broken."""
    executions: dict[PairKey, list[Execution]] = {}
    for execution in world.stage.executions:
        executions.setdefault(execution.pair, []).append(execution)
    found = list(world.stage.wrong)
    for transcript in world.log.transcripts:
        where = f"partition {transcript.fold.partition}: "
        found += [where + problem for problem in Judge(world, transcript, executions).judge()]
    found += repeated(world)
    return found


class Judge(Expected):
    """Reads one partition from its beginning."""

    def __init__(self, world: "World", transcript: Transcript, executions: Mapping[PairKey, list[Execution]]) -> None:
        super().__init__()
        self.world = world
        self.transcript = transcript
        self.records = {line.record.offset: line.record for line in transcript.lines}
        self.executions = executions
        self.stories: list[RunStory] = []
        self.closed: dict[bytes, int] = {}
        self.commands: dict[bytes, int] = {}
        self.were: dict[bytes, set[str]] = {}
        self.version = 1
        self.first_seen: dict[tuple[PairKey, int], bytes] = {}
        self.seen: set[bytes] = set()
        self.branching = Branching(self)
        self.watchers = [watcher(self) for dance in world.dances for watcher in dance.watchers]

    def judge(self) -> Iterator[str]:
        yield from self.transcript.wrong
        for number, line in enumerate(self.transcript.lines):
            self.log_time = max(self.log_time, line.record.time)
            for problem in self._line(number, line):
                yield f"offset {line.record.offset}: {problem}"
            for watcher in self.watchers:
                for problem in watcher.line(number, line):
                    yield f"offset {line.record.offset}: {problem}"
        for story in self.stories:
            for problem in whole_run(self.world, self.transcript, story, self.executions):
                yield f"{story.key.decode()}: {problem}"
        for watcher in self.watchers:
            yield from watcher.end()
        if any(not_after < self.log_time for not_after, _ in self.transcript.fold.commands):
            yield "the id of a command is remembered for longer than it could act"

    # ── one record ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _line(self, number: int, line: Line) -> Iterator[str]:
        e = line.envelope
        if e is None:
            return
        if line.verdict is Verdict.ADMITTED and e.kind not in KINDS:
            yield f"a record of an unknown kind was admitted: {e.kind}"
        if e.kind == Kind.OUTCOME:
            yield from self._first_of_its_id(line, e)
            yield from self._refused(line, e)
            if line.verdict is Verdict.HELD:
                self.branching.part(line, e)
        if line.verdict is not Verdict.ADMITTED:
            return
        if e.not_after and self.log_time > e.not_after and (e.kind == Kind.START or e.kind in COMMANDS):
            yield f"a {Kind(e.kind).name} acted after its time"
        if e.kind == Kind.CONTRACT:
            yield from self._came_into_force(number, line, e)
        elif e.kind in (Kind.GENESIS, Kind.SETTING, Kind.VERSION):
            yield from self._governed(line, e)
        elif e.kind == Kind.CANCEL and e.causation and line.record.key not in self.runs:
            # Of a child that was not there yet, and never will be.
            self.closed[line.record.key or b""] = self.log_time
        elif e.kind < Kind.GENESIS and e.kind != Kind.TICK and not e.flags & Flag.OF_SCHEDULE:
            yield from self._of_run(number, line, e)

    def _governed(self, line: Line, e: Envelope) -> Iterator[str]:
        if e.kind == Kind.GENESIS:
            if self.born is not None:
                yield "a second genesis took effect"
            self.born = self.log_time
            self.settings = Settings.of(system_records.GENESIS.decode(line.record.value)["settings"])
        elif e.kind == Kind.VERSION:
            version = system_records.VERSION.decode(line.record.value)["version"]
            if version <= self.version:
                yield f"fold version {version} came into force after {self.version}"
            self.version = version
        else:
            content = system_records.SETTING.decode(line.record.value)
            if content["replaces"] != getattr(self.settings, content["name"]):
                yield f"a setting of {content['name']} replaced a value that was not in force"
            self._forget()
            self.settings = self.settings.with_(content["name"], content["value"])
            self._forget()

    def _forget(self) -> None:
        """What the window in force does not cover is remembered no longer, though a later one may be wider."""
        window = self.settings.dedup_window
        self.closed = {key: at for key, at in self.closed.items() if at + window >= self.log_time}

    def _first_of_its_id(self, line: Line, e: Envelope) -> Iterator[str]:
        """Who does not fold, and keeps the first record of each id, sees each place of an outcome once."""
        if (line.record.partition, line.record.offset) in self.world.garbage or e.id in self.seen:
            return
        self.seen.add(e.id)
        place = ((e.causation, e.reactor, e.generation), e.index)
        if self.first_seen.setdefault(place, e.id) != e.id:
            yield f"a second id for event {e.index} of what {e.reactor.decode()} made of {e.causation.decode()}"

    def _refused(self, line: Line, e: Envelope) -> Iterator[str]:
        """Part of an outcome is held, and a whole one refused, for no other reason than whether the pair is owed."""
        story = self.runs.get(line.record.key or b"")
        debt = None if story is None else story.debts.get((e.causation, e.reactor, e.generation))
        owed = debt is not None and debt.open and not debt.parked
        what = f"{e.reactor.decode()} of {e.causation.decode()}"
        if line.verdict is Verdict.HELD and not owed:
            yield f"a part of an outcome of {what} is held, which nobody owes"
        if owed and line.verdict not in (Verdict.ADMITTED, Verdict.HELD):
            yield f"an outcome of {what} was refused, though it is owed: {line.verdict.name}"

    def _of_run(self, number: int, line: Line, e: Envelope) -> Iterator[str]:
        key = line.record.key or b""
        if e.kind == Kind.START:
            yield from self._started(number, key, e)
        story = self.runs.get(key)
        if story is None:
            yield f"{Kind(e.kind).name} admitted into {key!r}, which is not open"
            return
        story.spoilt |= (line.record.partition, line.record.offset) in self.world.spoilt
        if e.kind in COMMANDS:
            yield from self._commanded(number, line, story, e)
        elif e.kind == Kind.EXPIRE:
            yield from self._expired(story)
        pair = (e.causation, e.reactor, e.generation)
        hops = 0
        if e.kind in (Kind.OUTCOME, Kind.FAILURE, Kind.LOST) and pair in story.debts and story.ended is not None:
            hops = story.debts[pair].hops + 1
        if e.kind == Kind.OUTCOME:
            yield from self._outcome(number, line, story, pair)
        elif e.kind == Kind.FAILURE:
            yield from self._failure(number, line, e, story, pair)
        elif e.kind == Kind.LOST and pair in story.debts and any(fact.id == e.id for fact in line.admitted):
            self._fail_for_good(number, line, e, story, pair)
        for fact in line.admitted:
            if fact.id in story.at:
                yield f"event {fact.id.decode()} entered the history of {key.decode()} twice"
            story.at[fact.id], story.hops[fact.offset] = fact.offset, hops
        story.touched = self.log_time
        if line.result is not Result.NONE:
            if story.ended is not None:
                yield f"{key.decode()} has two results"
            story.ended = number
        of_run = e.kind == Kind.EXPIRY and not e.causation
        if of_run or e.kind in (Kind.CANCEL, Kind.EXPIRE) or dropping(line) >= 0:
            story.drop(number)
        yield from self._note_owed(number, line, e.kind == Kind.RETRY)
        self._drop_with_the_end(line, story)
        yield from self.branching.line(number, story, line)
        yield from self._expected(number, line, story, pair)
        for closed in line.closed:
            self._close(number, closed)

    def _drop_with_the_end(self, line: Line, story: RunStory) -> None:
        """What an outcome owes that holds an End which drops: nothing up to that End."""
        last = dropping(line)
        ids = {fact.id for fact in line.admitted[: last + 1]}
        for key, debt in story.debts.items():
            if key[0] in ids and key[2] != UNDO and debt.done is None:
                debt.dropped = True

    def _started(self, number: int, key: bytes, e: Envelope) -> Iterator[str]:
        if key in self.runs:
            yield f"{key.decode()} was started while it was open"
        if partition_of(key, self.world.partitions) != self.transcript.fold.partition:
            yield f"{key.decode()} was started in a partition that is not its own"
        window = self.settings.dedup_window
        if key in self.closed and self.log_time <= self.closed[key] + window:
            yield f"{key.decode()} was started again within the dedup window"
        story = self.runs[key] = RunStory(key, e.id, number, self.log_time)
        self.stories.append(story)

    def _close(self, number: int, key: bytes) -> None:
        story = self.runs.pop(key, None)
        if story is not None:
            story.closed = number
        self.closed[key] = self.log_time

    def _commanded(self, number: int, line: Line, story: RunStory, e: Envelope) -> Iterator[str]:
        kind = Kind(e.kind).name
        if e.id in self.commands:
            yield f"{kind} {e.id.decode()} acted twice"
        self.commands[e.id] = number
        if e.kind in (Kind.SIGNAL, Kind.OWE) and story.ended is not None:
            yield f"{kind} was taken by {story.key.decode()}, which has its result"
        if e.flags & Flag.EDITED:
            for _, key in line.settled:
                story.debts[key].dropped = True
        if e.kind == Kind.RETRY:
            parked = [debt for owed in line.owed if (debt := story.debts.get(owed.key)) is not None]
            if any(debt.parked != e.causation for debt in parked):
                yield f"a retry in {story.key.decode()} acted on a step that another failure had parked"

    def _expired(self, story: RunStory) -> Iterator[str]:
        after = self.settings.expire_after
        still = [debt for debt in story.debts.values() if debt.open]
        if not after or self.log_time - story.touched < after:
            yield f"{story.key.decode()} expired before its time"
        if any(not debt.parked for debt in still):
            yield f"{story.key.decode()} expired while it had work to do"

    # ── steps ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _outcome(self, number: int, line: Line, story: RunStory, pair: PairKey) -> Iterator[str]:
        reactor = pair[1].decode()
        debt = story.debts.get(pair)
        if debt is None:
            yield f"an outcome of {reactor} was admitted that nobody owed"
            return
        if debt.done is not None:
            yield f"{reactor} of {pair[0].decode()} has two admitted outcomes"
        elif debt.dropped:
            yield f"{reactor} of {pair[0].decode()} was dropped, and yet done"
        if debt.parked:
            yield f"{reactor} of {pair[0].decode()} was done after it had failed for good"
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
        if reactor in self.world.repertoire.ordered:
            yield from self._in_order(story, pair, debt)

    def _what_it_was_given(self, debt: Debt, execution: Execution) -> Iterator[str]:
        events = (offset for offset in debt.inputs if self._type(offset) != FAILURE)
        taken = () if NOTHING in debt.types else tuple(tag_taken(self.records, offset) for offset in events)
        if execution.takes != taken:
            yield f"{execution.reactor} was given {execution.takes}, and owed for {taken}"

    def _type(self, offset: int) -> bytes:
        envelope = self.transcript.lines[offset].envelope
        return b"" if envelope is None else envelope.type

    def _in_order(self, story: RunStory, pair: PairKey, debt: Debt) -> Iterator[str]:
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
        try:
            error = system_records.FAILURE.decode(line.record.value)["error"].rpartition(".")[2]
        except UndecodableValue:
            error = "?"
        of_ours = error in OURS or (error == "UndecodableValue" and story.spoilt)
        if error == "DeadlinePassed":
            of_ours = True
            yield from self._out_of_time(debt, pair[1])
        if not of_ours and not (error == "EarlierShape" and self._of_earlier_shape(debt, pair[1])):
            yield f"{reactor} failed with {error}, which no handler raises"
        if e.flags & Flag.LAST and error == "Unlucky" and debt.failures < ATTEMPTS:
            yield f"{reactor} was given up after {debt.failures} attempts of {ATTEMPTS}"
        if debt.failures > ATTEMPTS:
            yield f"{reactor} was attempted {debt.failures} times of {ATTEMPTS}"
        if e.flags & Flag.LAST:
            self._fail_for_good(number, line, e, story, pair)

    def _out_of_time(self, debt: Debt, reactor: bytes) -> Iterator[str]:
        since, deadline = self.transcript.lines[debt.since].log_time, self.in_force[reactor].deadline
        # A worker goes by the right time, also where the log's clock is behind, for this is no rule of the fold.
        if not deadline or (self.log_time + 500 < since + deadline and not self.world.turned_back):
            yield f"{reactor.decode()} was out of time before its deadline"

    def _fail_for_good(self, number: int, line: Line, e: Envelope, story: RunStory, pair: PairKey) -> None:
        debt = story.debts[pair]
        # Asked in any case, for it notes what a branch gave.
        if self.branching.catches(story, line, pair) | any(owed.key[0] == e.id for owed in line.owed):
            debt.done = number
        else:
            debt.parked = e.id

    def _of_earlier_shape(self, debt: Debt, reactor: bytes) -> bool:
        """Whether a step is owed for something else than its reactor takes by now."""
        takes = self.in_force[reactor].takes
        return len(takes) != len(debt.types) or any(t not in names for t, names in zip(debt.types, takes, strict=True))

    # ── contracts ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _came_into_force(self, number: int, line: Line, e: Envelope) -> Iterator[str]:
        machine = self.world.wrote.get(e.append)
        by_person = machine is None or machine in self.world.clients
        if len(line.contracts) != max(e.count, 1):
            yield f"{len(line.contracts)} of {e.count} contracts of one append came into force by themselves"
        for contract in line.contracts:
            were = self.were.setdefault(contract.reactor, set())
            if contract.id in were and not getattr(machine, "take_over", False) and not by_person:
                yield f"a superseded contract of {contract.reactor.decode()} is back by itself"
            if not contract.active and not by_person:
                yield f"{contract.reactor.decode()} was retired by itself"
            if contract.state == "retired_drop":
                self._drop_of(contract)
            before = self.in_force.get(contract.reactor)
            if before is not None and (before.shape != contract.shape or not contract.active):
                self.branching.forget(contract.reactor)
        yield from self._note_owed(number, line, False)
        yield from self.branching.contracts(line)
        yield from self._begun_with(line, {c.reactor for c in line.contracts if not self.were[c.reactor]})
        for contract in line.contracts:
            self.were[contract.reactor].add(contract.id)
        for closed in line.closed:
            self._close(number, closed)

    def _drop_of(self, contract: Contract) -> None:
        for story in self.runs.values():
            for key, debt in story.debts.items():
                if key[1] == contract.reactor and debt.open:
                    debt.dropped = True
                    story.touched = self.log_time
