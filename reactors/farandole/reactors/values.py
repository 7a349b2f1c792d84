"""Recorded values for steps that need more than the record just read.

In normal running a trigger's value goes straight from the reader to its handler. Values that must wait, and those
that a step looks up, come from here: a cache of recent records within a budget of bytes, and behind it the log, read
by offset, many at a time and in the order of offsets.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from typing import Final

from farandole.eventstore import EventStore, PositionLost, Stored, StoreUnavailable

from .written import size_of

_OVERHEAD: Final = 400
"""Bytes that a record costs as Python objects beyond its content, roughly; and each of its headers."""
_PER_HEADER: Final = 145
_LAST_OFFSET: Final = 2**63 - 1
_MOST_AT_ONCE: Final = 500
_AHEAD: Final = 2000
"""How many offsets beyond the last one wanted a read takes along, where they are expected."""


def cost_of(record: Stored) -> int:
    """The bytes of memory that a record takes, roughly: two or three times what it takes in the log."""
    return _OVERHEAD + _PER_HEADER * len(record.headers) + size_of(record)


class Values:
    """Records by partition and offset.

    Args:
        store: where they are read from.
        most_bytes: how much to keep of what was read.
    """

    def __init__(self, store: EventStore, *, most_bytes: int = 64 << 20) -> None:
        self._store = store
        self._most = most_bytes
        self._kept: OrderedDict[tuple[int, int], Stored] = OrderedDict()
        self._wanted: dict[int, dict[int, asyncio.Future[Stored]]] = {}
        self._fetchers: dict[int, asyncio.Task[None]] = {}
        self._expected: dict[int, set[int]] = {}
        self.bytes = 0
        """What the kept records cost, roughly."""

    def remember(self, record: Stored) -> None:
        """Keep a record that may be asked for soon."""
        kept = self._kept
        key = (record.partition, record.offset)
        if key in kept:
            return
        kept[key] = record
        self.bytes += cost_of(record)
        while self.bytes > self._most:
            _, gone = kept.popitem(last=False)
            self.bytes -= cost_of(gone)

    def expect(self, partition: int, offsets: Iterable[int]) -> None:
        """Say that these offsets will be asked for one day: then a read of what stands before them takes them along."""
        missing = (offset for offset in offsets if (partition, offset) not in self._kept)
        self._expected.setdefault(partition, set()).update(missing)

    def forget(self, partition: int) -> None:
        """Nothing more of this partition will be asked for."""
        self._expected.pop(partition, None)

    async def get(self, partition: int, offsets: Sequence[int]) -> list[Stored]:
        """The records at these offsets, in the order asked for.

        Raises:
            PositionLost: the log holds one of them no longer.
            StoreUnavailable: the log cannot be reached.
        """
        found: dict[int, Stored] = {}
        waits: list[asyncio.Future[Stored]] = []
        for offset in offsets:
            record = self._kept.get((partition, offset))
            if record is None:
                waits.append(self._want(partition, offset))
            else:
                found[offset] = record
        if waits:
            # Others may wait for the same records: whoever is cancelled here must not cancel them for all.
            await asyncio.wait(waits)
            for wait in waits:
                record = wait.result()
                found[record.offset] = record
        return [found[offset] for offset in offsets]

    async def close(self) -> None:
        fetchers = tuple(self._fetchers.values())
        for fetcher in fetchers:
            fetcher.cancel()
        await asyncio.gather(*fetchers, return_exceptions=True)

    def _want(self, partition: int, offset: int) -> asyncio.Future[Stored]:
        if offset > _LAST_OFFSET:
            raise PositionLost(f"no log has an offset {offset}")
        loop = asyncio.get_running_loop()
        wanted = self._wanted.setdefault(partition, {})
        future = wanted.get(offset)
        if future is None:
            future = wanted[offset] = loop.create_future()
        if partition not in self._fetchers:
            self._fetchers[partition] = loop.create_task(self._fetch(partition, wanted))
        return future

    async def _fetch(self, partition: int, wanted: dict[int, asyncio.Future[Stored]]) -> None:
        under_way: list[asyncio.Future[Stored]] = []
        try:
            while wanted:
                await asyncio.sleep(0)
                offsets = sorted(wanted)[:_MOST_AT_ONCE]
                under_way = [wanted.pop(offset) for offset in offsets]
                ahead = self._ahead(partition, offsets)
                found = await self._records(partition, [*offsets, *ahead])
                for record in found:
                    if isinstance(record, Stored):
                        self.remember(record)
                for record, future in zip(found, under_way, strict=False):
                    if isinstance(record, Stored):
                        future.set_result(record)
                    else:
                        future.set_exception(record)
                        future.exception()  # whoever asked may have been cancelled
                under_way = []
        finally:
            del self._fetchers[partition]
            for future in (*under_way, *wanted.values()):
                future.cancel()
            wanted.clear()

    async def _records(self, partition: int, offsets: Sequence[int]) -> list[Stored | Exception]:
        """What stands at each offset, or why it cannot be had: one that the log lacks takes none of the others along."""
        try:
            return [*await self._store.fetch(partition, offsets)]
        except StoreUnavailable as e:
            return [e] * len(offsets)
        except Exception as e:
            if len(offsets) == 1:
                return [e]
        half = len(offsets) // 2
        return [*await self._records(partition, offsets[:half]), *await self._records(partition, offsets[half:])]

    def _ahead(self, partition: int, offsets: Sequence[int]) -> list[int]:
        expected = self._expected.get(partition)
        if not expected:
            return []
        expected.difference_update(offsets)
        after = offsets[-1] + 1
        found = [offset for offset in range(after, after + _AHEAD) if offset in expected]
        expected.difference_update(found)
        return found
