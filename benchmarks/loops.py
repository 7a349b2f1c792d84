"""The rivals: loops as an experienced user of aiokafka writes them by hand.

``at-least-once`` produces everything and then commits the offsets; ``transactions`` does both in one transaction. They
use the same Avro schemas, the same pydantic models, the same work a step and records of the same size: CloudEvents'
four headers and one more, as large as ours. ``at-least-once-bare`` leaves the headers out, but for the type.

What they do not do: they keep no run state and no history, refuse no duplicate, retry nothing, and know no joins.
"""

import asyncio
import io
import uuid
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import fastavro
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from benchmarks import chain_app as app
from benchmarks.options import servers_of
from farandole.schemas import Event, EventTypes

Header = tuple[str, bytes]

NEXT: dict[type[Event], Any] = dict(zip(app.EVENTS, app.EVENTS[1:], strict=False))
_FIXED = bytes(71)
"""As much as the packed header has before its names."""


class Codec:
    """The same Avro and the same models, by fastavro and pydantic."""

    def __init__(self) -> None:
        types = EventTypes(app.chain.name, app.EVENTS)
        self._of = {types.wire_name(e).encode(): e for e in app.EVENTS}
        schemas = {name: schema for name, _, schema in types.schemas()}
        self._schema = {e: fastavro.parse_schema(schemas[types.wire_name(e)]) for e in app.EVENTS}
        self.name = {e: types.wire_name(e).encode() for e in app.EVENTS}
        self.source = f"/{app.chain.name}/loop".encode()
        self._head = {e: types.encode(e(n=0, text="")).value[:10] for e in app.EVENTS}

    def decode(self, headers: dict[str, bytes], value: bytes) -> Event:
        event = self._of[headers["ce_type"]]
        return event.model_validate(fastavro.schemaless_reader(io.BytesIO(value[10:]), self._schema[event], None))

    def encode(self, event: Event) -> bytes:
        out = io.BytesIO(self._head[type(event)])
        out.seek(10)
        fastavro.schemaless_writer(out, self._schema[type(event)], event.model_dump())
        return out.getvalue()


def step(codec: Codec, record: Any, bare: bool) -> tuple[bytes, bytes, list[Header]] | None:
    """What one record leads to: key, value and headers of the next one; None at the end."""
    headers = dict(record.headers)
    event: Any = codec.decode(headers, record.value)
    following = NEXT.get(type(event))
    if following is None:
        return None
    app.compute()
    made = following(n=event.n + 1, text=event.text)
    written = [("ce_specversion", b"1.0"), ("ce_type", codec.name[following])]
    if not bare:
        more = _FIXED + headers["ce_id"] + b"first"
        written += [("ce_id", uuid.uuid4().hex.encode()), ("ce_source", codec.source), ("fa", more)]
    return record.key, codec.encode(made), written


async def loop(url: str, stop: asyncio.Event, *, transactions: bool = False, bare: bool = False) -> None:
    """Consume, do the step, produce; until told to stop. Says ``ready`` when it has its partitions."""
    topic = f"{app.chain.name}.events"
    group = f"{topic}-loop-{app.SERVICE or 'all'}"
    wanted = NEXT if app.SERVICE is None else {app.EVENTS[app.SERVICES.index(app.SERVICE)]: None}
    codec = Codec()
    names = {codec.name[event] for event in wanted}
    consumer = AIOKafkaConsumer(
        topic,
        bootstrap_servers=servers_of(url),
        group_id=group,
        enable_auto_commit=False,
        auto_offset_reset="latest",
        isolation_level="read_committed" if transactions else "read_uncommitted",
        fetch_max_wait_ms=50,
        retry_backoff_ms=5,
    )
    producer = AIOKafkaProducer(
        bootstrap_servers=servers_of(url),
        enable_idempotence=True,
        acks="all",
        linger_ms=0,
        max_batch_size=1 << 18,
        retry_backoff_ms=5,
        transactional_id=group if transactions else None,
    )
    await consumer.start()
    await producer.start()
    while not consumer.assignment():
        await consumer.getmany(timeout_ms=50)
    for partition in consumer.assignment():
        await consumer.position(partition)
    print("ready", flush=True)
    while not stop.is_set():
        batches = await consumer.getmany(timeout_ms=50, max_records=1000)
        if not batches:
            continue
        if transactions:
            await producer.begin_transaction()
        sent = []
        for records in batches.values():
            for record in records:
                if app.SERVICE is not None and dict(record.headers)["ce_type"] not in names:
                    continue
                made = step(codec, record, bare)
                if made is not None:
                    key, value, headers = made
                    sent.append(await producer.send(topic, value, key=key, partition=record.partition, headers=headers))
        await asyncio.gather(*sent)
        offsets = {TopicPartition(tp.topic, tp.partition): records[-1].offset + 1 for tp, records in batches.items()}
        if transactions:
            await producer.send_offsets_to_transaction(offsets, group)
            await producer.commit_transaction()
        else:
            await consumer.commit(offsets)
    await producer.stop()
    await consumer.stop()


LOOPS: dict[str, Callable[[str, asyncio.Event], Awaitable[None]]] = {
    "at-least-once": loop,
    "transactions": partial(loop, transactions=True),
    "at-least-once-bare": partial(loop, bare=True),
}
