"""How the tables are asked: within a transaction that sees one state, and not before they are where they must be."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Final, Self, TypeVar

from sqlalchemy import Connection, select

from farandole.projections.runs import tables as t
from farandole.projections.runs.migrations import steps_missing
from farandole.projections.runs.tablespace import has_tables, schema_of
from farandole.projections.sql import Database, DatabaseError, DatabaseMisconfigured

from .answers import Answer, Freshness

_T = TypeVar("_T")
_LOOK: Final = 0.02
_SLOWEST_LOOK: Final = 0.25
_START: Final = "farandole project, or farandole serve"


class Behind(DatabaseError):
    """The tables have not come to where they were wanted in time: no projector is at work, or it is far behind."""


class Asking:
    """The tables of one choreography.

    Args:
        database: see `open`.
        choreography: that of the tables.
        patience: seconds that a question waits for ``min_position``.
    """

    def __init__(self, database: Database, choreography: str, *, patience: float = 10.0) -> None:
        self.database = database
        self.choreography = choreography
        self._patience = patience

    @classmethod
    async def open(cls, url: str, choreography: str, *, patience: float = 10.0) -> Self:
        """Open the tables of a choreography.

        Args:
            url: as a projector was given it.

        Raises:
            DatabaseMisconfigured: there are none.
            DatabaseUnavailable: the database cannot be reached.
        """
        found = cls(Database(url, schema_of(choreography)), choreography, patience=patience)

        def look() -> bool:
            with found.database.reading() as connection:
                return has_tables(found.database, connection)

        if not await asyncio.to_thread(look):
            found.database.close()
            raise DatabaseMisconfigured(
                f"{found.database.url} has no tables of runs: start a projector first ({_START})"
            )
        return found

    async def close(self) -> None:
        """Let go of all connections."""
        await asyncio.to_thread(self.database.close)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def freshness(self, *, min_position: Mapping[int, int] | None = None) -> Freshness:
        """Up to where answers are true now."""
        return (await self.ask(lambda c: None, min_position)).fresh

    async def ask(self, ask: Callable[[Connection], _T], wanted: Mapping[int, int] | None = None) -> Answer[_T]:
        """Answer a question that has no method of its own, in one transaction that sees one state of the tables.

        Args:
            ask: is given the connection, in a thread.
            wanted: see ``min_position`` of the other questions.
        """
        loop = asyncio.get_running_loop()
        until, pause = loop.time() + self._patience, _LOOK
        while True:
            answer = await asyncio.to_thread(self._answer, ask, wanted or {})
            if answer is not None:
                return answer
            if loop.time() >= until:
                raise Behind(
                    f"the tables in {self.database.url} have not come to {dict(wanted or {})} within {self._patience:g} s: is "
                    "a projector at work?"
                )
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, _SLOWEST_LOOK)

    def _answer(self, ask: Callable[[Connection], _T], wanted: Mapping[int, int]) -> Answer[_T] | None:
        """None if the tables are not there yet."""
        try:
            return self._read(ask, wanted)
        except DatabaseError as e:
            if (why := self._not_brought_up_to_date()) is not None:
                raise DatabaseMisconfigured(why) from e
            raise

    def _not_brought_up_to_date(self) -> str | None:
        """Why a question of this release may not be answered by the tables."""
        where = f"the tables in {self.database.url}"
        try:
            with self.database.reading() as connection:
                if not has_tables(self.database, connection):
                    return f"{self.database.url} has no tables of runs: start a projector first ({_START})"
                if steps_missing(connection):
                    return (
                        f"{where} are those of another release. If it is an older one, start a projector of this one, which "
                        f"brings them up to date: {_START}. If it is a newer one, ask with that"
                    )
        except DatabaseError:
            pass  # it is away
        return None

    def _read(self, ask: Callable[[Connection], _T], wanted: Mapping[int, int]) -> Answer[_T] | None:
        p, made = t.positions.c, select(t.about.c.rows_version).scalar_subquery().label("made")
        with self.database.reading() as connection:
            rows = list(connection.execute(select(p.partition, p.position, p.log_time, made).order_by(p.partition)))
            if any(row.made is not None and row.made < t.ROWS for row in rows):
                # Their rows may show what is not for everybody.
                raise DatabaseMisconfigured(
                    f"the tables in {self.database.url} were made by an earlier release, whose rows say something else; make "
                    "them anew: farandole rebuild"
                )
            fresh = Freshness(
                {row.partition: row.position for row in rows}, {row.partition: row.log_time for row in rows}
            )
            if any(fresh.positions.get(partition, 0) < position for partition, position in wanted.items()):
                return None
            return Answer(ask(connection), fresh)
