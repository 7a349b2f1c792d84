"""The newest end of the log, as this process knows it: what wakes its readers, and what it appended last itself.

Appends of this process wake readers at once and hand them the records, which need not be read back from the file.
Those of other processes are seen by asking SQLite whether the file changed: every millisecond while they append, every
20 when they do not, and only while somebody waits.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final

from farandole.eventstore.bell import Bell
from farandole.eventstore.contract import Stored
from farandole.eventstore.errors import StoreError

from .log import End

_QUICKEST: Final = 0.001
_SLOWEST: Final = 0.02
_BUSY: Final = 0.05
_KEPT_RECORDS: Final = 512
_KEPT_BYTES: Final = 16 << 20


class Tail:
    """Where each partition ends, who waits for more, and the last records of this process.

    Args:
        partitions: how many the log has.
        news: asks the file for the ends of all partitions; None if nothing changed since it was asked last.
    """

    def __init__(self, partitions: int, news: Callable[[], Awaitable[Mapping[int, End] | None]]) -> None:
        self.next = [0] * partitions
        self.looks = 0
        """How often the file has been asked."""
        self._bell = Bell()
        self._news = news
        self._recent: list[list[Stored]] = [[] for _ in range(partitions)]
        self._sizes = [0] * partitions
        self._most = _KEPT_BYTES // partitions
        self._watching: asyncio.Task[None] | None = None
        self._error: StoreError | None = None
        self._grew = 0.0

    def recent(self, partition: int, position: int) -> Sequence[Stored]:
        """The records from this position on, if they are among those appended last by this process."""
        kept = self._recent[partition]
        return kept[position - kept[0].offset :] if kept and position >= kept[0].offset else ()

    def appended(self, partition: int, records: list[Stored], size: int) -> None:
        """This process appended these records, of so many bytes."""
        kept = self._recent[partition]
        size += self._sizes[partition]
        joins = bool(kept) and kept[-1].offset + 1 == records[0].offset
        if joins and size <= self._most and len(kept) + len(records) <= _KEPT_RECORDS:
            kept += records
        else:
            size -= self._sizes[partition]
            self._recent[partition] = records if size <= self._most else []
        self._sizes[partition] = size
        self._grow(partition, records[-1].offset + 1)

    def truncated(self, partition: int) -> None:
        """Records of this partition were deleted: keep none of them."""
        self._recent[partition] = []
        self._sizes[partition] = 0

    async def look(self) -> bool:
        """Ask the file now; whether other processes appended something.

        Raises:
            StoreError: it cannot be read.
        """
        ends = await self._news()
        self.looks += 1
        grown = [self._grow(partition, end.next) for partition, end in (ends or {}).items()]
        return any(grown)

    async def wait(self, positions: Mapping[int, int], seconds: float) -> None:
        """Wait until one of the partitions may hold more than up to the position, or the time is up.

        Raises:
            StoreError: the file cannot be read.
        """
        if self._watching is None or self._watching.done():
            self._error = None
            self._watching = asyncio.get_running_loop().create_task(self._watch())
        await self._bell.wait(
            positions, seconds=seconds, unless=lambda: any(self.next[p] > o for p, o in positions.items())
        )
        if self._error is not None:
            raise type(self._error)(*self._error.args)

    def wake(self) -> None:
        """Let everyone who waits look around."""
        self._bell.ring()

    async def close(self) -> None:
        """Watch no longer."""
        self._bell.ring()
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.wait([self._watching])

    def _grow(self, partition: int, next: int) -> bool:
        if next <= self.next[partition]:
            return False
        self.next[partition] = next
        self._bell.ring(partition)
        return True

    async def _watch(self) -> None:
        loop = asyncio.get_running_loop()
        pause = _QUICKEST
        try:
            while self._bell.heard:
                if await self.look():
                    self._grew = loop.time()
                pause = _QUICKEST if loop.time() - self._grew < _BUSY else min(_SLOWEST, pause * 1.5)
                await asyncio.sleep(pause)
        except StoreError as e:
            self._error = e
            self._bell.ring()
