"""The projector: follows a log, and keeps the tables of its runs.

Reading and folding go on while a thread writes what was folded before; what is folded meanwhile is written together. A
batch is written once, with its positions. What the projector knows it can lose at any moment: it begins with what the
tables say, folds up to there from the newest checkpoint, and compares the digest before it writes anything.
"""

import asyncio
import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final, TypeVar

from farandole.eventstore import EventStore, PartitionCorrupt, PositionLost, Reader, Stored, StoreUnavailable
from farandole.projections.checkpoints import Checkpoints
from farandole.projections.fold import UnknownFoldVersion
from farandole.projections.sql import Database, DatabaseUnavailable, Overtaken, Place
from farandole.schemas import PayloadCodec

from .batch import Batch
from .payloads import Payloads
from .retention import cut_for, retire
from .rows import Rows
from .starting import TURN, Start, place_of
from .tablespace import RunTables

log = logging.getLogger("farandole.projector")

_T = TypeVar("_T")
_RETRY: Final = 1.0
_SLOWEST: Final = 30.0
_LOOK: Final = 0.5
_MINUTE: Final = 60_000


@dataclass(frozen=True, slots=True)
class Pace:
    """How a projector goes about it.

    Attributes:
        most: records that are written together at most.
        wait: seconds for which a read waits for news.
        patience: seconds after which a projector that stands by takes over from one that writes nothing.
    """

    most: int = 5_000
    wait: float = 0.5
    patience: float = 10.0


PACE: Final = Pace()


@dataclass
class _Pending:
    """What was folded, and is not written yet."""

    batch: Batch = field(default_factory=Batch)
    before: dict[int, Place] = field(default_factory=dict)
    records: int = 0


