"""A compacted topic of one partition as a map."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence

from farandole.eventstore.contract import Record, Table
from farandole.eventstore.errors import PositionLost

from .tail import Tail


class KafkaTable(Table):
    """The map in one compacted topic. What was loaded once is kept, so later loads read only what is new.

    Args:
        append: appends records to the topic.
        tail: gives a place at the beginning of the topic.
        prefix: how keys begin; others are passed over.
    """

    def __init__(
        self, append: Callable[[Sequence[Record]], Awaitable[int]], tail: Callable[[], Tail], prefix: bytes = b""
    ) -> None:
        self._append = append
        self._prefix = prefix
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
        return await self._once(lambda key: key.startswith(prefix))

    async def pick(self, keys: Collection[bytes]) -> Mapping[bytes, bytes]:
        return await self._once(frozenset(keys).__contains__) if keys else {}

    def part(self, prefix: bytes) -> Table:
        return KafkaTable(self._append, self._new_tail, self._prefix + prefix)

    async def _once(self, wanted: Callable[[bytes], bool]) -> Mapping[bytes, bytes]:
        """What is wanted, read from the topic's beginning."""

        def ours(key: bytes) -> bool:
            return key.startswith(self._prefix) and wanted(key)

        tail, found = self._new_tail(), dict[bytes, bytes]()
        try:
            await _advance(tail, found, ours)
        except PositionLost:
            found.clear()
            await _advance(tail, found, ours)
        return found

    async def _advance(self) -> None:
        await _advance(self._tail, self._map, lambda key: key.startswith(self._prefix))


async def _advance(tail: Tail, found: dict[bytes, bytes], wanted: Callable[[bytes], bool]) -> None:
    """Bring a map to the topic's end."""
    async for records in tail.fresh():
        for key, value in [(record.key, record.value) for record in records]:
            if key is None or not wanted(key):
                continue
            if value is None:
                found.pop(key, None)
            else:
                found[key] = value
