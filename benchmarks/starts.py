"""Starts of chain runs, made before the clock runs, and appended as a client would that is in a hurry."""

import asyncio
import time

from benchmarks import chain_app as app
from farandole.eventstore import EventStore, Record
from farandole.schemas import EventTypes
from farandole.schemas.envelope import Kind, pack
from farandole.schemas.ids import new_append, new_run_id, outside_id

TEXT = "x" * 100


def starts(types: EventTypes, store: EventStore, count: int) -> dict[int, list[Record]]:
    """Start records by partition."""
    found: dict[int, list[Record]] = {}
    begun = types.wire_name(app.Begun).encode()
    for n in range(count):
        key = new_run_id().encode()
        encoded = types.encode(app.Begun(n=n, text=TEXT))
        headers = pack(
            kind=Kind.START, id=outside_id(), type=begun, source=b"/chain/client", append=new_append(),
            sent=time.time_ns() // 1000, schema=encoded.schema,
        )  # fmt: skip
        found.setdefault(store.partition_of(key), []).append(Record(key, encoded.value, headers))
    return found


async def append_all(store: EventStore, by_partition: dict[int, list[Record]]) -> None:
    """Append them, all partitions at once."""

    async def one(partition: int, records: list[Record]) -> None:
        for at in range(0, len(records), 500):
            await store.append(partition, records[at : at + 500])

    await asyncio.gather(*(one(p, r) for p, r in by_partition.items()))
