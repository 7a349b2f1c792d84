"""The worker: reads the partitions that it owns, folds them, and does what is owed.

    own partitions → read → fold → dispatch → your handler → outbox → append → (read again, and fold)

A partition that is new here is folded to the end that it had when it was assigned; then the contracts that it lacks
are written, and everything owed to this service's reactors is taken on. A partition that goes to another worker keeps
its state and its handlers for a while, for rebalances mostly bring it back.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from random import Random
from typing import TYPE_CHECKING, Any, Final

from farandole.eventstore import (
    AppendError,
    EventStore,
    PartitionCorrupt,
    PositionLost,
    Stored,
    StoreError,
    StoreUnavailable,
)
from farandole.projections.checkpoints import EVERY, Checkpoints, Every
from farandole.projections.fold import Applied, Contract, UnknownFoldVersion, Verdict
from farandole.schemas.envelope import Kind

from .about import of_run, of_step
from .abroad import Abroad, Opener
from .answers import Answers
from .attempt import Attempts
from .census import Census, names_of
from .commands import command_line
from .contract import contracts_of
from .dispatch import Dispatcher
from .graph import graph_of, inferred
from .keeping import NEWS, ROUND, Keeper, LogClock
from .lag import measure_lag
from .leases import Leases
from .live import Speaker
from .outbox import Outbox
from .owned import Owned
from .partition import Serving
from .publish import Publisher
from .restoring import Restoring
from .scribe import Scribe
from .shown import shown
from .stats import ReactorStats, WorkerStats
from .tracing import tracing_of
from .values import Values

if TYPE_CHECKING:
    from .choreography import Choreography

log = logging.getLogger("farandole.worker")

GRACE: Final = 30.0
"""Seconds that handlers at work are given to end when the worker stops."""
_WAIT: Final = 0.2
_RETRY: Final = 1.0
_LAST: Final = 2.0
"""Seconds in which what is done may still be appended, when handlers used up the whole grace time."""


class Worker(Restoring):
    """One process of a service at work on one log. Made by `Choreography.work`.

    Args:
        choreography: loaded, with all of its modules imported.
        store: its log, established.
        scribe: writes this worker's records.
        provided: what handlers are given besides events, by `Reactor.id` and parameter.
        member: a stable name for this process, so that it gets its partitions back at once after a restart.
        take_over: bring contracts of this process into force even over those of another service or a newer release.
        grace: seconds that handlers at work are given to end when the worker stops.
        idle: seconds that one read waits for news of what is owned. What comes meanwhile ends the wait at once.
        rounds: seconds between two rounds of the keeper.
        lag: measure how late the event loop wakes up.
        abroad: opens the logs of other choreographies on the same server.
        checkpoints: how often checkpoints are written.
    """

    def __init__(
        self,
        choreography: "Choreography",
        store: EventStore,
        scribe: Scribe,
        provided: Mapping[str, Mapping[str, Any]],
        *,
        member: str | None = None,
        take_over: bool = False,
        grace: float = GRACE,
        random: Callable[[], float] | None = None,
        memory: int = 64 << 20,
        idle: float = _WAIT,
        rounds: float = ROUND,
        lag: bool = True,
        abroad: Opener | None = None,
        checkpoints: Every = EVERY,
    ) -> None:
        reactors = tuple(choreography.reactors)
        self.stats = WorkerStats(reactors={r.name: ReactorStats() for r in reactors})
        self._store = store
        self._scribe = scribe
        self._member = member
        self._grace = grace
        self._idle = idle
        self._lag = lag
        self._memory = memory
        self._service = choreography.service
        self._mine = contracts_of(
            reactors,
            scribe.types,
            service=choreography.service,
            version=choreography.version,
            owner=choreography.owner,
            each=inferred(graph_of(choreography)),
        )
        self._looks_back = any(
            len(r.signature.triggers) > 1 or r.gathers or r.takes_failures or r.takes_run or r.undo for r in reactors
        )
        self._takes_run = any(r.takes_run for r in reactors)
        self._threads = {
            h.id: ThreadPoolExecutor(max_workers=r.options.concurrency, thread_name_prefix=f"farandole-{r.name}")
            for r in reactors
            for h in r.handlers()
            if not h.signature.is_async
        }
        self.outbox = Outbox(store)
        self.speaker = Speaker(scribe, store.live)
        self.values = Values(store, most_bytes=memory)
        chance = random or Random().random  # noqa: S311
        # Not by this machine's clock, which may be set: a step whose deadline has passed is given up for good.
        clock = LogClock(lambda: int(asyncio.get_running_loop().time() * 1_000_000))
        self._abroad = Abroad(store, choreography.name, abroad)
        tracing = tracing_of(choreography.name, store.url, choreography.service)
        attempts = Attempts(
            choreography.name, reactors, store, scribe.types, scribe, self._abroad, self.outbox, self.speaker, self.values,
            self.stats, provided, self._threads, chance, clock.now, tracing,
        )  # fmt: skip
        self.leases = Leases(scribe, self.outbox, self.stats)
        self.dispatcher = attempts.dispatcher = self.leases.dispatcher = Dispatcher(
            reactors, attempts.perform, self.stats.reactors, self.leases, most_bytes=memory
        )
        self._every = checkpoints
        self._checkpoints = Checkpoints(store)
        self._found = {}
        self.keeper = Keeper(
            store,
            scribe,
            self._service,
            self.stats,
            self.values,
            self.outbox,
            self.dispatcher,
            clock,
            self._abroad,
            schedules=choreography.schedules,
            rounds=rounds,
            checkpoints=self._checkpoints,
            every=checkpoints,
        )
        self.keeper.checkpointing.alarm = self._restore_anew
        self.partitions: dict[int, Serving] = {}
        """The partitions whose state is held here, those that went elsewhere a moment ago included."""
        self.census = Census(self.partitions, scribe.now, names_of(self._mine))
        self._owned = Owned(store, self.stats)
        self._stopping = asyncio.Event()
        self._publisher = Publisher(store, scribe, choreography.service, chance, take_over=take_over)
        self._answers = Answers(self._publisher, self.dispatcher, self.values, scribe)
        self._ready = asyncio.Event()

    @property
    def contracts(self) -> Sequence[Contract]:
        """Those of this process, as it publishes them."""
        return [contract for _, contract in self._mine.values()]

    @property
    def ready(self) -> bool:
        """Whether the group has answered, every partition owned is restored and served, and our contracts were in force."""
        return self._ready.is_set() and all(
            (serving := self.partitions.get(p)) is not None and serving.restored and serving.stopped is None
            for p in self._owned.partitions
        )

    @property
    def serves(self) -> Mapping[str, str]:
        """What its metrics are labelled with."""
        return {"choreography": self._scribe.choreography, "service": self._service}

    async def behind(self) -> int:
        """How many offsets of the partitions owned are not folded yet.

        Raises:
            StoreError: the log cannot be asked.
        """
        held = {p: s for p, s in self.partitions.items() if s.active}
        ends = await self._store.ends(tuple(held))
        return sum(max(ends[p].next - serving.fold.position, 0) for p, serving in held.items())

    async def until_ready(self) -> None:
        """Wait until the first assignment came and is restored, and the contracts of its reactors are in force there."""
        await self._ready.wait()

    def stop(self) -> None:
        """Ask `run` to come to an end: finish what is at work within the grace time, and let go."""
        self._stopping.set()

    async def run(self) -> None:
        """Work until `stop`.

        Raises:
            StoreError: the log is misconfigured, or what it should hold is gone.
            DeclarationError: another service serves one of these reactors.
        """
        async with self._store.own(self._service, self._member) as ownership:
            tasks = (
                asyncio.create_task(self._owned.follow(ownership), name="ownership"),
                asyncio.create_task(self._read(), name="reading"),
                *([asyncio.create_task(measure_lag(self.stats), name="lag")] if self._lag else []),
                asyncio.create_task(self.keeper.run(self.partitions), name="keeper"),
                asyncio.create_task(self.outbox.failure(), name="outbox"),
            )
            stopping = asyncio.create_task(self._stopping.wait())
            try:
                await asyncio.wait((*tasks, stopping), return_when=asyncio.FIRST_COMPLETED)
                failed = next((t for t in tasks if t.done()), None)
                if failed is None:
                    await self._finish()
            finally:
                for task in (*tasks, stopping, *self._publisher.tasks):
                    task.cancel()
                await asyncio.gather(*tasks, stopping, *self._publisher.tasks, return_exceptions=True)
                await self.dispatcher.stop(0)
                self.leases.stop()
                await self.outbox.close()
                await self.speaker.close()
                await self.values.close()
                await self._abroad.close()
                for threads in self._threads.values():
                    threads.shutdown(wait=False, cancel_futures=True)
                for serving in self.partitions.values():
                    serving.drop()
            if failed is not None:
                failed.result()

    async def _finish(self) -> None:
        """Hand over: nothing new begins, what is at work ends, everything done is in the log."""
        loop = asyncio.get_running_loop()
        until = loop.time() + self._grace
        if not await self.dispatcher.stop(self._grace):
            log.warning("some handlers did not end within %g s; their steps stay owed", self._grace)
        self.leases.stop()
        try:
            async with asyncio.timeout_at(max(until, loop.time() + _LAST)):
                await self.outbox.flush()
                content = {"member": self._member or ""}
                for partition in [p for p, s in self.partitions.items() if s.active and s.stopped is None]:
                    await self._store.append(partition, self._scribe.control(Kind.RELEASED, [content]))
        except (TimeoutError, AppendError, StoreError) as e:
            why = str(e) or "the log took them not in time"
            log.warning("not all outcomes could be appended before stopping; their steps stay owed: %s", why)

    async def _read(self) -> None:
        reader = self._store.reader()
        try:
            while True:
                if self._owned.changed.is_set():
                    self._owned.changed.clear()
                    await self._assign(reader)
                if self._drop_old():
                    self._follow(reader)
                try:
                    batches = await reader.read(wait=self._idle if self._owned.partitions else _WAIT)
                except PositionLost as e:
                    log.error("the log is not the one that was read so far; restoring: %s", e)
                    await self._restore_all(reader)
                    continue
                except PartitionCorrupt as e:
                    self._stop_serving(self.partitions[e.partition], str(e))
                    self._follow(reader)
                    continue
                except StoreUnavailable as e:
                    log.warning("the log cannot be read, trying again: %s", e)
                    await asyncio.sleep(_RETRY)
                    continue
                for batch in batches:
                    self._fold(batch)
                await self._take_up(reader.positions)
        finally:
            await reader.close()

    def _restore_anew(self, serving: Serving, why: str) -> None:
        """Its state is not to be trusted: drop it, and begin with an earlier checkpoint."""
        self._stop_serving(serving, why)
        serving.astray = True
        self._owned.changed.set()

    def _fold(self, batch: Sequence[Stored]) -> None:
        """Every record that this worker reads passes here."""
        serving = self.partitions.get(batch[0].partition)
        if serving is None or serving.stopped is not None:
            return
        fold, dispatcher, keeper, remember = serving.fold, self.dispatcher, self.keeper, self._looks_back
        stats, taken = self.stats, len(batch)
        stats.records += taken
        for record in batch:
            if record.offset < fold.position:
                taken -= 1
                continue
            try:
                out = serving.apply(record)
            except UnknownFoldVersion as e:
                self._stop_serving(serving, str(e))
                return
            if out.verdict >= Verdict.UNREADABLE:
                taken -= 1
                if serving.restored:
                    stats.refused[Verdict(out.verdict).name.lower()] += 1
                    if log.isEnabledFor(logging.DEBUG):
                        _tell_of_refusal(record, out)
                if out.envelope is None:
                    keeper.unreadable(record)
            if remember or out.verdict is Verdict.HELD or (out.owed and not serving.restored):
                # While restoring, what is owed last is likely to be owed still: then it need not be read again.
                self.values.remember(record)
            if out.verdict is Verdict.HELD and out.envelope is not None:
                self._answers.held(serving, out, out.envelope)
            if serving.restored:
                for run, pair in out.settled:
                    dispatcher.settle(run, pair, record)
                    if pair.parked and pair.reactor in serving.served and pair.key in run.owed:
                        log.warning(
                            "%s failed for good in run %s after %d attempt%s; see why: %s",
                            pair.reactor.decode(), shown(run.id), pair.attempts, "s"[: pair.attempts != 1],
                            command_line("show", shown(run.id), self._scribe.choreography, self._store.url),
                            extra={**of_step(fold.partition, run.id, pair), "attempt": pair.attempts},
                        )  # fmt: skip
                for run, pair in out.owed:
                    dispatcher.offer(
                        serving, run, pair, record if record.offset in pair.inputs[:1] else None, fold.log_time
                    )
            else:
                for run, pair in out.settled:
                    dispatcher.release(run, pair, record)
            if out.contracts or serving.published is not None:
                self._answers.contracts(serving, out)
            head = out.envelope
            if out.more is not None and out.more.policies and serving.restored:
                self._answers.take_on(serving)
            if (
                out.more is not None
                or out.verdict is Verdict.NOT_DUE
                or (head is not None and head.causation and head.kind in NEWS)
            ):
                keeper.note(serving, record, out)
        if serving.restored:
            stats.admitted += taken
        serving.read_at = asyncio.get_running_loop().time()
        self.leases.look(serving)


def _tell_of_refusal(record: Stored, out: Applied) -> None:
    """Some are in order around crashes and rebalances, so that only who wants to know everything is told."""
    e = out.envelope
    if e is None:
        return
    try:
        kind = Kind(e.kind).name.lower()
    except ValueError:
        kind = f"number {e.kind}"
    about = {**of_run(record.partition, record.key or b""), "event_id": shown(e.causation or e.id)}
    if e.reactor:
        about["reactor"] = shown(e.reactor)
    log.debug("a record of kind %s is refused: %s", kind, Verdict(out.verdict).name.lower(), extra=about)
