"""What no step can be faster than: one record written and read."""

import statistics
import time

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import NewTopic

from benchmarks.fsync import make_topic
from benchmarks.options import servers_of
from benchmarks.starts import TEXT
from farandole.eventstore import Record, connect

PARTITIONS = 16
_VALUE = TEXT.encode()


async def round_trip(url: str, count: int, *, flush: bool = False) -> float:
    """The median time from handing over a record to having read it, in seconds."""
    took = await (_bare_kafka(url, count, flush) if url.startswith("kafka:") else _store(url, count))
    return statistics.median(took)


async def _bare_kafka(url: str, count: int, flush: bool) -> list[float]:
    name = f"roundtrip_{time.time_ns():x}"
    config = {"message.timestamp.type": "LogAppendTime"} | ({"flush.messages": "1"} if flush else {})
    await make_topic(url, NewTopic(name, PARTITIONS, 1, topic_configs=config))
    producer = AIOKafkaProducer(bootstrap_servers=servers_of(url), enable_idempotence=True, acks="all", linger_ms=0)
    consumer = AIOKafkaConsumer(bootstrap_servers=servers_of(url), enable_auto_commit=False)
    await producer.start()
    await consumer.start()
    try:
        consumer.assign([TopicPartition(name, p) for p in range(PARTITIONS)])
        for p in range(PARTITIONS):
            consumer.seek(TopicPartition(name, p), 0)
        took = []
        for n in range(count):
            began = time.perf_counter()
            await producer.send(name, _VALUE, partition=n % PARTITIONS)
            while not await consumer.getmany(timeout_ms=1000):
                pass
            took.append(time.perf_counter() - began)
    finally:
        await producer.stop()
        await consumer.stop()
    return took


async def _store(url: str, count: int) -> list[float]:
    url = f"memory://roundtrip-{time.time_ns():x}" if url.startswith("memory:") else url
    async with await connect(url, f"roundtrip_{time.time_ns():x}") as store:
        reader = store.reader()
        reader.follow(dict.fromkeys(range(store.partitions), 0))
        took = []
        for n in range(count):
            began = time.perf_counter()
            await store.append(n % store.partitions, (Record(b"k", _VALUE, [("ce_type", b"x")]),))
            while not await reader.read():
                pass
            took.append(time.perf_counter() - began)
        await reader.close()
    return took
