"""What can still be compared of a partition whose beginning left the log after its tables had begun.

What is made anew begins with the checkpoint at the cut. Of runs that were open there it knows nothing but their records; of
what governs the partition what is in force, and not since when; and what reactors did in those runs it counts for nothing. All
such runs are over, or nothing could have been cut.
"""

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import Connection, Table, func, select

from .governing import UNKNOWN
from .tables import minutes, policies, positions, reactors, records, runs, schedules

_NEVER: Final = 1 << 62
_OF_ITS_RUN: Final = frozenset({"run", "admitted", "place"})
_GOVERNING: Final = (reactors, policies, schedules)
Row = tuple[Any, ...]


class Cut:
    """A cut of one partition.

    Args:
        first: the offset that the log begins with.
        until: log time up to which reactors were at work for runs that are left out.
        kept: records before this log time leave with their run, or by themselves if it is not known.
    """

    def __init__(self, first: int, until: int, kept: int) -> None:
        self._first = first
        self._until = until
        self._kept = kept

    def comparable(self, table: Table, row: Row) -> Row | None:
        """A row with nothing in it that cannot be compared; None if that is all of it."""
        names = [column.name for column in table.columns]
        if table is minutes:
            return row if row[names.index("minute")] > self._until else None
        if table in _GOVERNING:
            if table is reactors and row[names.index("state")] == "renamed" and row[-1] < self._first:
                return None
            return tuple(None if name in UNKNOWN else value for name, value in zip(names, row, strict=True))
        run = row[names.index("run")] if "run" in names else self._first
        if run is not None and run >= self._first:
            return row
        if table is not records or row[names.index("at")] < self._kept:
            return None
        return tuple(None if name in _OF_ITS_RUN else value for name, value in zip(names, row, strict=True))


def cuts(connection: Connection, made: Connection, kept: Mapping[int, int]) -> dict[int, Cut]:
    """Partitions that were cut since their tables began.

    Args:
        connection: to the tables that are compared.
        made: to those that were made anew.
        kept: what was over in a partition before this log time has left both.
    """
    begins = select(positions.c.partition, positions.c.begins)
    before = {row.partition: row.begins for row in connection.execute(begins)}
    found: dict[int, Cut] = {}
    for partition, first in made.execute(begins):
        if first <= before.get(partition, first):
            continue
        at = select(func.max(records.c.at)).where(records.c.partition == partition, records.c.log_offset < first)
        over = select(func.max(func.coalesce(runs.c.closed, _NEVER))).where(
            runs.c.partition == partition, runs.c.run < first
        )
        until = max(connection.execute(query).scalar() or 0 for query in (at, over))
        cut = kept.get(partition, 0)
        found[partition] = Cut(first, max(until, cut), cut)
    return found
