"""The log of a simulated world: stamped by a clock that may step back, and watched by whoever judges in the end."""

import asyncio
from collections.abc import Callable, Sequence

from farandole.eventstore import Record, Stored
from farandole.eventstore.memory.log import MemoryLog

from .transcript import Transcript

MOST: int = 3_000
"""Records after which a world is taken for one that never comes to rest."""


class Flood(Exception):
    """The log grows for ever."""


class SimulatedLog(MemoryLog):
    """Partitions whose records remember when they came, so that readers can be shown an older log than there is.

    Attributes:
        transcripts: each partition, judged as it grows.
        arrived: when each record came, in seconds of virtual time.
    """

    def __init__(self, partitions: int, stamp: Callable[[], int]) -> None:
        super().__init__(partitions)
        self.transcripts = [Transcript(p, partitions) for p in range(partitions)]
        self.arrived: list[list[float]] = [[] for _ in range(partitions)]
        self.size = 0
        self.last = 0.0
        self.closed = False
        self._stamp = stamp

    def append(self, partition: int, records: Sequence[Record], now: int = 0) -> int:
        if self.closed:
            return 0
        log, at = self.partitions[partition], asyncio.get_running_loop().time()
        first = log.next
        stamp = self._stamp()
        for offset, record in enumerate(records, first):
            stored = Stored(partition, offset, stamp, record.key, record.value, tuple(record.headers))
            log.append(stored)
            self.arrived[partition].append(at)
            self.transcripts[partition].take(stored)
        self.size += len(records)
        self.last = at
        if self.size > MOST:
            raise Flood(f"{self.size} records")
        self.bell.ring(partition)
        return first

    def visible(self, partition: int, position: int, before: float) -> int:
        """The offset up to which records from a position on came before a time."""
        arrived = self.arrived[partition]
        end = position
        while end < len(arrived) and arrived[end] <= before:
            end += 1
        return end
