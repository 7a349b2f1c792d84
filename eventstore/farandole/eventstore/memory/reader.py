"""Reading a log in memory."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Final, Protocol

from farandole.eventstore.bell import Bell
from farandole.eventstore.contract import Reader, Stored
from farandole.eventstore.errors import PositionLost, StoreClosed
from farandole.eventstore.sizes import check_partition

from .held import Held

_BATCH: Final = 1000
"""The most records of a partition in one `read`."""


class Partitions(Protocol):
    """What is read: the log, or what is said live."""

    @property
    def partitions(self) -> list[Held]: ...
    @property
    def bell(self) -> Bell: ...


class Handle(Protocol):
    """A handle on it."""

    @property
    def log(self) -> Partitions: ...
    @property
    def partitions(self) -> int: ...
    @property
    def closed(self) -> bool: ...
    @property
    def check_open(self) -> Callable[[], None]: ...


class MemoryReader(Reader):
    """A place in each followed partition; what is read is the log's own records."""

    def __init__(self, store: Handle) -> None:
        self._store = store
        self._positions: dict[int, int] = {}
        self._waits = False
        self._closed = False

    def follow(self, positions: Mapping[int, int]) -> None:
        for partition in positions:
            check_partition(partition, self._store.partitions)
        self._positions = dict(positions)
        if self._waits:
            self._store.log.bell.ring()

    @property
    def positions(self) -> Mapping[int, int]:
        return self._positions

    async def read(self, *, wait: float = 0.5) -> list[Sequence[Stored]]:
        deadline = asyncio.get_running_loop().time() + wait
        await asyncio.sleep(0)  # so that a reader who always finds something still lets the others run
        while not (found := self._take()):
            left = deadline - asyncio.get_running_loop().time()
            if left <= 0:
                return []
            self._waits = True
            try:
                await self._store.log.bell.wait(self._positions, seconds=left, unless=self._has_news)
            finally:
                self._waits = False
        return found

    def _has_news(self) -> bool:
        logs = self._store.log.partitions
        return self._closed or self._store.closed or any(logs[p].next != o for p, o in self._positions.items())

    def _take(self) -> list[Sequence[Stored]]:
        self._store.check_open()
        if self._closed:
            raise StoreClosed("this reader was closed; make another with store.reader()")
        found: list[Sequence[Stored]] = []
        for partition, position in self._positions.items():
            log = self._store.log.partitions[partition]
            if not log.first <= position <= log.next:
                raise PositionLost(
                    f"partition {partition} has the offsets {log.first} to {log.next}, and not the position {position} "
                    "to read from: this is another log, or it was cut off. Restore from a checkpoint or from the start"
                )
            if position < log.next:
                found.append(log[position - log.first : position - log.first + _BATCH])
        for batch in found:
            self._positions[batch[-1].partition] = batch[-1].offset + 1
        return found

    async def close(self) -> None:
        self._closed = True
        self._store.log.bell.ring()
