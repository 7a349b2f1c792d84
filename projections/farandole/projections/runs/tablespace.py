"""The tables of one log, in one database: made, brought up to date, and found to be those that are meant."""

from collections.abc import Mapping
from pathlib import Path

from sqlalchemy import Connection, insert, select, update

from farandole.projections.sql import Database, DatabaseMisconfigured, Exact, Place

from .migrations import migrate
from .tables import OF_THE_LOG, ROWS, WORDS_INDEX, about, positions

_LOCK = 0x6661_7261_6E64
"""PostgreSQL's advisory lock of whoever migrates."""


def schema_of(choreography: str) -> str:
    """The schema in which a choreography's tables are in PostgreSQL, unless the URL names another."""
    return "farandole_" + "".join(c if c.isalnum() else "_" for c in choreography.lower())[:44]


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
            bare: without what only helps to find rows; `finish` makes that.

        Raises:
            DatabaseMisconfigured: they are of another choreography, or say what rows no longer say.
            DatabaseUnavailable: the database cannot be reached.
        """
        with self.database.writing() as connection:
            if self.database.dialect == "postgresql":
                connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
                connection.exec_driver_sql(f"CREATE SCHEMA IF NOT EXISTS {self.database.schema}")
            migrate(connection)
            found = connection.execute(select(about)).mappings().first()
            if found is None:
                row = {
                    "choreography": self.choreography, "log_id": "", "partitions": partitions, "rows_version": ROWS,
                    "kept_since": 0,
                }  # fmt: skip
                connection.execute(insert(about), row)
                if bare:
                    self._strip(connection)
            else:
                self._judge(dict(found), partitions)

    def _strip(self, connection: Connection) -> None:
        for table in OF_THE_LOG:
            for index in table.indexes:
                index.drop(connection)
        if self.database.dialect == "postgresql":
            connection.exec_driver_sql("DROP INDEX records_by_words")

    def finish(self) -> None:
        """Make what helps to find rows, all at once, which is faster than row by row."""
        with self.database.writing() as connection:
            for table in OF_THE_LOG:
                for index in table.indexes:
                    index.create(connection)
            if self.database.dialect == "postgresql":
                connection.exec_driver_sql(WORDS_INDEX)
            connection.exec_driver_sql("ANALYZE")

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

    def begin(self, begun: Mapping[int, Place]) -> dict[int, tuple[Place, int]]:
        """Where each partition is, and where its rows begin.

        Args:
            begun: where partitions begin that have no place yet.
        """
        with self.database.writing() as connection:
            known = self.exact.places(connection, lock=True)
            new = [
                {"partition": partition, **place._asdict(), "begins": place.position}
                for partition, place in begun.items()
                if partition not in known
            ]
            if new:
                connection.execute(insert(positions), new)
            rows = connection.execute(select(positions)).mappings()
            return {
                row["partition"]: (Place(row["position"], row["digest"], row["log_time"]), row["begins"])
                for row in rows
            }

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


def drop(database: Database) -> None:
    """Let tables go that nobody uses: a file, or a schema with all that is in it."""
    database.close()
    if database.dialect == "sqlite":
        for suffix in ("", "-wal", "-shm"):
            Path(database.path + suffix).unlink(missing_ok=True)
        return
    with database.writing() as connection:
        connection.exec_driver_sql(f"DROP SCHEMA IF EXISTS {database.schema} CASCADE")


def has_tables(database: Database, connection: Connection) -> bool:
    """Whether the tables were ever made."""
    if database.dialect == "sqlite":
        query = "SELECT name FROM sqlite_master WHERE name = 'about'"
    else:
        query = f"SELECT to_regclass('{database.schema}.about')"
    return connection.exec_driver_sql(query).scalar() is not None


def kept_since(connection: Connection) -> int:
    """What was over before this log time has left the tables."""
    return int(connection.execute(select(about.c.kept_since)).scalar_one())
