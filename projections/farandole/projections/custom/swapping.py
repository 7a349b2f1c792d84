"""Tables that were built beside others are put in their place, in one transaction.

A table that is made as the one before was keeps its place, and with it whatever else refers to it: grants, views. Only
its rows are others. One that is made otherwise takes its place.
"""

import json
from typing import Any, Final

from sqlalchemy import select

from farandole.projections.sql.claims import Claim

from .errors import ProjectionOutdated
from .hanging import nothing_hangs
from .projection import tables_of
from .space import ProjectionTables
from .stopping import go_on
from .tables import errors, positions, projections
from .versions import version_told

_OURS: Final = (positions, errors)


def swap(made: ProjectionTables, live: ProjectionTables, claim: Claim) -> None:
    """Put what was made in the place of what is in use.

    Args:
        claim: to build them.

    Raises:
        ClaimLost: somebody else may build them by now; nothing was done.
        ProjectionOutdated: what is in use is of a newer version.
        DatabaseMisconfigured: something else hangs on a table that is to go.
        DatabaseUnavailable: it is not known whether it was done.
    """
    with live.database.writing() as connection:
        live.prepare(connection)
        row = connection.execute(select(projections).where(projections.c.name == live.name)).mappings().first()
    before: dict[str, str] = {} if row is None else json.loads(row["made"])
    if row is not None and row["version"] > live.version:
        raise ProjectionOutdated(
            f"projection {live.name}: the tables in {live.database.url} are of version {version_told(row['version'])}, and what was made "
            f"is of version {version_told(live.version)}"
        )
    with made.database.writing() as connection:
        # It is whole: whatever it once stood before it has gone past.
        go_on(connection, live.name)
        found = connection.execute(select(projections.c.made).where(projections.c.name == live.name)).scalar_one()
    forms: dict[str, str] = json.loads(found)
    kept = [name for name in tables_of(live.projection) if forms.get(name) == before.get(name)]
    others = [name for name in forms if name not in kept]
    gone = [name for name in before if name not in kept]
    if live.database.dialect == "sqlite":
        _swap_sqlite(made, live, kept, others, gone, claim)
    else:
        _swap_postgresql(made, live, kept, others, gone, claim)


def _swap_postgresql(
    made: ProjectionTables, live: ProjectionTables, kept: list[str], others: list[str], gone: list[str], claim: Claim
) -> None:
    here, there = live.database.schema, made.database.schema
    with live.database.writing() as connection:
        live.prepare(connection)
        # Whoever writes has written, or finds the new places.
        connection.execute(select(positions).where(positions.c.projection == live.name).with_for_update())
        for name in gone:
            with nothing_hangs(
                f"projection {live.name}: table {name} is made otherwise now, and something hangs on the one in use, "
                "such as a view; drop that, and make it again afterwards"
            ):
                connection.exec_driver_sql(f'DROP TABLE IF EXISTS {here}."{name}"')
        for name in others:
            connection.exec_driver_sql(f'ALTER TABLE {there}."{name}" SET SCHEMA {here}')
        for name in reversed(kept):
            connection.exec_driver_sql(f'DELETE FROM {here}."{name}"')  # noqa: S608
        for name in kept:
            columns = _columns(connection, here, name)
            listed = ", ".join(f'"{column}"' for column, _ in columns)
            connection.exec_driver_sql(
                f'INSERT INTO {here}."{name}" ({listed}) OVERRIDING SYSTEM VALUE SELECT {listed} FROM {there}."{name}"'  # noqa: S608
            )
            for column, counted in columns:
                if counted:
                    connection.exec_driver_sql(
                        f"SELECT setval(pg_get_serial_sequence('{here}.\"{name}\"', '{column}'), "  # noqa: S608
                        f'(SELECT coalesce(max("{column}"), 0) + 1 FROM {here}."{name}"), false)'
                    )
        for table in (*_OURS, projections):
            by = "name" if table is projections else "projection"
            listed = ", ".join(column.name for column in table.columns)
            connection.exec_driver_sql(f"DELETE FROM {here}.{table.name} WHERE {by} = '{live.name}'")  # noqa: S608
            connection.exec_driver_sql(
                f"INSERT INTO {here}.{table.name} ({listed}) SELECT {listed} FROM {there}.{table.name} "  # noqa: S608
                f"WHERE {by} = '{live.name}'"
            )
        claim.confirm(connection)


def _columns(connection: Any, schema: str, table: str) -> list[tuple[str, bool]]:
    """The columns of a table that can be written, and whether the database counts them up."""
    query = (
        "SELECT column_name, pg_get_serial_sequence(quote_ident(table_schema) || '.' || quote_ident(table_name), "
        "column_name) IS NOT NULL FROM information_schema.columns WHERE table_schema = %s AND table_name = %s AND "
        "is_generated = 'NEVER' ORDER BY ordinal_position"
    )
    return [(name, counted) for name, counted in connection.exec_driver_sql(query, (schema, table))]


def _swap_sqlite(
    made: ProjectionTables, live: ProjectionTables, kept: list[str], others: list[str], gone: list[str], claim: Claim
) -> None:
    made.database.close()
    with live.database.alone() as cursor:
        cursor.execute("ATTACH DATABASE ? AS made", (made.database.path,))
        cursor.execute("BEGIN IMMEDIATE")
        for name in gone:
            cursor.execute(f'DROP TABLE IF EXISTS main."{name}"')
        for name in others:
            query = "SELECT sql FROM made.sqlite_master WHERE tbl_name = ? AND sql IS NOT NULL ORDER BY type DESC"
            for (form,) in cursor.execute(query, (name,)).fetchall():
                cursor.execute(form)
        for name in reversed(kept):
            cursor.execute(f'DELETE FROM main."{name}"')  # noqa: S608
        for name in (*kept, *others):
            shown = cursor.execute(f'PRAGMA made.table_xinfo("{name}")').fetchall()
            listed = ", ".join(f'"{column[1]}"' for column in shown if not column[6])
            cursor.execute(f'INSERT INTO main."{name}" ({listed}) SELECT {listed} FROM made."{name}"')  # noqa: S608
        for table in (*_OURS, projections):
            by = "name" if table is projections else "projection"
            listed = ", ".join(column.name for column in table.columns)
            cursor.execute(f"DELETE FROM main.{table.name} WHERE {by} = ?", (live.name,))  # noqa: S608
            cursor.execute(
                f"INSERT INTO main.{table.name} ({listed}) SELECT {listed} FROM made.{table.name} WHERE {by} = ?",  # noqa: S608
                (live.name,),
            )
        claim.confirm()
        cursor.execute("COMMIT")
