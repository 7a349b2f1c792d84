"""A handle on a log in SQLite."""

import asyncio
import os
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final, TypeVar

from farandole.eventstore.clock import Clock
from farandole.eventstore.contract import Ends, EventStore, Record, Stored
from farandole.eventstore.errors import NotAppended, PositionLost, StoreClosed, StoreMisconfigured
from farandole.eventstore.rejection import rejected_headers
from farandole.eventstore.sizes import MAX_RECORD_BYTES, check_partition, check_sizes

from .committer import Committer
from .connection import Connection
from .failures import not_read, not_written
from .lease import Group
from .live import SqliteLive
from .log import Batch, End, LogReader, LogWriter, NewBatch, Placed
from .ownership import SqliteMember
from .reader import SqliteReader, stored
from .schema import LogRow, find_log, make_log
from .settings import Settings, read_url
from .tables import SqliteTable, add_rejected, load_rejected
from .tail import Tail

T = TypeVar("T")
_PAGE: Final = 500


async def open_sqlite(url: str, choreography: str, *, create: bool, partitions: int, clock: Clock) -> "SqliteStore":
    """Open or make the log of a choreography in an SQLite file.

    Raises:
        StoreMisconfigured: the URL or the file is wrong, or the log is not there, or has another size.
        StoreUnavailable: the file is locked, or the disk fails.
    """
    settings = read_url(url)
    writing, reading = (ThreadPoolExecutor(1, f"farandole-sqlite-{what}") for what in ("write", "read"))
    try:
        writer, reader, log = await asyncio.get_running_loop().run_in_executor(
            writing, _open, settings, choreography, create, partitions
        )
    except BaseException:
        writing.shutdown(wait=False)
        reading.shutdown(wait=False)
        raise
    return SqliteStore(settings, choreography, log, clock, (writing, writer), (reading, reader))


def _open(
    settings: Settings, choreography: str, create: bool, partitions: int
) -> tuple[Connection, Connection, LogRow]:
    writer = Connection(settings, create=create)
    try:
        log = writer.run(lambda sqlite: find_log(sqlite, choreography))
        if log is None and create:
            writer.run(lambda sqlite: make_log(sqlite, choreography, partitions))
            log = writer.run(lambda sqlite: find_log(sqlite, choreography))
        if log is None:
            raise StoreMisconfigured(
                f"{settings.path} holds no choreography {choreography!r}; connect with create=True to make it"
            )
        if create and log.partitions != partitions:
            raise StoreMisconfigured(
                f"the log of {choreography!r} in {settings.path} has {log.partitions} partitions, not {partitions}; the "
                f"number is fixed when a log is made. Say partitions={log.partitions}, or use another file"
            )
        return writer, Connection(settings, create=False), log
    except sqlite3.Error as e:
        writer.close()
        raise not_read(e, settings.path, settings.patience) from e
    except BaseException:
        writer.close()
        raise


