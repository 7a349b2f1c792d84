"""Tables made anew from the log, beside those that are in use, and then put in their place in one transaction.

Whoever reads sees the former ones or the new ones. A projector that is at work finds that the tables are elsewhere than
it left them, and goes on from what they say.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from farandole.eventstore import EventStore
from farandole.projections.sql import Database
from farandole.schemas import PayloadCodec

from .migrations import migrate
from .projector import Pace, Projector
from .retention import retire
from .tables import metadata
from .tablespace import RunTables, drop, has_tables, kept_since

_PACE: Final = Pace(most=10_000)
_WORDS: Final = "records_words"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far it is.

    Attributes:
        done: records that were read and written.
        total: records that the log has.
        seconds: since it began.
    """

    done: int
    total: int
    seconds: float

    @property
    def rate(self) -> float:
        """Records a second."""
        return self.done / self.seconds if self.seconds else 0.0

    @property
    def left(self) -> float | None:
        """Seconds that it will still take; None while that cannot be told."""
        return (self.total - self.done) / self.rate if self.done else None


Told = Callable[[Progress], None]


async def rebuild(
    store: EventStore,
    database: Database,
    choreography: str,
    *,
    codec: PayloadCodec | None = None,
    told: Told = lambda progress: None,
) -> Progress:
    """Make the tables of a log anew.

    Args:
        told: hears of each batch that was written.

    Raises:
        StoreError, DatabaseError: one of the two is not as it must be; the tables in use are as they were.
    """
    shadow = database.beside("rebuild")
    try:
        await asyncio.to_thread(drop, shadow)
        progress = await fill(store, shadow, choreography, codec=codec, told=told)
        kept = await asyncio.to_thread(_kept_since, database)
        await asyncio.to_thread(_finish, shadow, choreography, kept)
        # What came meanwhile is little: whoever projects then has it to do again.
        last = Projector(store, shadow, choreography, codec=codec, pace=_PACE)
        try:
            await last.catch_up()
        finally:
            await last.close()
        await asyncio.to_thread(_swap, database, shadow)
        return progress
    finally:
        await asyncio.to_thread(drop, shadow)


async def fill(
    store: EventStore,
    shadow: Database,
    choreography: str,
    *,
    codec: PayloadCodec | None = None,
    to: dict[int, int] | None = None,
    told: Told = lambda progress: None,
) -> Progress:
    """Fill new tables from the log, without what only helps to find rows.

    Args:
        to: positions; by default the ends that the log has now.
    """
    ends = await store.ends(range(store.partitions))
    upto = {p: end.next for p, end in ends.items()} if to is None else to
    total = sum(max(position - ends[p].first, 0) for p, position in upto.items())
    projector = Projector(store, shadow, choreography, codec=codec, pace=_PACE)
    began = time.monotonic()

    def so_far() -> Progress:
        done = sum(max(place.position - ends[p].first, 0) for p, place in projector.places.items())
        return Progress(min(done, total), total, time.monotonic() - began)

    projector.written = lambda batch: told(so_far())
    try:
        await projector.make(bare=True)
        await projector.catch_up(upto)
    finally:
        await projector.close()
    return so_far()


def _finish(shadow: Database, choreography: str, kept: int) -> None:
    tables = RunTables(shadow, choreography)
    tables.finish()
    if kept:
        retire(tables, kept)


def _kept_since(database: Database) -> int:
    """What has left the tables in use leaves the new ones, too."""
    with database.reading() as connection:
        return kept_since(connection) if has_tables(database, connection) else 0


def _swap(database: Database, shadow: Database) -> None:
    if database.dialect == "sqlite":
        _swap_files(database, shadow)
    else:
        _swap_schemas(database, shadow)


def _swap_files(database: Database, shadow: Database) -> None:
    """The rows of one file into the other: it stays the file that everybody has open."""
    with database.writing() as connection:
        migrate(connection)
    shadow.close()
    with database.alone() as cursor:
        cursor.execute("ATTACH DATABASE ? AS made", (shadow.path,))
        cursor.execute("BEGIN IMMEDIATE")
        for table in metadata.sorted_tables:
            columns = ", ".join(column.name for column in table.columns)
            cursor.execute(f"DELETE FROM main.{table.name}")  # noqa: S608
            cursor.execute(f"INSERT INTO main.{table.name} ({columns}) SELECT {columns} FROM made.{table.name}")  # noqa: S608
        cursor.execute(f"DELETE FROM main.{_WORDS}")  # noqa: S608
        cursor.execute(f"INSERT INTO main.{_WORDS} (rowid, words) SELECT rowid, words FROM made.{_WORDS}")  # noqa: S608
        cursor.execute("COMMIT")


def _swap_schemas(database: Database, shadow: Database) -> None:
    former = database.beside("former")
    drop(former)
    with database.writing() as connection:
        if has_tables(database, connection):
            # Whoever writes has written, or will find the new ones.
            connection.exec_driver_sql(f"LOCK TABLE {database.schema}.positions IN ACCESS EXCLUSIVE MODE")
        connection.exec_driver_sql(f"CREATE SCHEMA IF NOT EXISTS {database.schema}")
        connection.exec_driver_sql(f"ALTER SCHEMA {database.schema} RENAME TO {former.schema}")
        connection.exec_driver_sql(f"ALTER SCHEMA {shadow.schema} RENAME TO {database.schema}")
    drop(former)
