"""The keeper: what every worker does for the partitions that it owns, with no leader.

Copies of records that cannot be read go to ``<choreography>.rejected``; runs that were idle or failed for as long as
the setting says are closed. With several services on one log the k-th by name waits k times two seconds, so that the
others seldom have anything left to do; what two of them do is refused, or copied once.
"""

import asyncio
import logging
from array import array
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from farandole.eventstore import AppendError, EventStore, PositionLost, Stored, StoreError, TooLarge
from farandole.schemas import UnreadableHeaders
from farandole.schemas.envelope import unpack

from .stats import WorkerStats

if TYPE_CHECKING:
    from .partition import Serving
    from .scribe import Scribe

log = logging.getLogger("farandole.keeper")

RANK_WAIT: Final = 2.0
"""Seconds that the k-th service by name waits k times over before it acts."""
ROUND: Final = 1.0
"""Seconds between two rounds, unless told otherwise."""
_AT_ONCE: Final = 32
"""How many records that cannot be read are copied together, each of which may be as large as the log takes."""


class Keeper:
    """Keeps the partitions of one worker.

    Args:
        rounds: seconds between two rounds.
    """

    def __init__(
        self, store: EventStore, scribe: "Scribe", service: str, stats: WorkerStats, *, rounds: float = ROUND
    ) -> None:
        self._store = store
        self._scribe = scribe
        self._service = service
        self._stats = stats
        self._rounds = rounds
        self._rejects: dict[int, array[int]] = {}

    def unreadable(self, record: Stored) -> None:
        """Note a record whose headers cannot be read. Its place is kept, and the record read again to copy it."""
        self._rejects.setdefault(record.partition, array("q")).append(record.offset)

    async def run(self, partitions: "Mapping[int, Serving]") -> None:
        """Keep the partitions until cancelled."""
        while True:
            await asyncio.sleep(self._rounds)
            try:
                await self._copy_rejects(partitions)
                await self._expire(partitions)
            except (AppendError, StoreError) as e:
                log.warning("keeping is put off: %s", e)

    def rank(self, serving: "Serving") -> int:
        """How many services on this log come before ours by name."""
        return len({c.service for c in serving.fold.contracts if c.active and c.service < self._service})

    async def _copy_rejects(self, partitions: "Mapping[int, Serving]") -> None:
        for partition, offsets in tuple(self._rejects.items()):
            serving = partitions.get(partition)
            if offsets and serving is not None and (rank := self.rank(serving)):
                await asyncio.sleep(rank * RANK_WAIT)
            done = 0
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
                    record.offset, partition, error,
                )  # fmt: skip
            elif error is not None:
                raise error
            else:
                self._stats.rejected += 1

    async def _expire(self, partitions: "Mapping[int, Serving]") -> None:
        now = self._scribe.now() // 1000
        for serving in tuple(partitions.values()):
            fold = serving.fold
            after = fold.settings.expire_after
            if not after or not serving.active or not serving.restored:
                continue
            late = after + int(self.rank(serving) * RANK_WAIT * 1000)
            for run in [r for r in fold.runs.values() if now - r.touched >= late and fold.idle_or_failed(r)]:
                await self._store.append(fold.partition, [self._scribe.expire(run.id)])


def _reason(record: Stored) -> str:
    try:
        unpack(record.headers)
    except UnreadableHeaders as e:
        return str(e)
    return "the headers could not be read"
