"""A worker process of the chain benchmark: ``python -m benchmarks.chain_worker SYSTEM URL``, CHAIN_NAME in the environment.

SYSTEM is ``farandole``, or one of two loops as an experienced user of aiokafka writes them by hand, with the same Avro
schemas, the same pydantic models and the same work a step: ``at-least-once`` (produce all, then commit the offsets) and
``transactions`` (both in one transaction). They keep no run state, no retries and no history.

Prints ``ready`` when it works, and its CPU seconds when it is told to stop (SIGTERM).
"""

import asyncio
import io
import json
import resource
import signal
import sys
from typing import Any

import fastavro
import uvloop
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from benchmarks import chain_app as app
from farandole.schemas import Event, EventTypes

NEXT = {
    app.Begun: app.First,
    app.First: app.Second,
    app.Second: app.Third,
    app.Third: app.Fourth,
    app.Fourth: app.Finished,
}


async def farandole(url: str) -> None:
    print("ready", flush=True)  # what was appended before it came is owed all the same
    await app.chain.work(url)


class Codec:
    """What the loops do for each event: the same Avro and the same models, by fastavro and pydantic."""

    def __init__(self) -> None:
        types = EventTypes(app.chain.name, [*NEXT, app.Finished])
        self._of = {types.wire_name(e).encode(): e for e in types}
        schemas = {name: schema for name, _, schema in types.schemas()}
        self._schema = {e: fastavro.parse_schema(schemas[types.wire_name(e)]) for e in types}
        self.name = {e: types.wire_name(e).encode() for e in types}
        self._head = {e: types.encode(e(n=0, text="")).value[:10] for e in types}

    def decode(self, record: Any) -> Event:
        event = self._of[dict(record.headers)["ce_type"]]
        return event.model_validate(
            fastavro.schemaless_reader(io.BytesIO(record.value[10:]), self._schema[event], None)
        )

    def encode(self, event: Event) -> bytes:
        out = io.BytesIO(self._head[type(event)])
        out.seek(10)
        fastavro.schemaless_writer(out, self._schema[type(event)], event.model_dump())
        return out.getvalue()


def step(codec: Codec, record: Any) -> tuple[bytes, bytes, list[tuple[str, bytes]]] | None:
    event: Any = codec.decode(record)
    following = NEXT.get(type(event))
    if following is None:
        return None
    made = following(n=event.n + 1, text=event.text)
    return record.key, codec.encode(made), [("ce_specversion", b"1.0"), ("ce_type", codec.name[following])]


async def loop(url: str, stop: asyncio.Event, transactions: bool) -> None:
    topic = f"{app.chain.name}.events"
    servers = url.removeprefix("kafka://").split("?")[0]
    codec = Codec()
    consumer = AIOKafkaConsumer(
        topic,
        bootstrap_servers=servers,
        group_id=f"{topic}-loop",
        enable_auto_commit=False,
        auto_offset_reset="latest",
        isolation_level="read_committed" if transactions else "read_uncommitted",
        fetch_max_wait_ms=50,
        retry_backoff_ms=5,
    )
    producer = AIOKafkaProducer(
        bootstrap_servers=servers,
        enable_idempotence=True,
        acks="all",
        linger_ms=0,
        retry_backoff_ms=5,
        transactional_id=f"{topic}-loop" if transactions else None,
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
                made = step(codec, record)
                if made is not None:
                    key, value, headers = made
                    sent.append(await producer.send(topic, value, key=key, partition=record.partition, headers=headers))
        await asyncio.gather(*sent)
        offsets = {TopicPartition(tp.topic, tp.partition): records[-1].offset + 1 for tp, records in batches.items()}
        if transactions:
            await producer.send_offsets_to_transaction(offsets, f"{topic}-loop")
            await producer.commit_transaction()
        else:
            await consumer.commit(offsets)
    await producer.stop()
    await consumer.stop()


async def main(system: str, url: str) -> None:
    stop = asyncio.Event()
    if system == "farandole":
        await farandole(url)
    else:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
        await loop(url, stop, system == "transactions")
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(json.dumps({"cpu_s": used.ru_utime + used.ru_stime, "rss_kb": used.ru_maxrss}), flush=True)


if __name__ == "__main__":
    uvloop.run(main(*sys.argv[1:]))
