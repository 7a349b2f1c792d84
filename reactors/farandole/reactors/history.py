"""Where the events of open runs are: offsets by run, outside the fold's state, rebuilt whenever a partition is folded.

Kept in memory as packed numbers; beyond a budget the runs that were quiet for longest move to a temporary SQLite file,
and come back when they are asked for or go on.
"""

import sqlite3
from array import array
from collections import OrderedDict
from collections.abc import Container
from itertools import islice
from typing import Final

_OVERHEAD: Final = 250
"""Bytes that an open run costs here beyond its numbers, roughly."""
_TYPE_BITS: Final = 16


class HistoryIndex:
    """Offsets and types of the admitted events of a partition's open runs.

    Args:
        most_bytes: how much to hold in memory.
    """

    def __init__(self, *, most_bytes: int = 64 << 20) -> None:
        self._most = most_bytes
        self._runs: OrderedDict[bytes, array[int]] = OrderedDict()
        self._types: dict[bytes, int] = {}
        self._names: list[bytes] = []
        self._disk: sqlite3.Connection | None = None
        self._spilled: set[bytes] = set()
        self.bytes = 0
        """What is held in memory costs, roughly."""

    def add(self, run_id: bytes, offset: int, type: bytes) -> None:
        """Note an event, in the order of admission.

        Offsets need not ascend: an outcome of several records is admitted at the last of them, and others may have come
        between.
        """
        number = self._types.get(type)
        if number is None:
            number = self._types[type] = len(self._names)
            self._names.append(type)
        events = self._runs.get(run_id)
        if events is None:
            events = self._runs[run_id] = self._recall(run_id)
            self.bytes += _OVERHEAD + 8 * len(events)
        else:
            self._runs.move_to_end(run_id)
        events.append(offset << _TYPE_BITS | number)
        self.bytes += 8
        if self.bytes > self._most:
            self._spill()

    def forget(self, run_id: bytes) -> None:
        """The run is closed."""
        events = self._runs.pop(run_id, None)
        if events is not None:
            self.bytes -= _OVERHEAD + 8 * len(events)
        elif run_id in self._spilled:
            self._recall(run_id)

    def offsets(self, run_id: bytes, types: Container[bytes] | None, upto: Container[int]) -> list[int] | None:
        """Offsets of the run's events of these types (None: of all), in the order of admission.

        Args:
            upto: offsets of events; what was admitted after the last of them is left out.

        Returns:
            None if the run is not known: it is closed, or the index is.
        """
        events = self._runs.get(run_id)
        if events is None:
            if run_id not in self._spilled:
                return None
            events = self._runs[run_id] = self._recall(run_id)
            self.bytes += _OVERHEAD + 8 * len(events)
        numbers = None if types is None else {n for n, name in enumerate(self._names) if name in types}
        mask = (1 << _TYPE_BITS) - 1
        end = next((i for i in range(len(events), 0, -1) if events[i - 1] >> _TYPE_BITS in upto), 0)
        return [e >> _TYPE_BITS for e in islice(events, end) if numbers is None or e & mask in numbers]

    def close(self) -> None:
        """Forget all runs."""
        self._runs.clear()
        self._spilled.clear()
        self.bytes = 0
        if self._disk is not None:
            self._disk.close()
            self._disk = None

    def _spill(self) -> None:
        if self._disk is None:
            self._disk = sqlite3.connect("")
            self._disk.execute("PRAGMA journal_mode = OFF")
            self._disk.execute("CREATE TABLE run (id BLOB PRIMARY KEY, events BLOB NOT NULL) WITHOUT ROWID")
        quiet: list[tuple[bytes, bytes]] = []
        while self.bytes > self._most * 3 // 4 and len(self._runs) > 1:
            run_id, events = self._runs.popitem(last=False)
            self.bytes -= _OVERHEAD + 8 * len(events)
            quiet.append((run_id, events.tobytes()))
            self._spilled.add(run_id)
        with self._disk:
            self._disk.executemany("INSERT OR REPLACE INTO run VALUES (?, ?)", quiet)

    def _recall(self, run_id: bytes) -> "array[int]":
        events = array("q")
        if run_id in self._spilled and self._disk is not None:
            self._spilled.discard(run_id)
            row = self._disk.execute("DELETE FROM run WHERE id = ? RETURNING events", (run_id,)).fetchone()
            events.frombytes(row[0])
            self._disk.commit()
        return events
