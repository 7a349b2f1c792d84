"""What is stored in Kafka, by a consumer that reads all of it."""

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient


async def bytes_in(server: str) -> int:
    """Bytes of keys, values and headers in all topics but Kafka's own; 0 if it is no broker."""
    if "://" in server:
        return 0
    consumer = AIOKafkaConsumer(bootstrap_servers=server, enable_auto_commit=False)
    await consumer.start()
    try:
        places = await _places(server)
        ends = await consumer.end_offsets(places)
        consumer.assign(places)
        await consumer.seek_to_beginning(*places)
        total = 0
        while any([await consumer.position(place) < end for place, end in ends.items()]):
            for records in (await consumer.getmany(timeout_ms=200)).values():
                for record in records:
                    headers = sum(len(name) + len(value or b"") for name, value in record.headers)
                    total += len(record.key or b"") + len(record.value or b"") + headers
        return total
    finally:
        await consumer.stop()


async def _places(server: str) -> list[TopicPartition]:
    admin = AIOKafkaAdminClient(bootstrap_servers=server)
    await admin.start()
    try:
        topics = [topic for topic in await admin.list_topics() if not topic.startswith("__")]
        return [
            TopicPartition(topic["topic"], partition["partition"])
            for topic in await admin.describe_topics(topics)
            for partition in topic["partitions"]
        ]
    finally:
        await admin.close()
