"""Whether the rows of a projection are those that its handlers make of the log: made again beside them, and compared."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection, MetaData, Table, select

from farandole.projections.runs.rebuilding import Progress, Told
from farandole.projections.runs.tablespace import drop
from farandole.projections.runs.verifying import MOST, Difference, Verified
from farandole.projections.sql import Database, Place

from .errors import ProjectionOutdated
from .filling import PACE, Filling, Watch
from .logs import Archive, Log
from .projection import Projection, tables_of
from .space import ProjectionTables, database_of
from .versions import version_told

_AT_ONCE: Final = 5_000
_WORD: Final = "verify"


async def verify_projection(
    projection: type[Projection],
    logs: Sequence[Log],
    database: Database,
    *,
    archive: Archive | None = None,
    told: Told = lambda progress: None,
) -> Verified:
    """Compare the tables of a projection with what its handlers make of the logs, up to where the tables are now.

    Of several logs, or partitions, that is only one of the orders in which their events may come.

    Raises:
        ProjectionOutdated: the tables are of another version than the code, or were never made.
        UnderWay: somebody else verifies them.
        ProjectionError, StoreError, DatabaseError: it cannot be done.
    """
    tables = ProjectionTables(database_of(database), projection)
    async with tables.claimed("verify"):
        return await _verified(tables, logs, archive, told)


async def _verified(live: ProjectionTables, logs: Sequence[Log], archive: Archive | None, told: Told) -> Verified:
    projection = live.projection
    made = live.beside(_WORD)
    try:
        await asyncio.to_thread(drop, made.database)
        with live.database.reading() as connection:
            if (version := live.version_in(connection)) != live.version:
                what = (
                    "there are no tables of it"
                    if version is None
                    else f"its tables are of version {version_told(version)}"
                )
                raise ProjectionOutdated(f"projection {live.name}: {what}; start a projector with this code first")
            places = live.places_in(connection)
            progress = await _fill(made, logs, places, archive, told)
            with made.database.reading() as theirs:
                rows, found = await asyncio.to_thread(_compare, projection, connection, theirs)
        return Verified(progress, places, rows, found)
    finally:
        await asyncio.to_thread(drop, made.database)


async def _fill(
    made: ProjectionTables, logs: Sequence[Log], places: Mapping[str, Place], archive: Archive | None, told: Told
) -> Progress:
    loop = asyncio.get_running_loop()
    began, upto = loop.time(), {part: place.position for part, place in places.items()}

    def progress() -> Progress:
        done = sum(place.position for place in filling.places.values())
        return Progress(done, sum(upto.values()), loop.time() - began)

    filling = Filling(logs, made, PACE, _in_a_thread, archive, Watch(wrote=lambda: told(progress())))
    await asyncio.to_thread(made.make)
    await filling.run(upto)
    return progress()


async def _in_a_thread(work: Callable[[], Any]) -> Any:
    return await asyncio.to_thread(work)


def _compare(
    projection: type[Projection], connection: Connection, made: Connection
) -> tuple[int, tuple[Difference, ...]]:
    found: list[Difference] = []
    rows = 0
    for name, declared in tables_of(projection).items():
        table = declared if declared is not None else Table(name, MetaData(), autoload_with=connection)
        ours, theirs = _only_in_one(table, connection, made)
        rows += ours[1]
        found += _differences(table, ours[0], theirs)
    return rows, tuple(found[:MOST])


def _only_in_one(
    table: Table, connection: Connection, made: Connection
) -> tuple[tuple["Counter[tuple[Any, ...]]", int], "Counter[tuple[Any, ...]]"]:
    """Rows that only one side has. Both come in one order, so that little is held at a time."""
    ours: Counter[tuple[Any, ...]] = Counter()
    theirs: Counter[tuple[Any, ...]] = Counter()
    rows = 0
    left, right = _rows(table, connection), _rows(table, made)
    while True:
        some, others = next(left, []), next(right, [])
        if not some and not others:
            return (ours, rows), theirs
        rows += len(some)
        ours.update(some)
        theirs.update(others)
        both = ours & theirs
        ours -= both
        theirs -= both


def _rows(table: Table, connection: Connection) -> Iterator[list[tuple[Any, ...]]]:
    result = connection.execute(select(*table.columns).order_by(*table.primary_key.columns))
    while rows := result.fetchmany(_AT_ONCE):
        yield [tuple(_plain(value) for value in row) for row in rows]


def _plain(value: Any) -> Any:
    return value if value.__hash__ is not None else repr(value)


def _differences(
    table: Table, ours: "Counter[tuple[Any, ...]]", theirs: "Counter[tuple[Any, ...]]"
) -> Iterator[Difference]:
    names = [column.name for column in table.columns]
    places = [names.index(column.name) for column in table.primary_key.columns] or list(range(len(names)))
    expected: dict[tuple[Any, ...], list[tuple[Any, ...]]] = {}
    for row in theirs.elements():
        expected.setdefault(tuple(row[at] for at in places), []).append(row)
    for row in ours.elements():
        key = tuple(row[at] for at in places)
        should = expected.get(key)
        if should:
            other = should.pop()
            columns = {n: (a, b) for n, a, b in zip(names, row, other, strict=True) if a != b}
            yield Difference(table.name, key, "differs", columns)
        else:
            yield Difference(table.name, key, "too much", {})
    for key, rows in expected.items():
        for _ in rows:
            yield Difference(table.name, key, "missing", {})
