"""One attempt at one step: read what the handler takes, call it, hand its outcome to the outbox.

Whatever goes wrong ends as a record: a failure that is tried again, or one that is final and parks the step. Only
trouble with the log itself is not the step's: then the attempt is made again without counting.
"""

import asyncio
import logging
from collections.abc import Callable, Collection, Coroutine, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from datetime import timedelta
from functools import partial
from time import perf_counter
from typing import Any, Final, NamedTuple

from farandole.eventstore import EventStore, PositionLost, SchemaUnavailable, Stored, StoreError, TooLarge
from farandole.schemas import Event, EventTypes, UndecodableValue, failure_fields
from farandole.schemas.catalogue import texts_in
from farandole.schemas.envelope import unpack
from farandole.schemas.usage import usage_in

from .about import of_work
from .abroad import Abroad
from .arguments import Arguments, HistoryUnavailable
from .dispatch import AGAIN, Dispatcher, Work
from .errors import DeadlinePassed
from .items import parts_of
from .live import Speaker
from .outbox import Outbox
from .outputs import Child, Item
from .partition import PartitionDropped
from .pasts import HistoryIncomplete
from .plan import Plan
from .reactor import Reactor
from .retry import GiveUpNow, decide
from .scribe import Scribe
from .shown import text
from .stats import WorkerStats
from .tracing import MOST_LINKS, Tracing
from .undoing import UndoPlan
from .values import Values
from .written import size_of

log = logging.getLogger("farandole.step")

_QUIET: Final = 30.0
"""Seconds for which it is not said again of a reactor that its steps cannot be attempted."""


