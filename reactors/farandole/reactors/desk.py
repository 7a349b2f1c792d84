"""What a handler at work writes down besides its outcome: results of sub-steps, and how far it has come."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from farandole.eventstore import Record, Stored, TooLarge
from farandole.projections.fold import Verdict
from farandole.schemas import EncodingError, UndecodableValue, system_records
from farandole.schemas.envelope import Flag, Kind, unpack
from farandole.schemas.usage import usage_in_json

from .about import of_work
from .outbox import Outbox
from .reading import context_of
from .scribe import Scribe
from .stats import UsageStats
from .written import size_of

if TYPE_CHECKING:
    from .arguments.events import EventReader
    from .dispatch import Work

log = logging.getLogger("farandole.step")

_CODED = int(Flag.CODED)


class TooLargeResult(UndecodableValue):
    """The result of a sub-step is larger than the log takes. No further attempt helps."""


class Desk:
    """Writes for the steps of one worker.

    Args:
        most: bytes of a record that the log takes.
        usage: counts what sub-steps used.
    """

    def __init__(self, scribe: Scribe, outbox: Outbox, reader: "EventReader", most: int, usage: UsageStats) -> None:
        self._usage = usage
        self._scribe = scribe
        self._outbox = outbox
        self._reader = reader
        self._most = most

    async def substep(self, work: "Work", name: bytes, result: str) -> Verdict:
        """Write the result of a sub-step, and wait for what the fold makes of it.

        Raises:
            TooLargeResult: the log takes no record of this size.
            EncodingError: the payload codec failed.
            PartitionDropped: the answer cannot be learned here.
        """
        record = self._scribe.of_step(Kind.SUBSTEP, work.run.id, work.pair, {"result": result}, extra=name)
        where = f"{work.reactor.where}: sub-step '{name.decode()}'"
        if size_of(record) > self._most:
            raise TooLargeResult(
                f"{where} returned {size_of(record)} bytes, more than the log takes ({self._most}); keep large content "
                "elsewhere and return where it is"
            )
        answer = work.serving.await_verdict(unpack(record.headers).append)

        def refused(error: TooLarge) -> None:
            if not answer.done():
                answer.set_exception(TooLargeResult(f"{where}: {error}"))

        self._put(work, record, refused)
        _, verdict = await answer
        if verdict is Verdict.ADMITTED:
            self._usage.add(usage_in_json(result), work.reactor.name)
        return verdict

    async def result(self, work: "Work", offset: int) -> str:
        """The recorded result of a sub-step, as JSON.

        Raises:
            UndecodableValue: it cannot be read here.
            StoreError: it cannot be read now.
        """
        records: Sequence[Stored] = await self._reader.records(work.serving.fold.partition, (offset,))
        (record,) = records
        e, value = unpack(record.headers), record.value
        if value is not None and e.flags & _CODED:
            value = self._reader.types.unseal(value, context_of(self._reader.types, record, e))
        return str(system_records.SUBSTEP.decode(value)["result"])

    def progress(self, work: "Work", done: float, note: str) -> None:
        """Say how far a step has come; it may be lost."""
        try:
            record = self._scribe.of_step(Kind.PROGRESS, work.run.id, work.pair, {"done": done, "note": note})
        except EncodingError as e:
            log.warning("%s: its progress is not told: %s", work.reactor.where, e, extra=of_work(work))
            return
        if size_of(record) <= self._most:
            self._put(work, record, lambda error: None)

    def _put(self, work: "Work", record: Record, refused: Callable[[TooLarge], None]) -> None:
        self._outbox.put(work.serving.fold.partition, (record,), size_of(record), refused)


class Report:
    """Tells how far one attempt has come: not before it has worked for a second, and every five seconds at most.

    What is said in between waits, and the newest of it is told when it is time. It may be called in any thread.
    """

    __slots__ = ("_desk", "_loop", "_newest", "_next", "_timer", "_work")

    def __init__(self, desk: Desk, work: "Work") -> None:
        self._desk = desk
        self._work = work
        self._loop = asyncio.get_running_loop()
        self._next = self._loop.time() + _FIRST
        self._newest: tuple[float, str] | None = None
        self._timer: asyncio.TimerHandle | None = None

    def __call__(self, done: float, note: str) -> None:
        self._loop.call_soon_threadsafe(self._say, done, note)

    def _say(self, done: float, note: str) -> None:
        self._newest = (done, note)
        if self._timer is None:
            self._timer = self._loop.call_at(max(self._next, self._loop.time()), self._tell)

    def _tell(self) -> None:
        self._timer = None
        newest, self._newest = self._newest, None
        if newest is not None and self._work.owed:
            self._next = self._loop.time() + _EVERY
            self._desk.progress(self._work, *newest)


_FIRST, _EVERY = 1.0, 5.0
"""Seconds."""
