"""The tables of one projection in one database: made, compared with the declaration, and written to exactly."""

import hashlib
import logging
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, Final, Literal

from sqlalchemy import Connection, delete, insert, inspect, select, update

from farandole.projections.runs.tables import metadata as tables_of_runs
from farandole.projections.sql import NOWHERE, Database, DatabaseMisconfigured, Exact, Overtaken, Place
from farandole.projections.sql.claims import Claim, claiming

from . import keepers, stopping
from .declared import fingerprint_of, forms_of, made_tables, packed
from .errors import ProjectionOutdated
from .feed import Item
from .projection import Projection, name_of, tables_of
from .tables import OURS, PLACE, errors, key_of, metadata, positions, projections
from .versions import version_of, version_told

log = logging.getLogger("farandole.projector")

_LOCK: Final = 0x6661_7261_6E65
"""PostgreSQL's advisory lock of whoever makes tables."""
_OF_RUNS: Final = frozenset((*tables_of_runs.tables, "records_words", "alembic_version"))

NEW: Final = "new"
"""Of the place where a version is built."""
What = Literal["build", "rebuild", "verify", "drop"]
"""What is done that only one may do at a time."""
Standing = Literal["ready", "newer"]
"""Whether the tables are those of the code, or those of an earlier version of it."""


def database_of(database: Database) -> Database:
    """Where projections are, beside the tables of runs: the same file; in PostgreSQL a schema of their own, for that of
    the runs is replaced at each rebuild.
    """
    return database if database.dialect == "sqlite" else database.beside(PLACE, scratch=False)


def beside(database: Database, name: str, word: str) -> Database:
    """The place where a projection's tables are made anew, or made to compare."""
    digest = hashlib.blake2b(f"{word} {name}".encode(), digest_size=3).hexdigest()
    return database.beside(f"n{digest}")


def claimed(database: Database, name: str, what: What) -> AbstractAsyncContextManager[Claim]:
    """See `ProjectionTables.claimed`."""
    place = "verify" if what == "verify" else "build"
    return claiming(database, f"{place}-{name}", f"{what} of {name}")


