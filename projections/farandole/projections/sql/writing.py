"""Many rows into a table at once, in the way that each database takes them fastest.

SQLite: one prepared statement for all. PostgreSQL: ``COPY`` for rows that are new or likely to be, and for all others one
statement over arrays, a column each, which needs no temporary table and goes through any pooler.
"""

from collections.abc import Iterable
from typing import Any, Final

from sqlalchemy import JSON, BigInteger, Boolean, Connection, Integer, Table, Text

from .changes import Changes, Form, Rule
from .database import raw

_PG_TYPES: Final[tuple[tuple[type, str], ...]] = (
    (JSON, "jsonb"), (Boolean, "boolean"), (BigInteger, "bigint"), (Integer, "integer"), (Text, "text"),
)  # fmt: skip
"""The first that fits; structured values are handed over as text."""


def write(connection: Connection, changes: Changes) -> None:
    """Write what is to change in one table."""
    sql = connection.dialect.name
    if sql == "sqlite":
        _write_sqlite(connection, changes)
    else:
        _write_postgresql(connection, changes)


def _write_sqlite(connection: Connection, changes: Changes) -> None:
    form = changes.form
    cursor = raw(connection)
    marks = ", ".join("?" * len(form.columns))
    into = f"INSERT INTO {form.table.name} ({', '.join(form.columns)}) VALUES ({marks})"  # noqa: S608
    if changes.new:
        cursor.executemany(into, changes.new.values())
    for rows in (changes.likely, changes.put):
        if rows:
            cursor.executemany(f"{into} {_on_conflict(form, 'max')}", rows.values())
    if changes.changed:
        table = form.table.name
        sets = ", ".join(f"{c} = {_ruled(way, f'{table}.{c}', '?', 'max')}" for c, way in form.rules.items())
        where = " AND ".join(f"{c} = ?" for c in form.key)
        statement = f"UPDATE {table} SET {sets} WHERE {where}"  # noqa: S608
        cursor.executemany(statement, [(*values, *key) for key, values in changes.changed.items()])
    cursor.close()


def _write_postgresql(connection: Connection, changes: Changes) -> None:
    from psycopg import IntegrityError

    form = changes.form
    table = form.table.name
    cursor = raw(connection)
    if changes.new:
        _copy(cursor, form, changes.new.values())
    if changes.likely:
        cursor.execute("SAVEPOINT likely")
        try:
            _copy(cursor, form, changes.likely.values())
        except IntegrityError:
            cursor.execute("ROLLBACK TO SAVEPOINT likely")
            _put(cursor, form, changes.likely.values())
        cursor.execute("RELEASE SAVEPOINT likely")
    if changes.put:
        _put(cursor, form, changes.put.values())
    if changes.changed:
        names = (*form.key, *form.given)
        sets = ", ".join(
            f"{c} = {_ruled(way, f't.{c}', _read(form.table, c), 'greatest')}" for c, way in form.rules.items()
        )
        where = " AND ".join(f"t.{c} = v.{c}" for c in form.key)
        statement = f"UPDATE {table} t SET {sets} FROM {_arrays(form.table, names)} WHERE {where}"  # noqa: S608
        rows_ = ((*key, *values) for key, values in changes.changed.items())
        cursor.execute(statement, _turned(rows_, len(names)))
    cursor.close()


def _copy(cursor: Any, form: Form, rows: Iterable[list[Any]]) -> None:
    with cursor.copy(f"COPY {form.table.name} ({', '.join(form.columns)}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


def _put(cursor: Any, form: Form, rows: Iterable[list[Any]]) -> None:
    columns, read = ", ".join(form.columns), ", ".join(_read(form.table, c) for c in form.columns)
    statement = (
        f"INSERT INTO {form.table.name} ({columns}) SELECT {read} FROM {_arrays(form.table, form.columns)} "  # noqa: S608
        f"{_on_conflict(form, 'greatest')}"
    )
    cursor.execute(statement, _turned(rows, len(form.columns)))


def _on_conflict(form: Form, most: str) -> str:
    table = form.table.name
    sets = ", ".join(
        f"{c} = {_ruled(way, f'{table}.{c}', f'excluded.{c}', most)}"
        for c, way in zip(form.columns[len(form.key) :], form.put_ways, strict=True)
    )
    return f"ON CONFLICT ({', '.join(form.key)}) DO UPDATE SET {sets}"


def _ruled(way: Rule, old: str, new: str, most: str) -> str:
    if way == "set":
        return new
    if way == "keep":
        return f"COALESCE({new}, {old})"
    return f"{old} + {new}" if way == "add" else f"{most}({old}, {new})"


def _pg_type(table: Table, column: str) -> str:
    kind = table.c[column].type
    return next(name for cls, name in _PG_TYPES if isinstance(kind, cls))


def _read(table: Table, column: str) -> str:
    return f"v.{column}::jsonb" if _pg_type(table, column) == "jsonb" else f"v.{column}"


def _arrays(table: Table, columns: Iterable[str]) -> str:
    types = {c: _pg_type(table, c) for c in columns}
    arrays = ", ".join(f"%s::{'text' if kind == 'jsonb' else kind}[]" for kind in types.values())
    return f"unnest({arrays}) AS v({', '.join(types)})"


def _turned(rows: Iterable[Any], width: int) -> list[list[Any]]:
    """Columns from rows."""
    columns = [list(column) for column in zip(*rows, strict=True)]
    return columns or [[] for _ in range(width)]
