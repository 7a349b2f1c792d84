"""Reading and writing batches: what runs in the store's threads. Calls block and raise SQLite's own errors."""

import json
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from farandole.eventstore.contract import Ends
from farandole.eventstore.sizes import beyond_the_end

from .connection import Connection
from .packing import pack, unpack

_READ_BYTES: Final = 1 << 20
_READ_ROWS: Final = 200


class NewBatch(NamedTuple):
    """Records to be written as one row."""

    partition: int
    number: int
    records: bytes


class Batch(NamedTuple):
    """A row of the log."""

    first: int
    next: int
    time: int
    records: bytes


class End(NamedTuple):
    """Where the next record of a partition goes, and the last stamp in it."""

    next: int
    time: int


class Placed(NamedTuple):
    """Where the batches of one commit begin in a partition, and their stamp."""

    first: int
    time: int


class LogWriter:
    """Appends to one log of the file."""

    def __init__(self, connection: Connection, log: int, now: Callable[[], int]) -> None:
        self._connection = connection
        self._log = log
        self._now = now
        self._ends: dict[int, End] = {}

    def commit(self, batches: Sequence[NewBatch]) -> Mapping[int, Placed]:
        """Append batches in one transaction, each partition's in the order given."""
        partitions = {batch.partition for batch in batches}
        if partitions <= self._ends.keys():
            # Most often nobody else wrote to these partitions. Then one statement does it all, and the lock is not
            # held while this thread waits for its turn to run Python. The primary key tells if somebody did.
            try:
                return self._note(self._connection.run(lambda sqlite: self._insert(sqlite, batches, self._ends)))
            except sqlite3.IntegrityError:
                pass

        def insert(sqlite: sqlite3.Connection) -> tuple[Mapping[int, Placed], Mapping[int, End]]:
            return self._insert(sqlite, batches, last_ends(sqlite, self._log, partitions))

        return self._note(self._connection.transaction(insert))

    def truncate(self, partition: int, before: int) -> None:
        """Delete the records of a partition below an offset.

        Raises:
            ValueError: it lies beyond the end.
        """
        self._connection.transaction(lambda sqlite: _truncate(sqlite, self._log, partition, before))

    def _insert(
        self, sqlite: sqlite3.Connection, batches: Sequence[NewBatch], ends: Mapping[int, End]
    ) -> tuple[Mapping[int, Placed], Mapping[int, End]]:
        """Where the batches are put, and where their partitions end then."""
        now = self._now()
        placed: dict[int, Placed] = {}
        after: dict[int, End] = {}
        values: list[int | bytes] = []
        for partition, number, records in batches:
            end = after.get(partition) or ends[partition]
            time = max(now, end.time)
            placed.setdefault(partition, Placed(end.next, time))
            after[partition] = End(end.next + number, time)
            values += (self._log, partition, end.next, end.next + number, time, records)
        rows = ", ".join(["(?, ?, ?, ?, ?, ?)"] * len(batches))
        sqlite.execute(f"INSERT INTO batch (log, partition, first, next, time, records) VALUES {rows}", values)  # noqa: S608
        return placed, after

    def _note(self, written: tuple[Mapping[int, Placed], Mapping[int, End]]) -> Mapping[int, Placed]:
        """Remember the new ends, now that they are committed: after a commit that failed they would leave a gap."""
        placed, after = written
        self._ends.update(after)
        return placed


