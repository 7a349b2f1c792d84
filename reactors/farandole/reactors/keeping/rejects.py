"""Records that cannot be read are copied aside."""

import asyncio
import logging
from array import array
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from farandole.eventstore import EventStore, PositionLost, Stored, TooLarge
from farandole.reactors.stats import WorkerStats
from farandole.schemas import UnreadableHeaders
from farandole.schemas.envelope import unpack

from .duty import RANK_WAIT, rank

if TYPE_CHECKING:
    from farandole.reactors.partition import Serving

log = logging.getLogger("farandole.keeper")

_AT_ONCE: Final = 32
"""How many records that cannot be read are copied together, each of which may be as large as the log takes."""


class Rejects:
    """Copies them to ``<choreography>.rejected``."""

    def __init__(self, store: EventStore, service: str, stats: WorkerStats) -> None:
        self._store = store
        self._service = service
        self._stats = stats
        self._rejects: dict[int, array[int]] = {}
        self._copying = asyncio.Lock()

    def unreadable(self, record: Stored) -> None:
        """Note a record whose headers cannot be read. Its place is kept, and the record read again to copy it."""
        self._rejects.setdefault(record.partition, array("q")).append(record.offset)

    async def look(self, partitions: "Mapping[int, Serving]") -> None:
        """Copy those that were noted."""
        for partition, offsets in tuple(self._rejects.items()):
            serving = partitions.get(partition)
            if offsets and serving is not None and (before := rank(serving, self._service)):
                await asyncio.sleep(before * RANK_WAIT)
            await self.settle(partition)

    async def settle(self, partition: int) -> None:
        """Copy those that were noted of one partition, now.

        Raises:
            AppendError, StoreError: not all could be copied.
        """
        async with self._copying:
            offsets, done = self._rejects.get(partition, array("q")), 0
            try:
                while group := offsets[done : done + _AT_ONCE]:
                    await self._copy(partition, sorted(set(group)))
                    done += len(group)
            finally:
                del offsets[:done]

    async def _copy(self, partition: int, offsets: Sequence[int]) -> None:
        try:
            records = await self._store.fetch(partition, offsets)
        except PositionLost:
            for offset in offsets if len(offsets) > 1 else ():
                await self._copy(partition, (offset,))
            return
        copied = await asyncio.gather(*(self._store.reject(r, _reason(r)) for r in records), return_exceptions=True)
        for record, error in zip(records, copied, strict=True):
            if isinstance(error, TooLarge):
                log.error(
                    "the record at offset %d of partition %d cannot be read, and stays there only: %s",
                    record.offset, partition, error, extra={"partition": partition},
                )  # fmt: skip
            elif error is not None:
                raise error
            else:
                self._stats.rejected += 1


def _reason(record: Stored) -> str:
    try:
        unpack(record.headers)
    except UnreadableHeaders as e:
        return str(e)
    return "the headers could not be read"
