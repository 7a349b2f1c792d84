"""Which partitions this worker owns, as its group says."""

import asyncio
import logging
from typing import Final

from farandole.eventstore import EventStore, Ownership, StoreUnavailable

from .stats import WorkerStats

log = logging.getLogger("farandole.worker")

_SOON: Final = 3.0
"""Seconds after which a member that waits for its share says so: a session of somebody else's may have to end first."""
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
        soon = asyncio.get_running_loop().call_later(_SOON, self._say_what_it_waits_for)
        try:
            await self._first(ownership)
            while True:
                self._stats.rebalances += 1
                self.changed.set()
                self.partitions = await ownership.changed()
        finally:
            soon.cancel()

    async def _first(self, ownership: Ownership) -> None:
        """Wait for the first share, or for the certainty that there is none."""
        while True:
            try:
                async with asyncio.timeout(_ANSWER):
                    self.partitions = await ownership.changed()
                    return
            except TimeoutError:
                if await self._reachable():
                    log.info("no partition is left for this worker; it stands by")
                    return

    def _say_what_it_waits_for(self) -> None:
        if not self.partitions:
            log.info(
                "no partition yet: other processes hold them all, and one that fell silent holds its own until its "
                "session is over (who comes back under the same --member need not wait)"
            )

    async def _reachable(self) -> bool:
        try:
            await self._store.ends((0,))
        except StoreUnavailable:
            return False
        return True
