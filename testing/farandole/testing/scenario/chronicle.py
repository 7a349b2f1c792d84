"""What happened in a scenario: every record of every run, in the order in which the logs were folded."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from farandole.eventstore import Stored
from farandole.projections.fold import Applied, Decision, Fact, Run, Timer, Verdict
from farandole.reactors.reading import edited_by
from farandole.reactors.shown import text
from farandole.schemas import Event, UndecodableValue, system_records
from farandole.schemas.envelope import Envelope, Flag, Kind

from .kin import births, news
from .log import SOURCE, Log
from .questions import question

_COMMANDS = {
    Kind.CANCEL: system_records.CANCEL,
    Kind.PAUSE: system_records.PAUSE,
    Kind.RESUME: system_records.RESUME,
    Kind.RETRY: system_records.RETRY,
}


@dataclass(slots=True)
class Line:
    """One record of a run, and what the fold made of it."""

    log: Log
    record: Stored
    envelope: Envelope
    verdict: Verdict
    facts: Sequence[Fact]
    """What entered the history with it."""
    events: list[Event | str] = field(default_factory=list)
    """The same, read; an event that cannot be read here is told of instead."""
    timers: Sequence[tuple[str, int]] = ()
    """Types of the timers that it set, and when each is due."""
    asked: Sequence[tuple[str, int]] = ()
    """What it asks people, in words, each time with when that is over, or 0."""
    born: Sequence[str] = ()
    """The child runs that it starts, in words."""
    said: Mapping[str, Any] = field(default_factory=dict)
    """The content of a failure or a command; of an answer that decides nothing yet, the answer."""

    @property
    def run_id(self) -> str:
        return text(self.record.key or b"")

    @property
    def by_the_test(self) -> bool:
        """Whether the test wrote it, and nobody at work."""
        return self.envelope.source == f"/{self.log.name}/{SOURCE}".encode()


class Chronicle:
    """Takes note of all that the logs of a scenario hold.

    Args:
        noted: called for each record.
    """

    def __init__(self, noted: Callable[[], None]) -> None:
        self.lines: list[Line] = []
        self.since = 0
        """The number of the first line that counts: what came before is known."""
        self._noted = noted
        self._read = 0
        self._records: dict[tuple[str, int, int], Stored] = {}
        self._runs: dict[tuple[str, str], Run] = {}

    def follow(self, log: Log) -> None:
        """Listen to a log, from now on."""
        log.client.follower.listener = lambda record, out: self._note(log, record, out)

    def run(self, log: Log, run_id: str) -> Run | None:
        """A run as it is now, or as it was when it was closed."""
        return self._runs.get((log.name, run_id))

    @property
    def runs(self) -> Sequence[tuple[str, str]]:
        """Choreographies and ids of all runs there were."""
        return tuple(self._runs)

    async def catch_up(self) -> None:
        """Read what was noted since the last time."""
        while self._read < len(self.lines):
            line = self.lines[self._read]
            self._read += 1
            if line.envelope.kind in (Kind.FAILURE, Kind.LOST):
                line.said = line.log.client.failure(line.record)
            elif line.envelope.kind == Kind.RETRY and line.envelope.flags & Flag.EDITED:
                by, why = edited_by(line.envelope)
                line.said = {
                    "reason": why,
                    "by": by,
                    "edit": await self._decoded(line.log, line.record, line.envelope.type),
                }
            elif line.envelope.kind in _COMMANDS:
                line.said = _COMMANDS[Kind(line.envelope.kind)].decode(line.record.value or b"")
            elif line.envelope.kind == Kind.ANSWER and not line.facts:
                line.said = {"vote": await self._decoded(line.log, line.record, line.envelope.type)}
            else:
                line.events = [await self._event(line, fact) for fact in line.facts]

    def _note(self, log: Log, record: Stored, out: Applied) -> None:
        self._noted()
        if out.envelope is None or record.key is None:
            return
        if out.run is not None:
            self._runs[log.name, text(record.key)] = out.run
        self._records[log.name, record.partition, record.offset] = record
        line = Line(log, record, out.envelope, Verdict(out.verdict), tuple(out.admitted))
        timers = [timer for _, timer in out.armed if isinstance(timer, Timer)]
        line.timers = [(text(timer.type), timer.due) for timer in timers if not timer.decision]
        asked = out.more.asked if out.more is not None else ()
        line.asked = [(self._question(log, record, d), d.otherwise.due if d.otherwise else 0) for d in asked]
        if line.envelope.kind == Kind.OUTCOME:
            line.born = births(out)
        self.lines.append(line)

    def _question(self, log: Log, last: Stored, decision: Decision) -> str:
        """A decision in words.

        Args:
            last: the record with which its outcome was whole.
        """
        return question(log.client.scribe.types, self._records[log.name, last.partition, decision.offset], decision)

    async def _event(self, line: Line, fact: Fact) -> Event | str:
        if (told := news(line.envelope, line.record, fact.type)) is not None:
            return told
        record = self._records[line.log.name, line.record.partition, fact.offset]
        return await self._decoded(line.log, record, fact.type)

    async def _decoded(self, log: Log, record: Stored, type: bytes) -> Event | str:
        try:
            return await log.client.decode(record)
        except UndecodableValue as e:
            return f"{text(type)} ({e})"
