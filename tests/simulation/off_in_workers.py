"""How workers do without each of their rules."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b
from itertools import count
from typing import Any
from unittest.mock import patch

from farandole.eventstore import AppendUnknown, NotAppended, PositionLost, Record, Stored, StoreUnavailable
from farandole.projections.fold import Fold, Pair, Run
from farandole.reactors import history, outbox, partition, scribe
from farandole.reactors.arguments.events import EventReader
from farandole.reactors.attempt import Attempts, TooLargeOutcome
from farandole.reactors.contract import retired
from farandole.reactors.dispatch import Dispatcher, Work
from farandole.reactors.publish import Publisher
from farandole.reactors.values import Values
from farandole.reactors.worker import Worker
from farandole.schemas import Event, UndecodableValue
from farandole.schemas.envelope import Kind


def ids_by_chance() -> Any:
    """Ids of events are new in each attempt."""
    numbers = count()

    def some_id(*parts: object) -> bytes:
        return blake2b(b"%d" % next(numbers), digest_size=16).hexdigest().encode()

    return patch.object(scribe, "derived_id", some_id)


def keys_by_chance() -> Any:
    """Each attempt has a key of its own."""
    numbers = count()
    return patch("farandole.reactors.arguments.context.step_key", lambda *_: f"{next(numbers)}")


def nothing_of_nothing(self: scribe.Scribe, run_id: bytes, pair: Pair, events: Sequence[Event]) -> scribe.Written:
    """An outcome of no events leaves no record."""
    return _outcome(self, run_id, pair, events) if events else scribe.Written((), 0, 0)


_outcome = scribe.Scribe.outcome


# ── contracts ────────────────────────────────────────────────────────────────────────────────────────────────────────


def all_of_ours(serving: partition.Serving) -> None:
    """Serve every reactor that the code has, whatever contract is in force."""
    serving.served = {n: r for n, (r, _) in serving._mine.items() if serving.fold.contracts.get(n) is not None}


def always_publish(serving: partition.Serving, take_over: bool) -> Sequence[Mapping[str, object]]:
    """Write every contract that is not in force."""
    wanted = []
    for name, (_, contract) in serving._mine.items():
        in_force = serving.fold.contracts.get(name)
        if in_force is None or in_force.id != contract.id:
            wanted.append({**contract.content, "replaces": in_force.id if in_force is not None else ""})
    return wanted


def retire_the_absent(publisher: Publisher, serving: partition.Serving) -> None:
    """Retire what is of our service and not in our code."""
    for contract in serving.fold.contracts:
        if contract.active and contract.service == publisher._service and not serving.declares(contract.reactor):
            records = publisher._scribe.control(Kind.CONTRACT, [retired(contract, drop=True)])
            publisher._append_soon(serving.fold.partition, records)


# ── appending and reading ────────────────────────────────────────────────────────────────────────────────────────────


async def append_once(box: outbox.Outbox, partition: int, records: Sequence[Record]) -> None:
    """Take an append of unknown fate for made."""
    try:
        await _append(box, partition, records)
    except AppendUnknown:
        return


async def _append(box: outbox.Outbox, partition: int, records: Sequence[Record]) -> None:
    while True:
        try:
            await box._store.append(partition, records)
        except (NotAppended, StoreUnavailable):
            await asyncio.sleep(0.1)
        else:
            return


async def read_for_ever(reader: EventReader, record: Stored) -> Event:
    """A value that cannot be read is trouble with the log."""
    try:
        return await _event(reader, record)
    except UndecodableValue as e:
        raise StoreUnavailable(str(e)) from e


_event = EventReader.event


def let_go(attempts: Attempts, work: Work, error: Exception) -> None:
    """What the log does not take is let go."""
    if not isinstance(error, TooLargeOutcome):
        _fail(attempts, work, error)


_fail = Attempts._fail


def read_from_here(worker: Worker, partition: int, first: int, target: int) -> None:
    """Work from the first record on, without having read to the end."""
    _begin_partition(worker, partition, first, 0)


_begin_partition = Worker._begin


async def go_on_at_the_end(worker: Worker, reader: Any) -> None:
    """A position that is lost is set to the end, as Kafka's clients do when they are told to."""
    ends = await worker._store.ends(worker.partitions)
    reader.follow({p: ends[p].next for p, serving in worker.partitions.items() if serving.active})


def lose_what_is_not_kept(values: Values, partition: int, offset: int) -> "asyncio.Future[Any]":
    """A value that is not at hand is not read again."""
    future = asyncio.get_running_loop().create_future()
    future.set_exception(PositionLost("nobody reads it again"))
    return future


# ── dispatch ─────────────────────────────────────────────────────────────────────────────────────────────────────────


async def without_reading(dispatcher: Dispatcher, work: Work) -> None:
    """Once done, look whether the step is owed, without having read what became of it."""
    await _begin(dispatcher, work)
    if work.owed and dispatcher._works.get(work.pair) is work and work.running:
        dispatcher.again(work, 0.1)


def offer_the_paused(dispatcher: Dispatcher, serving: Any, run: Run, *more: Any) -> None:
    """Take on steps of paused runs as well."""
    paused, run.paused = run.paused, False
    try:
        _offer(dispatcher, serving, run, *more)
    finally:
        run.paused = paused


async def begin_the_paused(dispatcher: Dispatcher, work: Work) -> None:
    """Begin steps of paused runs as well."""
    if work.run.paused and work.owed and dispatcher._works.get(work.pair) is work:
        work.running = True
        await dispatcher._perform(work)
    else:
        await _begin(dispatcher, work)


_begin, _offer = Dispatcher._begin, Dispatcher.offer


def forget_at_once(dispatcher: Dispatcher, serving: partition.Serving) -> None:
    """A partition that is revoked takes its handlers at work with it."""
    dispatcher.forget(serving)


def never_expire(expiring: Any, partitions: Any) -> Any:
    return asyncio.sleep(0)


def to_the_end(
    index: history.HistoryIndex, run_id: bytes, types: Iterable[bytes], upto: Iterable[int]
) -> list[int] | None:
    """What the run has now, admitted after the trigger too."""
    return _offsets(index, run_id, types, [offset for offset, _ in index._runs.get(run_id, ())])


def by_offset(
    index: history.HistoryIndex, run_id: bytes, types: Iterable[bytes], upto: Sequence[int]
) -> list[int] | None:
    """What stands before the trigger in the log, admitted before it or not."""
    found = to_the_end(index, run_id, types, upto)
    return None if found is None else sorted(offset for offset in found if offset <= max(upto))


_offsets = history.HistoryIndex.offsets


def never_stop(fold: Fold, *_: object) -> None:
    """Go on under rules that one does not know."""
