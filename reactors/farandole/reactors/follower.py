"""How a client knows: it folds the partitions that it asks about, as every worker does, and watches single runs.

The first question about a partition folds it, from its newest checkpoint or from its beginning; from then on the follower
keeps up with the log. What a checkpoint does not tell of a run, and runs that were not watched from their start, on a
partition that is followed already, are looked up by folding once more, all that are asked for at one time together. A run is watched for as long as somebody holds its view. A partition that
cannot be read on fails those who ask about its runs, and nobody else.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final
from weakref import WeakValueDictionary

from farandole.eventstore import (
    EventStore,
    PartitionCorrupt,
    PositionLost,
    Reader,
    StoreClosed,
    Stored,
    StoreUnavailable,
)
from farandole.projections.checkpoints import EVERY, Checkpoints, Crossings, Every, begun
from farandole.projections.fold import (
    Applied,
    Fold,
    RunStatus,
    UnknownFoldVersion,
    status_of,
)
from farandole.projections.grown import refuse_if_grown
from farandole.schemas.envelope import Kind

from .view import View

log = logging.getLogger("farandole.client")

_WAIT: Final = 0.2
_RETRY: Final = 0.5


class Follower:
    """Folds the partitions of one log on demand.

    Args:
        store: the log.
        everything: watch every run, for lists of runs.
        idle: seconds that one read waits for news. What comes meanwhile ends the wait at once.
        restores: begin with checkpoints: what came before them is not seen, but for single runs that are asked for.
    """

    def __init__(
        self,
        store: EventStore,
        *,
        everything: bool = False,
        idle: float = _WAIT,
        restores: bool = False,
        every: Every = EVERY,
    ) -> None:
        self._store = store
        self._idle = idle
        self._everything = everything
        self._restores = restores
        self._every = every
        self._checkpoints = Checkpoints(store)
        self._beginning = asyncio.Lock()
        self._folds: dict[int, Fold] = {}
        self._crossings: dict[int, Crossings] = {}
        self._since: dict[int, int] = {}
        """The checkpoints that partitions began with."""
        self._views: WeakValueDictionary[bytes, View] = WeakValueDictionary()
        self._all: list[View] = []
        self._sought: dict[bytes, View] = {}
        self._wanted: dict[int, dict[bytes, View]] = {}
        self._searches: dict[int, asyncio.Task[Mapping[bytes, View]]] = {}
        self._task: asyncio.Task[None] | None = None
        self._compared = 0.0
        self._reader: Reader | None = None
        self._changed = False
        self._progress: list[asyncio.Future[None]] = []
        self._failed: Exception | None = None
        self._stopped: dict[int, Exception] = {}
        """Why single partitions are followed no more."""
        self.listener: Callable[[Stored, Applied], None] | None = None
        """Told of every record that is folded."""

    @property
    def views(self) -> Sequence[View]:
        """All runs, where everything is watched."""
        return self._all

    def expect(self, run_id: bytes) -> View | None:
        """Watch a run that is about to be started. None if it may have a past that was not watched."""
        partition = self._store.partition_of(run_id)
        view = self._views.get(run_id)
        fold = self._folds.get(partition)
        if view is None and (fold is None or run_id not in fold.runs):
            view = self._views[run_id] = View(run_id, partition)
        return view

    def watched(self, run_id: bytes) -> View | None:
        """What is known of a run that is watched from its start, on a partition that is followed already."""
        view = self._views.get(run_id)
        if view is None or not view.whole or view.partition not in self._folds or self._task is None:
            return None
        self._check((view.partition,))
        return view

    async def view(self, run_id: bytes) -> View:
        """All about one run, up to the end that its partition has now; it keeps up from then on."""
        partition = self._store.partition_of(run_id)
        view = self._views.get(run_id)
        if view is None and (partition not in self._folds or not self._folds[partition].position):
            view = self._views[run_id] = View(run_id, partition)
        await self.up_to_date([partition])
        found = self._views.get(run_id)  # somebody else may have looked it up meanwhile
        if found is None and self._since.get(partition) and run_id in self._folds[partition].runs:
            found = self._views[run_id] = View(run_id, partition, whole=False)
            self._take_from(self._folds[partition], found)
        if found is None or found.before_us or (found.run is None and not found.whole):
            return await self._search(run_id, partition)
        return found

    async def whole(self, run_id: bytes) -> View:
        """As `view`, with every record that the run ever had."""
        found = await self.view(run_id)
        return found if found.whole else await self._search(run_id, found.partition)

    def status(self, view: View) -> RunStatus:
        """The state of a run that is watched."""
        fold = self._folds[view.partition]
        if view.run is None:
            return RunStatus(view.run_id.decode(errors="replace"), "absent", view.partition, fold.position)
        return status_of(fold, view.run)

    def fold(self, partition: int) -> Fold:
        return self._folds[partition]

    @property
    def from_checkpoints(self) -> bool:
        """Whether what came before a checkpoint was not seen."""
        return any(self._since.values())

    async def up_to_date(self, partitions: Sequence[int]) -> None:
        """Fold these partitions to the ends that they have now.

        Raises:
            StoreError: the log cannot be followed any more, or not be reached now.
            UnknownFoldVersion: one of them follows rules that this release does not know.
        """
        self._check(partitions)
        if any(p not in self._folds for p in partitions):
            async with self._beginning:
                await self._begin([p for p in partitions if p not in self._folds])
        if self._task is None:
            self._task = asyncio.create_task(self._follow())
        ends = await self._store.ends(partitions)
        while any(self._read_to(p) < ends[p].next for p in partitions):
            await self._more()
            self._check(partitions)

    async def _begin(self, partitions: Sequence[int]) -> None:
        """Begin to fold: with the newest checkpoint, or at the beginning that the log has."""
        self._take(await begun(self._store, self._checkpoints, partitions, newest=self._restores))

    def _take(self, folds: Mapping[int, Fold]) -> None:
        self._folds.update(folds)
        self._changed = True
        for partition, fold in folds.items():
            self._since[partition] = fold.position
            self._crossings[partition] = Crossings(fold, self._every)
        for view in tuple(self._views.values()):
            if self._since.get(view.partition) and view.partition in folds:
                view.whole = False
                self._take_from(folds[view.partition], view)
                view.wake()

    def _take_from(self, fold: Fold, view: View) -> None:
        view.run = fold.runs.get(view.run_id)
        if view.run is not None:
            view.result = view.run.result

    def _read_to(self, partition: int) -> int:
        """Up to where a partition is read, offsets at its end included that hold no record."""
        position = self._folds[partition].position
        return position if self._reader is None else max(position, self._reader.positions.get(partition, 0))

    async def progress(self) -> None:
        """Wait until more was read.

        Raises:
            StoreError: the log, or one of the partitions that are followed, cannot be followed any more.
            UnknownFoldVersion: one of them follows rules that this release does not know.
        """
        self._check(self._stopped)
        await self._more()
        self._check(self._stopped)

    async def close(self) -> None:
        """Follow nothing any more; who still waits is told so."""
        tasks = [task for task in (self._task, *self._searches.values()) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._failed is None:
            self._fail(_closed())

    async def _more(self) -> None:
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._progress.append(waiter)
        await waiter

    def _check(self, partitions: Iterable[int]) -> None:
        if self._failed is not None:
            raise self._failed
        for partition in partitions:
            if (error := self._stopped.get(partition)) is not None:
                raise error

    async def _follow(self) -> None:
        reader = self._reader = self._store.reader()
        try:
            while True:
                if self._changed:
                    self._changed = False
                    reader.follow({p: fold.position for p, fold in self._folds.items() if p not in self._stopped})
                try:
                    batches = await reader.read(wait=self._idle)
                except StoreUnavailable as e:
                    log.warning("the log cannot be read, trying again: %s", e)
                    await asyncio.sleep(_RETRY)
                    continue
                except PositionLost as e:
                    log.error("the log is not the one that was read so far; folding it anew: %s", e)
                    await self._begin_anew(tuple(self._folds))
                    continue
                except PartitionCorrupt as e:
                    self._stop(e.partition, e)
                    continue
                for batch in batches:
                    self._apply(batch)
                self._wake()
                await self._compare()
        except Exception as e:
            self._fail(e)
        finally:
            await reader.close()

    async def _begin_anew(self, partitions: Sequence[int]) -> None:
        for view in tuple(self._views.values()):
            if view.partition in partitions:
                view.forget()
        for partition in partitions:
            self._stopped.pop(partition, None)
        self._take(await begun(self._store, self._checkpoints, partitions, newest=self._restores, surely=True))

    async def _compare(self) -> None:
        """Hold the checkpoints of others against what this follower knows, once in a while."""
        now = asyncio.get_running_loop().time()
        if not self._restores or now - self._compared < self._every.look:
            return
        self._compared = now
        try:
            await self._checkpoints.look()
        except StoreUnavailable:
            return
        for partition, crossings in tuple(self._crossings.items()):
            for manifest in self._checkpoints.of(partition):
                if crossings.differs(manifest):
                    log.error(
                        "a checkpoint of partition %d at offset %d is of another digest than this process knows; the "
                        "partition is folded anew from before it", partition, manifest.position, extra={"partition": partition},
                    )  # fmt: skip
                    self._checkpoints.distrusted.add(manifest.hash)
                    self._checkpoints.astray[partition] = manifest.position
                    await self._begin_anew([partition])
                    break

    def _stop(self, partition: int, error: Exception) -> None:
        """One partition cannot be read on; the others go on."""
        log.error("partition %d is followed no more: %s", partition, error, extra={"partition": partition})
        self._stopped[partition] = error
        self._changed = True
        for view in tuple(self._views.values()):
            if view.partition == partition:
                view.failed = error
                view.wake()
        self._wake()

    def _wake(self) -> None:
        waiters, self._progress = self._progress, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)

    def _fail(self, error: Exception) -> None:
        """Nothing more is learnt: tell whoever waits, and whoever asks later."""
        self._failed = error
        for view in tuple(self._views.values()):
            view.failed = error
            view.wake()
        self._wake()

    def _apply(self, batch: Sequence[Stored]) -> None:
        fold = self._folds[batch[0].partition]
        for record in batch:
            if record.offset < fold.position:
                continue
            try:
                out = fold.apply(record)
            except UnknownFoldVersion as e:
                self._stop(fold.partition, e)
                return
            if out.envelope is not None and out.envelope.kind == Kind.GENESIS:
                refuse_if_grown(fold)
            if fold.position >= self._crossings[fold.partition].next:
                append = b"" if out.envelope is None else out.envelope.append
                self._crossings[fold.partition].cross(fold, append)
            key = record.key
            if key is not None:
                view = self._views.get(key)
                if view is None and self._everything:
                    view = self._views[key] = View(key, fold.partition)
                    self._all.append(view)
                if view is not None:
                    view.note(record, out, keep=not self._everything)
            else:
                for run in {id(r): r for r, _ in (*out.settled, *out.owed)}.values():
                    if (moved := self._views.get(run.id)) is not None:
                        moved.wake()
            if self.listener is not None:
                self.listener(record, out)

    async def _search(self, run_id: bytes, partition: int) -> View:
        """Look a run up that was not watched from its start."""
        view = self._sought.get(run_id)
        if view is None:
            view = self._sought[run_id] = View(run_id, partition)
            self._wanted.setdefault(partition, {})[run_id] = view
        while self._sought.get(run_id) is view:
            task = self._searches.get(partition)
            if task is None:
                task = self._searches[partition] = asyncio.create_task(self._fold_again(partition))
            await asyncio.wait((task,))
            if task.cancelled():
                raise _closed()
            view = task.result().get(run_id, view)
        return view

    async def _fold_again(self, partition: int) -> Mapping[bytes, View]:
        """Fold the partition once more, up to where the follower is, for all runs that are wanted now."""
        wanted = self._wanted.pop(partition, {})
        followed = self._folds[partition]
        reader = self._store.reader()
        try:
            again = await self._beginning_of(partition, reader)
            while again.position < followed.position:
                try:
                    batches = await reader.read(wait=_WAIT)
                except PositionLost as e:
                    first = (await self._store.ends((partition,)))[partition].first
                    if first <= again.position:
                        raise
                    log.info("partition %d was archived meanwhile; reading what it begins with now: %s", partition, e)
                    for known in wanted.values():
                        known.forget()
                    again = await self._beginning_of(partition, reader)
                    continue
                for batch in batches:
                    for record in batch:
                        if again.position <= record.offset < followed.position:
                            out = again.apply(record)
                            sought = None if record.key is None else wanted.get(record.key)
                            if sought is not None:
                                sought.note(record, out, keep=True)
            for run_id, view in wanted.items():
                view.run = followed.runs.get(run_id, view.run)
                # Others may wait with a view that misses records.
                wanted[run_id] = known = self._views.setdefault(run_id, view)
                known.become(view)
            return wanted
        finally:
            # Here and not once the task is done: whoever asks in between would wait for what is over.
            del self._searches[partition]
            for run_id in wanted:
                del self._sought[run_id]
            await reader.close()

    async def _beginning_of(self, partition: int, reader: Reader) -> Fold:
        """The fold of what is not in the log any more, after which the reader goes on."""
        fold = (await begun(self._store, self._checkpoints, [partition], newest=False))[partition]
        reader.follow({partition: fold.position})
        return fold


def _closed() -> StoreClosed:
    return StoreClosed("the client was closed; connect again to ask about runs")