class ProjectionTables:
    """What a projection has in a database. All calls block; they are for threads.

    Args:
        database: see `database_of`.
        like: where tables that others make are found, if not here.
    """

    def __init__(self, database: Database, projection: type[Projection], *, like: Database | None = None) -> None:
        self.database = database
        self.projection = projection
        self.name: Final = name_of(projection)
        self.version: Final = version_of(projection)
        self.exact: Exact[str] = Exact(database, positions, "part")
        self._like = like
        self._stop: stopping.Stop | None = None

    def beside(self, word: str) -> "ProjectionTables":
        """The place where they are made anew, or made to compare."""
        return ProjectionTables(beside(self.database, self.name, word), self.projection, like=self.database)

    def claimed(self, what: What) -> AbstractAsyncContextManager[Claim]:
        """While this lasts, nobody else makes the tables anew; or, of a verify, verifies them.

        Raises:
            UnderWay: somebody does.
        """
        return claimed(self.database, self.name, what)

    # ── made ─────────────────────────────────────────────────────────────────────────────────────────────────────────

    def make(self) -> Standing:
        """Make the tables, unless they are there, whoever else does so at the same time.

        Raises:
            ProjectionOutdated: they are of a newer version, or are declared otherwise now.
            DatabaseMisconfigured: a table of that name is there, and of somebody else; or is not, and should be.
        """
        self._refuse_names()
        with self.database.writing() as connection:
            self.prepare(connection)
            forms = forms_of(self.projection, connection.dialect)
            row = connection.execute(select(projections).where(projections.c.name == self.name)).mappings().first()
            if row is None:
                self._make(connection)
                connection.execute(
                    insert(projections),
                    {
                        "name": self.name, "version": self.version, "state": "live", "error": "",
                        "changed": False, "fingerprint": fingerprint_of(self.projection), "made": packed(forms),
                    },
                )  # fmt: skip
                return "ready"
            return self._judge(connection, dict(row), forms)

    def prepare(self, connection: Connection) -> None:
        """Make what all projections of the database have, one after the other, whoever does so at the same time."""
        if self.database.dialect == "postgresql":
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
            connection.exec_driver_sql(f"CREATE SCHEMA IF NOT EXISTS {self.database.schema}")
        metadata.create_all(connection)

    def _make(self, connection: Connection) -> None:
        there = set(inspect(connection).get_table_names(self.database.schema or None))
        for name, table in tables_of(self.projection).items():
            if table is not None and name in there:
                raise DatabaseMisconfigured(
                    f"{self.database.url} has a table {name} already, which is none of projection {self.name}'s; drop it, or "
                    "name the projection's otherwise"
                )
            if table is None and name not in there:
                self._make_like(connection, name)
        for made in made_tables(self.projection):
            made.create(connection)

    def _make_like(self, connection: Connection, name: str) -> None:
        if self._like is not None and self._like.dialect == "postgresql":
            connection.exec_driver_sql(f"CREATE TABLE {name} (LIKE {self._like.schema}.{name} INCLUDING ALL)")
            return
        if self._like is not None:
            with self._like.reading() as theirs:
                query = "SELECT sql FROM sqlite_master WHERE tbl_name = ? AND sql IS NOT NULL ORDER BY type DESC"
                forms = list(theirs.exec_driver_sql(query, (name,)).scalars())
            for form in forms:
                connection.exec_driver_sql(form)
            if forms:
                return
        where = f"{self.database.schema}.{name}" if self.database.schema else name
        raise DatabaseMisconfigured(
            f"projection {self.name} names table {name} and does not say what is in it, so you make it yourself: "
            f"CREATE TABLE {where} (...) in {self.database.url}. Or declare it, as a sqlalchemy.Table or by "
            "farandole.projections.table"
        )

    def _judge(self, connection: Connection, row: Mapping[str, Any], forms: Mapping[str, str]) -> Standing:
        if row["version"] > self.version:
            raise ProjectionOutdated(
                f"projection {self.name}: the tables in {self.database.url} are of version {version_told(row['version'])}, and this "
                f"process has version {version_told(self.version)}; run the newer code, or raise the version"
            )
        changed = row["fingerprint"] != fingerprint_of(self.projection)
        if row["version"] < self.version:
            return "newer"
        if self._like is not None and (changed or row["made"] != packed(forms)):
            return "newer"  # half of it was built by other code
        if row["made"] != packed(forms):
            raise ProjectionOutdated(
                f"projection {self.name}: its tables are declared otherwise than those in {self.database.url}, and its "
                f"version is not; say version = {self.projection.version + 1}, and they are made anew beside these"
            )
        if changed:
            log.warning(
                "projection %s: its code has changed since its first rows were made, and its version has not. If it makes "
                "other rows now, say version = %d; they are then made anew",
                self.name, self.projection.version + 1,
            )  # fmt: skip
        if changed != row["changed"]:
            connection.execute(update(projections).where(projections.c.name == self.name).values(changed=changed))
        self._stop = None if row["state"] == "live" else stopping.stopped_at(connection, self.name)
        if self._stop == stopping.BUILD:
            # Nobody wants any longer what could not be built.
            stopping.go_on(connection, self.name)
            self._stop = None
        return "ready"

    def _refuse_names(self) -> None:
        for name in tables_of(self.projection):
            if name in _OF_RUNS or name in OURS:
                raise DatabaseMisconfigured(
                    f"projection {self.name}: a table named {name} is there for other things; name it otherwise"
                )

    def version_there(self) -> int | None:
        """Of the tables; None: there are none."""
        with self.database.reading() as connection:
            return self.version_in(connection)

    def version_in(self, connection: Connection) -> int | None:
        """The same, as a transaction sees it."""
        if not inspect(connection).has_table("projections", schema=self.database.schema or None):
            return None
        query = select(projections.c.version).where(projections.c.name == self.name)
        return connection.execute(query).scalar()

    # ── places ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def part(self, part: str) -> str:
        """The key of a part's place."""
        return key_of(self.name, self.version, part)

    def begin(self, parts: Mapping[str, tuple[str, int]]) -> dict[str, Place]:
        """Where each part is; where none was, at its beginning.

        Args:
            parts: each with its choreography and partition.

        Raises:
            Overtaken: the tables were replaced by those of another version.
        """
        with self.database.writing() as connection:
            query = select(projections.c.version).where(projections.c.name == self.name).with_for_update()
            if connection.execute(query).scalar() != self.version:
                raise Overtaken(f"the tables of {self.name} are of another version now")
            known = self._places(connection)
            new = [
                {
                    "part": self.part(part), "projection": self.name, "choreography": of, "partition": partition,
                    **NOWHERE._asdict(),
                }
                for part, (of, partition) in parts.items()
                if part not in known
            ]  # fmt: skip
            if new:
                connection.execute(insert(positions), new)
        return {part: known.get(part, NOWHERE) for part in parts}

    def places(self) -> dict[str, Place]:
        """Up to where the rows of each part are true."""
        with self.database.reading() as connection:
            return self._places(connection)

    def places_in(self, connection: Connection) -> dict[str, Place]:
        """The same, as a transaction sees it."""
        return self._places(connection)

    def _places(self, connection: Connection) -> dict[str, Place]:
        p = positions.c
        query = select(p.part, p.position, p.digest, p.log_time).where(p.projection == self.name)
        begin = self.part("")
        return {
            row.part.removeprefix(begin): Place(row.position, row.digest, row.log_time)
            for row in connection.execute(query)
            if row.part.startswith(begin)
        }

    def write(
        self, before: Mapping[str, Place], after: Mapping[str, Place], rows: Callable[[Connection], None]
    ) -> None:
        """Write rows, and that they have come from one place to another. See `Exact.write`."""
        past = self._stop is not None and (
            self._stop == stopping.UNKNOWN
            or (self._stop.part in after and after[self._stop.part].position >= self._stop.position)
        )

        def rows_and_that_it_goes_on(connection: Connection) -> None:
            rows(connection)
            stopping.go_on(connection, self.name)

        self.exact.write(
            {self.part(part): place for part, place in before.items()},
            {self.part(part): place for part, place in after.items()},
            rows_and_that_it_goes_on if past else rows,
        )
        if past:
            self._stop = None

    def keep(self, keeper: str, *, on: bool = True) -> None:
        """Say that a process keeps it, or does so no longer."""
        with self.database.writing() as connection:
            (keepers.say if on else keepers.leave)(connection, self.name, keeper)

    # ── what went wrong ──────────────────────────────────────────────────────────────────────────────────────────────

    def stop(self, why: str, at: "stopping.Stop") -> None:
        """Say that the projection goes no further, until it has gone past that place."""
        with self.database.writing() as connection:
            stopping.stop(connection, self.name, why, at)
        self._stop = at

    def pass_over(self, connection: Connection, choreography: str, item: Item, handler: str, why: str, at: int) -> None:
        """Put an event where those are that were passed over."""
        where = (
            (errors.c.projection == self.name)
            & (errors.c.choreography == choreography)
            & (errors.c.partition == item.partition)
            & (errors.c.log_offset == item.offset)
        )
        connection.execute(delete(errors).where(where))
        connection.execute(
            insert(errors),
            {
                "projection": self.name, "choreography": choreography, "partition": item.partition,
                "log_offset": item.offset, "run_id": item.run_id, "type": item.type, "handler": handler, "error": why,
                "at": at,
            },
        )  # fmt: skip
