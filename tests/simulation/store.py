"""A process's connection to the log, and all that can go wrong on the way.

Whatever is appended travels in the world, not in the process: it arrives, or not, once or more often, whole or in
pieces, soon or late, whether the process still lives or not.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from farandole.eventstore import (
    AppendUnknown,
    Ends,
    EventStore,
    NotAppended,
    Ownership,
    PositionLost,
    Reader,
    Record,
    StoreClosed,
    Stored,
    StoreUnavailable,
    Table,
    TooLarge,
)
from farandole.eventstore.memory import MemoryStore
from farandole.eventstore.sizes import record_bytes
from farandole.projections.checkpoints import EVERY
from farandole.projections.fold.framing import UNFINISHED
from farandole.schemas.envelope import Kind, pack, unpack

from .group import SimulatedMember

if TYPE_CHECKING:
    from .machine import Machine
    from .world import World


MOST_BYTES: Final = 20_000
"""Of one record, as clients believe."""


class FaultyStore(EventStore):
    """A store in memory behind a bad network.

    Args:
        machine: whose connection it is; says how bad the network is for it.
    """

    def __init__(self, inner: MemoryStore, machine: "Machine") -> None:
        self.inner = inner
        self.url = inner.url
        self.partitions = inner.partitions
        self.max_record_bytes = MOST_BYTES
        self.machine = machine
        self.world = machine.world
        self.readers: list[FaultyReader] = []

    async def append(self, partition: int, records: Sequence[Record]) -> int:
        self.inner.check_open()
        net, chance = self.machine.net, self.world.chance
        records = tuple(records)
        if any(record_bytes(record) > self.world.takes for record in records):
            raise TooLarge(f"the log takes no record of more than {self.world.takes} bytes")
        await asyncio.sleep(chance.random() * net.delay)
        self.inner.check_open()
        if net.away:
            await asyncio.sleep(0.2)
            raise NotAppended("the network is away")
        fate = chance.random()
        if fate < net.refused:
            raise NotAppended("the log takes nothing now")
        fate -= net.refused
        if fate < net.lost:
            await asyncio.sleep(chance.random())
            raise AppendUnknown("no answer came")
        fate -= net.lost
        arrived: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        if fate < net.late:
            self.world.post(partition, records, chance.random() ** 2 * 15)
            await asyncio.sleep(chance.random())
            raise AppendUnknown("no answer came in time")
        fate -= net.late
        if len(records) > 1 and fate < net.split:
            at, pause = chance.randrange(1, len(records)), chance.random() * 2
            torn = chance.random() < 0.5
            self.world.post(partition, records[:at], 0, arrived)
            if self.world.crowded:
                self.world.later(0.001, crowd, self.world, partition, records[0])
            if not torn:
                self.world.post(partition, records[at:], pause)
            await asyncio.sleep(pause + 0.01)
            if torn:
                raise AppendUnknown("the connection broke in the middle")
            return await arrived
        fate -= net.split
        self.world.post(partition, records, chance.random() * net.delay, arrived)
        if chance.random() < net.doubled:
            self.world.post(partition, records, chance.random() * 3)
        first = await arrived
        await asyncio.sleep(chance.random() * net.delay)
        if chance.random() < net.doubt:
            raise AppendUnknown("the acknowledgement was lost")
        return first

    async def ends(self, partitions: Iterable[int]) -> Mapping[int, Ends]:
        await self._travel()
        return await self.inner.ends(partitions)

    async def fetch(self, partition: int, offsets: Sequence[int]) -> list[Stored]:
        await self._travel()
        return await self.inner.fetch(partition, offsets)

    async def truncate(self, partition: int, before: int) -> None:
        await self._travel()
        await self.inner.truncate(partition, before)

    async def _travel(self) -> None:
        net, chance = self.machine.net, self.world.chance
        await asyncio.sleep(chance.random() * net.delay)
        if net.away or chance.random() < net.unread:
            raise StoreUnavailable("the log cannot be reached")

    def reader(self) -> Reader:
        reader = FaultyReader(self)
        self.readers.append(reader)
        return reader

    def own(self, service: str, member: str | None = None) -> Ownership:
        return SimulatedMember(self.world.group(service), self.machine, member or self.machine.name)

    async def members(self, service: str) -> frozenset[str] | None:
        await self._travel()
        return frozenset(self.world.group(service).members)

    async def reject(self, record: Stored, reason: str) -> None:
        await self._travel()
        await self.inner.reject(record, reason)

    def rejected(self) -> AsyncIterator[Stored]:
        return self.inner.rejected()

    @property
    def catalogue(self) -> Table:
        return self.inner.catalogue

    @property
    def checkpoints(self) -> Table:
        return FaultyTable(self) if self.world.every is not EVERY else self.inner.checkpoints

    async def now(self) -> int:
        # Not how far the log's clock is behind: what comes too early is refused, and written again.
        return self.world.time()

    async def close(self) -> None:
        await self.inner.close()


class FaultyTable(Table):
    """The checkpoints behind the same bad network."""

    def __init__(self, store: FaultyStore) -> None:
        self._store = store
        self._inner = store.inner.checkpoints

    async def put(self, key: bytes, value: bytes | None) -> None:
        net, chance = self._store.machine.net, self._store.world.chance
        await asyncio.sleep(chance.random() * net.delay)
        if net.away or chance.random() < net.refused:
            raise NotAppended("the log takes nothing now")
        await self._inner.put(key, value)
        if chance.random() < net.doubt + net.lost:
            raise AppendUnknown("the acknowledgement was lost")

    async def load(self) -> Mapping[bytes, bytes]:
        return await self.scan(b"")

    async def scan(self, prefix: bytes) -> Mapping[bytes, bytes]:
        await self._store._travel()
        return await self._inner.scan(prefix)


class FaultyReader(Reader):
    """Reads what came some time ago, a few records at a time."""

    PATIENCE = 2.0

    def __init__(self, store: FaultyStore) -> None:
        self._store = store
        self._positions: dict[int, int] = {}
        self._closed = False

    def follow(self, positions: Mapping[int, int]) -> None:
        self._positions = dict(positions)

    @property
    def positions(self) -> Mapping[int, int]:
        return self._positions

    async def read(self, *, wait: float = 0.5) -> list[Sequence[Stored]]:
        store, machine = self._store, self._store.machine
        net, chance = machine.net, store.world.chance
        loop = asyncio.get_running_loop()
        await asyncio.sleep(0)
        if self._closed or store.inner.closed:
            raise StoreClosed("this reader was closed")
        if net.away or chance.random() < net.unread:
            await asyncio.sleep(0.1)
            raise StoreUnavailable("the log cannot be reached")
        if self._positions and chance.random() < net.astray:
            machine.astray += 1
            raise PositionLost("the broker says that the position is out of range")
        until = loop.time() + max(wait, self.PATIENCE)
        if net.stale:
            await asyncio.sleep(chance.random() * net.stale)
        while not (found := self._take(net.stale)) and loop.time() < until and not store.inner.closed:
            if net.stale:
                await asyncio.sleep(0.1 + chance.random() * net.stale)
                break
            await store.inner.log.bell.wait(self._positions, seconds=until - loop.time(), unless=self._news)
            if machine.nudged:
                machine.nudged = False
                break
        return found

    def _news(self) -> bool:
        logs = self._store.inner.log.partitions
        return self._store.inner.closed or any(logs[p].next > at for p, at in self._positions.items())

    def _take(self, stale: float) -> list[Sequence[Stored]]:
        log, chance = self._store.world.log, self._store.world.chance
        now = asyncio.get_running_loop().time()
        found: list[Sequence[Stored]] = []
        for partition, position in self._positions.items():
            held = log.partitions[partition]
            if position < held.first:
                self._store.machine.astray += 1
                raise PositionLost(f"partition {partition} begins at {held.first}, and not at {position}")
            end = log.visible(partition, position, now - stale)
            if end - position > 1 and self._store.machine.net.cut and chance.random() < self._store.machine.net.cut:
                end = chance.randrange(position + 1, end + 1)
            if end > position:
                found.append(held[position - held.first : end - held.first])
                self._positions[partition] = end
        return found

    async def close(self) -> None:
        self._closed = True


def crowd(world: "World", partition: int, record: Record) -> None:
    """Pieces of other appends of the same step, whose rest never comes, push out what is not whole yet."""
    e = unpack(record.headers)
    for _ in range(UNFINISHED if e.kind == Kind.OUTCOME and not world.calm else 0):
        headers = pack(
            kind=e.kind, id=e.id, type=b"sim.Cut", source=b"/sim/garbage", append=world.chance.randbytes(16), count=2,
            sent=0, causation=e.causation, reactor=e.reactor, generation=e.generation,
        )  # fmt: skip
        world.garbage.add((partition, world.log.append(partition, (Record(record.key, None, headers),))))
