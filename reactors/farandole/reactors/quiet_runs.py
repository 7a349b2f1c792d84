"""A temporary file for events of open runs that memory has no room for: offsets by run and type."""

import sqlite3
from array import array
from collections.abc import Collection, Iterable, Mapping
from typing import Final

from .run_events import RunEvents

_PIECE: Final = 4096
"""Events of a run that stand together, apart by type. The last ones of a type are read with those beside them."""


class QuietRuns:
    """What was put here of each run, by a number for it, in the order in which it was put.

    The file is made when it is first needed, and gone with the process.
    """

    def __init__(self) -> None:
        self._file: sqlite3.Connection | None = None

    def put(self, runs: Iterable[tuple[int, int, RunEvents]]) -> None:
        """Add events to runs: the run, how many of its events are here already, and those that follow."""
        rows = [
            (run, type, events[0], min(events[1::2]), max(events[1::2]), events.tobytes())
            for run, first, following in runs
            for type, events in _pieces(first, following)
        ]
        with self._opened() as file:
            file.executemany("INSERT INTO piece VALUES (?, ?, ?, ?, ?, ?)", rows)

    def upto(self, run: int, offsets: Iterable[int]) -> int:
        """How many of the run's events were admitted up to and with the last of those at these offsets."""
        return max((self._place(run, offset) for offset in offsets), default=-1) + 1

    def offsets(self, run: int, types: Collection[int], begin: int, end: int) -> list[int]:
        """Offsets of those of these types among the run's first ``end`` events, in the order of admission.

        Args:
            begin: how many of the first to pass over.
        """
        found: list[tuple[int, int]] = []
        for type in types:
            pieces = self._opened().execute(
                "SELECT events FROM piece WHERE run = ? AND type = ? AND first < ? ORDER BY first", (run, type, end)
            )
            for (piece,) in pieces:
                events = _unpacked(piece)
                found += zip(events[::2], events[1::2], strict=True)
        return [offset for place, offset in sorted(found) if begin <= place < end]

    def forget(self, run: int) -> Mapping[int, int]:
        """Drop a run. Returns how many events of each type it had here."""
        with self._opened() as file:
            counts = file.execute("SELECT type, sum(length(events)) FROM piece WHERE run = ? GROUP BY type", (run,))
            had = {type: size // 16 for type, size in counts}
            file.execute("DELETE FROM piece WHERE run = ?", (run,))
        return had

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def _place(self, run: int, offset: int) -> int:
        pieces = self._opened().execute(
            "SELECT events FROM piece WHERE run = ? AND highest >= ? AND lowest <= ? ORDER BY highest",
            (run, offset, offset),
        )
        for (piece,) in pieces:
            events = _unpacked(piece)
            if offset in (offsets := events[1::2]):
                return events[2 * offsets.index(offset)]
        return -1

    def _opened(self) -> sqlite3.Connection:
        if self._file is None:
            self._file = sqlite3.connect("")
            self._file.execute("PRAGMA journal_mode = OFF")
            self._file.execute("PRAGMA cache_size = -512")
            self._file.execute(
                "CREATE TABLE piece (run INTEGER, type INTEGER, first INTEGER, lowest INTEGER, highest INTEGER, "
                "events BLOB, PRIMARY KEY (run, type, first)) WITHOUT ROWID"
            )
            self._file.execute("CREATE INDEX piece_by_offset ON piece (run, highest, lowest)")
        return self._file


def _pieces(first: int, events: RunEvents) -> Iterable[tuple[int, "array[int]"]]:
    """Places and offsets in turn, by type, of so many events at a time."""
    by_type: dict[int, array[int]] = {}
    for place, (offset, type) in enumerate(events, first):
        by_type.setdefault(type, array("q")).extend((place, offset))
        if (place - first) % _PIECE == _PIECE - 1:
            yield from by_type.items()
            by_type = {}
    yield from by_type.items()


def _unpacked(piece: bytes) -> "array[int]":
    events = array("q")
    events.frombytes(piece)
    return events
