"""Whether the tables are what follows from the log: it is folded again, beside them, and both are compared row for row."""

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Table, func, select

from farandole.eventstore import EventStore
from farandole.projections.sql import Database, DatabaseMisconfigured, Exact, Place
from farandole.projections.sql.claims import claiming
from farandole.schemas import PayloadCodec

from .cutting import Cut, Row, cuts
from .rebuilding import CLAIM, Progress, Told, fill
from .retention import retire
from .tables import OF_THE_LOG, positions, runs, standings
from .tablespace import RunTables, drop, has_tables, kept_since

_RANGE: Final = 5_000
"""Offsets whose rows are compared together."""
_BY_OFFSET: Final = ("log_offset", "run")
MOST: Final = 1_000
"""Differences that are told, at most."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A row that is not what it should be.

    Attributes:
        table: its name.
        key: the row's.
        columns: those that differ, each with what is there and what should be; none if the row is missing, or too much.
        what: ``differs``, ``missing`` or ``too much``.
    """

    table: str
    key: tuple[Any, ...]
    what: str
    columns: dict[str, tuple[Any, Any]]


@dataclass(frozen=True, slots=True)
class Verified:
    """What was found."""

    progress: Progress
    places: Mapping[Any, Place]
    """Up to where was compared."""
    rows: int
    differences: tuple[Difference, ...]


async def verify(
    store: EventStore,
    database: Database,
    choreography: str,
    *,
    codec: PayloadCodec | None = None,
    told: Told = lambda progress: None,
) -> Verified:
    """Compare the tables with the log, up to where they are now. A projector may go on meanwhile.

    Raises:
        UnderWay: somebody else verifies them, or makes them anew.
        StoreError, DatabaseError: one of the two cannot be read.
    """
    async with claiming(database, CLAIM, f"verify of {choreography}"):
        return await _verified(store, database, choreography, codec, told)


async def _verified(
    store: EventStore, database: Database, choreography: str, codec: PayloadCodec | None, told: Told
) -> Verified:
    shadow = database.beside("verify")
    tables = RunTables(shadow, choreography)
    try:
        await asyncio.to_thread(drop, shadow)
        with database.reading() as connection:
            if not has_tables(database, connection):
                raise DatabaseMisconfigured(f"{database.url} has no tables of runs: start a projector first")
            places = Exact(database, positions).places(connection)
            kept = kept_since(connection)
            upto = {p: place.position for p, place in places.items()}
            progress = await fill(store, shadow, choreography, codec=codec, to=upto, told=told)
            await asyncio.to_thread(retire, tables, kept)
            with shadow.reading() as made:
                rows, found = await asyncio.to_thread(_compare, connection, made, kept)
        return Verified(progress, places, rows, found)
    finally:
        await asyncio.to_thread(drop, shadow)


def _compare(connection: Connection, made: Connection, kept: Mapping[int, int]) -> tuple[int, tuple[Difference, ...]]:
    found: list[Difference] = []
    rows = 0
    begins, cut = _begins(connection, made), cuts(connection, made, kept)
    for table in (*OF_THE_LOG, positions):
        for where in _ranges(table, connection, made, begins):
            left, right = (_rows(c, table, where, cut) for c in (connection, made))
            rows += len(left)
            for key in left.keys() | right.keys():
                if left.get(key) != right.get(key) and len(found) < MOST:
                    found.append(_difference(table, key, left.get(key), right.get(key)))
    found += _miscounted(connection)
    return rows, tuple(sorted(found, key=lambda each: (each.table, repr(each.key))))


def _miscounted(connection: Connection) -> Iterator[Difference]:
    """What the database has counted wrongly."""
    counted = select(runs.c.status, func.count()).group_by(runs.c.status)
    there = {row[0]: row[1] for row in connection.execute(select(standings)) if row[1]}
    should = {row[0]: row[1] for row in connection.execute(counted)}
    for status in there.keys() | should.keys():
        if there.get(status, 0) != should.get(status, 0):
            columns = {"runs": (there.get(status, 0), should.get(status, 0))}
            yield Difference(standings.name, (status,), "differs", columns)


def _begins(*connections: Connection) -> dict[int, int]:
    """From where both have all that is to be had: the log may have been archived since."""
    query = select(positions.c.partition, positions.c.begins)
    found: dict[int, int] = {}
    for connection in connections:
        for partition, begins in connection.execute(query):
            found[partition] = max(found.get(partition, 0), begins)
    return found


def _ranges(table: Table, connection: Connection, made: Connection, begins: dict[int, int]) -> Iterator[Any]:
    """Conditions for parts of a table that are small enough to be compared in memory."""
    by = next((table.c[name] for name in _BY_OFFSET if name in table.primary_key.columns), None)
    for partition, first in begins.items():
        here = table.c.partition == partition
        if by is None:
            yield here
            continue
        most = max(c.execute(select(func.max(by)).where(here)).scalar() or 0 for c in (connection, made))
        for at in range(first, most + 1, _RANGE):
            yield here & (by >= at) & (by < at + _RANGE)


def _rows(connection: Connection, table: Table, where: Any, cut: dict[int, Cut]) -> dict[tuple[Any, ...], Row]:
    """Rows by their keys, as far as they can be compared."""
    width = len(table.primary_key.columns)
    columns = [column for column in table.columns if table is not positions or column.name != "begins"]
    found = {tuple(row[:width]): tuple(row) for row in connection.execute(select(*columns).where(where))}
    if not cut or table is positions:
        return found
    known = {key: cut[key[0]].comparable(table, row) if key[0] in cut else row for key, row in found.items()}
    return {key: row for key, row in known.items() if row is not None}


def _difference(table: Table, key: tuple[Any, ...], left: Any, right: Any) -> Difference:
    if left is None or right is None:
        return Difference(table.name, key, "missing" if left is None else "too much", {})
    names = [column.name for column in table.columns]
    columns = {name: (is_, should) for name, is_, should in zip(names, left, right, strict=False) if is_ != should}
    return Difference(table.name, key, "differs", columns)
