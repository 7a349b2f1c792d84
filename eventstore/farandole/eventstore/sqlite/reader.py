"""Reading a log in SQLite."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from farandole.eventstore.contract import Reader, Stored
from farandole.eventstore.errors import PositionLost, StoreClosed
from farandole.eventstore.sizes import check_partition

from .log import Batch
from .packing import unpack

if TYPE_CHECKING:
    from .store import SqliteStore


class SqliteReader(Reader):
    """A place in each followed partition."""

    def __init__(self, store: "SqliteStore") -> None:
        self._store = store
        self._positions: dict[int, int] = {}
        self._closed = False

    def follow(self, positions: Mapping[int, int]) -> None:
        for partition in positions:
            check_partition(partition, self._store.partitions)
        self._positions = dict(positions)

    @property
    def positions(self) -> Mapping[int, int]:
        return self._positions

    async def read(self, *, wait: float = 0.5) -> list[Sequence[Stored]]:
        loop = asyncio.get_running_loop()
        tail = self._store.tail
        looks = tail.looks
        deadline = loop.time() + wait
        await asyncio.sleep(0)  # so that a reader who always finds something still lets the others run
        while not (found := await self._take()):
            left = deadline - loop.time()
            if left > 0:
                await tail.wait(self._positions, left)
            elif tail.looks == looks:
                await tail.look()
            else:
                return []
        for batch in found:
            self._positions[batch[-1].partition] = batch[-1].offset + 1
        return found

    async def _take(self) -> list[Sequence[Stored]]:
        self._store.check_open()
        if self._closed:
            raise StoreClosed("this reader was closed; make another with store.reader()")
        found: list[Sequence[Stored]] = []
        wanted: dict[int, int] = {}
        for partition, position in self._positions.items():
            if position < self._store.tail.next[partition]:
                if recent := self._store.tail.recent(partition, position):
                    found.append(recent)
                else:
                    wanted[partition] = position
            elif position > self._store.tail.next[partition]:
                await self._store.tail.look()
                if position > (end := self._store.tail.next[partition]):
                    raise PositionLost(
                        f"partition {partition} ends at offset {end}, before the position {position} to read from: "
                        "this is another log, or it was cut off. Restore from the start"
                    )
        if wanted:
            for partition, batches in (await self._store.read_batches(wanted)).items():
                found.append(_records(partition, wanted[partition], batches))
        return found

    async def close(self) -> None:
        self._closed = True
        self._store.tail.wake()


def _records(partition: int, position: int, batches: Sequence[Batch]) -> list[Stored]:
    if not batches or not batches[0].first <= position < batches[0].next:
        held = f"begins at offset {batches[0].first}" if batches else "holds no records"
        raise PositionLost(
            f"partition {partition} {held} and no longer has the position {position} to read from. "
            "Restore from a newer position or from the start"
        )
    found = list(stored(partition, batches[0], position))
    for batch in batches[1:]:
        found += stored(partition, batch, batch.first)
    return found


def stored(partition: int, batch: Batch, start: int) -> Iterator[Stored]:
    """The records of a row, from an offset in it on."""
    for offset, record in enumerate(unpack(batch.records, start - batch.first), start):
        yield Stored(partition, offset, batch.time, *record)
