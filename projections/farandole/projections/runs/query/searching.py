"""How words are looked for: by their index, or run by run.

The index finds every record in which a word stands, and only then are the runs that moved last among them looked for.
For a word that stands in every other run that is a look at half of the table for a page of fifty. Such a page is full
after a few runs if those that moved last are looked at one after the other. Of ``n`` records, ``h`` with the words, the one
way looks at ``h`` of them, and the other at about ``page * n / h``.

PostgreSQL knows about how many there are, for it keeps statistics of the index; what it does not know is that whoever
asks wants a page. SQLite has no such statistics, and always takes the index.
"""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import CTE, Connection, RowMapping, Select, text
from sqlalchemy.exc import DBAPIError

from .filters import Where

# The condition as it stands in the index, to the letter.
_PLAN: Final = text(
    "EXPLAIN (FORMAT JSON) SELECT 1 FROM records WHERE to_tsvector('simple', words) @@ plainto_tsquery('simple', :said)"
)
_PATIENCE: Final = text("SELECT set_config('statement_timeout', :patience, true)")
_PATIENT: Final = 200
"""Milliseconds that runs are looked at one by one."""
_CANCELLED: Final = "57014"
_ALL: Final = text("SELECT reltuples FROM pg_class WHERE oid = 'records'::regclass")


def best_one_by_one(connection: Connection, where: Where, page: int) -> bool:
    """Whether words stand in so many records that runs are better looked at one after the other.

    Args:
        page: how many runs are wanted.
    """
    if not where.says or connection.dialect.name != "postgresql":
        return False
    hits, of = _expected(connection, where.says), connection.execute(_ALL).scalar_one()
    return bool(of > 0 and hits * hits > page * of)  # below that nobody has counted them yet


def in_time(connection: Connection, query: Select[Any]) -> Sequence[RowMapping] | None:
    """The rows; None if that takes long: runs that are wanted for something else, too, may be those in which the words never
    stand, and then all of them would be looked at.
    """
    try:
        with connection.begin_nested():
            connection.execute(_PATIENCE, {"patience": f"{_PATIENT}ms"})
            rows = connection.execute(query).mappings().all()
            connection.execute(_PATIENCE, {"patience": "0"})
    except DBAPIError as e:
        if getattr(e.orig, "sqlstate", None) != _CANCELLED:
            raise
        return None
    return rows


def apart(those: Select[Any]) -> CTE:
    """These runs, found before anything is made of them.

    Of a word that it has no statistics of PostgreSQL expects thousands, and would sooner look at all runs in the order of a
    page than look that one word up.
    """
    return those.cte("found").prefix_with("MATERIALIZED", dialect="postgresql")


def _expected(connection: Connection, said: str) -> float:
    """How many records PostgreSQL expects to find."""
    found: list[dict[str, Any]] = connection.execute(_PLAN, {"said": said}).scalar_one()
    return float(found[0]["Plan"]["Plan Rows"])