class Attempts:
    """Makes attempts for the lanes of a dispatcher.

    Args:
        provided: what each handler's other parameters are given, by `Reactor.id` and parameter.
        threads: where plain functions run, by `Reactor.id`, so that none waits for the threads of another.
        random: gives numbers in [0, 1), for the jitter of retries.
        log_time: now, in milliseconds of log time, as nearly as is known.
        tracing: None while it is off.

    Attributes:
        perform: makes one attempt, traced if tracing is on.
    """

    def __init__(
        self,
        choreography: str,
        reactors: Iterable[Reactor],
        store: EventStore,
        types: EventTypes,
        scribe: Scribe,
        abroad: Abroad,
        outbox: Outbox,
        speaker: Speaker,
        values: Values,
        stats: WorkerStats,
        provided: Mapping[str, Mapping[str, Any]],
        threads: Mapping[str, ThreadPoolExecutor],
        random: Callable[[], float],
        log_time: Callable[[], int],
        tracing: Tracing | None = None,
    ) -> None:
        self._store = store
        self._values = values
        self._tracing = tracing
        self.perform = self.make if tracing is None else partial(self._traced, tracing)
        self._scribe = scribe
        self._abroad = abroad
        self._outbox = outbox
        self._arguments = Arguments(choreography, store, types, values, scribe, outbox, stats.usage, speaker)
        self._usage = stats.usage
        self._threads = threads
        self._random = random
        self._log_time = log_time
        self._told: dict[str, float] = {}
        """Until when it is not said again that steps of a reactor cannot be attempted."""
        self.dispatcher: Dispatcher
        self._numbered = store.registry is not None and types.codec is None
        self._plans: dict[str, Plan] = {}
        for r in reactors:
            plan = self._plans[r.id] = Plan(r, types, stats.reactors[r.name], provided[r.id])
            if r.undo is not None:
                self._plans[r.undo.id] = UndoPlan(r.undo, types, plan.stats, provided[r.undo.id], plan)

    async def make(self, work: Work) -> None:
        """Make one attempt and hand in its outcome or failure."""
        plan = self._plans[work.reactor.id]
        stats = plan.stats
        began = perf_counter()
        arguments = None
        try:
            if self._outbox.full:
                await self._outbox.room()
                began = perf_counter()
            stats.queued.observe(began - work.queued_at)
            if not plan.fits(work.pair):
                raise EarlierShape(_earlier(work))
            if self._numbered and self._store.lacks(plan.schemas):
                # Before the handler: what it made could not be appended, and would hold up all else of the partition.
                await self._introduce(plan.schemas)
                began = perf_counter()
            limit = None if plan.direct else self._limit(work)
            if plan.undoes and plan.places(work.pair) is None:
                result = None  # it did nothing that would be undone
            else:
                arguments = self._arguments.at_hand(plan, work)
                if arguments is None:
                    arguments = await self._arguments.of(plan, work)
                    began = perf_counter()
                if work.cancelled:
                    raise asyncio.CancelledError
                call = work.reactor.fn(**arguments) if plan.direct else self._call(work.reactor, arguments, limit)
                result = await call
            if work.cancelled:
                raise asyncio.CancelledError
            items = plan.check(result)
            if plan.plain and not isinstance(result, list):
                written = self._scribe.outcome(work.run.id, work.pair, items)  # type: ignore[arg-type]  # events only
            else:
                await self._acquaint(work, items)
                parts = parts_of(self._scribe, work.run.id, work.pair, items)
                written = self._scribe.outcome_of(work.run.id, work.pair, parts, plan.fan_out(result))
            if self._tracing is not None:
                written = self._tracing.emits(written)
            if written.largest > self._store.max_record_bytes:
                raise TooLargeOutcome(
                    f"{work.reactor.where}: an event of {written.largest} bytes is larger than the log takes "
                    f"({self._store.max_record_bytes}); keep large content elsewhere and refer to it"
                )
        except asyncio.CancelledError as e:
            if self.dispatcher.stopped:
                raise
            if work.cancelled:
                stats.superseded += 1
                return
            self._fail(work, RuntimeError(f"the handler was cancelled from within: {e!r}"))
        except (KeyboardInterrupt, GeneratorExit):
            raise
        except BaseException as e:
            if work.cancelled:
                log.info(
                    "%s ended with %s after its step was settled", work.reactor.where, type(e).__name__,
                    extra=of_work(work),
                )  # fmt: skip
                stats.superseded += 1
                return
            if isinstance(e, PositionLost) and arguments is None:
                e = UndecodableValue(f"what the step is owed for is in the log no longer: {e}")
            if isinstance(e, StoreError) and (
                arguments is None or isinstance(e, (HistoryUnavailable, PartitionDropped))
            ):
                self._tell_of(work, e)
                self.dispatcher.again(work, AGAIN)
                return
            stats.handler.observe(perf_counter() - began)
            self._fail(work, _error(e))
        else:
            stats.handler.observe(perf_counter() - began)
            stats.done += 1
            if plan.uses:
                for item in items:
                    self._usage.add(usage_in(item) if isinstance(item, Event) else (), work.reactor.name)
            put = self._outbox.put
            refused = partial(self._refused, work)
            put(work.serving.fold.partition, written.records, written.size, refused)
            if len(written.records) > 1:
                work.made = unpack(written.records[0].headers).append
                work.again = partial(put, work.serving.fold.partition, written.records, written.size, refused)

    def _tell_of(self, work: Work, error: StoreError) -> None:
        """Say that a step cannot be attempted now: once a while for each reactor, however many wait and try again."""
        now, reactor, level = asyncio.get_running_loop().time(), work.reactor, logging.WARNING
        if isinstance(error.__cause__, HistoryIncomplete):
            level = logging.INFO
        elif now < self._told.get(reactor.id, 0.0):
            level = logging.DEBUG
        else:
            self._told[reactor.id] = now + _QUIET
        log.log(level, "%s cannot be attempted now: %s", reactor.where, error, extra=of_work(work))

    async def _traced(self, tracing: Tracing, work: Work) -> None:
        try:
            taken = await self._taken(work)
        except asyncio.CancelledError:
            if not work.cancelled:
                raise
            taken = []  # the attempt sees to it
        with tracing.step(work, taken):
            await self.make(work)

    async def _taken(self, work: Work) -> Sequence[Stored]:
        """The records that a step takes, as far as they can be had and linked to."""
        record, inputs = work.record, work.pair.inputs
        if record is not None and len(inputs) == 1:
            return (record,)
        try:
            return await self._values.get(work.serving.fold.partition, inputs[:MOST_LINKS])
        except StoreError:
            return ()

    async def _introduce(self, schemas: Collection[bytes]) -> None:
        """Have a registry number what a handler may emit.

        Raises:
            RegistryRefused: one is refused, so that no attempt helps before a deploy.
            StoreError: the schema registry cannot be asked now.
        """
        known = texts_in(await self._store.catalogue.load())
        await self._store.introduce([known[schema] for schema in schemas if schema in known])

    async def _acquaint(self, work: Work, items: Iterable[Item]) -> None:
        """Let other choreographies know the starts of children that are born into them."""
        for item in items:
            if isinstance(item, Child) and not self._abroad.is_home(item.choreography or ""):
                start = type(item.start)
                types = self._scribe.others.of(item.choreography or "", start)
                await self._abroad.acquaint(types, start)
                if self._numbered:
                    await self._numbered_soon(work, types.schema_of(start))

    async def _numbered_soon(self, work: Work, schema: bytes) -> None:
        """Wait until values of a schema can be appended. Which choreography's it is, only the handler's result said."""
        while self._store.lacks((schema,)):
            try:
                await self._introduce((schema,))
            except SchemaUnavailable as e:
                log.warning("the start of a child waits for the schema registry: %s", e, extra=of_work(work))
                await asyncio.sleep(AGAIN)

    def _limit(self, work: Work) -> "Limit | None":
        """How long the handler may take.

        Raises:
            DeadlinePassed: the step should have been done by now.
        """
        timeout, deadline = work.reactor.options.timeout, work.reactor.options.deadline
        limit = None if timeout is None else Limit(timeout.total_seconds(), partial(_took_longer, timeout))
        if deadline is None:
            return limit
        left = deadline.total_seconds() - (self._log_time() - work.pair.since) / 1000
        passed = partial(_deadline_passed, work.reactor, deadline)
        if left <= 0:
            raise passed()
        return Limit(left, passed) if limit is None or left < limit.seconds else limit

    async def _call(self, reactor: Reactor, arguments: dict[str, Any], limit: "Limit | None") -> object:
        if not reactor.signature.is_async:
            return await self._in_thread(reactor, arguments, limit)
        coroutine: Coroutine[Any, Any, object] = reactor.fn(**arguments)
        if limit is None:
            return await coroutine
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            async with asyncio.timeout(limit.seconds) as until:
                result = await coroutine
        except TimeoutError as e:
            if until.expired():
                raise limit.error() from e
            raise
        if loop.time() - began > limit.seconds:
            # It kept the loop to itself, so that nothing could stop it while it worked.
            raise limit.error()
        return result

    async def _in_thread(self, reactor: Reactor, arguments: dict[str, Any], limit: "Limit | None") -> object:
        """Run a plain function. A thread cannot be stopped, so what takes too long is waited for, and then fails."""
        call = partial(copy_context().run, _without_stop_iteration, reactor.fn, arguments)
        loop = asyncio.get_running_loop()
        began = loop.time()
        result = await loop.run_in_executor(self._threads[reactor.id], call)
        if limit is not None and loop.time() - began > limit.seconds:
            raise limit.error()
        return result

    def _fail(self, work: Work, error: Exception) -> None:
        stats = self._plans[work.reactor.id].stats
        pair = work.pair
        verdict = decide(work.reactor.options.retry, error, work.attempt - pair.forgiven, self._random)
        last = isinstance(verdict, GiveUpNow)
        delay = 0 if isinstance(verdict, GiveUpNow) else max(int(verdict.delay.total_seconds() * 1000), 0)
        content = failure_fields(_from_the_handler(error))
        record = self._scribe.failure(work.run.id, pair, work.attempt, content, last=last, delay_ms=delay)
        if self._tracing is not None:
            record = self._tracing.failed(record, error)
        if last:
            stats.failed += 1
        else:
            stats.retried += 1
            log.debug(
                "%s: attempt %d failed with %s and is followed by another in %g s", work.reactor.where, work.attempt,
                type(error).__name__, delay / 1000, extra=of_work(work),
            )  # fmt: skip
        self._outbox.put(work.serving.fold.partition, (record,), size_of(record), partial(self._lost, work))

    def _refused(self, work: Work, error: TooLarge) -> None:
        """The log takes no outcome of this size: say so in its place."""
        self._fail(work, TooLargeOutcome(f"{work.reactor.where}: {error}"))

    def _lost(self, work: Work, error: TooLarge) -> None:
        where = work.reactor.where
        log.error("%s: even the failure is larger than the log takes: %s", where, error, extra=of_work(work))


