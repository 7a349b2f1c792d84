"""The tables of one log, in one database: made, brought up to date, and found to be those that are meant."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from hashlib import blake2b
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, Index, insert, select, update

from farandole.projections.sql import Database, DatabaseMisconfigured, Exact, Place
from farandole.projections.sql.claims import Claim

from .batch import Batch
from .migrations import migrate
from .standings import drop_standings, keep_standings
from .tables import OF_THE_LOG, ROWS, WORDS_INDEX, about, attributes, positions, records, runs, steps

_AT_ONCE: Final = 2
"""Indexes that are made beside one another."""
_LARGEST: Final = (records, steps, runs, attributes)
_ROOM: Final = "192MB"
"""What PostgreSQL may take of memory for each of them."""
_LONGEST: Final = 38
"""Of a choreography's name in that of a schema: PostgreSQL has 63 bytes for it, and places beside it have longer names."""
_LOCK: Final = 0x6661_7261_6E64
"""PostgreSQL's advisory lock of whoever migrates."""


def schema_of(choreography: str) -> str:
    """The schema in which a choreography's tables are in PostgreSQL, unless the URL names another."""
    name = "".join(c if c.isascii() and c.isalnum() else "_" for c in choreography.lower())
    if len(name) > _LONGEST:
        name = f"{name[: _LONGEST - 7]}_{blake2b(choreography.encode(), digest_size=3).hexdigest()}"
    return f"farandole_{name}"


class RunTables:
    """The read model of one choreography's runs. All calls block; they are for threads.

    Args:
        database: see `schema_of`.
        choreography: that of the log.
    """

    def __init__(self, database: Database, choreography: str) -> None:
        self.database = database
        self.choreography = choreography
        self.exact = Exact(database, positions)

    def make(self, partitions: int, *, bare: bool = False) -> None:
        """Make the tables or bring them up to date, whoever else does so at the same time.

        Args:
            bare: without what only helps to find and to count rows; `finish` makes that.

        Raises:
            DatabaseMisconfigured: they are of another choreography, or say what rows no longer say.
            DatabaseUnavailable: the database cannot be reached.
        """
        with self.database.writing() as connection:
            bring_up_to_date(self.database, connection)
            found = connection.execute(select(about)).mappings().first()
            if found is None:
                row = {
                    "choreography": self.choreography, "log_id": "", "partitions": partitions, "rows_version": ROWS,
                }  # fmt: skip
                connection.execute(insert(about), row)
                if bare:
                    self._strip(connection)
            else:
                self._judge(dict(found), partitions)

    def _strip(self, connection: Connection) -> None:
        drop_standings(connection)
        for table in OF_THE_LOG:
            for index in table.indexes:
                index.drop(connection)
        if self.database.dialect == "postgresql":
            connection.exec_driver_sql("DROP INDEX records_by_words")

    def finish(self) -> None:
        """Make what helps to find and to count rows, all at once, which is faster than row by row."""
        indexes = sorted((index for table in OF_THE_LOG for index in table.indexes), key=_by_size)
        makes: list[Callable[[Connection], object]] = [index.create for index in indexes]
        if self.database.dialect == "postgresql":
            makes.insert(0, lambda connection: connection.exec_driver_sql(WORDS_INDEX))
        # SQLite has one writer, and PostgreSQL makes most kinds of index on one core.
        with ThreadPoolExecutor(1 if self.database.dialect == "sqlite" else _AT_ONCE) as threads:
            list(threads.map(self._make, makes))
        with self.database.writing() as connection:
            keep_standings(connection)
            # Each by its name: without names it is every table of the database, of whomever.
            for table in OF_THE_LOG:
                connection.exec_driver_sql(f"ANALYZE {table.name}")

    def _make(self, make: Callable[[Connection], object]) -> None:
        with self.database.writing() as connection:
            if self.database.dialect == "postgresql":
                connection.exec_driver_sql(f"SET LOCAL maintenance_work_mem TO '{_ROOM}'")
            make(connection)

    def _judge(self, found: dict[str, object], partitions: int) -> None:
        where = f"the tables in {self.database.url}"
        if found["choreography"] != self.choreography:
            raise DatabaseMisconfigured(
                f"{where} are those of choreography '{found['choreography']}'; give '{self.choreography}' a file or a "
                "schema of its own"
            )
        if found["partitions"] != partitions:
            raise DatabaseMisconfigured(
                f"{where} are of a log of {found['partitions']} partitions, and this one has {partitions}: it is another "
                "one. Name another database, or make them anew: farandole rebuild"
            )
        if found["rows_version"] != ROWS:
            raise DatabaseMisconfigured(
                f"{where} were made by another release, whose rows say something else; make them anew: farandole rebuild"
            )

    def begin(self, begun: Mapping[int, Place], rows: Callable[[int], Batch]) -> dict[int, tuple[Place, int]]:
        """Where each partition is, and where its rows begin.

        Args:
            begun: where partitions begin that have no place yet.
            rows: what a partition has where it begins.
        """
        with self.database.writing() as connection:
            # Of partitions without a place there is no row that could be locked.
            connection.execute(select(about.c.choreography).with_for_update())
            known = self.exact.places(connection, lock=True)
            new = [
                {"partition": partition, **place._asdict(), "begins": place.position, "kept_since": 0}
                for partition, place in begun.items()
                if partition not in known
            ]
            if new:
                connection.execute(insert(positions), new)
                for each in new:
                    rows(each["partition"]).write(connection)
            found = connection.execute(select(positions)).mappings()
            return {
                row["partition"]: (Place(row["position"], row["digest"], row["log_time"]), row["begins"])
                for row in found
            }

    def write(self, before: Mapping[int, Place], after: Mapping[int, Place], batch: Batch) -> None:
        """Write rows, and that the tables have come from one place to another; see `Exact.write`.

        Raises:
            Overtaken: they are elsewhere; nothing was written.
            DatabaseMisconfigured: another release has made them anew meanwhile; nothing was written.
            DatabaseUnavailable: whether it was written is not known. Do it again.
        """

        def rows(connection: Connection) -> None:
            found = connection.execute(select(about)).mappings().one()
            self._judge({**found}, found["partitions"])
            batch.write(connection)

        self.exact.write(before, after, rows)

    def places(self) -> dict[int, Place]:
        """Up to where the rows of each partition are true."""
        with self.database.reading() as connection:
            return self.exact.places(connection)

    def name(self, log_id: str) -> None:
        """Take note of which log it is.

        Raises:
            DatabaseMisconfigured: the tables are of another one.
        """
        with self.database.writing() as connection:
            connection.execute(update(about).where(about.c.log_id == "").values(log_id=log_id))
            found = connection.execute(select(about.c.log_id)).scalar_one()
        if found != log_id:
            raise DatabaseMisconfigured(
                f"the tables in {self.database.url} are of another log of the same name (the topic was made anew?); make "
                "them anew: farandole rebuild"
            )


