"""Which partitions this worker owns, as its group says."""

import asyncio
import logging
from typing import Final

from farandole.eventstore import EventStore, Ownership, StoreUnavailable

from .stats import WorkerStats

log = logging.getLogger("farandole.worker")

_ANSWER: Final = 10.0
"""Seconds after which a member that was given no partition is one of more members than there are partitions."""


class Owned:
    """Keeps up with the group.

    Attributes:
        partitions: those owned now.
        changed: set whenever they may have changed; whoever acts on it clears it first.
    """

    def __init__(self, store: EventStore, stats: WorkerStats) -> None:
        self._store = store
        self._stats = stats
        self.partitions: frozenset[int] = frozenset()
        self.changed = asyncio.Event()

    async def follow(self, ownership: Ownership) -> None:
        """Keep up until cancelled."""
        answered = False
        while not answered:
            try:
                async with asyncio.timeout(_ANSWER):
                    self.partitions = await ownership.changed()
                    answered = True
            except TimeoutError:
                answered = await self._reachable()
                if answered:
                    log.info("no partition is left for this worker; it stands by")
        while True:
            self._stats.rebalances += 1
            self.changed.set()
            self.partitions = await ownership.changed()

    async def _reachable(self) -> bool:
        try:
            await self._store.ends((0,))
        except StoreUnavailable:
            return False
        return True
