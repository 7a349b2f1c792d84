"""The catalogue, the checkpoints and the rejected records in SQLite: blocking, for the store's threads."""

import sqlite3
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from functools import partial
from typing import TypeVar

from farandole.eventstore.contract import Record, Stored, Table
from farandole.eventstore.sizes import check_sizes

from .packing import pack, unpack

T = TypeVar("T")
Run = Callable[[Callable[[sqlite3.Connection], T]], Awaitable[T]]


class SqliteTable(Table):
    """Rows of the table ``entry``.

    Args:
        tab: the name of this map in it.
        read: runs something on the connection for reading.
        write: runs something on the connection for writing.
    """

    def __init__(
        self,
        log: int,
        tab: str,
        most: int,
        read: "Run[Mapping[bytes, bytes]]",
        write: "Run[None]",
    ) -> None:
        self._place = (log, tab)
        self._most = most
        self._read = read
        self._write = write

    async def put(self, key: bytes, value: bytes | None) -> None:
        check_sizes([Record(key, value, ())], self._most)
        await self._write(partial(_put, self._place, key, value))

    async def load(self) -> Mapping[bytes, bytes]:
        return await self._read(partial(_load, self._place))

    async def scan(self, prefix: bytes) -> Mapping[bytes, bytes]:
        return await self._read(partial(_scan, self._place, prefix))

    async def pick(self, keys: Collection[bytes]) -> Mapping[bytes, bytes]:
        return await self._read(partial(_pick, self._place, tuple(keys)))


def _put(place: tuple[int, str], key: bytes, value: bytes | None, sqlite: sqlite3.Connection) -> None:
    if value is None:
        sqlite.execute("DELETE FROM entry WHERE log = ? AND tab = ? AND key = ?", (*place, key))
    else:
        sqlite.execute("INSERT OR REPLACE INTO entry (log, tab, key, value) VALUES (?, ?, ?, ?)", (*place, key, value))


def _load(place: tuple[int, str], sqlite: sqlite3.Connection) -> Mapping[bytes, bytes]:
    return dict(sqlite.execute("SELECT key, value FROM entry WHERE log = ? AND tab = ?", place))


def _scan(place: tuple[int, str], prefix: bytes, sqlite: sqlite3.Connection) -> Mapping[bytes, bytes]:
    return dict(
        sqlite.execute(
            "SELECT key, value FROM entry WHERE log = ? AND tab = ? AND key >= ? AND substr(key, 1, ?) = ?",
            (*place, prefix, len(prefix), prefix),
        )
    )


def _pick(place: tuple[int, str], keys: Sequence[bytes], sqlite: sqlite3.Connection) -> Mapping[bytes, bytes]:
    found = {}
    for key in keys:
        row = sqlite.execute("SELECT value FROM entry WHERE log = ? AND tab = ? AND key = ?", (*place, key)).fetchone()
        if row is not None:
            found[key] = row[0]
    return found


def add_rejected(log: int, partition: int, offset: int, time: int, copy: Record, sqlite: sqlite3.Connection) -> None:
    """Keep the copy of a rejected record, unless there is one of that offset."""
    sqlite.execute(
        "INSERT OR IGNORE INTO rejected (log, partition, offset, time, record) VALUES (?, ?, ?, ?, ?)",
        (log, partition, offset, time, pack(copy)),
    )


def load_rejected(log: int, after: int, most: int, sqlite: sqlite3.Connection) -> list[Stored]:
    """Rejected records by number, each with its own number as offset."""
    rows = sqlite.execute(
        "SELECT partition, id, time, record FROM rejected WHERE log = ? AND id > ? ORDER BY id LIMIT ?",
        (log, after, most),
    )
    return [Stored(p, id, time, *record) for p, id, time, packed in rows for record in unpack(packed)]
