"""Schedules tick: whoever keeps the partition of a schedule's name writes its ticks, with no leader.

Ids of ticks derive from the schedule and the time, so that those of two keepers are one; the fold takes only newer ones.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from math import inf
from typing import TYPE_CHECKING, Final, NamedTuple

from farandole.eventstore import AppendError, EventStore, Record, SchemaUnavailable, StoreError
from farandole.reactors.scheduled import Said, Scheduled, publish, said, scheduled
from farandole.reactors.schedules import Schedule
from farandole.reactors.scheduling import tick
from farandole.reactors.shown import text
from farandole.reactors.ticking import due_of, from_ms, in_ms, next_tick, wanted
from farandole.reactors.written import size_of
from farandole.schemas import DeclarationError, FarandoleError, RegistryRefused
from farandole.schemas.catalogue import texts_in
from farandole.schemas.ids import OUTSIDE, derived_id
from farandole.schemas.kinship import scheduled_run

from .duty import RANK_WAIT, Duty, rank

if TYPE_CHECKING:
    from farandole.reactors.partition import Serving
    from farandole.reactors.scribe import Scribe

log = logging.getLogger("farandole.keeper")

ROUNDS_A_LOOK: Final = 30
"""Rounds between two looks into the catalogue."""
_AGAIN: Final = 1.0
"""Seconds until one tries again where the log could not be reached, and until a tick is written again that was not taken;
of such a one then twice as long each time."""
_MOST_AGAIN: Final = 30.0
_SOON: Final = 0.001


class _Sent(NamedTuple):
    """The last tick of a schedule that was written from here."""

    ms: int
    times: int
    again: float
    """Loop time at which it is written again, if the fold has not taken it."""


class Ticks(Duty):
    """Writes the ticks of the schedules whose partitions it keeps.

    Args:
        declared: this service's own schedules, which it brings into the catalogue.
        look: seconds between two looks into the catalogue for those of others.
    """

    def __init__(
        self, store: EventStore, scribe: "Scribe", service: str, declared: Sequence[Schedule], look: float
    ) -> None:
        self._store = store
        self._scribe = scribe
        self._service = service
        self._declared = declared
        self._look = look
        self._known: list[tuple[Scheduled, Schedule, Said]] = []
        self._looked_at: float | None = None
        self._published = False
        self._restored = asyncio.Event()
        self._failed: set[str] = set()
        self._unnumbered: set[str] = set()
        self._sent: dict[str, _Sent] = {}

    def restored(self, serving: "Serving") -> None:
        self._restored.set()

    async def run(self, partitions: "Mapping[int, Serving]") -> None:
        loop = asyncio.get_running_loop()
        while True:
            self._restored.clear()
            try:
                if not self._published:
                    await self._publish()
                if self._looked_at is None or loop.time() - self._looked_at >= self._look:
                    await self._read()
                    self._looked_at = loop.time()
                again = await self._tick(partitions)
                look = self._looked_at + self._look - loop.time()
                wait = max(min(again, look, self._until_next(partitions)), _SOON)
            except (AppendError, StoreError) as e:
                log.warning("schedules are put off: %s", e)
                wait = _AGAIN  # however long a look or a tick has been due
            try:
                async with asyncio.timeout(wait):
                    await self._restored.wait()
            except TimeoutError:
                continue

    async def _publish(self) -> None:
        now = self._scribe.now() // 1000
        changed = await publish(self._store.catalogue, self._declared, self._scribe.types, self._service, now)
        for name in changed:
            log.info("schedule '%s' is in the catalogue as it is declared here", name)
        self._published = True

    async def _read(self) -> None:
        spoken = await said(self._store.catalogue)
        self._known = []
        for name, entry in (await scheduled(self._store.catalogue)).items():
            try:
                self._known.append((entry, entry.when(), spoken.get(name, Said())))
            except DeclarationError as e:
                self._fail(name, e)

    async def _tick(self, partitions: "Mapping[int, Serving]") -> float:
        """Write the ticks that are due, and return the seconds after which those that were not taken are written again."""
        soonest = inf
        for entry, schedule, spoken in self._known:
            serving = self._kept(entry, partitions)
            if serving is None or spoken.paused:
                continue
            now = self._scribe.now() // 1000 - int(rank(serving, self._service) * RANK_WAIT * 1000)
            due = wanted(schedule, self._last(serving, entry, spoken), now)
            if not due:
                continue
            wait = self._again(entry.name, due[-1])
            if wait <= 0 and not await self._numbered(entry):
                soonest = min(soonest, _AGAIN)
                continue
            if wait <= 0 and (records := self._records(entry, due)):
                await self._store.append(serving.fold.partition, records)
                wait = self._sends(entry.name, due[-1])
            soonest = min(soonest, wait if wait > 0 else self._look)
        return soonest

    async def _numbered(self, entry: Scheduled) -> bool:
        """Whether what a schedule starts with can be written; what a registry has to say first keeps no other waiting."""
        if entry.sealed or not self._store.lacks((entry.schema,)):
            return True
        try:
            known = texts_in(await self._store.catalogue.load())
            await self._store.introduce([known[entry.schema]] if entry.schema in known else [])
        except SchemaUnavailable as e:
            if entry.name not in self._unnumbered:
                self._unnumbered.add(entry.name)
                log.warning("schedule '%s' is put off: %s", entry.name, e)
            return False
        except RegistryRefused as e:
            self._fail(entry.name, e)
            return False
        self._unnumbered.discard(entry.name)
        return True

    def _again(self, name: str, ms: int) -> float:
        """Seconds until a tick may be written again that the fold has not taken; 0: at once, for it is the first time."""
        sent = self._sent.get(name)
        return 0.0 if sent is None or sent.ms != ms else sent.again - asyncio.get_running_loop().time()

    def _sends(self, name: str, ms: int) -> float:
        """Note that a tick is written, and return the seconds until it is written again if the fold does not take it."""
        sent = self._sent.get(name)
        times = sent.times + 1 if sent is not None and sent.ms == ms else 0
        wait = min(_AGAIN * float(1 << min(times, 6)), _MOST_AGAIN)
        self._sent[name] = _Sent(ms, times, asyncio.get_running_loop().time() + wait)
        return wait

    def _records(self, entry: Scheduled, due: Sequence[int]) -> Sequence[Record]:
        """The records of ticks; none, if they cannot be written here."""
        try:
            records = [self._record(entry, ms) for ms in due]
        except FarandoleError as e:
            self._fail(entry.name, e)
            return ()
        if any(size_of(record) > self._store.max_record_bytes for record in records):
            self._fail(entry.name, FarandoleError("its start is larger than the log takes"))
            return ()
        return records

    def _record(self, entry: Scheduled, ms: int) -> Record:
        scribe, name = self._scribe, entry.name.encode()
        id = OUTSIDE + derived_id(name, b"tick", b"", ms)
        value, flags = entry.value_for(scribe.types, text(scheduled_run(name, ms)), text(id))
        return tick(scribe.source, scribe.new_name(), scribe.now(), entry, ms, id, value, flags)

    def _kept(self, entry: Scheduled, partitions: "Mapping[int, Serving]") -> "Serving | None":
        """The partition of a schedule's name, if it is kept here and this process can open what it starts with."""
        if entry.sealed and (self._scribe.types.codec is None or entry.service != self._service):
            return None
        serving = partitions.get(self._store.partition_of(entry.name.encode()))
        if serving is None or not serving.active or not serving.restored or serving.stopped is not None:
            return None
        return serving

    @staticmethod
    def _last(serving: "Serving", entry: Scheduled, spoken: Said) -> int:
        """The tick, or the time, after which ticks are wanted."""
        schedule = serving.fold.schedules.get(entry.name.encode())
        return max(schedule.last if schedule is not None else -1, entry.since, spoken.at)

    def _until_next(self, partitions: "Mapping[int, Serving]") -> float:
        """Seconds until the next tick of a schedule that is kept here."""
        now = self._scribe.now() // 1000
        soonest = self._look
        for entry, schedule, spoken in self._known:
            serving = self._kept(entry, partitions)
            if serving is None or spoken.paused or entry.name in self._failed | self._unnumbered:
                continue
            sent = self._sent.get(entry.name)
            after = max(self._last(serving, entry, spoken), -1 if sent is None else sent.ms)
            following = next_tick(schedule, from_ms(after))
            if following is not None:
                wait = rank(serving, self._service) * RANK_WAIT
                soonest = min(soonest, max((in_ms(due_of(schedule, following)) - now) / 1000 + wait, _SOON))
        return soonest

    def _fail(self, name: str, why: Exception) -> None:
        """Say once that a schedule cannot tick."""
        if name not in self._failed:
            self._failed.add(name)
            log.error("schedule '%s' does not tick: %s", name, why)
