"""What the tests of the suite share: opening, waiting, comparing."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol, TypeVar

from farandole.eventstore.contract import EventStore, Ownership, Reader, Record, Stored
from farandole.schemas.envelope import Header

HEADERS: Sequence[Header] = (("ce_specversion", b"1.0"), ("ce_type", b"dance.Stepped"), ("fa", b"\x01\x00\xff"))

T = TypeVar("T")
Interrupt = Callable[[], AbstractAsyncContextManager[None]]


class OpenStore(Protocol):
    """Opens a log: a new one, or the one of this name."""

    async def __call__(self, choreography: str | None = None, partitions: int = 4) -> EventStore: ...


def fresh_name() -> str:
    """A choreography name that was never used before."""
    return f"suite-{secrets.token_hex(6)}"


def record(value: bytes | None, key: bytes | None = b"run", headers: Sequence[Header] = HEADERS) -> Record:
    return Record(key, value, headers)


def numbered(count: int, prefix: str = "v") -> list[Record]:
    """Records whose values are ``v0``, ``v1``, …"""
    return [record(f"{prefix}{i}".encode()) for i in range(count)]


def content(r: Record | Stored) -> tuple[bytes | None, bytes | None, list[Header]]:
    """Key, value and headers, comparable whatever sequence holds the headers."""
    return r.key, r.value, list(r.headers)


def contents(records: Iterable[Record | Stored]) -> list[tuple[bytes | None, bytes | None, list[Header]]]:
    return [content(r) for r in records]


def values(records: Iterable[Stored]) -> list[bytes | None]:
    return [r.value for r in records]


async def next_of(store: EventStore, partition: int) -> int:
    return (await store.ends([partition]))[partition].next


class Patient:
    """Waiting for conditions, with a deadline."""

    patience: float = 30.0
    """Seconds until a condition that does not come true fails the test."""

    async def within(self, awaitable: Awaitable[T]) -> T:
        return await asyncio.wait_for(awaitable, self.patience)

    @asynccontextmanager
    async def reading(self, store: EventStore, *partitions: int, start: int = 0) -> AsyncIterator[Reader]:
        """A reader that follows these partitions, closed in the end."""
        reader = store.reader()
        try:
            reader.follow(dict.fromkeys(partitions, start))
            yield reader
        finally:
            await reader.close()

    async def read(self, reader: Reader, count: int) -> list[Stored]:
        """Read on until there are this many records, which may not be exceeded."""

        async def collect() -> list[Stored]:
            found: list[Stored] = []
            while len(found) < count:
                for batch in await reader.read(wait=self.patience):
                    assert len({r.partition for r in batch}) == 1, "a batch holds records of one partition"
                    found += batch
            return found

        found = await self.within(collect())
        assert len(found) == count
        return found

    async def read_from(self, store: EventStore, partition: int, start: int, count: int) -> list[Stored]:
        async with self.reading(store, partition, start=start) as reader:
            return await self.read(reader, count)

    async def whole(self, store: EventStore, partition: int) -> list[Stored]:
        """All that the partition holds now."""
        ends = (await store.ends([partition]))[partition]
        return await self.read_from(store, partition, ends.first, ends.next - ends.first) if ends.next else []

    async def owned(self, ownership: Ownership, wanted: Callable[[frozenset[int]], bool]) -> frozenset[int]:
        """Wait until what a member owns is as wanted."""

        async def wait() -> frozenset[int]:
            while not wanted(ownership.owned):
                await ownership.changed()
            return ownership.owned

        return await self.within(wait())

    async def settled(self, *members: Ownership, partitions: int) -> list[frozenset[int]]:
        """Wait until these members share all partitions, none of them twice, and as evenly as can be."""

        def even() -> bool:
            shares = [m.owned for m in members]
            sizes = sorted(len(s) for s in shares)
            return (
                sum(sizes) == partitions
                and frozenset().union(*shares) == frozenset(range(partitions))
                and sizes[-1] - sizes[0] <= 1
            )

        async def wait() -> None:
            while not even():
                changes = [asyncio.ensure_future(m.changed()) for m in members]
                done, pending = await asyncio.wait(changes, timeout=0.1, return_when=asyncio.FIRST_COMPLETED)
                for task in pending:
                    task.cancel()
                await asyncio.gather(*pending, return_exceptions=True)
                for task in done:
                    task.result()

        await self.within(wait())
        return [m.owned for m in members]
