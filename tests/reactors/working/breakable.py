"""A store that does what a test wants it to do wrong, and ownership as the test says."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence

from farandole.eventstore import (
    AppendUnknown,
    Ends,
    EventStore,
    Live,
    NotAppended,
    Ownership,
    PartitionCorrupt,
    PositionLost,
    Reader,
    Record,
    Stored,
    StoreUnavailable,
    Table,
)


class Assigned(Ownership):
    """What a worker owns as the test says, whatever others own."""

    def __init__(self, *partitions: int) -> None:
        self._owned = frozenset(partitions)
        self._told: frozenset[int] = frozenset()
        self._news = asyncio.Event()

    def give(self, *partitions: int) -> None:
        """From now on the worker owns these, and no others."""
        self._owned = frozenset(partitions)
        self._news.set()

    @property
    def owned(self) -> frozenset[int]:
        return self._owned

    async def changed(self) -> frozenset[int]:
        while self._owned == self._told:
            self._news.clear()
            await self._news.wait()
        self._told = self._owned
        return self._told

    async def __aenter__(self) -> "Assigned":
        return self

    async def __aexit__(self, *exc: object) -> None: ...


class Breakable(EventStore):
    """A store that does what a test wants it to do wrong.

    Attributes:
        dead: appends never return, and nothing is written: the process behind it was killed.
        away: nothing can be reached.
        doubt: so many of the next appends are made, and raise `AppendUnknown`.
        refuse: so many of the next appends are not made, and raise `NotAppended`.
        gate: appends wait until it is set.
        awake: appends and reads wait until it is set, and go on from there.
        moved: the next read finds its position in the log no more.
        corrupt: partitions whose records cannot be read.
        discreet: nobody is told who is at work.
        table: the catalogue, instead of the store's.
    """

    def __init__(self, inner: EventStore, owns: Assigned | None = None) -> None:
        self.inner = inner
        self.owns = owns
        self.url = inner.url
        self.partitions = inner.partitions
        self.max_record_bytes = inner.max_record_bytes
        self.dead = False
        self.away = False
        self.doubt = 0
        self.refuse = 0
        self.moved = False
        self.gate = asyncio.Event()
        self.gate.set()
        self.awake = asyncio.Event()
        self.awake.set()
        self.fetched: list[tuple[int, Sequence[int]]] = []
        self.corrupt: set[int] = set()
        self.table: Table | None = None
        self.discreet = False
        self.readers = 0
        self.deleted: dict[int, int] = {}

    def _reach(self) -> None:
        if self.away:
            raise StoreUnavailable("the log is away")

    async def append(self, partition: int, records: Sequence[Record]) -> int:
        await self.gate.wait()
        await self.awake.wait()
        if self.dead:
            await asyncio.Event().wait()
        self._reach()
        if self.refuse:
            self.refuse -= 1
            raise NotAppended("the log takes nothing now")
        offset = await self.inner.append(partition, records)
        if self.doubt:
            self.doubt -= 1
            raise AppendUnknown("the acknowledgement was lost")
        return offset

    async def ends(self, partitions: Iterable[int]) -> Mapping[int, Ends]:
        self._reach()
        ends = await self.inner.ends(partitions)
        return {p: Ends(self.deleted.get(p, e.first), e.next) for p, e in ends.items()}

    async def fetch(self, partition: int, offsets: Sequence[int]) -> list[Stored]:
        self._reach()
        self.fetched.append((partition, tuple(offsets)))
        return await self.inner.fetch(partition, offsets)

    async def truncate(self, partition: int, before: int) -> None:
        self._reach()
        await self.inner.truncate(partition, before)

    def reader(self) -> Reader:
        self.readers += 1
        return BreakableReader(self, self.inner.reader())

    def own(self, service: str, member: str | None = None) -> Ownership:
        return self.owns or self.inner.own(service, member)

    async def members(self, service: str) -> frozenset[str] | None:
        self._reach()
        return None if self.discreet else await self.inner.members(service)

    async def reject(self, record: Stored, reason: str) -> None:
        self._reach()
        await self.inner.reject(record, reason)

    def rejected(self) -> AsyncIterator[Stored]:
        return self.inner.rejected()

    @property
    def live(self) -> Live:
        return self.inner.live

    @property
    def catalogue(self) -> Table:
        return self.table or self.inner.catalogue

    @property
    def checkpoints(self) -> Table:
        return self.inner.checkpoints

    async def now(self) -> int:
        return await self.inner.now()

    async def close(self) -> None:
        await self.inner.close()


class BreakableReader(Reader):
    def __init__(self, store: Breakable, inner: Reader) -> None:
        self._store = store
        self._inner = inner

    def follow(self, positions: Mapping[int, int]) -> None:
        self._inner.follow(positions)

    @property
    def positions(self) -> Mapping[int, int]:
        return self._inner.positions

    async def read(self, *, wait: float = 0.5) -> list[Sequence[Stored]]:
        await self._store.awake.wait()
        if self._store.dead:
            await asyncio.Event().wait()
        if self._store.away:
            await asyncio.sleep(wait)
            raise StoreUnavailable("the log is away")
        if self._store.moved:
            self._store.moved = False
            raise PositionLost("the position is out of range")
        for partition in self._store.corrupt & self.positions.keys():
            raise PartitionCorrupt(f"partition {partition} is damaged", partition)
        return await self._inner.read(wait=wait)

    async def close(self) -> None:
        await self._inner.close()
