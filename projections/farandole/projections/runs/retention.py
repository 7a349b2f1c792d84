"""What is long over leaves the tables. The log keeps it.

A cut is a log time. Once it is made, the tables have nothing that was over before it, and whoever makes them anew applies
it too; so they still follow from the log, and from the cut.
"""

from typing import Any, Final

from sqlalchemy import Connection, column, delete, func, select, table, tuple_, update

from .batch import OFFSET_BITS
from .tables import OF_RUNS, about, minutes, positions, records, runs
from .tablespace import RunTables, kept_since

_AT_ONCE: Final = 1_000
"""Runs that leave in one transaction, or some more that were closed in the same millisecond."""
_MINUTE: Final = 60_000
_WORDS: Final = table("records_words", column("rowid"))
"""SQLite's full-text index."""


def cut_for(tables: RunTables, keep: int) -> int:
    """The log time before which all is over for longer than that, in every partition.

    Args:
        keep: milliseconds of log time.
    """
    with tables.database.reading() as connection:
        # No partition will yet come to close a run earlier than where it is now.
        least = connection.execute(select(func.min(positions.c.log_time))).scalar_one_or_none()
        return max(int(least or 0) - keep, kept_since(connection), 0)


def retire(tables: RunTables, before: int) -> int:
    """Take out of the tables what was over before a log time; a part in each transaction.

    Returns:
        How many runs left.

    Raises:
        DatabaseUnavailable: not all of it is done; do it again.
    """
    gone = 0
    while True:
        with tables.database.writing() as connection:
            # Whoever projects waits, or comes first.
            tables.exact.places(connection, lock=True)
            upto = _step(connection, before)
            gone += _take_out(connection, upto)
            connection.execute(update(about).where(about.c.kept_since < upto).values(kept_since=upto))
        if upto >= before:
            return gone


def _step(connection: Connection, before: int) -> int:
    closed = select(runs.c.closed).where(runs.c.closed < before).order_by(runs.c.closed)
    next_ = connection.execute(closed.offset(_AT_ONCE).limit(1)).scalar_one_or_none()
    return before if next_ is None else int(next_) + 1


def _take_out(connection: Connection, upto: int) -> int:
    lone = (records.c.run.is_(None)) & (records.c.at < upto)
    if connection.dialect.name == "sqlite":
        number = records.c.partition.bitwise_lshift(OFFSET_BITS).bitwise_or(records.c.log_offset)
        for those in (lone, _of_closed(records, upto)):
            connection.execute(delete(_WORDS).where(_WORDS.c.rowid.in_(select(number).where(those))))
    connection.execute(delete(records).where(lone))
    gone = 0
    for each in OF_RUNS:
        if each is runs:
            gone = connection.execute(delete(runs).where(runs.c.closed < upto)).rowcount
        else:
            connection.execute(delete(each).where(_of_closed(each, upto)))
    connection.execute(delete(minutes).where(minutes.c.minute <= upto - _MINUTE))
    return gone


def _of_closed(of: Any, upto: int) -> Any:
    # By the few that are closed, and not by asking for each row whether its run is one of them.
    return tuple_(of.c.partition, of.c.run).in_(select(runs.c.partition, runs.c.run).where(runs.c.closed < upto))
