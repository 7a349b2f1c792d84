"""A projection that nobody wants any longer is removed: its rows, and all that is known of it. Its code is not needed."""

import asyncio
import json
from typing import Final

from sqlalchemy import Connection, delete, inspect, select

from farandole.projections.runs.tablespace import drop
from farandole.projections.sql import Database
from farandole.projections.sql.claims import Claim

from .errors import ProjectionKept, UnknownProjection
from .hanging import nothing_hangs
from .keepers import kept_by
from .space import NEW, beside, claimed, database_of
from .tables import errors, keepers, positions, projections, stops

_OF_ONE: Final = (positions, errors, stops, keepers)


async def drop_projection(database: Database, name: str) -> tuple[str, ...]:
    """Remove a projection from a database, and return the names of the tables that went with it. Those that are made by
    others stay.

    Args:
        database: the one that the tables of runs are in, or would be.

    Raises:
        UnknownProjection: there is none of that name.
        ProjectionKept: a process keeps it, and would make it again.
        UnderWay: somebody builds it, or makes it anew.
        DatabaseMisconfigured: something else hangs on one of its tables.
        DatabaseUnavailable: whether it was done is not known.
    """
    place = database_of(database)
    try:
        await asyncio.to_thread(_look, place, name)
        async with claimed(place, name, "drop") as claim:
            gone = await asyncio.to_thread(_drop, place, name, claim)
            await asyncio.to_thread(lambda: drop(beside(place, name, NEW), claim))
        return gone
    finally:
        if place is not database:
            await asyncio.to_thread(place.close)


def _look(place: Database, name: str) -> None:
    with place.reading() as connection:
        _tables(connection, place, name)


def _drop(place: Database, name: str, claim: Claim) -> tuple[str, ...]:
    with place.writing() as connection:
        gone = tuple(sorted(_tables(connection, place, name)))
        if by := kept_by(connection, place.schema or None).get(name):
            raise ProjectionKept(
                f"projection {name} is kept by {' and by '.join(by)}, which would make it again: take it out of the app, or end "
                "that first. One that was killed is known to be gone after two minutes"
            )
        # Whoever writes has written, or finds its place no more.
        connection.execute(select(positions).where(positions.c.projection == name).with_for_update()).all()
        if gone:
            _drop_tables(connection, name, gone)
        for table in _OF_ONE:
            if inspect(connection).has_table(table.name, schema=place.schema or None):
                connection.execute(delete(table).where(table.c.projection == name))
        connection.execute(delete(projections).where(projections.c.name == name))
        claim.confirm(connection)
    return gone


def _tables(connection: Connection, place: Database, name: str) -> list[str]:
    """Those that were made for it.

    Raises:
        UnknownProjection: there is none of that name.
    """
    known: dict[str, str] = {}
    if inspect(connection).has_table(projections.name, schema=place.schema or None):
        rows = connection.execute(select(projections.c.name, projections.c.made))
        known = {row.name: row.made for row in rows}
    if name not in known:
        there = f"there are {', '.join(sorted(known))}" if known else "there is none at all"
        raise UnknownProjection(f"{place.url} has no projection {name}; {there}")
    return list(json.loads(known[name]))


def _drop_tables(connection: Connection, name: str, tables: tuple[str, ...]) -> None:
    # Those that refer to one another go together.
    together = [tables] if connection.dialect.name == "postgresql" else [(each,) for each in tables]
    with nothing_hangs(f"projection {name}: something hangs on one of its tables, such as a view; drop that first"):
        for each in together:
            listed = ", ".join(f'"{table}"' for table in each)
            connection.exec_driver_sql(f"DROP TABLE IF EXISTS {listed}")
