"""The dispatcher: from what is owed to handlers at work.

The fold says what is owed; the dispatcher keeps one `Work` for each owed pair that this worker serves, hands it to the
lanes of its reactor when it is due, and lets go of it when the fold settles the pair. Nothing here waits, so a slow or
failing reactor delays neither reading nor any other reactor.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from math import inf
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final

from farandole.eventstore import Stored
from farandole.projections.fold import Pair, Run
from farandole.schemas import UndecodableValue, system_records
from farandole.schemas.envelope import Kind, unpack

from .about import of_work
from .lanes import Lanes
from .reactor import Reactor
from .stats import ReactorStats
from .values import cost_of

if TYPE_CHECKING:
    from .leases import Leases
    from .partition import Serving

log = logging.getLogger("farandole.worker")

AGAIN: Final = 1.0
"""Seconds until an attempt is made again that trouble not its own prevented."""


class Work:
    """One owed pair in this worker's hands: queued, waiting for its time, or at work."""

    __slots__ = (
        "again",
        "attempt",
        "barred",
        "cancelled",
        "ended_by",
        "made",
        "pair",
        "queued_at",
        "reactor",
        "record",
        "run",
        "running",
        "serving",
        "size",
        "task",
        "timer",
        "told",
    )

    def __init__(self, serving: "Serving", run: Run, pair: Pair, reactor: Reactor, record: Stored | None) -> None:
        self.serving = serving
        self.run = run
        self.pair = pair
        self.reactor = reactor
        self.record = record
        """The trigger as it was just read, while the memory budget allows."""
        self.size = 0
        """What ``record`` costs in memory."""
        self.attempt = pair.attempts + 1
        self.running = False
        self.task: asyncio.Task[Any] | None = None
        """What its handler runs in, from when it begins until its outcome is handed in."""
        self.cancelled = False
        """Whether the pair was settled by somebody else while its handler ran: nothing that it makes is admitted."""
        self.ended_by: Stored | None = None
        """The record that settled the pair then."""
        self.told: asyncio.Event | None = None
        """Set when it is cancelled, if anybody waits for that."""
        self.barred = False
        """Whether it waits for a claim: another worker's to lapse, or ours to stand."""
        self.made = b""
        """The append of its outcome, if that is of several records."""
        self.again: Callable[[], None] | None = None
        """Appends the same bytes again."""
        self.timer: asyncio.TimerHandle | None = None
        self.queued_at = 0.0

    @property
    def owed(self) -> bool:
        """Whether the pair is still owed, this attempt is the next, and the partition is ours."""
        pair = self.pair
        return (
            self.serving.active
            and self.attempt == pair.attempts + 1
            and not pair.parked
            and self.run.owed.get(pair.key) is pair
        )

    @property
    def cancel_reason(self) -> str:
        """Why the run was cancelled, as whoever cancelled it said; empty if it was not."""
        record = self.ended_by
        if record is None or unpack(record.headers).kind != Kind.CANCEL:
            return ""
        try:
            return str(system_records.CANCEL.decode(record.value)["reason"])
        except UndecodableValue:
            return ""

    async def until_cancelled(self) -> None:
        """Wait until it is cancelled."""
        if self.told is None:
            self.told = asyncio.Event()
            if self.cancelled:
                self.told.set()
        await self.told.wait()

    def cancel(self, by: Stored | None) -> None:
        """Tell the handler, if it is at work, that what it makes will not be admitted.

        An ``async def`` handler is cancelled where it waits; a thread cannot be stopped, and may ask.
        """
        task = self.task
        if task is None or self.cancelled:
            return
        self.cancelled, self.ended_by = True, by
        if self.told is not None:
            self.told.set()
        if self.reactor.signature.is_async:
            task.cancel()


