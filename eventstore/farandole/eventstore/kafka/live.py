"""What steps say while they are at work, on Kafka: the topic ``<choreography>.live``, which keeps an hour.

Its producer is another than that of the log. A producer in doubt is thrown away with all that is in flight, and the
log must not suffer for a topic that nobody has to keep.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from farandole.eventstore.contract import Live, Reader, Record
from farandole.eventstore.sizes import check_partition

from .brokertime import BrokerTime
from .link import Link
from .producer import Producer
from .reader import KafkaReader
from .settings import KafkaSettings
from .stats import Stats

_TIMEOUT: Final = 5.0


class KafkaLive(Live):
    """Appends to the topic and reads it.

    Args:
        link: a line to the cluster, shared with the store.
        size: the topic's ``max.message.bytes``.
        name: what the brokers call the readers in their logs.
        check_open: refuses what is asked of a closed store.
    """

    def __init__(
        self, settings: KafkaSettings, link: Link, topic: str, partitions: int, size: int, name: str,
        check_open: Callable[[], None],
    ) -> None:  # fmt: skip
        self._settings = replace(settings, append_timeout=min(settings.append_timeout, _TIMEOUT))
        self._link = link
        self._topic = topic
        self._partitions = partitions
        self._size = size
        self._name = name
        self._check_open = check_open
        self._stats = Stats()
        self._producer: Producer | None = None
        self._readers: list[KafkaReader] = []

    async def append(self, partition: int, records: Sequence[Record]) -> None:
        self._check_open()
        check_partition(partition, self._partitions)
        if self._producer is None:
            self._producer = Producer(self._settings, {self._topic: self._size}, self._stats, BrokerTime())
        await self._producer.append(self._topic, partition, records)

    async def since(self, partition: int, time: int) -> int:
        self._check_open()
        check_partition(partition, self._partitions)
        found = await self._link.offset_at(self._topic, partition, time)
        return (await self._link.ends(self._topic, [partition]))[partition].next if found is None else found

    def reader(self) -> Reader:
        self._check_open()
        self._readers = [each for each in self._readers if not each.closed]
        link = Link(self._settings, [self._topic], f"{self._name}-live")
        reader = KafkaReader(link, self._topic, self._stats)
        self._readers.append(reader)
        return reader

    async def close(self) -> None:
        """Let go of the brokers. What is in flight may be lost."""
        await asyncio.gather(*(reader.close() for reader in self._readers))
        if self._producer is not None:
            await self._producer.close()
