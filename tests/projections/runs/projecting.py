"""Projectors for tests: over a recorded log, at a quick pace."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from tests.projections.runs.logs import RecordedLog
from tests.projections.runs.model import Tables, rows_of
from tests.projections.runs.reading import as_read

from farandole.projections.runs import Pace, Projector
from farandole.projections.sql import Database

QUICK = Pace(most=40, wait=0.02, patience=0.3)


@asynccontextmanager
async def a_projector(
    log: RecordedLog, database: Database, pace: Pace = QUICK, **more: Any
) -> AsyncIterator[Projector]:
    projector = Projector(log, database, "t", pace=pace, **more)
    try:
        yield projector
    finally:
        await projector.close()


@asynccontextmanager
async def projecting(log: RecordedLog, database: Database, pace: Pace = QUICK, **more: Any) -> AsyncIterator[Projector]:
    """A projector at work."""
    async with a_projector(log, database, pace, **more) as projector:
        task = asyncio.create_task(projector.run())
        try:
            yield projector
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def projected(log: RecordedLog, database: Database, **more: Any) -> None:
    """Bring the tables up to the end of the log."""
    async with a_projector(log, database, **more) as projector:
        await projector.catch_up()


async def until(done: Callable[[], Any], seconds: float = 60) -> None:
    async with asyncio.timeout(seconds):
        while not done():
            await asyncio.sleep(0.01)


def is_at_the_end(projector: Projector, log: RecordedLog) -> Callable[[], bool]:
    end = log.of(0)[-1].offset + 1
    return lambda: 0 in projector.places and projector.places[0].position == end


def exactly(records: Any) -> Tables:
    """The rows of a log, as a database gives them."""
    return as_read(rows_of(records))
