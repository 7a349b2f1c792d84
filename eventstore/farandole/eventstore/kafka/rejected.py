"""Records that could not be read, copied as they are, with where they came from and why.

Besides our own headers each copy has those of Spring Kafka's dead letters, which other tools know.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Final

from farandole.eventstore.contract import Record, Stored
from farandole.eventstore.errors import PositionLost
from farandole.eventstore.rejection import OFFSET, PARTITION, rejected_headers
from farandole.schemas.envelope import Header

from .tail import Tail

SPRING: Final = ("kafka_dlt-original-topic", "kafka_dlt-original-partition", "kafka_dlt-original-offset")


class Rejected:
    """The topic of rejected records.

    Args:
        topic: where the records come from.
        append: appends records to the topic of rejected ones.
        tail: makes a new place at its start.
    """

    def __init__(
        self, topic: str, append: Callable[[Sequence[Record]], Awaitable[int]], tail: Callable[[], Tail]
    ) -> None:
        self._topic = topic
        self._append = append
        self._new_tail = tail
        self._tail = tail()
        self._copied: set[tuple[int, int]] = set()
        self._lock = asyncio.Lock()

    async def add(self, record: Stored, reason: str) -> bool:
        """Copy a record, unless a copy is there. Two processes that copy at the same moment may leave two."""
        async with self._lock:
            await self._learn()
            place = (record.partition, record.offset)
            if place in self._copied:
                return False
            await self._append([Record(record.key, record.value, headers_of(self._topic, record, reason))])
            self._copied.add(place)
            return True

    async def all(self) -> AsyncIterator[Stored]:
        """All copies so far, oldest first."""
        async for records in self._new_tail().fresh():
            for record in records:
                yield record

    async def _learn(self) -> None:
        try:
            await self._advance()
        except PositionLost:
            self._copied.clear()
            await self._advance()

    async def _advance(self) -> None:
        async for records in self._tail.fresh():
            for record in records:
                if (place := _place(record.headers)) is not None:
                    self._copied.add(place)


def headers_of(topic: str, record: Stored, reason: str) -> list[Header]:
    """The headers of a copy: the record's own, then ours, then Spring's (big-endian, 4 and 8 bytes)."""
    return [
        *rejected_headers(record, reason, topic),
        (SPRING[0], topic.encode()),
        (SPRING[1], record.partition.to_bytes(4, "big")),
        (SPRING[2], record.offset.to_bytes(8, "big")),
    ]


def _place(headers: Sequence[Header]) -> tuple[int, int] | None:
    found = dict(headers)
    try:
        return int(found[PARTITION]), int(found[OFFSET])
    except (KeyError, ValueError):
        return None
