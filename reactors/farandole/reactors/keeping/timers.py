"""What is due happens: timers fire, runs and steps that are out of time are brought to their end."""

import asyncio
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

from farandole.eventstore import EventStore, PositionLost, Record, Stored, StoreError, TooLarge
from farandole.projections.families import Histogram
from farandole.projections.fold import Applied, Contract, Deadline, Pair, Run, StepDeadline, Timer, Verdict
from farandole.reactors.about import of_run
from farandole.reactors.dispatch import Work
from farandole.reactors.errors import DeadlinePassed
from farandole.reactors.outbox import Outbox
from farandole.reactors.scribe import Scribe
from farandole.reactors.shown import shown
from farandole.reactors.values import Values
from farandole.reactors.written import size_of
from farandole.schemas import failure_fields
from farandole.schemas.envelope import Kind

from .due import Due
from .duty import RANK_WAIT, Duty, rank
from .logclock import LogClock

if TYPE_CHECKING:
    from farandole.reactors.partition import Serving

log = logging.getLogger("farandole.keeper")

_AT_ONCE: Final = 500
_AGAIN: Final = 1000
"""Milliseconds after which what the log could not give is asked for again."""
_LEAST: Final = 50
"""Milliseconds after which, at least, a record is written again that came too early."""
LOOK: Final = 5.0
"""Seconds after which the log's clock is looked at again, at the latest: this process's own may have been set."""
_DUE: Final = (Timer, Deadline, StepDeadline)
Name = tuple[int, bytes, bytes]
"""Partition, run, and the timer's id; of a run's deadline none."""


class Waiting(NamedTuple):
    """Something that waits for its time."""

    serving: "Serving"
    run: Run
    thing: Timer | Deadline | StepDeadline


class Timers(Duty):
    """Writes what is due, once log time has come to it as nearly as is known; the fold knows exactly.

    Args:
        clock: an estimate of log time, kept up to date here.
        at_work: what this worker has in its hands for a pair.
        late: told how many seconds after its time each is written.
        look: seconds after which the log's clock is looked at again.
    """

    def __init__(
        self,
        store: EventStore,
        scribe: Scribe,
        service: str,
        values: Values,
        outbox: Outbox,
        clock: LogClock,
        at_work: Callable[[Pair], Work | None],
        late: Histogram,
        *,
        look: float = LOOK,
    ) -> None:
        self._store = store
        self._scribe = scribe
        self._service = service
        self._values = values
        self._outbox = outbox
        self._clock = clock
        self._at_work = at_work
        self._late = late
        self._look = look
        self._due: Due[Waiting] = Due(clock.now)
        self._early: dict[Name, Waiting] = {}
        """What came too early, and is written again in a moment."""

    def note(self, serving: "Serving", record: Stored, out: Applied) -> None:
        self._clock.seen(record.time)
        if not serving.restored:
            return
        for run, thing in out.armed:
            if isinstance(thing, _DUE):
                self._add(Waiting(serving, run, thing))
        if out.verdict is Verdict.NOT_DUE and (waiting := self._ours(serving, out)) is not None:
            # Only now is it known how late it is by the log's clock.
            self._clock.told(record.time)
            self._write_again(waiting, waiting.thing.due - record.time)

    def restored(self, serving: "Serving") -> None:
        self.forget(serving.fold.partition)
        for run in serving.fold.runs.values():
            for thing in _of(serving, run):
                self._add(Waiting(serving, run, thing))

    def forget(self, partition: int) -> None:
        self._due.drop(lambda waiting: waiting.serving.fold.partition == partition)
        self._early = {name: waiting for name, waiting in self._early.items() if name[0] != partition}

    def _write_again(self, waiting: Waiting, wait: int) -> None:
        """Let something come up once more, once for however many records of it: others of this service write it too.

        Args:
            wait: milliseconds, by the clock that stamped what came too early, which need not be the one that is asked.
        """
        name = _name(waiting)
        if name not in self._early:
            self._early[name] = waiting
            seconds = min(max(wait, _LEAST) / 1000, self._look)
            asyncio.get_running_loop().call_later(seconds, self._come_up, name, waiting)

    def _come_up(self, name: Name, waiting: Waiting) -> None:
        if self._early.get(name) is waiting:
            del self._early[name]
            self._due.add(self._clock.now(), waiting)

    async def run(self, partitions: "Mapping[int, Serving]") -> None:
        while True:
            try:
                self._clock.told(await self._store.now())
                for serving in partitions.values():
                    self._clock.seen(serving.fold.log_time)
                async with asyncio.timeout(self._look):
                    found = await self._due.next(_AT_ONCE)
            except TimeoutError:
                continue
            except StoreError as e:
                log.warning("timers are put off: %s", e)
                await asyncio.sleep(_AGAIN / 1000)
                continue
            await self._outbox.room()
            await self._act(partitions, found)

    async def _act(self, partitions: "Mapping[int, Serving]", found: Sequence[Waiting]) -> None:
        by_partition: dict[int, dict[tuple[bytes, bytes], Waiting]] = {}
        for waiting in found:
            serving, run, thing = waiting
            partition = serving.fold.partition
            if partitions.get(partition) is not serving or not serving.active or not _pending(waiting):
                continue
            when = thing.due + self._after(waiting)
            if self._clock.now() < when:
                self._due.add(when, waiting)
            elif isinstance(thing, Timer):
                by_partition.setdefault(partition, {})[run.id, thing.id] = waiting
            elif isinstance(thing, Deadline):
                self._put(partition, self._scribe.out_of_time(run.id))
                self._observe(waiting)
            else:
                self._give_up(waiting, thing.pair)
        for partition, timers in by_partition.items():
            await self._fire(partition, sorted(timers.values(), key=_place))

    async def _fire(self, partition: int, timers: Sequence[Waiting]) -> None:
        try:
            records = await self._values.get(partition, [_place(waiting) for waiting in timers])
        except PositionLost as e:
            if len(timers) > 1:
                for waiting in timers:
                    await self._fire(partition, (waiting,))
                return
            run_id = timers[0].run.id
            log.error(
                "a timer of run %s cannot fire, for its event is lost: %s", shown(run_id), e,
                extra=of_run(partition, run_id),
            )  # fmt: skip
            return
        except StoreError as e:
            log.warning("timers are put off: %s", e, extra={"partition": partition})
            for waiting in timers:
                self._due.add(self._clock.now() + _AGAIN, waiting)
            return
        for waiting, record in zip(timers, records, strict=True):
            timer = waiting.thing
            if isinstance(timer, Timer) and _pending(waiting):
                self._put(partition, self._fired(waiting.run, timer, record))
                self._observe(waiting)

    def _fired(self, run: Run, timer: Timer, record: Stored) -> Record:
        """The record with which a timer fires, or a decision is over that nobody made."""
        if timer.decision:
            return self._scribe.comes_due(Kind.EXPIRY, run.id, timer.type, record, timer.decision)
        return self._scribe.comes_due(Kind.TIMER, run.id, timer.type, record, timer.id)

    def _give_up(self, waiting: Waiting, pair: Pair) -> None:
        """Fail a step that nobody is at work on; a handler of ours at work ends by itself."""
        work = self._at_work(pair)
        if work is not None and work.running:
            return
        contract = waiting.serving.fold.contracts[pair.reactor]
        error = DeadlinePassed(f"the step was not done within {contract.deadline / 1000:g} s (deadline=)")
        content = failure_fields(error)
        record = self._scribe.failure(waiting.run.id, pair, pair.attempts + 1, content, last=True)
        self._put(waiting.serving.fold.partition, record)
        self._observe(waiting)

    def _observe(self, waiting: Waiting) -> None:
        self._late.observe((self._clock.now() - waiting.thing.due) / 1000)

    def _after(self, waiting: Waiting) -> int:
        """Milliseconds for which those who come before us are waited for."""
        before = rank(waiting.serving, self._service)
        if isinstance(waiting.thing, StepDeadline) and waiting.thing.pair.reactor not in waiting.serving.served:
            before += 1
        return int(before * RANK_WAIT * 1000)

    def _ours(self, serving: "Serving", out: Applied) -> Waiting | None:
        """What a record of ours was about that came too early."""
        e, run = out.envelope, out.run
        if e is None or run is None or run.pending is None or e.source != self._scribe.source:
            return None
        if e.kind == Kind.TIMER and run.pending.timers and (timer := run.pending.timers.get(e.causation)) is not None:
            return Waiting(serving, run, timer)
        if e.kind == Kind.EXPIRY and not e.causation and run.pending.deadline:
            return Waiting(serving, run, Deadline(run.pending.deadline))
        if e.kind == Kind.EXPIRY and run.pending.decisions:
            decision = run.pending.decisions.get(e.causation)
            if decision is not None and decision.otherwise is not None:
                return Waiting(serving, run, decision.otherwise)
        return None

    def _add(self, waiting: Waiting) -> None:
        self._due.add(waiting.thing.due, waiting)

    def _put(self, partition: int, record: Record) -> None:
        refused = partial(_too_large, partition, record.key or b"")
        self._outbox.put(partition, (record,), size_of(record), refused)


