"""`follow`: a projection at work while a block runs, as in the lifespan of a web application."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Final

from farandole.eventstore import EventStore, connect
from farandole.schemas import DeclarationError

from .logs import Archive, Log, Source, ends_of, types_of
from .memory import MemoryProjector
from .projection import Projection, writes

_LOOK: Final = 0.02


class Following:
    """A projection at work."""

    def __init__(self, logs: list[Log], task: "asyncio.Task[None]", has_come_to: Callable[[Mapping[str, int]], bool]):
        self._logs = logs
        self._task = task
        self._has_come_to = has_come_to

    async def caught_up(self) -> None:
        """Wait until it has everything that was in the logs when this was called.

        Raises:
            ProjectionError, DatabaseError, StoreError: it goes no further.
        """
        ends = await ends_of(self._logs)
        while not self._has_come_to(ends):
            if self._task.done():
                self._task.result()
            await asyncio.sleep(_LOOK)

    async def ended(self) -> None:
        """Wait until it goes no further, and raise why."""
        await asyncio.shield(self._task)


@asynccontextmanager
async def follow(
    projection: Projection | type[Projection],
    /,
    *of: Source,
    store: str | None = None,
    db: str | None = None,
    archive: Archive | None = None,
) -> AsyncIterator[Following]:
    """Keep a projection up to date while the block runs. It has all that is there when the block begins.

        async with follow(live, orders, store="kafka://localhost:9092"):                     # an object, in memory
        async with follow(OrdersPerDay, orders, store=…, db="sqlite:///orders.db") as days:  # a class, in a database

    Args:
        of: the choreographies whose events it takes.
        store: the URL of their logs; None: the environment variable ``FARANDOLE_STORE``.
        db: the database of a class that writes to one.
        archive: gives the records of a partition that have left its log.

    Raises:
        DeclarationError: the projection does not go with what else is said.
        ProjectionError, DatabaseError, StoreError: it cannot begin.
    """
    cls = projection if isinstance(projection, type) else type(projection)
    if not of:
        raise DeclarationError(
            f"follow({cls.__name__}): of which choreography? Name it: follow({cls.__name__}, orders)"
        )
    if isinstance(projection, type) and db is None:
        raise DeclarationError(
            f"follow({cls.__name__}): say db=, or give an object to keep in memory: follow({cls.__name__}(), …)"
        )
    if not isinstance(projection, type) and writes(cls):
        raise DeclarationError(f"{cls.__name__} writes to a database: give the class, and db=")
    types = types_of(cls, of)
    async with AsyncExitStack() as stack:
        logs = [Log(name, await stack.enter_async_context(await _opened(store, name)), t) for name, t in types.items()]
        run: Callable[[], Coroutine[Any, Any, None]]
        if isinstance(projection, type) and db is not None:
            run, has_come_to, close = _of_a_class(projection, logs, db, archive)
            stack.push_async_callback(close)
        elif not isinstance(projection, type):
            memory = MemoryProjector(projection, logs, archive=archive)
            run, has_come_to = memory.run, memory.has_come_to
        task = asyncio.ensure_future(run())
        stack.push_async_callback(_stop, task)
        following = Following(logs, task, has_come_to)
        await following.caught_up()
        yield following


def _of_a_class(
    projection: type[Projection], logs: list[Log], db: str, archive: Archive | None
) -> tuple[Callable[[], Coroutine[Any, Any, None]], Callable[[Mapping[str, int]], bool], Callable[[], Awaitable[None]]]:
    from farandole.projections.runs.tablespace import schema_of
    from farandole.projections.sql import Database

    from .projector import ProjectionProjector

    database = Database(db, schema_of(logs[0].name))
    projector = ProjectionProjector(projection, logs, database, archive=archive)

    async def close() -> None:
        await projector.close()
        database.close()

    return projector.run, projector.has_come_to, close


async def _opened(store: str | None, name: str) -> EventStore:
    return await connect(store, name, create=False)


async def _stop(task: "asyncio.Task[None]") -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
