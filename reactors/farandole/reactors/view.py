"""What a client knows of one run."""

import asyncio
from bisect import bisect_left
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from farandole.eventstore import Stored
from farandole.projections.fold import Applied, Fact, Result, Run, Verdict
from farandole.schemas.envelope import Envelope


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
    waiters: list[tuple[asyncio.Future[None], Callable[[], bool] | None]] = field(default_factory=list)
    """Who waits, and what for; None: for anything."""
    failed: Exception | None = None
    """Why nothing more will be learnt of it."""
    whole: bool = True
    """Whether no record of it is missing; of a run that was open at a checkpoint those before are."""

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

    def become(self, whole: "View") -> None:
        """Know all that another view of the same run knows, up to the same place."""
        self.entries, self.run, self.result, self.whole = whole.entries, whole.run, whole.result, whole.whole
        self.wake()

    def forget(self) -> None:
        """Know nothing any more, for the log is read anew."""
        self.entries.clear()
        self.run, self.result, self.failed, self.whole = None, Result.NONE, None, True

    @property
    def before_us(self) -> bool:
        """Whether the run was closed before it was watched."""
        return self.run is None and any(e.verdict is Verdict.RUN_REMEMBERED for e in self.entries)

    def record_at(self, offset: int) -> Stored | None:
        """The run's record at this offset, if it is at hand."""
        at = bisect_left(self.entries, offset, key=lambda entry: entry.offset)
        return self.entries[at].record if at < len(self.entries) and self.entries[at].offset == offset else None

    def wake(self) -> None:
        waiters, self.waiters = self.waiters, []
        for each in waiters:
            waiter, found = each
            if waiter.done():
                continue
            if found is None or self.failed is not None or found():
                waiter.set_result(None)
            else:
                self.waiters.append(each)

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
        with self.waiting() as waiter:
            await waiter

    async def until(self, found: Callable[[], bool]) -> None:
        """Wait until ``found()`` holds, or the view fails; what does not bring that about wakes nobody.

        Whoever waits looks again: it may hold no longer when they come to it, as of a step that was parked and retried.

        Args:
            found: asked now, and after whatever `changed` waits for; quick, and never raises.

        Raises:
            StoreError: as in `changed`.
            UnknownFoldVersion: likewise.
        """
        if found():
            return
        with self.waiting(found) as waiter:
            await waiter

    @contextmanager
    def waiting(self, found: Callable[[], bool] | None = None) -> "Iterator[asyncio.Future[None]]":
        """As `changed`, or `until`, but what happens from this call on counts, whenever the future is waited for."""
        if self.failed is not None:
            raise self.failed
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.waiters.append((waiter, found))
        try:
            yield waiter
        finally:
            self.waiters = [each for each in self.waiters if each[0] is not waiter]
