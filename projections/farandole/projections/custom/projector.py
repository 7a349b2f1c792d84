"""Who keeps the tables of one projection: makes them, follows the logs, and builds a new version beside the old one."""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Final, TypeVar

from farandole.eventstore import PositionLost, StoreUnavailable
from farandole.projections.runs.rebuilding import Progress, Told
from farandole.projections.runs.tablespace import drop
from farandole.projections.sql import (
    ClaimLost,
    Database,
    DatabaseError,
    DatabaseMisconfigured,
    DatabaseUnavailable,
    Overtaken,
    Place,
    UnderWay,
)
from farandole.projections.sql.claims import Claim, this_process

from .errors import BeginningMissing, ProjectionStopped
from .filling import PACE, Filling, Pace, Watch
from .keepers import EVERY
from .logs import Archive, Log, ends_of
from .projection import Projection
from .space import NEW, ProjectionTables, Standing, database_of
from .stopping import BUILD
from .swapping import swap
from .versions import version_told

log = logging.getLogger("farandole.projector")

T = TypeVar("T")
_RETRY: Final = 1.0
_TELL: Final = 10.0
_LEAVES: Final = 5.0
"""Seconds that a database has to hear that nobody keeps it any longer."""


class ProjectionProjector:
    """Keeps the tables of one projection.

    Args:
        logs: see `farandole.projections.custom.logs.types_of`.
        database: the one that the tables of runs are in, or would be.
        archive: where records are that have left the log.
    """

    def __init__(
        self,
        projection: type[Projection],
        logs: Sequence[Log],
        database: Database,
        *,
        pace: Pace = PACE,
        archive: Archive | None = None,
    ) -> None:
        self.tables = ProjectionTables(database_of(database), projection)
        self._logs = logs
        self._pace = pace
        self._archive = archive
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="farandole-projection")
        self._filling = self._fill(self.tables)
        self._keeps = False
        self._passing: str | None = None
        self._stopped: str | None = None

    @property
    def places(self) -> Mapping[str, Place]:
        """Up to where the tables are true, as far as this projector knows: by ``choreography/partition``."""
        return self._filling.places

    @property
    def trouble(self) -> str | None:
        """What keeps the tables from going on; None: nothing that is known here."""
        return self._stopped or self._passing

    def tell_trouble(self, why: str) -> None:
        """Whoever runs it says why it is not at work; it holds until the tables have come to where the logs were when it
        began anew.
        """
        self._stopped = why

    def has_come_to(self, ends: Mapping[str, int]) -> bool:
        """Whether the tables have all that came before these positions, as far as this projector knows."""
        return self._filling.has_come_to(ends)

    async def run(self) -> None:
        """Keep the tables, until cancelled.

        Raises:
            ProjectionStopped: a handler has raised. The tables are true up to before that event.
            ProjectionOutdated: they are of a newer version.
            BeginningMissing: what it has not seen has left the log.
            DatabaseMisconfigured, StoreMisconfigured, PartitionCorrupt: a person must put something right.
        """
        saying = asyncio.ensure_future(self._say_on())
        try:
            await self._run()
        finally:
            saying.cancel()
            await asyncio.gather(saying, return_exceptions=True)

    async def _run(self) -> None:
        filling = self._filling
        while True:
            try:
                try:
                    while await self._make() == "newer":
                        await self._build_beside()
                    await filling.run(None)
                except Overtaken as e:
                    log.info(
                        "another projector keeps the tables of %s, or they were made anew: %s", self.tables.name, e
                    )
                    await filling.stand_by()
            except PositionLost as e:
                log.warning("the log is not the one that was read so far; beginning from what the tables say: %s", e)
            except (DatabaseUnavailable, StoreUnavailable) as e:
                self._has_trouble(str(e))
                await asyncio.sleep(_RETRY)

    async def catch_up(self) -> None:
        """Bring the tables up to the ends that the logs have now; a new version too.

        Raises:
            Overtaken: another projector keeps them.
            UnderWay: another one builds the new version.
            ProjectionError, DatabaseError, StoreError: as for `run`.
        """
        if await self._call(self.tables.make) == "newer":
            async with self.tables.claimed("build") as claim:
                await self._build(lambda progress: None, claim)
        await self._filling.run(await ends_of(self._logs))

    async def rebuild(self, told: Told = lambda progress: None) -> Progress:
        """Make the tables anew beside those in use, and put them in their place in one transaction.

        Raises:
            UnderWay: somebody does just that, or a projector builds a new version; or may by now, since the claim was lost
                on the way.
            ProjectionError, DatabaseError, StoreError: one of all is not as it must be; those in use are as they were.
        """
        async with self.tables.claimed("rebuild") as claim:
            await self._call(lambda: drop(self.tables.beside(NEW).database, claim))
            return await self._build(told, claim)

    async def close(self) -> None:
        """Say that it keeps them no longer, and let go of the thread."""
        if self._keeps:
            with suppress(DatabaseError, TimeoutError):
                async with asyncio.timeout(_LEAVES):
                    await self._call(lambda: self.tables.keep(this_process(), on=False))
        self._thread.shutdown(wait=False)

    async def _make(self) -> Standing:
        found = await self._call(self.tables.make)
        await self._call(lambda: self.tables.keep(this_process()))
        self._keeps = True
        return found

    async def _say_on(self) -> None:
        """Say now and then that somebody keeps them, whatever else is being done to them."""
        while True:
            await asyncio.sleep(EVERY)
            if self._keeps:
                with suppress(DatabaseError):
                    await self._aside(lambda: self.tables.keep(this_process()))

    async def _build_beside(self) -> None:
        name, version = self.tables.name, version_told(self.tables.version)
        log.info("projection %s: version %s is built beside the tables in use", name, version)
        said = time.monotonic()

        def told(progress: Progress) -> None:
            nonlocal said
            if time.monotonic() - said >= _TELL:
                said = time.monotonic()
                share = progress.done / progress.total if progress.total else 1.0
                left = "" if progress.left is None else f", {progress.left:.0f} s left"
                log.info("projection %s: version %s is at %.0f%%%s", name, version, share * 100, left)

        try:
            async with self.tables.claimed("build") as claim:
                await self._build(told, claim)
        except (Overtaken, UnderWay):
            log.info("projection %s: another projector builds version %s", name, version)
            await self._until_built()
        except DatabaseMisconfigured as e:
            # The other one may just have put away what was built.
            if await self._call(self.tables.version_there) != self.tables.version:
                await self._cannot_build(e)
                raise
        except (ProjectionStopped, BeginningMissing) as e:
            await self._cannot_build(e)
            raise
        else:
            log.info("projection %s: version %s is in place", name, version)

    async def _cannot_build(self, why: Exception) -> None:
        """Nobody keeps the rows in use meanwhile."""
        said = f"version {version_told(self.tables.version)} cannot be built: {why}"
        await self._call(lambda: self.tables.stop(said, BUILD))

    async def _until_built(self) -> None:
        """Wait until another one has built the new version, or is silent."""
        loop = asyncio.get_running_loop()
        seen, since = None, loop.time()
        while await self._call(self.tables.version_there) != self.tables.version:
            await asyncio.sleep(min(_RETRY, self._pace.patience / 4))
            tables = self.tables.beside(NEW)
            try:
                places = await self._call(tables.places)
            except DatabaseError:
                return
            finally:
                await self._call(tables.database.close)
            if places != seen:
                seen, since = places, loop.time()
            elif loop.time() - since >= self._pace.patience:
                return

    async def _build(self, told: Told, claim: Claim) -> Progress:
        """Build the tables in a place of their own; whoever began it before has saved what was done."""
        tables = self.tables.beside(NEW)
        try:
            if await self._call(tables.make) == "newer":
                await self._call(lambda: drop(tables.database, claim))
                await self._call(tables.make)
            progress = _Progress(self._logs)
            # That these are there is nothing before they are in place.
            filling = self._fill(tables, lambda: told(progress(filling.places)), arrived=lambda: None)
            await progress.begin()
            await filling.run(progress.ends)
            # What came meanwhile is little: whoever projects then has it to do.
            await filling.run(await ends_of(self._logs))
            await self._call(lambda: swap(tables, self.tables, claim))
            with suppress(ClaimLost):  # whoever has it now builds there
                await self._call(lambda: drop(tables.database, claim))
            return progress(filling.places)
        finally:
            await asyncio.to_thread(tables.database.close)

    def _fill(
        self,
        tables: ProjectionTables,
        wrote: Callable[[], None] = lambda: None,
        *,
        arrived: Callable[[], None] | None = None,
    ) -> Filling:
        def went_on() -> None:
            self._passing = None
            wrote()

        watch = Watch(went_on, self._has_trouble, arrived or self._arrived)
        return Filling(self._logs, tables, self._pace, self._call, self._archive, watch)

    def _has_trouble(self, why: str) -> None:
        said = f"projection {self.tables.name}: {why}"
        if said != self._passing:
            self._passing = said
            log.warning("%s; trying again", said)

    def _arrived(self) -> None:
        if self._stopped is not None:
            log.info("projection %s goes on", self.tables.name)
        self._passing = self._stopped = None

    async def _aside(self, work: Callable[[], T]) -> T:
        """Beside what else the database does; SQLite has one writer in any case."""
        return await (self._call(work) if self.tables.database.dialect == "sqlite" else asyncio.to_thread(work))

    async def _call(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)


class _Progress:
    """How far it is."""

    def __init__(self, logs: Sequence[Log]) -> None:
        self.ends: dict[str, int] = {}
        self._logs = logs
        self._began = time.monotonic()

    async def begin(self) -> None:
        self.ends = await ends_of(self._logs)

    def __call__(self, places: Mapping[str, Place]) -> Progress:
        done = sum(min(place.position, self.ends.get(part, 0)) for part, place in places.items())
        return Progress(done, sum(self.ends.values()), time.monotonic() - self._began)