def _of(serving: "Serving", run: Run) -> Iterator[Timer | Deadline | StepDeadline]:
    """All of a run that waits for a time."""
    if run.pending is not None:
        yield from (run.pending.timers or {}).values()
        if run.pending.deadline:
            yield Deadline(run.pending.deadline)
    for pair in run.owed.values():
        contract = serving.fold.contracts.get(pair.reactor)
        if contract is not None and contract.deadline and not pair.parked:
            yield StepDeadline(pair.since + contract.deadline, pair)


def _pending(waiting: Waiting) -> bool:
    """Whether it is still waited for."""
    serving, run, thing = waiting
    if serving.fold.runs.get(run.id) is not run:
        return False
    if isinstance(thing, StepDeadline):
        pair, contract = thing.pair, serving.fold.contracts.get(thing.pair.reactor)
        owed = run.owed.get(pair.key) is pair and not pair.parked
        return owed and contract is not None and _until(pair, contract) == thing.due
    if run.pending is None:
        return False
    if isinstance(thing, Deadline):
        return run.pending.deadline == thing.due
    return run.pending.timers is not None and run.pending.timers.get(thing.id) is thing


def _name(waiting: Waiting) -> Name:
    serving, run, thing = waiting
    return serving.fold.partition, run.id, thing.id if isinstance(thing, Timer) else b""


def _until(pair: Pair, contract: Contract) -> int:
    return pair.since + contract.deadline if contract.deadline else 0


def _place(waiting: Waiting) -> int:
    """Where the record stands that set a timer."""
    return waiting.thing.offset if isinstance(waiting.thing, Timer) else -1


def _too_large(partition: int, run_id: bytes, error: TooLarge) -> None:
    about = of_run(partition, run_id)
    log.error("what is due cannot be written, for the log takes no record of its size: %s", error, extra=about)
