"""What steps say while they are at work, in memory."""

import asyncio
import threading
from collections.abc import Callable, Sequence
from typing import Final

from farandole.eventstore.bell import Bell
from farandole.eventstore.clock import Clock
from farandole.eventstore.contract import LIVE_KEPT, Live, Record, Stored
from farandole.eventstore.sizes import check_partition, check_sizes

from .held import Held
from .reader import MemoryReader

_MOST: Final = 8_192
"""Records of a partition that are kept at most; then the older half is dropped."""


class LiveLog:
    """What all handles of one in-memory store share of it."""

    def __init__(self, partitions: int) -> None:
        self.partitions = [Held() for _ in range(partitions)]
        self.bell = Bell()
        self._lock = threading.Lock()

    def append(self, partition: int, records: Sequence[Record], now: int) -> None:
        with self._lock:
            held = self.partitions[partition]
            if held and (len(held) >= _MOST or held[0].time < now - 2 * LIVE_KEPT):
                kept = [record for record in held[-_MOST // 2 :] if record.time >= now - LIVE_KEPT]
                held = self.partitions[partition] = Held(kept, held.next - len(kept))
            held.extend(
                [
                    Stored(partition, offset, now, record.key, record.value, tuple(record.headers))
                    for offset, record in enumerate(records, held.next)
                ]
            )
        self.bell.ring(partition)


class MemoryLive(Live):
    """A handle on it."""

    def __init__(self, log: LiveLog, clock: Clock, most: int, check_open: Callable[[], None]) -> None:
        self.log = log
        self.partitions = len(log.partitions)
        self.closed = False
        self.check_open = check_open
        self._clock = clock
        self._most = most

    async def append(self, partition: int, records: Sequence[Record]) -> None:
        self.check_open()
        check_partition(partition, self.partitions)
        check_sizes(records, self._most)
        self.log.append(partition, records, self._clock.now())

    async def since(self, partition: int, time: int) -> int:
        self.check_open()
        check_partition(partition, self.partitions)
        await asyncio.sleep(0)
        held = self.log.partitions[partition]
        return next((record.offset for record in held if record.time >= time), held.next)

    def reader(self) -> MemoryReader:
        self.check_open()
        return MemoryReader(self)

    def close(self) -> None:
        """Wake whoever reads, who then finds the store closed."""
        self.closed = True
        self.log.bell.ring()
