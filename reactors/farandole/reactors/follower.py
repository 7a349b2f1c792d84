"""How a client knows: it folds the partitions that it asks about, as every worker does, and watches single runs.

The first question about a partition folds it from its beginning; from then on the follower keeps up with the log. Runs
that were not watched from their start, on a partition that is followed already, are looked up by folding once more, all
that are asked for at one time together. A run is watched for as long as somebody holds its view. A partition that
cannot be read on fails those who ask about its runs, and nobody else.
"""

import asyncio
import logging
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
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
from farandole.projections.fold import (
    Applied,
    Fact,
    Fold,
    Result,
    Run,
    RunStatus,
    UnknownFoldVersion,
    Verdict,
    status_of,
)
from farandole.schemas.envelope import Envelope, Kind

from .grown import refuse_if_grown

log = logging.getLogger("farandole.client")

_WAIT: Final = 0.2
_RETRY: Final = 0.5


@dataclass(frozen=True, slots=True)
class Entry:
    """One record of a run and what the fold made of it."""

    partition: int
    offset: int
    time: int
    """When the log took it, in milliseconds since 1970 UTC."""
    envelope: Envelope
    verdict: Verdict
    admitted: tuple[Fact, ...]
    """The events that entered the history with it."""
    record: Stored | None = None
    """The record itself, where single runs are watched."""


@dataclass(slots=True, weakref_slot=True, eq=False)
class View:
    """What is known of one run: all its records so far."""

    run_id: bytes
    partition: int
    entries: list[Entry] = field(default_factory=list)
    run: Run | None = None
    """Its state, if it was ever open."""
    result: Result = Result.NONE
    waiters: list[asyncio.Future[None]] = field(default_factory=list)
    failed: Exception | None = None
    """Why nothing more will be learnt of it."""

    def note(self, record: Stored, out: Applied, *, keep: bool) -> None:
        """Take in one of the run's records.

        Args:
            keep: hold on to the record itself.
        """
        if out.envelope is None:
            return
        if out.run is not None:
            self.run = out.run
        if out.result is not Result.NONE:
            self.result = out.result
        admitted = tuple(out.admitted)
        kept = record if keep else None
        self.entries.append(
            Entry(record.partition, record.offset, record.time, out.envelope, Verdict(out.verdict), admitted, kept)
        )
        self.wake()

    @property
    def before_us(self) -> bool:
        """Whether the run was closed before it was watched."""
        return self.run is None and any(e.verdict is Verdict.RUN_REMEMBERED for e in self.entries)

    def record_at(self, offset: int) -> Stored | None:
        """The run's record at this offset, if it is at hand."""
        at = bisect_left(self.entries, offset, key=lambda entry: entry.offset)
        return self.entries[at].record if at < len(self.entries) and self.entries[at].offset == offset else None

    def wake(self) -> None:
        for waiter in self.waiters:
            if not waiter.done():
                waiter.set_result(None)
        self.waiters.clear()

    def verdict(self, event_id: bytes) -> Verdict | None:
        """What became of the record with this id; None if it was not read yet."""
        for entry in self.entries:
            if entry.envelope.id == event_id:
                return entry.verdict
        return None

    async def changed(self) -> None:
        """Wait until another record of the run is read, or something else could have moved it.

        Raises:
            StoreError: the run's partition is not followed any more.
            UnknownFoldVersion: it follows rules that this release does not know.
        """
        if self.failed is not None:
            raise self.failed
        waiter = asyncio.get_running_loop().create_future()
        self.waiters.append(waiter)
        try:
            await waiter
        finally:
            if waiter in self.waiters:
                self.waiters.remove(waiter)


