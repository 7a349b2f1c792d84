"""A compacted topic of one partition as a map."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

from farandole.eventstore.contract import Record, Table
from farandole.eventstore.errors import PositionLost

from .tail import Tail


class KafkaTable(Table):
    """The map in one compacted topic. What was loaded once is kept, so later loads read only what is new.

    Args:
        append: appends records to the topic.
        tail: a place in the topic.
    """

    def __init__(self, append: Callable[[Sequence[Record]], Awaitable[int]], tail: Tail) -> None:
        self._append = append
        self._tail = tail
        self._map: dict[bytes, bytes] = {}
        self._lock = asyncio.Lock()

    async def put(self, key: bytes, value: bytes | None) -> None:
        await self._append([Record(key, value, ())])

    async def load(self) -> Mapping[bytes, bytes]:
        async with self._lock:
            try:
                await self._advance()
            except PositionLost:
                self._map.clear()
                await self._advance()
            return dict(self._map)

    async def _advance(self) -> None:
        async for records in self._tail.fresh():
            for record in records:
                if record.key is None:
                    continue
                if record.value is None:
                    self._map.pop(record.key, None)
                else:
                    self._map[record.key] = record.value
