"""What steps say while they are at work, in a file beside the log's: ``orders.db-live`` beside ``orders.db``.

It is a file of its own so that a token written there never waits for the log's write lock, nor the log for it; and it
is not synced, for nothing in it must survive a loss of power. It is made when somebody first speaks or listens, and may
be deleted while nobody works with it.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Final, TypeVar

from farandole.eventstore.bell import Bell
from farandole.eventstore.clock import Clock
from farandole.eventstore.contract import LIVE_KEPT, Live, Reader, Record, Stored
from farandole.eventstore.errors import StoreClosed
from farandole.eventstore.sizes import check_partition, check_sizes

from .failures import not_read, not_written
from .packing import pack, unpack

T = TypeVar("T")
_PATIENCE: Final = 2.0
_SWEEP: Final = 60_000
"""Milliseconds between two deletions of what is too old."""
_SWEPT: Final = "DELETE FROM said WHERE time < ?"
_PAGE: Final = 500
_LOOK: Final = 0.03
"""Seconds between two looks for what other processes say."""
_TABLE: Final = """
CREATE TABLE IF NOT EXISTS said (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    choreography TEXT NOT NULL,
    partition INTEGER NOT NULL,
    time INTEGER NOT NULL,  -- milliseconds since 1970 UTC
    record BLOB NOT NULL,   -- see farandole.eventstore.sqlite.packing
    UNIQUE (choreography, partition, id)
) STRICT
"""


class SqliteLive(Live):
    """A handle on the file. One thread of its own reads and writes.

    Args:
        path: the log's file.
        check_open: refuses what is asked of a closed store.
    """

    def __init__(
        self, path: Path, choreography: str, partitions: int, clock: Clock, most: int, check_open: Callable[[], None]
    ) -> None:
        self.bell = Bell()
        self.appends = 0
        """Of this handle, which its own connection does not see as changes of the file."""
        self.partitions = partitions
        self.check_open = check_open
        self._path = path.with_name(f"{path.name}-live")
        self._choreography = choreography
        self._clock = clock
        self._most = most
        self._thread: ThreadPoolExecutor | None = None
        self._sqlite: sqlite3.Connection | None = None
        self._swept = 0

    async def append(self, partition: int, records: Sequence[Record]) -> None:
        self.check_open()
        check_partition(partition, self.partitions)
        check_sizes(records, self._most)
        now = self._clock.now()
        rows = [(self._choreography, partition, now, pack(record)) for record in records]
        sweep = self._sweeps(now)

        def insert(sqlite: sqlite3.Connection) -> None:
            sqlite.execute("BEGIN IMMEDIATE")
            sqlite.executemany("INSERT INTO said (choreography, partition, time, record) VALUES (?, ?, ?, ?)", rows)
            if sweep:
                sqlite.execute(_SWEPT, (now - LIVE_KEPT,))
            sqlite.execute("COMMIT")

        try:
            await self._run(insert)
        except sqlite3.Error as e:
            raise not_written(e, self._path, _PATIENCE) from e
        self.appends += 1
        self.bell.ring(partition)

    async def since(self, partition: int, time: int) -> int:
        self.check_open()
        check_partition(partition, self.partitions)

        now = self._clock.now()
        sweep = self._sweeps(now)

        def look(sqlite: sqlite3.Connection) -> int:
            if sweep:
                with suppress(sqlite3.Error):  # whoever may only read hears all the same
                    sqlite.execute(_SWEPT, (now - LIVE_KEPT,))
            place = (self._choreography, partition)
            (first,) = sqlite.execute(
                "SELECT (SELECT id FROM said WHERE choreography = ? AND partition = ? AND time >= ? ORDER BY id LIMIT 1)",
                (*place, time),
            ).fetchone()
            if first is None:
                (last,) = sqlite.execute(
                    "SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'said'), 0)"
                ).fetchone()
                first = last + 1
            return int(first)

        return await self.look(look)

    def _sweeps(self, now: int) -> bool:
        """Whether it is time to delete what is too old: the first time at once, for a file may have lain there long."""
        sweeps = now - self._swept > _SWEEP
        if sweeps:
            self._swept = now
        return sweeps

    def reader(self) -> "SqliteLiveReader":
        self.check_open()
        return SqliteLiveReader(self)

    async def read(self, positions: Mapping[int, int]) -> list[Sequence[Stored]]:
        """For each partition that has some, the records from its position on."""

        def look(sqlite: sqlite3.Connection) -> list[Sequence[Stored]]:
            found: list[Sequence[Stored]] = []
            for partition, position in positions.items():
                rows = sqlite.execute(
                    "SELECT id, time, record FROM said WHERE choreography = ? AND partition = ? AND id >= ?"
                    " ORDER BY id LIMIT ?",
                    (self._choreography, partition, position, _PAGE),
                ).fetchall()
                if rows:
                    found.append([Stored(partition, id, time, *next(unpack(packed))) for id, time, packed in rows])
            return found

        return await self.look(look)

    async def version(self) -> int:
        """Another number whenever another connection has written to the file."""

        def look(sqlite: sqlite3.Connection) -> int:
            (version,) = sqlite.execute("PRAGMA data_version").fetchone()
            return int(version)

        return await self.look(look)

    async def look(self, action: Callable[[sqlite3.Connection], T]) -> T:
        """Run something that only reads."""
        self.check_open()
        try:
            return await self._run(action)
        except sqlite3.Error as e:
            raise not_read(e, self._path, _PATIENCE) from e

    async def close(self) -> None:
        """Let go of the file."""
        self.bell.ring()
        if self._thread is not None:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._close)
            self._thread.shutdown(wait=False)

    async def _run(self, action: Callable[[sqlite3.Connection], T]) -> T:
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, "farandole-sqlite-live")
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._do, action)

    def _do(self, action: Callable[[sqlite3.Connection], T]) -> T:
        if self._sqlite is None:
            self._sqlite = _opened(self._path)
        try:
            return action(self._sqlite)
        except sqlite3.Error:
            with suppress(sqlite3.Error):
                if self._sqlite.in_transaction:
                    self._sqlite.execute("ROLLBACK")
            raise

    def _close(self) -> None:
        if self._sqlite is not None:
            self._sqlite.close()


class SqliteLiveReader(Reader):
    """A place in each followed partition. What is kept no longer is passed over."""

    def __init__(self, live: SqliteLive) -> None:
        self._live = live
        self._positions: dict[int, int] = {}
        self._seen: tuple[int, int] | None = None
        """The file's version, and how much this process had written, when all there was had been read."""
        self._closed = False

    def follow(self, positions: Mapping[int, int]) -> None:
        for partition in positions:
            check_partition(partition, self._live.partitions)
        self._positions = dict(positions)
        self._seen = None

    @property
    def positions(self) -> Mapping[int, int]:
        return self._positions

    async def read(self, *, wait: float = 0.5) -> list[Sequence[Stored]]:
        deadline = asyncio.get_running_loop().time() + wait
        while True:
            if self._closed:
                raise StoreClosed("this reader was closed; make another with live.reader()")
            if found := await self._found():
                return found
            left = deadline - asyncio.get_running_loop().time()
            if left <= 0:
                return []
            await self._live.bell.wait(
                self._positions,
                seconds=min(left, _LOOK),
                unless=lambda: self._closed or self._seen is None or self._seen[1] != self._live.appends,
            )

    async def _found(self) -> list[Sequence[Stored]]:
        now = (await self._live.version(), self._live.appends)
        if now == self._seen:
            return []
        self._seen = now
        asked = dict(self._positions)
        found = await self._live.read(asked)
        if any(len(batch) == _PAGE for batch in found):
            self._seen = None
        kept = [batch for batch in found if self._positions.get(p := batch[-1].partition) == asked[p]]
        for batch in kept:
            self._positions[batch[-1].partition] = batch[-1].offset + 1
        return kept

    async def close(self) -> None:
        self._closed = True
        self._live.bell.ring()


def _opened(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, timeout=_PATIENCE, check_same_thread=False)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute(_TABLE)
    except BaseException:
        connection.close()
        raise
    return connection
