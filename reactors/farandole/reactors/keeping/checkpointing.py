"""Checkpoints are written, compared with what this process knows, and let go once newer ones are there.

All keepers choose the same positions, so that two of them that write one checkpoint write the same bytes; and if they do
not, one of them has lost its way.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from farandole.eventstore import AppendError, EventStore, StoreError, TooLarge
from farandole.projections.checkpoints import Checkpoints, Every
from farandole.projections.fold.checkpoint import (
    CHUNKS,
    PER_OBJECT,
    PIECES,
    Manifest,
    Saver,
    base_key,
    chunk_size,
    piece_key,
    position_in,
)
from farandole.reactors.stats import WorkerStats

from .duty import Duty, rank
from .rejects import Rejects

if TYPE_CHECKING:
    from farandole.reactors.partition import Serving

log = logging.getLogger("farandole.keeper")

_SLICE: Final = 64
"""Runs that are saved in one turn of the event loop: a millisecond, or two."""
_RETRY: Final = 1.0
_TRIES: Final = 5
_SWEEP: Final = 16
"""After so many checkpoints what was left behind by keepers that died is looked for."""


class Checkpointing(Duty):
    """Writes checkpoints of the partitions that this worker serves.

    Args:
        checkpoints: those of the log.
        rejects: copies what cannot be read.
        every: how often.
    """

    def __init__(
        self,
        store: EventStore,
        checkpoints: Checkpoints,
        rejects: Rejects,
        service: str,
        stats: WorkerStats,
        every: Every,
    ) -> None:
        self._store = store
        self._table = store.checkpoints
        self._checkpoints = checkpoints
        self._rejects = rejects
        self._service = service
        self._stats = stats
        self._every = every
        self._chunk = chunk_size(store.max_record_bytes)
        self._due: dict[int, float] = {}
        """Loop time since which a checkpoint of a partition is due."""
        self._ready: asyncio.Queue[Serving] = asyncio.Queue()
        self._wrote: dict[tuple[int, int], Manifest] = {}
        """By partition and position, what this process wrote."""
        self._written = 0
        self._orphans: set[bytes] = set()
        self.alarm: Callable[[Serving, str], None] = lambda serving, why: None
        """Told of a partition whose state is not what others have."""

    def crossed(self, serving: "Serving") -> None:
        """The partition has just come to a position of which there may be a checkpoint."""
        fold = serving.fold
        if not serving.restored or not serving.active or fold.saver is not None:
            return
        partition, now = fold.partition, asyncio.get_running_loop().time()
        newest = next(iter(self._checkpoints.of(partition)), None)
        objects = len(fold.runs) + len(fold.closed) // PER_OBJECT
        before = 0
        if newest is not None:
            objects, before = max(objects, newest.objects), newest.position
        if fold.position - before < self._every.times * objects + self._every.least:
            self._due.pop(partition, None)
            return
        if now - self._due.setdefault(partition, now) < rank(serving, self._service) * self._every.rank:
            return
        fold.saver = Saver(fold, b"" if serving.last is None else serving.last[1], self._chunk)
        self._ready.put_nowait(serving)

    def forget(self, partition: int) -> None:
        self._due.pop(partition, None)

    async def run(self, partitions: "Mapping[int, Serving]") -> None:
        await asyncio.gather(self._save(), self._look(partitions))

    async def _save(self) -> None:
        while True:
            serving = await self._ready.get()
            saver = serving.fold.saver
            if isinstance(saver, Saver):
                try:
                    await self._write(serving, saver)
                except (AppendError, StoreError) as e:
                    partition = serving.fold.partition
                    log.warning(
                        "the checkpoint of partition %d is put off: %s", partition, e, extra={"partition": partition}
                    )
                finally:
                    serving.fold.saver = None

    async def _write(self, serving: "Serving", saver: Saver) -> None:
        partition = serving.fold.partition
        there = {piece_key(partition, p) for m in self._checkpoints.of(partition) for p in m.pieces}
        while serving.stopped is None:
            done = saver.work(_SLICE)
            for key, value in saver.take():
                if key not in there:
                    await self._put(key, value)
            if done:
                break
            await asyncio.sleep(0)
        else:
            return
        # Who begins here does not come by what could not be read before.
        await self._rejects.settle(partition)
        manifest = saver.manifest
        await self._put(manifest.key, manifest.encode())
        self._wrote[partition, manifest.position] = manifest
        self._stats.checkpoints += 1
        self._due.pop(partition, None)
        await self._checkpoints.look()
        await self._let_go(serving)

    async def _put(self, key: bytes, value: bytes | None) -> None:
        for again in range(_TRIES, -1, -1):
            try:
                await self._table.put(key, value)
            except TooLarge:
                raise
            except (AppendError, StoreError):
                if not again:
                    raise
                await asyncio.sleep(_RETRY)
            else:
                return

    async def _look(self, partitions: "Mapping[int, Serving]") -> None:
        while True:
            await asyncio.sleep(self._every.look)
            try:
                await self._checkpoints.look()
            except StoreError as e:
                log.warning("checkpoints cannot be looked at now: %s", e)
                continue
            for serving in tuple(partitions.values()):
                self._compare(serving)

    def _compare(self, serving: "Serving") -> None:
        """Hold what others wrote against what this process knows."""
        partition = serving.fold.partition
        if serving.stopped is not None:
            return
        for manifest in self._checkpoints.of(partition):
            digest = serving.crossings.differs(manifest)
            ours = self._wrote.get((partition, manifest.position))
            same_log = ours is not None and ours.last_append == manifest.last_append
            if digest or (same_log and ours is not None and ours.hash != manifest.hash):
                self._stats.alarms += 1
                distrusted = self._checkpoints.distrusted
                distrusted.add(manifest.hash)
                wrong = [
                    m for m in self._wrote.values() if m.partition == partition and m.position >= manifest.position
                ]
                distrusted |= {m.hash for m in wrong}
                if serving.since is not None:
                    distrusted.add(serving.since.hash)
                self._checkpoints.astray[partition] = manifest.position
                self.alarm(
                    serving,
                    f"a checkpoint at offset {manifest.position} is of {'another digest' if digest else 'another state'} "
                    "than this process knows; the partition is restored from before it",
                )
                return

    async def _let_go(self, serving: "Serving") -> None:
        """Remove what two newer checkpoints have made superfluous."""
        fold = serving.fold
        partition = fold.partition
        manifests = self._checkpoints.manifests.get(partition, ())
        stay = await self._stay(partition)
        oldest = next(iter(fold.runs.values())).offset if fold.runs else fold.position
        ours = [m for m in manifests if m.log_id == (fold.log_id or "")]
        kept = ours[:2]
        kept += [m for m in ours[2:] if m.position in stay]
        kept += [m for m in ours[2:] if m.position <= oldest][:1]
        await self._remove([m for m in manifests if m not in kept], kept)
        self._written += 1
        if self._written % _SWEEP == 1:
            await self._remove_orphans(partition, kept)

    async def _stay(self, partition: int) -> set[int]:
        """Where checkpoints stay for the archive: where the log begins, and below where it is being archived."""
        base = (await self._table.pick([base_key(partition)])).get(base_key(partition))
        first = (await self._store.ends((partition,)))[partition].first
        return {first} if base is None else {first, int(base)}

    async def _remove(self, manifests: list[Manifest], kept: list[Manifest]) -> None:
        needed = {key for manifest in kept for key in manifest.parts}
        for manifest in manifests:
            await self._put(manifest.key, None)
            for key in manifest.parts:
                if key not in needed:
                    await self._put(key, None)

    async def _remove_orphans(self, partition: int, kept: list[Manifest]) -> None:
        """What a keeper left behind that never came to its manifest. A piece must be seen so twice, for another keeper
        may be about to refer to it.
        """
        needed = {key for manifest in kept for key in manifest.parts}
        below = kept[min(1, len(kept) - 1)].position if kept else 0
        chunks = await self._table.scan(b"%s%d/" % (CHUNKS, partition))
        for key in [k for k in chunks if k not in needed and (position_in(k) or 0) < below]:
            await self._put(key, None)
        pieces = set(await self._table.scan(b"%s%d/" % (PIECES, partition))) - needed
        for key in sorted(pieces & self._orphans):
            await self._put(key, None)
        self._orphans = pieces
