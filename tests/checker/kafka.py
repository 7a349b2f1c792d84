"""The topics of a choreography, read with a plain consumer."""

from types import TracebackType
from typing import Self

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from .record import Raw


class Topics:
    """The events topic, as it grows, and the catalogue. Use as an async context manager.

    Args:
        bootstrap: host:port of a broker.
        choreography: the name that begins the topics' names.
    """

    def __init__(self, bootstrap: str, choreography: str) -> None:
        self._events = f"{choreography}.events"
        self._catalogue = f"{choreography}.catalogue"
        self._bootstrap = bootstrap
        self._reader = self._consumer()
        self.partitions = 0

    def _consumer(self) -> AIOKafkaConsumer:
        return AIOKafkaConsumer(
            bootstrap_servers=self._bootstrap,
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level="read_uncommitted",
        )

    async def __aenter__(self) -> Self:
        """Begin at the beginning.

        Raises:
            LookupError: there are no such topics.
        """
        await self._reader.start()
        try:
            places = await self._assign(self._reader, self._events)
        except BaseException:
            await self._reader.stop()
            raise
        self.partitions = len(places)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._reader.stop()

    async def read(self, wait: float = 0.2) -> list[Raw]:
        """What follows, in order within each partition; nothing if nothing came for so many seconds."""
        batches = await self._reader.getmany(timeout_ms=int(wait * 1000))
        return [
            Raw(m.partition, m.offset, m.timestamp, m.key, m.value, m.headers) for ms in batches.values() for m in ms
        ]

    async def catch_up(self) -> list[Raw]:
        """All up to the ends that the partitions have now."""
        places = self._reader.assignment()
        ends = await self._reader.end_offsets(places)
        records: list[Raw] = []
        while any([await self._reader.position(place) < ends[place] for place in places]):
            records += await self.read()
        return records

    async def table(self) -> dict[bytes, bytes]:
        """The catalogue as it is now."""
        consumer = self._consumer()
        await consumer.start()
        try:
            (place,) = await self._assign(consumer, self._catalogue)
            end = (await consumer.end_offsets([place]))[place]
            table: dict[bytes, bytes | None] = {}
            while await consumer.position(place) < end:
                for messages in (await consumer.getmany(timeout_ms=200)).values():
                    table |= {m.key: m.value for m in messages}
            return {key: value for key, value in table.items() if value is not None}
        finally:
            await consumer.stop()

    async def _assign(self, consumer: AIOKafkaConsumer, topic: str) -> list[TopicPartition]:
        admin = AIOKafkaAdminClient(bootstrap_servers=self._bootstrap)
        await admin.start()
        try:
            if topic not in await admin.list_topics():
                raise LookupError(f"there is no topic {topic}")
            (described,) = await admin.describe_topics([topic])
        finally:
            await admin.close()
        places = [TopicPartition(topic, p["partition"]) for p in described["partitions"]]
        consumer.assign(sorted(places))
        await consumer.seek_to_beginning(*places)
        return places
