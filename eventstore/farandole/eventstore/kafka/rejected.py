"""Records that could not be read, copied as they are, with where they came from and why.

Besides our own headers each copy has those of Spring Kafka's dead letters, which other tools know.
"""

import asyncio
import time
from array import array
from bisect import bisect_left
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Final

from farandole.eventstore.contract import Record, Stored
from farandole.eventstore.errors import PositionLost
from farandole.eventstore.rejection import OFFSET, PARTITION, rejected_headers
from farandole.schemas.envelope import Header

from .tail import Tail

SPRING: Final = ("kafka_dlt-original-topic", "kafka_dlt-original-partition", "kafka_dlt-original-offset")


_FRESH: Final = 0.1
"""Seconds for which what is known of the copies of others will do, so that a flood is copied at the pace of appends."""


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
        self._copied = _Places()
        self._learnt = float("-inf")
        self._lock = asyncio.Lock()

    async def add(self, record: Stored, reason: str) -> bool:
        """Copy a record, unless a copy is there. Two processes that copy at the same moment may leave two in the topic,
        of which the first counts."""
        async with self._lock:
            if time.monotonic() - self._learnt > _FRESH:
                await self._learn()
                self._learnt = time.monotonic()
        place = (record.partition, record.offset)
        if not self._copied.add(place):
            return False
        try:
            await self._append([Record(record.key, record.value, headers_of(self._topic, record, reason))])
        except BaseException:
            # If it is there all the same, the next reading of the topic tells.
            self._copied.discard(place)
            self._learnt = float("-inf")
            raise
        return True

    async def all(self) -> AsyncIterator[Stored]:
        """All copies so far, oldest first; of one record the first."""
        told = _Places()
        async for records in self._new_tail().fresh():
            for record in records:
                if (place := _place(record.headers)) is None or told.add(place):
                    yield record

    async def _learn(self) -> None:
        try:
            await self._advance()
        except PositionLost:
            self._copied = _Places()
            await self._advance()

    async def _advance(self) -> None:
        async for records in self._tail.fresh():
            for record in records:
                if (place := _place(record.headers)) is not None:
                    self._copied.add(place)


class _Places:
    """A set of partitions and offsets, of 8 bytes each: anybody may write records that nobody can read."""

    def __init__(self) -> None:
        self._offsets: dict[int, array[int]] = {}

    def add(self, place: tuple[int, int]) -> bool:
        """Take a place in; False if it was there."""
        offsets, at, there = self._find(place)
        if not there:
            # They come in order but for those of several processes, so this is mostly at the end.
            offsets.insert(at, place[1])
        return not there

    def discard(self, place: tuple[int, int]) -> None:
        offsets, at, there = self._find(place)
        if there:
            del offsets[at]

    def _find(self, place: tuple[int, int]) -> "tuple[array[int], int, bool]":
        offsets = self._offsets.setdefault(place[0], array("q"))
        at = bisect_left(offsets, place[1])
        return offsets, at, at < len(offsets) and offsets[at] == place[1]


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
        place = int(found[PARTITION]), int(found[OFFSET])
    except (KeyError, ValueError):
        return None
    # Anybody may write copies too, of places that no log has.
    return place if 0 <= place[0] < 2**31 and 0 <= place[1] < 2**63 else None
