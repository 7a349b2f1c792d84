"""One database: SQLite or PostgreSQL, through SQLAlchemy Core. All calls block; they are for threads.

A transaction for writing is the only one of its kind in SQLite; one for reading sees one state of the database from its
first statement to its end, so that what it finds goes together.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any, Final

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError
from sqlalchemy.pool import StaticPool

from .claims import Claim, claim_beside, claim_in
from .errors import DatabaseError, DatabaseMisconfigured, DatabaseUnavailable

_FORMS: Final = "sqlite:///relative.db, sqlite:////absolute.db, postgresql://user@host/database"
_WRITES: Final = "farandole_writes"
_IN_MEMORY: Final = ":memory:"
_PATIENCE: Final = 30.0
"""Seconds for which a writer waits for another one, or for a connection."""
_MOST_SCHEMA: Final = 63
_HOPELESS: Final = frozenset(
    {"InsufficientPrivilege", "InvalidPassword", "InvalidCatalogName", "InvalidAuthorizationSpecification"}
)
"""Errors of PostgreSQL's that trying again does not mend."""


class Database:
    """Where tables are.

    Args:
        url: ``sqlite:///file.db`` or ``postgresql://…``; ``?schema=`` names a schema of PostgreSQL.
        schema: the one that is used if the URL names none.
        scratch: what is written can be made anew: no commit waits for the disk. Once a later one of another does, all is there.

    Raises:
        DatabaseMisconfigured: the URL is of another kind, or the driver is not installed.
    """

    def __init__(self, url: str, schema: str, *, scratch: bool = False) -> None:
        try:
            found = make_url(url)
        except ArgumentError as e:
            raise DatabaseMisconfigured(f"that is no database URL; give one of {_FORMS}") from e
        kind = found.drivername.partition("+")[0]
        if kind == "sqlite" and found.database:
            self.dialect, self.schema = "sqlite", ""
            self._engine = _sqlite(found, scratch)
        elif kind in ("postgresql", "postgres"):
            given = found.query.get("schema", schema)
            self.dialect, self.schema = "postgresql", given if isinstance(given, str) else given[-1]
            if not self.schema.replace("_", "a").isalnum() or len(self.schema) > _MOST_SCHEMA:
                raise DatabaseMisconfigured(f"{self.schema!r} cannot name a schema: use letters, digits and _")
            self._engine = _postgresql(found.difference_update_query(["schema"]), self.schema, scratch)
        else:
            raise DatabaseMisconfigured(
                f"'{found.drivername}' is no kind of database that is known; give one of {_FORMS}"
            )
        self._url = found
        self.url = found.render_as_string(hide_password=True)
        """Without the password."""

    @property
    def path(self) -> str:
        """The file of an SQLite database."""
        return self._engine.url.database or ""

    def beside(self, word: str, *, scratch: bool = True) -> "Database":
        """A place for tables beside these: a file, or a schema of the same database.

        Args:
            scratch: what is written there can be made anew.
        """
        if self.dialect == "sqlite":
            url = self._url.set(database=f"{self.path}.{word}")
        else:
            url = self._url.update_query_dict({"schema": schema_beside(self.schema, word)})
        return Database(url.render_as_string(hide_password=False), "", scratch=scratch)

    @contextmanager
    def alone(self) -> Iterator[Any]:
        """A cursor of the driver's, outside any transaction.

        Raises:
            DatabaseUnavailable: what was done with it failed.
        """
        try:
            connection = self._engine.raw_connection()
            try:
                if self.dialect == "postgresql":
                    connection.driver_connection.autocommit = True  # type: ignore[union-attr]
                yield connection.cursor()
            finally:
                connection.invalidate()
        except _ERRORS as e:
            raise _told(e, self) from e

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that writes.

        Raises:
            DatabaseUnavailable: it was not, or perhaps not, committed.
        """
        with self._transaction(self._engine.execution_options(**{_WRITES: True})) as connection:
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that sees one state.

        Raises:
            DatabaseUnavailable: it cannot be reached.
        """
        with self._transaction(self._engine) as connection:
            yield connection

    @contextmanager
    def claimed(self, name: str, what: str) -> Iterator[Claim]:
        """While this lasts, nobody else claims the same of these tables. It ends with the process, if that is killed.

        Args:
            name: of what is claimed: letters, digits, ``-`` and ``_``.
            what: what is done to it, for whoever comes second: ``rebuild of runs``.

        Raises:
            UnderWay: somebody has claimed it; it is said who, and since when.
            DatabaseUnavailable: it cannot be reached.
        """
        held = ExitStack()
        try:
            if self.dialect == "postgresql":
                yield claim_in(held.enter_context(self.writing()), f"{self.schema}/{name}", what)
            elif self.path != _IN_MEMORY:
                yield held.enter_context(claim_beside(self.path, name, what))
            else:
                yield Claim(what)
        finally:
            # It is over with the connection, too.
            with suppress(DatabaseUnavailable):
                held.close()

    @contextmanager
    def _transaction(self, engine: Engine) -> Iterator[Connection]:
        try:
            with engine.connect() as connection:
                try:
                    with connection.begin():
                        yield connection
                except _ERRORS:
                    # What is left of a connection that failed is not worth asking about.
                    connection.invalidate()
                    raise
        except DatabaseError:
            raise
        except _ERRORS as e:
            raise _told(e, self) from e

    def told(self, error: Exception) -> DatabaseError | None:
        """What an error of the database's means; None if it is none of its own."""
        return _told(error, self) if isinstance(error, _ERRORS) else None

    def close(self) -> None:
        self._engine.dispose()


