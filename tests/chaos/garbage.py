"""Records that nobody can read, thrown among the others, and what became of them."""

from collections import Counter
from random import Random

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from checker import Examination
from checker.verdict import Verdict


async def throw_garbage(
    bootstrap: str, choreography: str, partitions: int, random: Random, count: int = 8
) -> list[bytes]:
    """Append records with headers that are none, or torn; their values."""
    values = [random.randbytes(random.randrange(1, 2000)) for _ in range(count)]
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all") as producer:
        for n, value in enumerate(values):
            headers = [] if n % 2 else [("ce_id", b"1"), ("ce_type", b"x"), ("ce_source", b"/x"), ("fa", value[:40])]
            key = random.randbytes(8)
            partition = random.randrange(partitions)
            await producer.send_and_wait(f"{choreography}.events", value, key, partition, headers=headers)
    return values


async def not_accounted_for(bootstrap: str, choreography: str, found: Examination) -> tuple[list[str], int]:
    """Unreadable records that are not in the rejected topic, byte for byte, and what else is there; one line each.

    Also how many copies there are beyond the first of each: two keepers that copy a record at the same moment leave two,
    for Kafka cannot refuse the second. Whoever reads them through a store is given the first.
    """
    originals = {
        (part.number, raw.offset): raw
        for part in found.partitions
        for raw, _, verdict in part.records
        if verdict is Verdict.UNREADABLE
    }
    copied: Counter[tuple[int, int]] = Counter()
    wrong = []
    for key, value, headers in await _rejected(bootstrap, choreography):
        of = dict(headers)
        place = (int(of["fa_rejected_partition"]), int(of["fa_rejected_offset"]))
        copied[place] += 1
        original = originals.get(place)
        if original is None:
            wrong.append(f"I10: a readable record, {place}, was rejected")
        elif (original.key, original.value, list(original.headers)) != (key, value, headers[: len(original.headers)]):
            wrong.append(f"I10: the copy of {place} is not like the original")
    wrong += [f"I10: {place} is unreadable, and was not rejected" for place in originals.keys() - copied.keys()]
    return wrong, copied.total() - len(copied)


async def _rejected(
    bootstrap: str, choreography: str
) -> list[tuple[bytes | None, bytes | None, list[tuple[str, bytes]]]]:
    place = TopicPartition(f"{choreography}.rejected", 0)
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, group_id=None, enable_auto_commit=False)
    await consumer.start()
    try:
        consumer.assign([place])
        await consumer.seek_to_beginning(place)
        end = (await consumer.end_offsets([place]))[place]
        records = []
        while await consumer.position(place) < end:
            for messages in (await consumer.getmany(timeout_ms=200)).values():
                records += [(m.key, m.value, list(m.headers)) for m in messages]
        return records
    finally:
        await consumer.stop()
