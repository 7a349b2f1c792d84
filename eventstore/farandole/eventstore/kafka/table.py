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
        tail: gives a place at the beginning of the topic.
    """

    def __init__(self, append: Callable[[Sequence[Record]], Awaitable[int]], tail: Callable[[], Tail]) -> None:
        self._append = append
        self._new_tail = tail
        self._tail = tail()
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

    async def scan(self, prefix: bytes) -> Mapping[bytes, bytes]:
        tail, found = self._new_tail(), dict[bytes, bytes]()
        try:
            await _advance(tail, found, prefix)
        except PositionLost:
            found.clear()
            await _advance(tail, found, prefix)
        return found

    async def _advance(self) -> None:
        await _advance(self._tail, self._map)


async def _advance(tail: Tail, found: dict[bytes, bytes], prefix: bytes = b"") -> None:
    """Bring a map to the topic's end."""
    async for records in tail.fresh():
        for key, value in [(record.key, record.value) for record in records]:
            if key is None or not key.startswith(prefix):
                continue
            if value is None:
                found.pop(key, None)
            else:
                found[key] = value
