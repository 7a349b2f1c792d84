"""Logs as workers would have written them, made fast: the same records by the same scribe, but no handler is called."""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice

from farandole.eventstore import EventStore, Record, partition_of
from farandole.projections.fold import Pair
from farandole.reactors import Choreography
from farandole.reactors.contract import contracts_of
from farandole.reactors.genesis import establish, genesis_of
from farandole.reactors.scribe import Scribe
from farandole.schemas import Event, EventTypes, Start
from farandole.schemas.catalogue import register
from farandole.schemas.envelope import Kind
from farandole.schemas.ids import new_run_id

AT_WORK = 500
"""Runs that go on beside one another, as under load: their records alternate."""
_BATCH = 1000


def scribe_of(choreography: Choreography) -> Scribe:
    """Writes records as a worker of this choreography does."""
    types = EventTypes(choreography.name, choreography.events.values())
    return Scribe(choreography.name, choreography.service, types, lambda: time.time_ns() // 1000)


def beginning(
    choreography: Choreography, scribe: Scribe, settings: Mapping[str, int], partitions: int = 1
) -> list[Record]:
    """Genesis and contracts of one partition, as its first worker leaves them."""
    contracts = contracts_of(choreography.reactors, scribe.types, service=choreography.service)
    contents = [{**contract.content, "replaces": ""} for _, contract in contracts.values()]
    return [*genesis_of(partitions, scribe, settings), *scribe.control(Kind.CONTRACT, contents)]


async def prepare(store: EventStore, choreography: Choreography, settings: Mapping[str, int] | None = None) -> Scribe:
    """Begin every partition of a new log, and publish the schemas."""
    scribe = scribe_of(choreography)
    await register(store.catalogue, scribe.types)
    await establish(store, scribe, settings)
    for partition in range(store.partitions):
        await store.append(partition, beginning(choreography, scribe, {})[1:])
    return scribe


def run_in(partition: int, partitions: int) -> bytes:
    """A new run id that belongs to a partition."""
    while partition_of(run := new_run_id().encode(), partitions) != partition:
        pass
    return run


def runs_of(
    scribe: Scribe,
    start: Start,
    steps: Sequence[tuple[str, Sequence[Event]]],
    count: int,
    partition: int = 0,
    partitions: int = 1,
) -> Iterator[Record]:
    """Runs of one partition that all go the same way, `AT_WORK` of them beside one another.

    Args:
        steps: reactors and what they emit, each step triggered by the first event of the one before.
    """
    for made in range(0, count, AT_WORK):
        at: list[tuple[bytes, bytes]] = []
        for _ in range(min(AT_WORK, count - made)):
            run = run_in(partition, partitions)
            record = scribe.start(run, start)
            at.append((run, id_of(record)))
            yield record
        for reactor, events in steps:
            following = []
            for run, trigger in at:
                records = scribe.outcome(run, Pair(trigger, reactor.encode(), b"", (), (), 0), events).records
                yield from records
                following.append((run, id_of(records[0])))
            at = following


def id_of(record: Record) -> bytes:
    return dict(record.headers)["ce_id"]


async def append_to(store: EventStore, partition: int, records: Iterable[Record]) -> int:
    """Append records to one partition; how many there were."""
    count, rest = 0, iter(records)
    while batch := list(islice(rest, _BATCH)):
        await store.append(partition, batch)
        count += len(batch)
    return count
