"""How many runs there are of each status, kept by the database itself: like an index, it is exact at every moment, and is
left out while tables are filled and made at once when they are full.
"""

from typing import Final

from sqlalchemy import Connection

STATUSES: Final = (
    "running", "retrying", "waiting", "failed", "paused", "idle", "unserved", "ending", "completed", "cancelled", "expired",
)  # fmt: skip

COUNT: Final = "UPDATE standings SET runs = (SELECT count(*) FROM runs WHERE runs.status = standings.status)"
"""Counts them all."""
_SQLITE: Final = (
    """
    CREATE TRIGGER runs_began AFTER INSERT ON runs BEGIN
        UPDATE standings SET runs = runs + 1 WHERE status = NEW.status;
    END
    """,
    """
    CREATE TRIGGER runs_changed AFTER UPDATE OF status ON runs WHEN OLD.status <> NEW.status BEGIN
        UPDATE standings SET runs = runs - 1 WHERE status = OLD.status;
        UPDATE standings SET runs = runs + 1 WHERE status = NEW.status;
    END
    """,
    """
    CREATE TRIGGER runs_left AFTER DELETE ON runs BEGIN
        UPDATE standings SET runs = runs - 1 WHERE status = OLD.status;
    END
    """,
)
_COUNTED: Final = """
    CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        UPDATE standings s SET runs = s.runs + m.more
        FROM (SELECT status, sum(n) AS more FROM ({moved}) each GROUP BY status HAVING sum(n) <> 0) m
        WHERE s.status = m.status;
        RETURN NULL;
    END $$
"""
_CAME, _WENT = "SELECT status, 1 AS n FROM came", "SELECT status, -1 AS n FROM went"
_POSTGRESQL: Final = {
    "runs_began": ("INSERT", "NEW TABLE AS came", _CAME),
    "runs_changed": ("UPDATE", "OLD TABLE AS went NEW TABLE AS came", f"{_WENT} UNION ALL {_CAME}"),
    "runs_left": ("DELETE", "OLD TABLE AS went", _WENT),
}


def keep_standings(connection: Connection) -> None:
    """Count all runs, and have the database count on."""
    if connection.dialect.name == "sqlite":
        for trigger in _SQLITE:
            connection.exec_driver_sql(trigger)
        connection.exec_driver_sql(COUNT)
        return
    for name, (of, tables, moved) in _POSTGRESQL.items():
        connection.exec_driver_sql(_COUNTED.format(name=name, moved=moved))
        connection.exec_driver_sql(
            f"CREATE TRIGGER {name} AFTER {of} ON runs REFERENCING {tables} FOR EACH STATEMENT EXECUTE FUNCTION {name}()"
        )
    # Last: a trigger waits for whoever writes, and what they wrote counts.
    connection.exec_driver_sql(COUNT)


def drop_standings(connection: Connection) -> None:
    """Have it count no longer."""
    of = "" if connection.dialect.name == "sqlite" else " ON runs"
    for name in _POSTGRESQL:
        connection.exec_driver_sql(f"DROP TRIGGER {name}{of}")
