"""A log on Kafka whose broker flushes each batch to disk before it acknowledges it."""

from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from benchmarks.options import servers_of
from farandole.eventstore.kafka.topics import topics_of


async def make_flushed(url: str, choreography: str, partitions: int = 16) -> None:
    """Make the events topic as a worker would, with ``flush.messages=1`` besides."""
    topic = topics_of(choreography, partitions)["events"]
    config = {**topic.must, **topic.also, "min.insync.replicas": "1", "flush.messages": "1"}
    await make_topic(url, NewTopic(topic.name, partitions, 1, topic_configs=config))


async def make_topic(url: str, topic: NewTopic) -> None:
    """Make one topic.

    Raises:
        SystemExit: the broker did not make it.
    """
    admin = AIOKafkaAdminClient(bootstrap_servers=servers_of(url))
    await admin.start()
    try:
        response = await admin.create_topics([topic])
    finally:
        await admin.close()
    for name, code, *message in response.topic_errors:
        if code:
            raise SystemExit(f"the topic {name} could not be made: {message}")
