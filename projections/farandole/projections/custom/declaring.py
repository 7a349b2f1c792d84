"""`table` and `upsert`: what most projections need of SQL, for both kinds of database."""

import types
import typing
from collections.abc import Mapping
from datetime import date, datetime
from functools import cache
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Connection,
    Date,
    DateTime,
    Double,
    LargeBinary,
    MetaData,
    Table,
    Text,
    Uuid,
    bindparam,
    func,
)  # fmt: skip
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql import JSONB

from farandole.schemas import DeclarationError

_TYPES: Final[Mapping[Any, Any]] = {
    bool: Boolean, int: BigInteger, str: Text, float: Double, date: Date, datetime: DateTime(timezone=True),
    bytes: LargeBinary, UUID: Uuid, dict: JSON().with_variant(JSONB(), "postgresql"),
    list: JSON().with_variant(JSONB(), "postgresql"),
}  # fmt: skip


def table(name: str, key: Mapping[str, Any], /, **columns: Any) -> Table:
    """A table from Python types: ``table("orders_per_day", {"day": date}, orders=int, note=str | None)``.

    For anything else, declare a `sqlalchemy.Table`.

    Args:
        key: the columns by which a row is found.
        columns: all others.

    Raises:
        DeclarationError: a type has no column.
    """
    made = [_column(name, column, kind, key=True) for column, kind in key.items()]
    return Table(name, MetaData(), *made, *(_column(name, column, kind) for column, kind in columns.items()))


def upsert(
    db: Connection,
    table: Table,
    key: Mapping[str, Any],
    *,
    put: Mapping[str, Any] | None = None,
    add: Mapping[str, Any] | None = None,
) -> None:
    """Make a row, or change the one that is there.

    Args:
        key: the row's.
        put: columns that then have these values.
        add: columns that have so much more then; of a new row, these values.
    """
    put, add = put or {}, add or {}
    db.execute(_statement(db.dialect.name, table, tuple(key), tuple(put), tuple(add)), {**key, **put, **add})


@cache
def _statement(dialect: str, table: Table, key: tuple[str, ...], put: tuple[str, ...], add: tuple[str, ...]) -> Any:
    insert: Any = postgresql.insert if dialect == "postgresql" else sqlite.insert
    statement = insert(table).values({name: bindparam(name) for name in (*key, *put, *add)})
    changes = {name: statement.excluded[name] for name in put}
    changes |= {name: func.coalesce(table.c[name], 0) + statement.excluded[name] for name in add}
    if not changes:
        return statement.on_conflict_do_nothing(index_elements=key)
    return statement.on_conflict_do_update(index_elements=key, set_=changes)


def _column(table: str, name: str, kind: Any, *, key: bool = False) -> "Column[Any]":
    given, nullable = kind, False
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        members = [each for each in typing.get_args(kind) if each is not type(None)]
        nullable = len(members) < len(typing.get_args(kind))
        kind = members[0] if len(members) == 1 else None
    found = _TYPES.get(typing.get_origin(kind) or kind)
    if found is None:
        raise DeclarationError(
            f"table {table}: column {name} is {given!r}, and there are {', '.join(each.__name__ for each in _TYPES)}, each "
            "| None; for others declare a sqlalchemy.Table. Amounts of money are exact as an int of cents: SQLite has no "
            "decimals"
        )
    return Column(name, found, primary_key=key, nullable=nullable and not key, autoincrement=False)