def schema_beside(schema: str, word: str) -> str:
    """The schema of a place beside another one."""
    return f"{schema}_{word}"


def raw(connection: Connection) -> Any:
    """A cursor of the driver, for many rows at once."""
    return connection.connection.cursor()


def _sqlite(url: URL, scratch: bool) -> Engine:
    engine = create_engine(
        url.set(drivername="sqlite"),
        hide_parameters=True,
        connect_args={"timeout": _PATIENCE, "check_same_thread": False},
        # What is in memory is there for one connection.
        poolclass=StaticPool if url.database == _IN_MEMORY else None,
    )

    @event.listens_for(engine, "connect")
    def connected(connection: sqlite3.Connection, _: object) -> None:
        # Transactions begin where we say so, and not where the driver thinks they might.
        connection.isolation_level = None
        safe = "synchronous = OFF" if scratch else "synchronous = NORMAL"
        for pragma in ("journal_mode = WAL", safe, "temp_store = MEMORY", "cache_size = -65536"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begins(connection: Connection) -> None:
        writes = connection.get_execution_options().get(_WRITES)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _postgresql(url: URL, schema: str, scratch: bool) -> Engine:
    try:
        engine = create_engine(
            url.set(drivername="postgresql+psycopg"), pool_timeout=_PATIENCE, pool_pre_ping=True, hide_parameters=True
        )
        import psycopg  # noqa: F401
    except ImportError as e:
        raise DatabaseMisconfigured("PostgreSQL needs psycopg: pip install 'farandole[postgres]'") from e

    lazy = "SET LOCAL synchronous_commit TO off; " if scratch else ""

    @event.listens_for(engine, "begin")
    def begins(connection: Connection) -> None:
        # With each transaction, for behind a pooler the next one may be on another connection of the server's.
        writes = connection.get_execution_options().get(_WRITES)
        isolation = lazy if writes else "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; "
        connection.exec_driver_sql(f"{isolation}SET LOCAL search_path TO {schema}")

    return engine


def _driver_errors() -> tuple[type[Exception], ...]:
    try:
        from psycopg import Error
    except ImportError:
        return (sqlite3.Error,)
    return (sqlite3.Error, Error)


_ERRORS: Final[tuple[type[Exception], ...]] = (SQLAlchemyError, *_driver_errors())


def _told(error: Exception, database: Database) -> DatabaseError:
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    said = str(cause).strip().splitlines()
    line = said[0] if said else type(cause).__name__
    # Not what was written: it may be personal.
    if type(cause).__name__ in _HOPELESS:
        return DatabaseMisconfigured(f"{database.url}: {line}")
    kinds = {cls.__name__ for cls in type(cause).__mro__}
    if kinds & {"IntegrityError", "DataError", "ProgrammingError", "NotSupportedError"}:
        return DatabaseMisconfigured(
            f"{database.url} refuses what it was asked ({line}); if somebody else changed the tables: farandole rebuild"
        )
    return DatabaseUnavailable(f"{database.url}: {line}")
