"""Which partitions a worker holds, and how each comes to be served.

What is gained begins with the newest checkpoint, or with the log's beginning, and is read to the end that it had when it
was assigned; before that nothing of it is begun.
"""

import asyncio
import logging
from collections.abc import Mapping
from typing import Any, Final

from farandole.eventstore import EventStore, StoreUnavailable
from farandole.projections.checkpoints import Checkpoints, Every, Found
from farandole.projections.fold import Contract, Fold, UnknownFoldVersion

from .answers import Answers
from .dispatch import Dispatcher
from .history import HistoryIndex
from .keeping import Keeper
from .leases import Leases
from .owned import Owned
from .partition import Serving
from .pasts import RestoredHistory
from .publish import Publisher
from .reactor import Reactor
from .scribe import Scribe
from .stats import WorkerStats
from .values import Values

log = logging.getLogger("farandole.worker")

KEEP: Final = 60.0
"""Seconds for which the state of a partition that went elsewhere is kept."""
_RETRY: Final = 1.0


class Restoring:
    """The part of a worker that takes on partitions and lets go of them."""

    partitions: dict[int, Serving]
    stats: WorkerStats
    dispatcher: Dispatcher
    values: Values
    keeper: Keeper
    leases: Leases
    _store: EventStore
    _scribe: Scribe
    _mine: Mapping[bytes, tuple[Reactor, Contract]]
    _owned: Owned
    _publisher: Publisher
    _answers: Answers
    _ready: asyncio.Event
    _checkpoints: Checkpoints
    _every: Every
    _memory: int
    _takes_run: bool
    _found: dict[int, Found]

    async def _assign(self, reader: Any) -> None:
        """Bring the partitions held here in line with those owned."""
        owned = self._owned.partitions
        loop = asyncio.get_running_loop()
        for partition, serving in self.partitions.items():
            if partition not in owned and serving.active:
                serving.active = serving.restored = serving.released = False
                serving.drop_at = loop.time() + KEEP
                self.dispatcher.suspend(serving)
                self.leases.revoked(serving)
        returned = [p for p in owned if p in self.partitions and not self.partitions[p].active]
        for partition in [p for p, s in self.partitions.items() if s.astray]:
            self._drop(partition)
        gained = [p for p in owned if p not in self.partitions]
        while gained or returned:
            try:
                ends = await self._store.ends((*gained, *returned))
                known = [p for p in returned if await self.partitions[p].still_in(self._store, ends[p].next)]
                self._found = await self._checkpoints.restore({p: e for p, e in ends.items() if p not in known})
                break
            except StoreUnavailable as e:
                log.warning("the log cannot be reached, trying again: %s", e)
                await asyncio.sleep(_RETRY)
        else:
            known, ends = [], {}
        for partition in (*gained, *returned):
            if partition in known:
                serving = self.partitions[partition]
                serving.active, serving.drop_at = True, None
                serving.target = ends[partition].next
                serving.began = loop.time()
            else:
                if partition in returned:
                    self._drop(partition)
                self._begin(partition, ends[partition].first, ends[partition].next)
        self._follow(reader)
        await self._take_up(reader.positions)

    async def _take_up(self, positions: Mapping[int, int]) -> None:
        """Begin to serve what is read; at first, nothing before all of it shows that the reactors are ours to serve."""
        found = [(s, at) for p, at in positions.items() if (s := self.partitions.get(p)) is not None and s.active]
        if not self._publisher.cleared and self._owned.partitions:
            if any(position < serving.target for serving, position in found):
                return
            await self._publisher.clear(tuple(self.partitions.values()))
        for serving, position in found:
            if not serving.restored:
                self._check_restored(serving, position)
        self._note_ready()

    def _begin(self, partition: int, first: int, target: int) -> None:
        found = self._found.pop(partition, None)
        self._checkpoints.astray.pop(partition, None)
        unreadable: UnknownFoldVersion | None = None
        if found is None and first > 0:
            why = self._checkpoints.no_beginning(partition, first)
            if not isinstance(why, UnknownFoldVersion):
                raise why
            unreadable = why
        most = self._memory // self._store.partitions
        history: HistoryIndex | None = None
        if self._takes_run and found is not None:
            history = RestoredHistory(self._store, self._checkpoints, found, most_bytes=most)
        elif self._takes_run:
            history = HistoryIndex(most_bytes=most)
        fold = Fold(partition, self._store.partitions) if found is None else found.fold
        since = None if found is None else found.manifest
        self.partitions[partition] = serving = Serving(fold, target, self._mine, history, self._every, since)
        serving.began = serving.read_at = asyncio.get_running_loop().time()
        serving.source = self._scribe.source
        serving.crossed = self.keeper.checkpointing.crossed
        if unreadable is not None:
            self._stop_serving(serving, str(unreadable))

    def _stop_serving(self, serving: Serving, why: str) -> None:
        """One partition cannot be read on; the others go on."""
        partition = serving.fold.partition
        log.error("partition %d is served no more: %s", partition, why, extra={"partition": partition})
        serving.stopped = why
        self.dispatcher.suspend(serving)

    def _follow(self, reader: Any) -> None:
        """Read what is owned; and what went elsewhere as long as handlers of it are at work, which may want answers."""
        held = [s for s in self.partitions.values() if s.stopped is None]
        reader.follow({s.fold.partition: s.fold.position for s in held if s.active or self.dispatcher.at_work_in(s)})

    async def _restore_all(self, reader: Any) -> None:
        for partition in tuple(self.partitions):
            self._drop(partition)
        await self._assign(reader)

    def _drop_old(self) -> bool:
        """Let go of what went elsewhere a while ago, and of which nothing is at work."""
        now = asyncio.get_running_loop().time()
        old = [
            partition
            for partition, serving in self.partitions.items()
            if serving.drop_at is not None and serving.drop_at <= now and not self.dispatcher.at_work_in(serving)
        ]
        for partition in old:
            self._drop(partition)
        return bool(old)

    def _drop(self, partition: int) -> None:
        serving = self.partitions.pop(partition)
        serving.drop()
        self.dispatcher.forget(serving)
        self.values.forget(partition)
        self.keeper.forget(partition)

    def _check_restored(self, serving: Serving, position: int) -> None:
        """Begin to serve a partition once it is read to the end that it had, offsets without a record included."""
        if serving.restored or serving.stopped is not None or position < serving.target:
            return
        serving.restored = True
        serving.reconsider()
        self.stats.restores += 1
        self.stats.restore_seconds = asyncio.get_running_loop().time() - serving.began
        self.leases.gained(serving)
        self._answers.take_on(serving)
        self.keeper.restored(serving)

    def _note_ready(self) -> None:
        if self._ready.is_set() or not self.stats.rebalances:
            return
        held = [self.partitions.get(p) for p in self._owned.partitions]
        # What is on its way is not in force: whoever asks for a reactor then is told that there is none.
        if all(s and (s.stopped or (s.restored and s.published is None)) for s in held):
            self._ready.set()
            log.info("ready: %d partitions", len(self._owned.partitions))