class Projector:
    """Keeps the tables of one log.

    Args:
        store: the log.
        database: where the tables are.
        choreography: its name.
        codec: what values went through on their way to the log.
        pace: see `Pace`.
        keep: milliseconds of log time for which closed runs stay in the tables; None: for ever.
        partitions: those that it projects; by default all.
    """

    def __init__(
        self,
        store: EventStore,
        database: Database,
        choreography: str,
        *,
        codec: PayloadCodec | None = None,
        pace: Pace = PACE,
        keep: int | None = None,
        partitions: Collection[int] | None = None,
    ) -> None:
        self.tables = RunTables(database, choreography)
        self.places: dict[int, Place] = {}
        """Up to where the tables are true, as far as this projector knows: by what it wrote, or saw while it stood by."""
        self.written: Callable[[Batch], None] = lambda batch: None
        """Told of each batch that was written."""
        self._store = store
        self._codec = codec
        self._pace = pace
        self._checkpoints = Checkpoints(store)
        self._payloads = Payloads(choreography, codec)
        self._unknown: set[bytes] = set()
        self._rows: dict[int, Rows] = {}
        self._stopped: dict[int, Exception] = {}
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="farandole-projector")
        self._writing: asyncio.Task[None] | None = None
        self._pending = _Pending()
        self._made = self._named = False
        self._keep = keep
        self._partitions = range(store.partitions) if partitions is None else partitions
        self._retired = 0
        self._trouble: str | None = None

    @property
    def stopped(self) -> Mapping[int, Exception]:
        """Partitions that are projected no further, and why: damaged, or by rules of a newer release."""
        return dict(self._stopped)

    @property
    def trouble(self) -> str | None:
        """What keeps the tables from going on, all of them or some partitions; None: nothing that is known here."""
        if self._trouble is not None:
            return self._trouble
        return (
            "; ".join(f"partition {p} is projected no further: {e}" for p, e in sorted(self._stopped.items())) or None
        )

    def tell_trouble(self, why: str) -> None:
        """Whoever runs it says why it is not at work; it holds until it is again."""
        self._trouble = why

    async def run(self) -> None:
        """Keep the tables, until cancelled.

        Raises:
            DatabaseMisconfigured: the tables are not of this log, or of another release.
            StoreMisconfigured: the log cannot be read from where the tables are.
        """
        try:
            while True:
                try:
                    try:
                        await self._follow(None)
                    except Overtaken as e:
                        await self._stand_by(e)
                except PositionLost as e:
                    log.warning(
                        "the log is not the one that was read so far; beginning from what the tables say: %s", e
                    )
                except (DatabaseUnavailable, StoreUnavailable) as e:
                    self._trouble = str(e)
                    log.warning("the projector begins anew in %g s: %s", _RETRY, e)
                    await asyncio.sleep(_RETRY)
        finally:
            await self._drop()

    async def catch_up(self, to: Mapping[int, int] | None = None) -> None:
        """Bring the tables up to these positions, by default to the ends that the log has now.

        Raises:
            Overtaken: another projector keeps them.
            DatabaseError, StoreError: one of the two is not as it must be.
        """
        if to is None:
            to = {p: end.next for p, end in (await self._store.ends(self._partitions)).items()}
        try:
            await self._follow(to)
        finally:
            await self._drop()

    async def close(self) -> None:
        """Let go of the thread."""
        self._thread.shutdown(wait=False)

    # ── beginning ────────────────────────────────────────────────────────────────────────────────────────────────────

    async def make(self, *, bare: bool = False) -> None:
        """Make the tables, or bring them up to date. `run` and `catch_up` do so by themselves.

        Args:
            bare: without what only helps to find rows.
        """
        await self._call(lambda: self.tables.make(self._store.partitions, bare=bare))
        self._made = True

    async def _begin(self) -> None:
        """Fold each partition up to where the tables are."""
        if not self._made:
            await self.make()
        self._payloads.learn(await self._store.catalogue.load())
        start = Start(self._store, self._partitions, self.tables, self._checkpoints, self._call, self._pace.wait)
        found = await start.begin()
        self._stopped.clear()
        self.places = {p: place for p, (_, place, _) in found.items()}
        self._rows = {p: Rows(fold, self._payloads, begins) for p, (fold, _, begins) in found.items()}
        self._named = False
        self._trouble = None

    # ── following ────────────────────────────────────────────────────────────────────────────────────────────────────

    async def _follow(self, to: Mapping[int, int] | None) -> None:
        await self._drop()
        await self._begin()
        reader, reading = self._store.reader(), True
        try:
            self._watch(reader, to)
            while to is None or any(self._short_of(reader, p, end) for p, end in to.items()):
                self._check_writing()
                try:
                    batches = await reader.read(wait=self._pace.wait)
                    if not reading:
                        reading, self._trouble = True, None
                except StoreUnavailable as e:
                    if to is not None:
                        raise
                    reading, self._trouble = False, f"the log cannot be read: {e}"
                    log.warning("the log cannot be read, trying again: %s", e)
                    await asyncio.sleep(_RETRY)
                    continue
                except PartitionCorrupt as e:
                    self._stop(e.partition, e, to)
                    self._watch(reader, to)
                    continue
                for records in batches:
                    await self._take(records, to)
                    if any(p in self._stopped for p in reader.positions):
                        self._watch(reader, to)
                self._check_writing()
                if self._pending.records and self._writing is None:
                    self._write()
            await self._flush()
        finally:
            await reader.close()

    def _watch(self, reader: Reader, to: Mapping[int, int] | None) -> None:
        reader.follow(
            {
                p: rows.fold.position
                for p, rows in self._rows.items()
                if p not in self._stopped and (to is None or rows.fold.position < to.get(p, 0))
            }
        )

    def _short_of(self, reader: Reader, partition: int, end: int) -> bool:
        """Whether a partition is not read up to there; what stands at its end may hold no record."""
        if (error := self._stopped.get(partition)) is not None:
            raise error
        return max(self._rows[partition].fold.position, reader.positions.get(partition, 0)) < end

    def _stop(self, partition: int, error: Exception, to: Mapping[int, int] | None) -> None:
        if to is not None:
            raise error
        log.error("partition %d is projected no further: %s", partition, error, extra={"partition": partition})
        self._stopped[partition] = error

    async def _take(self, records: Sequence[Stored], to: Mapping[int, int] | None) -> None:
        """Fold some records of one partition, and gather what they change."""
        partition = records[0].partition
        rows, end = self._rows[partition], None if to is None else to.get(partition, 0)
        fold = rows.fold
        for number, record in enumerate(records, 1):
            if record.offset < fold.position:
                continue
            if end is not None and record.offset >= end:
                return
            if (unknown := self._payloads.lacks(record)) is not None and unknown not in self._unknown:
                self._unknown.add(unknown)
                self._payloads.learn(await self._store.catalogue.load())
            pending = self._pending
            if partition not in pending.before:
                pending.before[partition] = place_of(fold) if fold.position else self.places[partition]
            try:
                rows.take(record, pending.batch)
            except UnknownFoldVersion as e:
                self._stop(partition, e, to)
                return
            pending.records += 1
            if pending.records >= self._pace.most:
                await self._flush(wait=False)
            elif number % TURN == 0:
                await asyncio.sleep(0)

    # ── writing ──────────────────────────────────────────────────────────────────────────────────────────────────────

    async def _flush(self, *, wait: bool = True) -> None:
        """Have what is pending written, once what was written before is."""
        if self._writing is not None:
            await self._writing
            self._writing = None
        if self._pending.records:
            self._write()
            if wait and self._writing is not None:
                await self._writing
                self._writing = None

    def _check_writing(self) -> None:
        if self._writing is not None and self._writing.done():
            self._writing.result()
            self._writing = None

    def _write(self) -> None:
        pending, self._pending = self._pending, _Pending()
        for partition in pending.before:
            self._rows[partition].settle(pending.batch)
        after = {p: place_of(self._rows[p].fold) for p in pending.before}
        self._writing = asyncio.create_task(self._written(pending, after))

    async def _written(self, pending: _Pending, after: Mapping[int, Place]) -> None:
        delay, refused = _RETRY / 4, False
        while True:
            try:
                await self._call(lambda: self.tables.write(pending.before, after, pending.batch))
                if refused:
                    self._trouble = None
                break
            except DatabaseUnavailable as e:
                refused, self._trouble = True, f"the database did not take what was to be written: {e}"
                log.warning("the database did not take what was to be written, trying again: %s", e)
                await asyncio.sleep(delay)
                delay = min(delay * 2, _SLOWEST)
        self.places.update(after)
        if not self._named and (log_id := next((r.fold.log_id for r in self._rows.values() if r.fold.log_id), None)):
            await self._call(lambda: self.tables.name(log_id))
            self._named = True
        if self._keep is not None:
            await self._retire(self._keep)
        self.written(pending.batch)

    async def _retire(self, keep: int) -> None:
        """Take out what is long over, now and then."""
        now = max(place.log_time for place in self.places.values())
        if now - self._retired < max(keep // 100, _MINUTE):
            return
        self._retired = now
        try:
            before = await self._call(lambda: cut_for(self.tables, keep))
            if gone := await self._call(lambda: retire(self.tables, before)):
                log.info("%d closed runs have left the tables", gone)
        except DatabaseUnavailable as e:
            log.warning("what is long over stays in the tables for now: %s", e)

    async def _drop(self) -> None:
        """What is not written yet is not needed: it follows from the log."""
        writing, self._writing, self._pending = self._writing, None, _Pending()
        if writing is not None:
            writing.cancel()
            await asyncio.gather(writing, return_exceptions=True)

    async def _stand_by(self, why: Overtaken) -> None:
        """Another one writes: wait until it is silent though the log goes on. Tables that were set back are our own."""
        log.info("another projector keeps the tables, or they were made anew: %s", why)
        loop = asyncio.get_running_loop()
        seen, behind_since = await self._call(self.tables.places), None
        if any(place.position < self.places[p].position for p, place in seen.items() if p in self.places):
            return
        while True:
            await asyncio.sleep(min(_LOOK, self._pace.patience / 4))
            places = self.places = await self._call(self.tables.places)
            ends = await self._store.ends(self._partitions)
            behind = any(places[p].position < end.next for p, end in ends.items() if p in places)
            if places != seen or not behind:
                seen, behind_since = places, None
            elif behind_since is None:
                behind_since = loop.time()
            elif loop.time() - behind_since >= self._pace.patience:
                log.warning("the other projector has written nothing for %g s; taking over", self._pace.patience)
                return

    async def _call(self, work: Callable[[], _T]) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)