class SqliteStore(EventStore):
    """One choreography's log in an SQLite file, in WAL mode. Several processes of one machine may use the file.

    One thread writes and one reads, each with its own connection. A handle belongs to the event loop and the process
    that opened it: after a fork the child opens its own.
    """

    def __init__(
        self,
        settings: Settings,
        choreography: str,
        log: LogRow,
        clock: Clock,
        writing: tuple[ThreadPoolExecutor, Connection],
        reading: tuple[ThreadPoolExecutor, Connection],
        max_record_bytes: int = MAX_RECORD_BYTES,
    ) -> None:
        clock.now()  # a clock of the event loop learns here which loop, before threads ask it
        self.url = settings.url
        self.partitions = log.partitions
        self.max_record_bytes = max_record_bytes
        self.settings = settings
        self.clock = clock
        self.joined: set[SqliteMember] = set()
        self._choreography = choreography
        self._log = log
        self._writing, self._writer = writing
        self._reading, self._reader = reading
        self._log_writer = LogWriter(self._writer, log.id, clock.now)
        self._log_reader = LogReader(self._reader, log.id, log.partitions)
        self.tail = Tail(log.partitions, self._news)
        self._committer = Committer(self._writing, self._commit, self.tail)
        self._loop = asyncio.get_running_loop()
        self._process = os.getpid()
        self._closing: asyncio.Task[None] | None = None
        self.catalogue_table = self._table("catalogue")
        self.checkpoints_table = self._table("checkpoints")
        self._live = SqliteLive(settings.path, choreography, log.partitions, clock, max_record_bytes, self.check_open)

    def __repr__(self) -> str:
        return f"<SqliteStore {self.url} {self._choreography}>"

    def check_open(self) -> None:
        """Refuse what is asked of a closed store, or of one that was opened before a fork.

        Raises:
            StoreClosed: it was closed.
            StoreMisconfigured: it belongs to the parent process.
        """
        if self._closing is not None:
            raise StoreClosed(f"the store of {self._choreography!r} was closed; connect again to use it")
        if os.getpid() != self._process:
            raise StoreMisconfigured("this store was opened before the process was forked; connect again in the child")

    async def append(self, partition: int, records: Sequence[Record]) -> int:
        self.check_open()
        check_partition(partition, self.partitions)
        check_sizes(records, self.max_record_bytes)
        return await self._committer.append(partition, records)

    async def ends(self, partitions: Iterable[int]) -> Mapping[int, Ends]:
        wanted = list(partitions)
        for partition in wanted:
            check_partition(partition, self.partitions)
        return await self._read(partial(self._log_reader.ends, wanted))

    async def fetch(self, partition: int, offsets: Sequence[int]) -> list[Stored]:
        check_partition(partition, self.partitions)
        batches = await self._read(partial(self._log_reader.holding, partition, offsets))
        wanted = set(offsets)
        found = [r for b in batches for r in stored(partition, b, b.first) if r.offset in wanted]
        if len(found) != len(wanted):
            missing = sorted(wanted - {r.offset for r in found})
            raise PositionLost(
                f"partition {partition} does not hold offsets {missing[:20]}: this is another log, or it was cut off. "
                "Restore from the start"
            )
        return found

    async def truncate(self, partition: int, before: int) -> None:
        self.check_open()
        check_partition(partition, self.partitions)
        try:
            await self._loop.run_in_executor(self._writing, self._log_writer.truncate, partition, before)
        except sqlite3.Error as e:
            raise not_read(e, self.settings.path, self.settings.patience) from e
        self.tail.truncated(partition)

    def reader(self) -> SqliteReader:
        self.check_open()
        return SqliteReader(self)

    def own(self, service: str, member: str | None = None) -> SqliteMember:
        return SqliteMember(self, self._log.id, service, member)

    async def members(self, service: str) -> frozenset[str]:
        view = await self.look(Group(self._log.id, service, self.partitions).view)
        return view.alive(self.clock.now())

    async def reject(self, record: Stored, reason: str) -> None:
        headers = rejected_headers(record, reason, f"{self._choreography}.events")
        copy = Record(record.key, record.value, headers)
        await self._put(partial(add_rejected, self._log.id, record.partition, record.offset, self.clock.now(), copy))

    async def rejected(self) -> AsyncIterator[Stored]:
        after = 0
        while page := await self.look(partial(load_rejected, self._log.id, after, _PAGE)):
            for record in page:
                yield record
            after = page[-1].offset

    @property
    def catalogue(self) -> SqliteTable:
        return self.catalogue_table

    @property
    def checkpoints(self) -> SqliteTable:
        return self.checkpoints_table

    @property
    def live(self) -> SqliteLive:
        return self._live

    async def now(self) -> int:
        self.check_open()
        return self.clock.now()

    async def close(self) -> None:
        if os.getpid() != self._process:
            return
        if self._closing is None:
            self._closing = self._loop.create_task(self._close())
        await asyncio.shield(self._closing)

    async def _close(self) -> None:
        for member in list(self.joined):
            await member.leave(StoreClosed("the store of this member was closed"))
        await self._committer.drain()
        await self.tail.close()
        await self._live.close()
        for thread, connection in ((self._reading, self._reader), (self._writing, self._writer)):
            await self._loop.run_in_executor(thread, connection.close)
            thread.shutdown(wait=False)

    # The parts of a store reach its threads through the methods below, and only so.

    async def read_batches(self, positions: Mapping[int, int]) -> Mapping[int, list[Batch]]:
        """For each partition some batches, from the one that holds the position on."""
        return await self._read(partial(self._log_reader.read, positions))

    async def look(self, action: Callable[[sqlite3.Connection], T]) -> T:
        """Run something that only reads."""
        return await self._read(partial(self._reader.run, action))

    async def write(self, action: Callable[[sqlite3.Connection], T]) -> T:
        """Run something in a transaction, even while the store is being closed.

        Raises:
            AppendError: it failed.
        """
        work = partial(self._told_write, partial(self._writer.transaction, action))
        return await self._loop.run_in_executor(self._writing, work)

    async def transact(self, action: Callable[[sqlite3.Connection], T]) -> T:
        """Run something in a transaction.

        Raises:
            AppendError: it failed.
            StoreClosed: the store was closed.
        """
        self.check_open()
        return await self.write(action)

    async def _put(self, action: Callable[[sqlite3.Connection], None]) -> None:
        await self.transact(action)

    async def _news(self) -> Mapping[int, End] | None:
        return await self._read(self._log_reader.news)

    async def _read(self, action: Callable[[], T]) -> T:
        self.check_open()
        try:
            return await self._loop.run_in_executor(self._reading, action)
        except sqlite3.Error as e:
            raise not_read(e, self.settings.path, self.settings.patience) from e

    def _commit(self, batches: Sequence[NewBatch]) -> Mapping[int, Placed]:
        return self._told_write(partial(self._log_writer.commit, batches))

    def _told_write(self, action: Callable[[], T]) -> T:
        try:
            return action()
        except sqlite3.Error as e:
            raise not_written(e, self.settings.path, self.settings.patience) from e
        except StoreMisconfigured as e:
            raise NotAppended(f"nothing was appended: {e}") from e

    def _table(self, tab: str) -> SqliteTable:
        return SqliteTable(self._log.id, tab, self.max_record_bytes, self.look, self._put)
