"""Who keeps a projection. Each process that does says so now and then, so that one that nobody keeps is told apart from one
that is behind.

Times are those of the database's clock, so that those of several machines go together.
"""

import time
from collections.abc import Mapping
from typing import Final

from sqlalchemy import BigInteger, Connection, cast, delete, func, inspect, select, update

from .declaring import upsert
from .tables import keepers

EVERY: Final = 15.0
"""Seconds after which a keeper says so again."""
SILENT: Final = 120_000
"""Milliseconds after which one that has said nothing keeps nothing. One that stopped is tried again within a minute."""
_GONE: Final = 0
_FORGOTTEN: Final = 7 * 24 * 3_600_000


def say(connection: Connection, projection: str, keeper: str) -> None:
    """Say that a process keeps a projection."""
    now, c = now_of(connection), keepers.c
    upsert(connection, keepers, {"projection": projection, "keeper": keeper}, put={"seen": now})
    others = (c.projection == projection) & (c.seen < now - _FORGOTTEN)
    connection.execute(delete(keepers).where(others))


def leave(connection: Connection, projection: str, keeper: str) -> None:
    """Say that it keeps it no longer."""
    c = keepers.c
    here = (c.projection == projection) & (c.keeper == keeper)
    connection.execute(update(keepers).where(here).values(seen=_GONE))


def kept_by(connection: Connection, schema: str | None) -> Mapping[str, tuple[str, ...]]:
    """By projection, the processes that keep it. One that is not here was never kept by a process that says so.

    Args:
        schema: where the tables are, in PostgreSQL.
    """
    if not inspect(connection).has_table(keepers.name, schema=schema):
        return {}
    since, found = now_of(connection) - SILENT, dict[str, tuple[str, ...]]()
    for row in connection.execute(select(keepers).order_by(keepers.c.projection, keepers.c.keeper)):
        found[row.projection] = (*found.get(row.projection, ()), *([row.keeper] if row.seen >= since else []))
    return found


def now_of(connection: Connection) -> int:
    """Milliseconds since 1970 UTC, by the clock of the database."""
    if connection.dialect.name == "sqlite":
        return round(time.time() * 1000)  # of the same machine
    now = cast(func.extract("epoch", func.clock_timestamp()) * 1000, BigInteger)
    return int(connection.execute(select(now)).scalar_one())