class Limit(NamedTuple):
    """How long a handler may take, and what it fails with if it takes longer."""

    seconds: float
    error: Callable[[], Exception]


class TooLargeOutcome(UndecodableValue):
    """An outcome is larger than the log takes. No further attempt helps."""


class EarlierShape(UndecodableValue):
    """A step is owed for events that its reactor took once and does not take now."""


def _earlier(work: Work) -> str:
    types = text(b", ".join(work.pair.types))
    if work.pair.undoes:
        return (
            f"{work.reactor.where}: a step of {types} is to be undone that this reactor did under an earlier contract, "
            "and its compensation is gone, or for other steps now. Retry it once a release that can undo it is back "
            "(farandole work --take-over), or give it up by cancelling the run"
        )
    return (
        f"{work.reactor.where}: the step is owed for {types}, under an earlier contract of this reactor, which takes "
        "something else now. Retry it once a release that takes that is back (farandole work --take-over), or cancel "
        "the run"
    )


def _took_longer(timeout: timedelta) -> TimeoutError:
    return TimeoutError(f"the handler took longer than {timeout.total_seconds():g} s (timeout=)")


def _deadline_passed(reactor: Reactor, deadline: timedelta) -> DeadlinePassed:
    return DeadlinePassed(f"{reactor.where}: the step was not done within {deadline.total_seconds():g} s (deadline=)")


def _from_the_handler(error: Exception) -> Exception:
    """The error with a traceback that begins in the handler, if it was raised there."""
    trace = error.__traceback__
    while trace is not None and (trace.tb_frame.f_globals.get("__package__") or "").startswith(__package__):
        trace = trace.tb_next
    return error if trace is None else error.with_traceback(trace)


def _error(error: BaseException) -> Exception:
    """What a handler raised as a failure to record."""
    if isinstance(error, SystemExit):
        return RuntimeError(f"the handler called sys.exit({error.code})")
    if isinstance(error, Exception):
        return error
    return RuntimeError(f"the handler raised {error!r}, which is no Exception").with_traceback(error.__traceback__)


def _without_stop_iteration(fn: Callable[..., object], arguments: Mapping[str, Any]) -> object:
    """Call a plain function. No future takes a `StopIteration`: whoever awaits it would wait for ever."""
    try:
        return fn(**arguments)
    except StopIteration as e:
        raise RuntimeError(f"the handler raised {e!r}") from e