class Follower:
    """Folds the partitions of one log on demand.

    Args:
        store: the log.
        everything: watch every run, for lists of runs.
        idle: seconds that one read waits for news. What comes meanwhile ends the wait at once.
    """

    def __init__(self, store: EventStore, *, everything: bool = False, idle: float = _WAIT) -> None:
        self._store = store
        self._idle = idle
        self._everything = everything
        self._folds: dict[int, Fold] = {}
        self._views: WeakValueDictionary[bytes, View] = WeakValueDictionary()
        self._all: list[View] = []
        self._sought: dict[bytes, View] = {}
        self._wanted: dict[int, dict[bytes, View]] = {}
        self._searches: dict[int, asyncio.Task[None]] = {}
        self._task: asyncio.Task[None] | None = None
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

    async def view(self, run_id: bytes) -> View:
        """All about one run, up to the end that its partition has now; it keeps up from then on."""
        partition = self._store.partition_of(run_id)
        view = self._views.get(run_id)
        if view is None and (partition not in self._folds or not self._folds[partition].position):
            view = self._views[run_id] = View(run_id, partition)
        await self.up_to_date([partition])
        found = self._views.get(run_id)  # somebody else may have looked it up meanwhile
        return await self._search(run_id, partition) if found is None or found.before_us else found

    def status(self, view: View) -> RunStatus:
        """The state of a run that is watched."""
        fold = self._folds[view.partition]
        if view.run is None:
            return RunStatus(view.run_id.decode(errors="replace"), "absent", view.partition, fold.position)
        return status_of(fold, view.run)

    def fold(self, partition: int) -> Fold:
        return self._folds[partition]

    async def up_to_date(self, partitions: Sequence[int]) -> None:
        """Fold these partitions to the ends that they have now.

        Raises:
            StoreError: the log cannot be followed any more, or not be reached now.
            UnknownFoldVersion: one of them follows rules that this release does not know.
        """
        self._check(partitions)
        for partition in partitions:
            if partition not in self._folds:
                self._folds[partition] = Fold(partition, self._store.partitions)
                self._changed = True
        if self._task is None:
            self._task = asyncio.create_task(self._follow())
        ends = await self._store.ends(partitions)
        while any(self._read_to(p) < ends[p].next for p in partitions):
            await self._more()
            self._check(partitions)

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
                    self._begin_anew()
                    continue
                except PartitionCorrupt as e:
                    self._stop(e.partition, e)
                    continue
                for batch in batches:
                    self._apply(batch)
                self._wake()
        except Exception as e:
            self._fail(e)
        finally:
            await reader.close()

    def _begin_anew(self) -> None:
        self._folds = {p: Fold(p, self._store.partitions) for p in self._folds}
        self._stopped.clear()
        self._changed = True
        for view in tuple(self._views.values()):
            view.entries.clear()
            view.run, view.result, view.failed = None, Result.NONE, None

    def _stop(self, partition: int, error: Exception) -> None:
        """One partition cannot be read on; the others go on."""
        log.error("partition %d is followed no more: %s", partition, error)
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
            task.result()
        return view

    async def _fold_again(self, partition: int) -> None:
        """Fold the partition once more, up to where the follower is, for all runs that are wanted now."""
        wanted = self._wanted.pop(partition, {})
        followed, again = self._folds[partition], Fold(partition, self._store.partitions)
        reader = self._store.reader()
        try:
            reader.follow({partition: 0})
            while again.position < followed.position:
                for batch in await reader.read(wait=_WAIT):
                    for record in batch:
                        if again.position <= record.offset < followed.position:
                            out = again.apply(record)
                            view = None if record.key is None else wanted.get(record.key)
                            if view is not None:
                                view.note(record, out, keep=True)
            for run_id, view in wanted.items():
                view.run = followed.runs.get(run_id, view.run)
                self._views[run_id] = view
        finally:
            # Here and not once the task is done: whoever asks in between would wait for what is over.
            del self._searches[partition]
            for run_id in wanted:
                del self._sought[run_id]
            await reader.close()


def _closed() -> StoreClosed:
    return StoreClosed("the client was closed; connect again to ask about runs")