class Dispatcher:
    """Hands owed pairs to lanes.

    Args:
        reactors: those that this worker serves.
        perform: makes one attempt. If it raises, which it should not, the attempt is made again after a while.
        leases: tells what must wait for the claims of others, and claims what takes long.
        most_bytes: what the triggers that wait in memory may cost; beyond that their values are read again.
    """

    def __init__(
        self,
        reactors: Iterable[Reactor],
        perform: Callable[[Work], Awaitable[None]],
        stats: Mapping[str, ReactorStats],
        leases: "Leases",
        *,
        most_bytes: int = 64 << 20,
    ) -> None:
        self._perform = perform
        self._stats = stats
        self._most = most_bytes
        self._works: dict[Pair, Work] = {}
        """By the pair itself, not its key: a pair that was settled and is owed again under the same key is another."""
        self._lanes: dict[str, Lanes[Work]] = {r.name: Lanes(self._begin, r.options.concurrency) for r in reactors}
        self._stopped = False
        self._running: dict[Work, None] = {}
        self._leases = leases
        self.bytes = 0
        """What the triggers that wait in memory cost."""

    def offer(self, serving: "Serving", run: Run, pair: Pair, record: Stored | None, log_time: int) -> None:
        """Take on a pair that is owed, unless it is already, is not ours, or its run is paused.

        Args:
            record: the trigger, if it is at hand.
            log_time: now, in milliseconds of log time, as nearly as is known.
        """
        reactor = serving.served.get(pair.reactor)
        if reactor is None or run.paused or self._stopped or serving.fold.stops(pair.reactor):
            return
        if pair.generation and pair.undoes:
            if reactor.undo is None and serving.fold.contracts[pair.reactor].compensates:
                return  # the release whose contract is in force knows how; it need not be everywhere yet
            reactor = reactor.undo or reactor
        work = self._works.get(pair)
        if work is not None:
            if work.attempt == pair.attempts + 1 and work.serving is serving and not work.barred:
                return
            self._let_go(work)
            record = work.record if record is None else record
        elif reactor.options.ordered and not _first(run, pair):
            return
        work = self._works[pair] = Work(serving, run, pair, reactor, None)
        if record is not None and self.bytes < self._most:
            work.record = record
            work.size = cost_of(record)
            self.bytes += work.size
        wait = pair.due - log_time
        if wait > 0:
            work.timer = asyncio.get_running_loop().call_later(wait / 1000, self._due, work)
        elif not self._bar(work):
            self._queue(work)

    def _bar(self, work: Work) -> bool:
        """Let a step wait that another worker has in hand, or that must be claimed first."""
        if work.pair.work is None and work.serving.careful is None:
            return False
        wait = self._leases.wait(work)
        work.barred = wait is not None
        if wait is not None and wait < inf:
            work.timer = asyncio.get_running_loop().call_later(wait, self._due, work)
        return work.barred

    def at_work(self, pair: Pair) -> Work | None:
        """What is in this worker's hands for a pair."""
        return self._works.get(pair)

    def at_work_in(self, serving: "Serving | None" = None) -> list[Work]:
        """Whose handlers are at work, of one partition or of all. Some may be owed no longer."""
        return [work for work in self._running if serving is None or work.serving is serving]

    def settle(self, run: Run, pair: Pair, by: Stored | None = None) -> None:
        """The pair is owed no longer. If its handler still runs, it learns so.

        Args:
            by: the record that settled it.
        """
        work = self._works.pop(pair, None)
        if work is None:
            return
        self._let_go(work)
        if not pair.parked:
            # What is done though another worker gave the step up is reported as late, for whoever may retry it.
            work.cancel(by)
        if work.reactor.options.ordered and not pair.parked:
            waiting = [p for p in run.owed.values() if p.reactor == pair.reactor]
            if waiting:
                following = min(waiting, key=_place)
                if not following.parked:
                    self.offer(work.serving, run, following, None, work.serving.fold.log_time)

    def release(self, run: Run, pair: Pair, by: Stored | None = None) -> None:
        """The pair was settled while its partition is only being restored, so nothing follows from it yet."""
        work = self._works.pop(pair, None)
        if work is not None:
            self._let_go(work)
            if not pair.parked:
                work.cancel(by)

    def suspend(self, serving: "Serving") -> None:
        """The partition is not ours now: forget what has not begun."""
        for work in [w for w in self._works.values() if w.serving is serving and not w.running]:
            del self._works[work.pair]
            self._let_go(work)

    def forget(self, serving: "Serving") -> None:
        """The partition's state is dropped; handlers at work go on to their end."""
        for work in [w for w in self._works.values() if w.serving is serving]:
            del self._works[work.pair]
            self._let_go(work)

    def moved(self, reactor: bytes) -> None:
        """What the reactor owed is owed by another one now, under whose name it is offered anew."""
        for work in [w for w in self._works.values() if w.pair.reactor == reactor]:
            del self._works[work.pair]
            self._let_go(work)

    def again(self, work: Work, wait: float) -> None:
        """Make the same attempt once more, after ``wait`` seconds: it could not be made for reasons not its own."""
        work.running = False
        if self._works.get(work.pair) is work:
            work.timer = asyncio.get_running_loop().call_later(wait, self._due, work)

    @property
    def stopped(self) -> bool:
        """Whether nothing more begins, because the worker comes to an end."""
        return self._stopped

    @property
    def held(self) -> int:
        """How many steps are in this worker's hands."""
        return len(self._works)

    def waiting(self, reactor: str) -> int:
        """Steps in a reactor's queue."""
        return self._lanes[reactor].waiting

    def running(self, reactor: str) -> int:
        """A reactor's handlers at work."""
        return self._lanes[reactor].running

    async def stop(self, grace: float) -> bool:
        """Begin nothing more, and give handlers at work so many seconds to end.

        Returns:
            Whether all of them ended by themselves; the others were cancelled, and their steps stay owed.
        """
        self._stopped = True
        for lanes in self._lanes.values():
            lanes.stop()
        for work in self._works.values():
            if work.timer is not None:
                work.timer.cancel()
        ending = asyncio.gather(*(lanes.finished() for lanes in self._lanes.values()))
        try:
            async with asyncio.timeout(grace):
                await ending
        except TimeoutError:
            await asyncio.gather(*(lanes.cancel() for lanes in self._lanes.values()))
            return False
        return True

    async def _begin(self, work: Work) -> None:
        pair = work.pair
        if self._works.get(pair) is not work:
            self._stats[work.reactor.name].superseded += 1
            return
        if work.run.paused or not work.owed or work.serving.fold.stops(pair.reactor):
            del self._works[pair]
            self._let_go(work)
            return
        if pair.work is not None and self._bar(work):
            return
        work.running = True
        work.task = asyncio.current_task()
        self._running[work] = None
        self._leases.watch()
        try:
            await self._perform(work)
        except Exception:
            # A fault of ours must not leave a step in nobody's hands, nor end the lane for those that come after it.
            log.exception("%s: an attempt could not be made; it is made again", work.reactor.where, extra=of_work(work))
            self.again(work, AGAIN)
        finally:
            work.task = None
            self._running.pop(work, None)

    def _queue(self, work: Work) -> None:
        work.queued_at = perf_counter()
        self._lanes[work.reactor.name].put(work)

    def _due(self, work: Work) -> None:
        work.timer = None
        if self._works.get(work.pair) is work and not self._stopped and not self._bar(work):
            self._queue(work)

    def _let_go(self, work: Work) -> None:
        if work.timer is not None:
            work.timer.cancel()
            work.timer = None
        self.bytes -= work.size
        work.size = 0


def _place(pair: Pair) -> int:
    """Where a pair stands among those of its reactor: the offset of what made it owed.

    An input that was edited stands behind that offset, and the step keeps its place.
    """
    return max(pair.inputs, default=pair.at) if pair.at < 0 else min(max(pair.inputs, default=pair.at), pair.at)


def _first(run: Run, pair: Pair) -> bool:
    """Whether no earlier pair of the same reactor is owed in the run, parked ones included."""
    place = _place(pair)
    return all(_place(p) >= place for p in run.owed.values() if p.reactor == pair.reactor)
