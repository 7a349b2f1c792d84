"""What memories are asked: everything that the log had when the question was asked is in the answer."""

import asyncio
import os
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Final

from sqlalchemy import Connection, select

from farandole.eventstore import EventStore
from farandole.projections.custom import Log, MemoryProjector, Source, name_of, types_of
from farandole.projections.custom.logs import ends_of
from farandole.projections.custom.space import ProjectionTables, database_of
from farandole.projections.custom.versions import version_told
from farandole.projections.runs.tablespace import schema_of
from farandole.projections.sql import Database, DatabaseError, DatabaseMisconfigured

from .facts import Remembrance, ranked
from .memory import Memory, instant

_MOST: Final = 10_000
"""Facts about one thing among which is searched, the newest."""
_LOOK: Final = 0.02
_SLOWEST_LOOK: Final = 0.25


class MemoryBehind(DatabaseError):
    """The tables of a memory have not come to where the log was in time: no projector is at work, or it is far behind."""


class Memories(ABC):
    """Answers what is remembered."""

    async def of(self, about: str, most: int = 20) -> tuple[Remembrance, ...]:
        """What is remembered about a person or a topic, the newest first.

        Raises:
            MemoryBehind: the tables do not come to where the log is.
            ProjectionError, DatabaseError, StoreError: it cannot be told.
        """
        return tuple(await self._kept(about, most))

    async def search(self, about: str, words: str, most: int = 10) -> tuple[Remembrance, ...]:
        """What of it some of these words stand in, the best first; as for `of`."""
        return ranked(await self._kept(about, _MOST), words, most)

    @abstractmethod
    async def _kept(self, about: str, most: int) -> Sequence[Remembrance]: ...


class HeldMemories(Memories):
    """Of a memory that this process keeps: it reads on in the log whenever it is asked, from the beginning at first."""

    def __init__(self, memory: type[Memory], log: Log) -> None:
        self._held = memory.held()
        self._log = log
        self._projector = MemoryProjector(self._held, [log])
        self._turn = asyncio.Lock()

    async def _kept(self, about: str, most: int) -> Sequence[Remembrance]:
        ends = await ends_of([self._log])
        async with self._turn:
            if not self._projector.has_come_to(ends):
                await self._projector.run(ends, patient=False)
        facts = self._held.kept.get(about, {}).values()
        return sorted(facts, key=lambda fact: (fact.at, fact.id), reverse=True)[:most]


class TabledMemories(Memories):
    """Of a memory that a projector keeps.

    Args:
        patience: seconds that a question waits for the tables to come to where the log is.
    """

    def __init__(self, memory: type[Memory], log: Log, database: Database, *, patience: float = 10.0) -> None:
        self._memory = memory
        self._log = log
        self._tables = ProjectionTables(database_of(database), memory)
        self._patience = patience

    async def _kept(self, about: str, most: int) -> Sequence[Remembrance]:
        wanted = await ends_of([self._log])
        loop = asyncio.get_running_loop()
        until, pause = loop.time() + self._patience, _LOOK
        while (found := await asyncio.to_thread(self._answer, about, most, wanted)) is None:
            if loop.time() >= until:
                raise MemoryBehind(
                    f"memory {name_of(self._memory)}: the tables in {self._tables.database.url} have not come to where the "
                    f"log is within {self._patience:g} s: is a projector with this app at work? farandole project APP"
                )
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, _SLOWEST_LOOK)
        return found

    def _answer(self, about: str, most: int, wanted: Mapping[str, int]) -> Sequence[Remembrance] | None:
        """None if the tables are not there yet."""
        with self._tables.database.reading() as connection:
            version = self._tables.version_in(connection)
            if version is not None and version > self._tables.version:
                raise DatabaseMisconfigured(
                    f"memory {name_of(self._memory)}: its tables in {self._tables.database.url} are of version {version_told(version)}, "
                    f"and this process has version {version_told(self._tables.version)}; run the newer code"
                )
            if version != self._tables.version:
                return None
            places = self._tables.places_in(connection)
            if any(part not in places or places[part].position < at for part, at in wanted.items()):
                return None
            return self._rows(connection, about, most)

    def _rows(self, connection: Connection, about: str, most: int) -> Sequence[Remembrance]:
        kept = self._memory.kept.c
        query = select(self._memory.kept).where(kept.about == about).order_by(kept.at.desc(), kept.fact.desc())
        return [
            Remembrance(row["fact"], row["about"], row["text"], instant(row["at"]), row["run_id"], row["by"])
            for row in connection.execute(query.limit(most)).mappings()
        ]


@asynccontextmanager
async def open_memories(
    memory: type[Memory], of: Source, store: EventStore, db: str | None = None
) -> AsyncIterator[Memories]:
    """What is asked of a memory while the block runs.

    Args:
        of: the choreography that it is a memory of.
        store: its log.
        db: where a projector keeps it; None: the environment variable ``FARANDOLE_DB``. Without either, or where the log
            itself is in memory, this process keeps it.

    Raises:
        DatabaseMisconfigured: the database is of no kind that is known.
    """
    ((name, types),) = types_of(memory, [of]).items()
    log = Log(name, store, types)
    url = db or (None if store.url.startswith("memory:") else os.environ.get("FARANDOLE_DB"))
    if not url:
        yield HeldMemories(memory, log)
        return
    database = Database(url, schema_of(name))
    try:
        yield TabledMemories(memory, log, database)
    finally:
        await asyncio.to_thread(database.close)