class LogReader:
    """Reads one log of the file."""

    def __init__(self, connection: Connection, log: int, partitions: int) -> None:
        self._connection = connection
        self._log = log
        self._partitions = range(partitions)
        self._version = -1

    def news(self) -> Mapping[int, End] | None:
        """The ends of all partitions, if the file may have changed since the last call."""

        def look(sqlite: sqlite3.Connection) -> Mapping[int, End] | None:
            [version] = sqlite.execute("PRAGMA data_version").fetchone()
            if version == self._version:
                return None
            ends = last_ends(sqlite, self._log, self._partitions)
            self._version = version
            return ends

        return self._connection.run(look)

    def ends(self, partitions: Iterable[int]) -> Mapping[int, Ends]:
        def look(sqlite: sqlite3.Connection) -> Mapping[int, Ends]:
            found: dict[int, Ends] = {}
            for partition, end in last_ends(sqlite, self._log, partitions).items():
                first = sqlite.execute(
                    "SELECT first FROM batch WHERE log = ? AND partition = ? ORDER BY first LIMIT 1",
                    (self._log, partition),
                ).fetchone()
                found[partition] = Ends(first[0] if first else end.next, end.next)
            return found

        return self._connection.run(look)

    def read(self, positions: Mapping[int, int]) -> Mapping[int, list[Batch]]:
        """For each partition the next batches, beginning with the one that holds the position."""
        return self._connection.run(lambda sqlite: {p: self._read(sqlite, p, o) for p, o in positions.items()})

    def _read(self, sqlite: sqlite3.Connection, partition: int, offset: int) -> list[Batch]:
        found: list[Batch] = []
        size = 0
        for row in sqlite.execute(
            "SELECT first, next, time, records FROM batch WHERE log = :log AND partition = :partition AND first >= coalesce("
            "(SELECT max(first) FROM batch WHERE log = :log AND partition = :partition AND first <= :offset), 0)"
            " ORDER BY first LIMIT :rows",
            {"log": self._log, "partition": partition, "offset": offset, "rows": _READ_ROWS},
        ):
            found.append(Batch(*row))
            size += len(row[3])
            if size > _READ_BYTES:
                break
        return found

    def holding(self, partition: int, offsets: Sequence[int]) -> list[Batch]:
        """The batches that hold these ascending offsets, as far as there are any."""

        def look(sqlite: sqlite3.Connection) -> list[Batch]:
            found: list[Batch] = []
            for offset in offsets:
                if found and offset < found[-1].next:
                    continue
                row = sqlite.execute(
                    "SELECT first, next, time, records FROM batch WHERE log = ? AND partition = ? AND first <= ?"
                    " ORDER BY first DESC LIMIT 1",
                    (self._log, partition, offset),
                ).fetchone()
                if row is not None and offset < row[1]:
                    found.append(Batch(*row))
            return found

        return self._connection.run(look)


def last_ends(sqlite: sqlite3.Connection, log: int, partitions: Iterable[int]) -> dict[int, End]:
    """The ends of these partitions, got in one step.

    The join is a cross join because SQLite then takes its sides in this order; else it may look through the whole log.
    """
    [found] = sqlite.execute(
        "SELECT json_group_array(json_array(batch.partition, batch.next, batch.time)) FROM json_each(:wanted) AS wanted"
        " CROSS JOIN batch ON batch.log = :log AND batch.partition = wanted.value AND batch.first ="
        " (SELECT max(first) FROM batch WHERE log = :log AND partition = wanted.value)",
        {"log": log, "wanted": json.dumps(wanted := list(partitions))},
    ).fetchone()
    ends = {partition: End(next, time) for partition, next, time in json.loads(found)}
    for partition in wanted:
        if partition not in ends:
            ends[partition] = End(*_cut(sqlite, log, partition))
    return ends


def _cut(sqlite: sqlite3.Connection, log: int, partition: int) -> tuple[int, int]:
    """The offset below which a partition's records were deleted, and the last stamp when they were."""
    place = (log, partition)
    return sqlite.execute("SELECT first, time FROM cut WHERE log = ? AND partition = ?", place).fetchone() or (0, 0)


def _truncate(sqlite: sqlite3.Connection, log: int, partition: int, before: int) -> None:
    end = last_ends(sqlite, log, (partition,))[partition]
    if before > end.next:
        raise beyond_the_end(partition, before, end.next)
    if before <= _cut(sqlite, log, partition)[0]:
        return
    place = {"log": log, "partition": partition, "before": before}
    within = "log = :log AND partition = :partition AND first < :before"
    split = sqlite.execute(
        f"SELECT next, time, records, first FROM batch WHERE {within} AND next > :before",  # noqa: S608
        place,
    ).fetchone()
    sqlite.execute(f"DELETE FROM batch WHERE {within}", place)  # noqa: S608
    if split is not None:
        next, time, records, first = split
        rest = b"".join(pack(record) for record in unpack(records, before - first))
        sqlite.execute(
            "INSERT INTO batch (log, partition, first, next, time, records) VALUES (?, ?, ?, ?, ?, ?)",
            (log, partition, before, next, time, rest),
        )
    sqlite.execute(
        "INSERT OR REPLACE INTO cut (log, partition, first, time) VALUES (?, ?, ?, ?)",
        (log, partition, before, end.time),
    )
