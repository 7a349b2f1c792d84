"""Waiting for conditions, with a deadline."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from farandole.eventstore import AppendError, EventStore, Reader, Record, Stored

PATIENCE = 30.0
T = TypeVar("T")


async def until(condition: Callable[[], bool]) -> None:
    """Wait until a condition is true."""
    async with asyncio.timeout(PATIENCE):
        while not condition():
            await asyncio.sleep(0.01)


async def within(awaitable: Awaitable[T]) -> T:
    async with asyncio.timeout(PATIENCE):
        return await awaitable


async def read(reader: Reader, count: int) -> list[Stored]:
    """Read on until there are this many records."""
    found: list[Stored] = []
    async with asyncio.timeout(PATIENCE):
        while len(found) < count:
            for batch in await reader.read():
                found += batch
    return found


async def whole(store: EventStore, partition: int = 0) -> list[Stored]:
    """All that a partition holds now."""
    reader = store.reader()
    reader.follow({partition: 0})
    try:
        return await read(reader, (await store.ends([partition]))[partition].next)
    finally:
        await reader.close()


async def insist(store: EventStore, records: Sequence[Record], partition: int = 0) -> int:
    """Append the same bytes until the log says that it has them."""
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                return await store.append(partition, records)
            except AppendError:
                await asyncio.sleep(0.05)