def _by_size(index: Index) -> int:
    """Those of the largest tables first, so that the last ones are over soon."""
    return next((n for n, table in enumerate(_LARGEST) if index.table is table), len(_LARGEST))


def drop(database: Database, claim: Claim | None = None) -> None:
    """Let tables go that nobody uses: a file, or a schema with all that is in it.

    Args:
        claim: whose they are.

    Raises:
        ClaimLost: they may be somebody else's by now.
    """
    database.close()
    if database.dialect == "sqlite":
        if claim is not None:
            claim.confirm()
        for suffix in ("", "-wal", "-shm"):
            Path(database.path + suffix).unlink(missing_ok=True)
        return
    with database.writing() as connection:
        connection.exec_driver_sql(f"DROP SCHEMA IF EXISTS {database.schema} CASCADE")
        if claim is not None:
            claim.confirm(connection)


def bring_up_to_date(database: Database, connection: Connection) -> None:
    """Make the tables, or have them say what this release's do, whoever else does so at the same time."""
    if database.dialect == "postgresql":
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
        connection.exec_driver_sql(f"CREATE SCHEMA IF NOT EXISTS {database.schema}")
    migrate(connection)


def has_tables(database: Database, connection: Connection) -> bool:
    """Whether the tables were ever made."""
    if database.dialect == "sqlite":
        query = "SELECT name FROM sqlite_master WHERE name = 'about'"
    else:
        query = f"SELECT to_regclass('{database.schema}.about')"
    return connection.exec_driver_sql(query).scalar() is not None


def kept_since(connection: Connection) -> dict[int, int]:
    """By partition, the log time before which what was over has left the tables."""
    p = positions.c
    return {row.partition: row.kept_since for row in connection.execute(select(p.partition, p.kept_since))}
