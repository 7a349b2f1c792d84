"""What is long over leaves the tables. The log keeps it.

A cut is a log time of one partition. Once it is made, the tables have nothing of that partition that was over before it, and
whoever makes them anew applies it too; so they still follow from the log, and from the cuts.
"""

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import Connection, and_, column, delete, or_, select, table, tuple_, update

from .batch import OFFSET_BITS
from .tables import OF_RUNS, minutes, positions, records, runs
from .tablespace import RunTables

_AT_ONCE: Final = 1_000
"""Runs that leave in one transaction, or some more that were closed in the same millisecond."""
_MINUTE: Final = 60_000
_WORDS: Final = table("records_words", column("rowid"))
"""SQLite's full-text index."""


def cut_for(tables: RunTables, keep: int) -> dict[int, int]:
    """By partition, the log time before which all is over in it for longer than that.

    Args:
        keep: milliseconds of log time.
    """
    with tables.database.reading() as connection:
        # No partition will yet come to close a run earlier than where it is now.
        rows = connection.execute(select(positions.c.partition, positions.c.log_time, positions.c.kept_since))
        return {row.partition: max(row.log_time - keep, row.kept_since, 0) for row in rows}


def retire(tables: RunTables, before: Mapping[int, int]) -> int:
    """Take out of the tables what was over in a partition before a log time; a part in each transaction.

    Args:
        before: the log time, by partition. Those that are not named, and those with 0, keep what they have.

    Returns:
        How many runs left.

    Raises:
        DatabaseUnavailable: not all of it is done; do it again.
    """
    cut = {partition: at for partition, at in before.items() if at > 0}
    gone = 0
    while cut:
        with tables.database.writing() as connection:
            # Whoever projects waits, or comes first.
            tables.exact.places(connection, lock=True)
            upto = _step(connection, cut)
            some = {partition: min(at, upto) for partition, at in cut.items()}
            gone += _take_out(connection, some)
            for partition, at in some.items():
                here = (positions.c.partition == partition) & (positions.c.kept_since < at)
                connection.execute(update(positions).where(here).values(kept_since=at))
        cut = {partition: at for partition, at in cut.items() if at > upto}
    return gone


def _step(connection: Connection, cut: Mapping[int, int]) -> int:
    closed = select(runs.c.closed).where(_before(runs, runs.c.closed, cut)).order_by(runs.c.closed)
    next_ = connection.execute(closed.offset(_AT_ONCE).limit(1)).scalar_one_or_none()
    return max(cut.values()) if next_ is None else int(next_) + 1


def _before(of: Any, time: Any, cut: Mapping[int, int]) -> Any:
    """Rows of partitions from before their cuts. The latest of these is what an index on the time begins with."""
    by_cut: dict[int, list[int]] = {}
    for partition, at in cut.items():
        by_cut.setdefault(at, []).append(partition)
    here = (and_(of.c.partition.in_(sorted(partitions)), time < at) for at, partitions in by_cut.items())
    return and_(time < max(by_cut), or_(*here))


def _take_out(connection: Connection, cut: Mapping[int, int]) -> int:
    lone = and_(records.c.run.is_(None), _before(records, records.c.at, cut))
    closed = _before(runs, runs.c.closed, cut)

    def of_closed(of: Any) -> Any:
        # By the few that are closed, and not by asking for each row whether its run is one of them.
        return tuple_(of.c.partition, of.c.run).in_(select(runs.c.partition, runs.c.run).where(closed))

    if connection.dialect.name == "sqlite":
        number = records.c.partition.bitwise_lshift(OFFSET_BITS).bitwise_or(records.c.log_offset)
        for those in (lone, of_closed(records)):
            connection.execute(delete(_WORDS).where(_WORDS.c.rowid.in_(select(number).where(those))))
    connection.execute(delete(records).where(lone))
    gone = 0
    for each in OF_RUNS:
        if each is runs:
            gone = connection.execute(delete(runs).where(closed)).rowcount
        else:
            connection.execute(delete(each).where(of_closed(each)))
    # A minute is over when it has ended.
    ended = {partition: at - _MINUTE + 1 for partition, at in cut.items()}
    connection.execute(delete(minutes).where(_before(minutes, minutes.c.minute, ended)))
    return gone
