"""What came before the checkpoint that a partition was restored from, for the runs that began before it.

A checkpoint has no histories. When a handler first looks back in such a run, the partition is folded once more, up to the
checkpoint, beside everything else; who looks back in such runs waits for that, and nobody else does.
"""

import asyncio
import logging
from collections.abc import Iterable
from typing import Final

from farandole.eventstore import EventStore, StoreError
from farandole.projections.checkpoints import Checkpoints, Found
from farandole.projections.fold import Fold

from .history import HistoryIndex

log = logging.getLogger("farandole.worker")

_AT_ONCE: Final = 256
_RETRY: Final = 1.0


class HistoryIncomplete(StoreError):
    """What came before a checkpoint is not read yet."""


class RestoredHistory(HistoryIndex):
    """The histories of a partition that was restored from a checkpoint.

    Args:
        found: the checkpoint.
        most_bytes: how much to hold in memory, of what came before it and of what came after it.
    """

    def __init__(self, store: EventStore, checkpoints: Checkpoints, found: Found, *, most_bytes: int) -> None:
        super().__init__(most_bytes=most_bytes // 2)
        self._store = store
        self._checkpoints = checkpoints
        self._partition = found.fold.partition
        self._position = found.fold.position
        self._old: dict[bytes, int] = {run.id: run.offset for run in found.fold.runs.values()}
        """Open runs that began before the checkpoint, and where."""
        self._most_before = most_bytes // 2
        self._before: HistoryIndex | None = None
        self._task: asyncio.Task[None] | None = None

    def forget(self, run_id: bytes) -> None:
        super().forget(run_id)
        self._old.pop(run_id, None)
        if self._before is not None:
            self._before.forget(run_id)

    def offsets(self, run_id: bytes, types: Iterable[bytes], upto: Iterable[int]) -> list[int] | None:
        """As for every history.

        Raises:
            HistoryIncomplete: what came before the checkpoint is being read.
        """
        end = self.count(run_id, upto)
        return None if end is None else self.between(run_id, types, 0, end)

    def count(self, run_id: bytes, upto: Iterable[int]) -> int | None:
        """As for every history.

        Raises:
            HistoryIncomplete: what came before the checkpoint is being read.
        """
        if run_id not in self._old:
            return super().count(run_id, upto)
        before, places = self._read_before(), self._places(run_id, upto)
        here = super().count(run_id, places) or 0
        return before.total(run_id) + here if here else before.count(run_id, places) or 0

    def between(self, run_id: bytes, types: Iterable[bytes], begin: int, end: int) -> list[int] | None:
        """As for every history.

        Raises:
            HistoryIncomplete: what came before the checkpoint is being read.
        """
        if run_id not in self._old:
            return super().between(run_id, types, begin, end)
        before, types = self._read_before(), tuple(types)
        there = before.total(run_id)
        found = before.between(run_id, types, begin, min(end, there)) if begin < there else None
        since = super().between(run_id, types, max(begin - there, 0), end - there) if end > there else None
        return (found or []) + (since or [])

    def _read_before(self) -> HistoryIndex:
        """What came before the checkpoint, if it is read by now."""
        if self._before is None:
            if self._task is None:
                self._task = asyncio.create_task(self._read())
            raise HistoryIncomplete(
                f"partition {self._partition} was restored from a checkpoint, and what came before it is being read"
            )
        return self._before

    def close(self) -> None:
        super().close()
        self._old.clear()
        if self._task is not None:
            self._task.cancel()
        if self._before is not None:
            self._before.close()

    async def _read(self) -> None:
        """Fold up to the checkpoint, from the newest one before all runs of interest."""
        while True:
            try:
                before = await self._fold(await self._begin())
                break
            except StoreError as e:
                log.warning(
                    "partition %d: histories cannot be read now: %s", self._partition, e,
                    extra={"partition": self._partition},
                )  # fmt: skip
                await asyncio.sleep(_RETRY)
        for run_id in tuple(before.runs):
            if run_id not in self._old:
                before.forget(run_id)
        self._before = before

    async def _begin(self) -> Fold:
        oldest = min(self._old.values(), default=self._position)
        ends = await self._store.ends((self._partition,))
        found = await self._checkpoints.restore(ends, {self._partition: oldest})
        if self._partition in found:
            return found[self._partition].fold
        return Fold(self._partition, self._store.partitions)

    async def _fold(self, fold: Fold) -> HistoryIndex:
        before = HistoryIndex(most_bytes=self._most_before)
        wanted = dict(self._old)
        log.info(
            "partition %d: reading offsets %d to %d again for the histories of %d runs",
            self._partition, fold.position, self._position, len(wanted), extra={"partition": self._partition},
        )  # fmt: skip
        reader = self._store.reader()
        try:
            reader.follow({self._partition: fold.position})
            while fold.position < self._position:
                for batch in await reader.read():
                    for number, record in enumerate(batch):
                        if not fold.position <= record.offset < self._position:
                            continue
                        out = fold.apply(record)
                        if out.run is not None and wanted.get(out.run.id) == out.run.offset:
                            before.note(out.run.id, out)
                        if number % _AT_ONCE == 0:
                            await asyncio.sleep(0)
        finally:
            await reader.close()
        return before
