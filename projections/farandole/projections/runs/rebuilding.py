"""Tables made anew from the log, beside those that are in use, and then put in their place in one transaction.

Whoever reads sees the former ones or the new ones. A projector that is at work finds that the tables are elsewhere than
it left them, and goes on from what they say.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from farandole.eventstore import Ends, EventStore
from farandole.projections.sql import ClaimLost, Database, DatabaseUnavailable, Place
from farandole.projections.sql.claims import Claim, claiming
from farandole.schemas import PayloadCodec

from .hanging import hand_on, refuse_hanging
from .migrations import migrate
from .projector import Pace, Projector
from .retention import retire
from .standings import COUNT
from .tables import metadata, standings
from .tablespace import RunTables, bring_up_to_date, drop, has_tables, kept_since

_PACE: Final = Pace(most=20_000)
_LOOK: Final = 0.5
_WORDS: Final = "records_words"
_TRIES: Final = 600
CLAIM: Final = "runs"
"""Under which whoever makes the tables anew, or verifies them, is alone."""
_WAIT: Final = "1s"
"""For which a swap has all others wait, if somebody reads."""


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
    filled_by: Callable[[], Awaitable[None]] | None = None,
) -> Progress:
    """Make the tables of a log anew.

    Args:
        told: hears of each batch that was written, or now and then.
        filled_by: has other processes do it, each `fill_part` of the partitions; by default it is done here.

    Raises:
        DatabaseMisconfigured: something of others, such as a view, hangs on the tables in use.
        UnderWay: somebody else makes them anew, or verifies them; or may by now, since the claim was lost on the way.
        StoreError, DatabaseError: one of the two is not as it must be; the tables in use are as they were.
    """
    await asyncio.to_thread(_refuse_hanging, database)
    async with claiming(database, CLAIM, f"rebuild of {choreography}") as claim:
        return await _rebuilt(store, database, choreography, codec, told, filled_by, claim)


async def _rebuilt(
    store: EventStore, database: Database, choreography: str, codec: PayloadCodec | None, told: Told,
    filled_by: Callable[[], Awaitable[None]] | None, claim: Claim,
) -> Progress:  # fmt: skip
    shadow = database.beside("rebuild")
    try:
        await asyncio.to_thread(drop, shadow, claim)
        if filled_by is None:
            progress = await fill(store, shadow, choreography, codec=codec, told=told)
        else:
            progress = await _filled(store, shadow, choreography, filled_by, told)
        kept = await asyncio.to_thread(_kept_since, database)
        await asyncio.to_thread(_finish, shadow, choreography, kept)
        # What came meanwhile is little: whoever projects then has it to do again.
        last = Projector(store, shadow, choreography, codec=codec, pace=_PACE)
        try:
            await last.catch_up()
        finally:
            await last.close()
        await asyncio.to_thread(_swap, database, shadow, claim)
        return progress
    finally:
        with suppress(ClaimLost):  # whoever has it now makes its tables there
            await asyncio.to_thread(drop, shadow, claim)


async def fill(
    store: EventStore,
    shadow: Database,
    choreography: str,
    *,
    codec: PayloadCodec | None = None,
    to: Mapping[int, int] | None = None,
    told: Told = lambda progress: None,
    partitions: Collection[int] | None = None,
) -> Progress:
    """Fill new tables from the log, without what only helps to find rows.

    Args:
        to: positions; by default the ends that the log has now.
        partitions: these only; by default all.
    """
    ends = await store.ends(range(store.partitions) if partitions is None else partitions)
    upto = {p: end.next for p, end in ends.items()} if to is None else to
    projector = Projector(store, shadow, choreography, codec=codec, pace=_PACE, partitions=partitions)
    so_far = _Counting(ends, upto, lambda: projector.places)
    projector.written = lambda batch: told(so_far())
    try:
        await projector.make(bare=True)
        await projector.catch_up({p: upto.get(p, 0) for p in ends})
    finally:
        await projector.close()
    return so_far()


async def fill_part(
    store: EventStore,
    database: Database,
    choreography: str,
    part: int,
    parts: int,
    *,
    codec: PayloadCodec | None = None,
) -> None:
    """What one of several processes does for a rebuild that another one began."""
    shadow = database.beside("rebuild")
    try:
        await fill(store, shadow, choreography, codec=codec, partitions=range(part, store.partitions, parts))
    finally:
        shadow.close()


async def _filled(
    store: EventStore, shadow: Database, choreography: str, by: Callable[[], Awaitable[None]], told: Told
) -> Progress:
    """Have others fill the tables, and tell how far they are."""
    ends = await store.ends(range(store.partitions))
    tables = RunTables(shadow, choreography)
    await asyncio.to_thread(tables.make, store.partitions, bare=True)
    places: dict[int, Place] = {}
    so_far = _Counting(ends, {p: end.next for p, end in ends.items()}, lambda: places)
    filling = asyncio.ensure_future(by())
    try:
        while not filling.done():
            await asyncio.wait((filling,), timeout=_LOOK)
            places = await asyncio.to_thread(tables.places)
            told(so_far())
        await filling
    finally:
        filling.cancel()
    return so_far()


class _Counting:
    """How far it is, whenever it is called."""

    def __init__(
        self, ends: Mapping[int, Ends], upto: Mapping[int, int], places: Callable[[], Mapping[int, Place]]
    ) -> None:
        self._first = {p: end.first for p, end in ends.items()}
        self._total = sum(max(upto.get(p, 0) - first, 0) for p, first in self._first.items())
        self._places = places
        self._began = time.monotonic()

    def __call__(self) -> Progress:
        places = self._places()
        done = sum(max(places[p].position - first, 0) for p, first in self._first.items() if p in places)
        return Progress(min(done, self._total), self._total, time.monotonic() - self._began)


def _finish(shadow: Database, choreography: str, kept: Mapping[int, int]) -> None:
    tables = RunTables(shadow, choreography)
    tables.finish()
    retire(tables, kept)


def _kept_since(database: Database) -> Mapping[int, int]:
    """What has left the tables in use leaves the new ones, too."""
    with database.writing() as connection:
        if not has_tables(database, connection):
            return {}
        bring_up_to_date(database, connection)
        return kept_since(connection)


def _swap(database: Database, shadow: Database, claim: Claim) -> None:
    if database.dialect == "sqlite":
        _swap_files(database, shadow, claim)
    else:
        _swap_schemas(database, shadow, claim)


def _swap_files(database: Database, shadow: Database, claim: Claim) -> None:
    """The rows of one file into the other: it stays the file that everybody has open."""
    with database.writing() as connection:
        migrate(connection)
    shadow.close()
    with database.alone() as cursor:
        cursor.execute("ATTACH DATABASE ? AS made", (shadow.path,))
        cursor.execute("BEGIN IMMEDIATE")
        for table in (each for each in metadata.sorted_tables if each is not standings):
            columns = ", ".join(column.name for column in table.columns)
            cursor.execute(f"DELETE FROM main.{table.name}")  # noqa: S608
            cursor.execute(f"INSERT INTO main.{table.name} ({columns}) SELECT {columns} FROM made.{table.name}")  # noqa: S608
        cursor.execute(COUNT)
        cursor.execute(f"DELETE FROM main.{_WORDS}")  # noqa: S608
        cursor.execute(f"INSERT INTO main.{_WORDS} (rowid, words) SELECT rowid, words FROM made.{_WORDS}")  # noqa: S608
        claim.confirm()
        cursor.execute("COMMIT")


def _swap_schemas(database: Database, shadow: Database, claim: Claim) -> None:
    former = database.beside("former")
    drop(former)
    for again in range(_TRIES, -1, -1):
        try:
            _rename(database, shadow, former, claim)
            break
        except DatabaseUnavailable:
            if not again:
                raise
            time.sleep(_LOOK)
    drop(former)


def _rename(database: Database, shadow: Database, former: Database, claim: Claim) -> None:
    with database.writing() as connection:
        if has_tables(database, connection):
            refuse_hanging(database, connection)
            hand_on(connection, database.schema, shadow.schema)
            # Whoever writes has written, or will find the new ones. Who waits for a lock has all others wait behind it: so
            # not for long, while somebody reads the former ones in a long transaction.
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{_WAIT}'")
            connection.exec_driver_sql(f"LOCK TABLE {database.schema}.positions IN ACCESS EXCLUSIVE MODE")
        connection.exec_driver_sql(f"CREATE SCHEMA IF NOT EXISTS {database.schema}")
        connection.exec_driver_sql(f"ALTER SCHEMA {database.schema} RENAME TO {former.schema}")
        connection.exec_driver_sql(f"ALTER SCHEMA {shadow.schema} RENAME TO {database.schema}")
        # Now that nobody else can drop or fill what was renamed before this is committed.
        claim.confirm(connection)


def _refuse_hanging(database: Database) -> None:
    if database.dialect == "postgresql":
        with database.reading() as connection:
            refuse_hanging(database, connection)
