"""Runs that were idle or failed for as long as the setting says are closed."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from farandole.eventstore import EventStore

from .duty import RANK_WAIT, rank

if TYPE_CHECKING:
    from farandole.reactors.partition import Serving
    from farandole.reactors.scribe import Scribe


class Expiring:
    """Closes them by a record, which is refused if it comes too early or too late."""

    def __init__(self, store: EventStore, scribe: "Scribe", service: str) -> None:
        self._store = store
        self._scribe = scribe
        self._service = service

    async def look(self, partitions: "Mapping[int, Serving]") -> None:
        """Close those whose time has come."""
        now = self._scribe.now() // 1000
        for serving in tuple(partitions.values()):
            fold = serving.fold
            after = fold.settings.expire_after
            if not after or not serving.active or not serving.restored:
                continue
            late = after + int(rank(serving, self._service) * RANK_WAIT * 1000)
            for run in [r for r in fold.runs.values() if now - r.touched >= late and fold.idle_or_failed(r)]:
                await self._store.append(fold.partition, [self._scribe.expire(run.id)])
