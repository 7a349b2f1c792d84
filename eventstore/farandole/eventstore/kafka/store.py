"""The event store on Kafka: its topics, its producer, its readers, put together."""

import asyncio
import itertools
import os
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from functools import partial
from typing import Final

from farandole.eventstore.contract import Ends, EventStore, Ownership, Reader, Record, Stored, Table
from farandole.eventstore.errors import StoreClosed
from farandole.eventstore.sizes import beyond_the_end, check_partition
from farandole.schemas.schema_text import SchemaText

from .admin import Admin, Found, Topic
from .batches import max_record
from .brokertime import BrokerTime
from .link import Link
from .live import KafkaLive
from .members import members
from .numbering import Numbering, warn_if_numbered
from .ownership import KafkaOwnership
from .points import fetch
from .producer import Producer
from .quiet import quieten
from .reader import KafkaReader
from .rejected import Rejected
from .settings import KafkaSettings, read_settings
from .stats import Stats
from .table import KafkaTable
from .tail import Tail
from .topics import ensure, topics_of

_serial: Final = itertools.count(1)


async def open_kafka(url: str, choreography: str, *, create: bool = True, partitions: int = 16) -> "KafkaStore":
    """Open the log of a choreography on Kafka.

    Args:
        url: ``kafka://host:port[,host:port][?option=value]``; `KafkaSettings` lists the options.
        choreography: its name, which its topics' names begin with.
        create: make the topics that are missing.
        partitions: how many the log is to have. With ``create``, a log that has another number is refused; without,
            the log is taken as it is.

    Raises:
        StoreMisconfigured: the URL, the credentials or the topics' settings are wrong.
        StoreUnavailable: no broker answers.
    """
    quieten()
    settings = read_settings(url)
    topics = topics_of(choreography, partitions)
    found = await ensure(settings, topics, create=create)
    store = KafkaStore(settings, choreography, topics, found)
    await store.start()
    return store


class KafkaStore(EventStore):
    """The log of one choreography on Kafka; `open_kafka` makes it.

    Attributes:
        settings: how the cluster is reached.
        choreography: the name before the topics' names.
        stats: counters for metrics.
    """

    def __init__(
        self,
        settings: KafkaSettings,
        choreography: str,
        topics: Mapping[str, Topic],
        found: Mapping[str, Found],
    ) -> None:
        self.settings = settings
        self.choreography = choreography
        self.stats = Stats()
        self.url = settings.url
        self.partitions = found["events"].partitions
        self.max_record_bytes = max_record(found["events"].max_message)
        self._events = topics["events"].name
        self._name = f"farandole-{choreography}-{os.getpid()}-{next(_serial)}"
        self._clock = BrokerTime()
        sizes = {topics[short].name: found[short].max_message for short in topics}
        self._producer = Producer(settings, sizes, self.stats, self._clock)
        self._link = Link(settings, sizes, self._name)
        self._readers: list[KafkaReader] = []
        self._owners: list[KafkaOwnership] = []
        self._closed = False
        self._catalogue = self._table(topics["catalogue"].name)
        self._checkpoints = self._table(topics["checkpoints"].name)
        self._numbering = None if settings.registry is None else Numbering(settings.registry, self._catalogue)
        self.registry = None if self._numbering is None else self._numbering.url
        self._live = KafkaLive(
            settings, self._link, topics["live"].name, self.partitions, found["live"].max_message, self._name,
            self._check_open,
        )  # fmt: skip
        self._rejected = Rejected(
            self._events,
            partial(self._producer.append, topics["rejected"].name, 0),
            partial(Tail, self._link, topics["rejected"].name),
        )

    async def start(self) -> None:
        """Connect; called by `open_kafka`."""
        try:
            await self._link.open()
            if self._numbering is not None:
                await self._numbering.open()
        except BaseException:
            await self.close()
            raise

    async def introduce(self, schemas: Sequence[SchemaText]) -> None:
        self._check_open()
        if self._numbering is None:
            await warn_if_numbered(self._catalogue)
        else:
            await self._numbering.introduce(schemas)

    async def explain(self, record: Stored) -> None:
        self._check_open()
        if self._numbering is not None:
            await self._numbering.explain(record)

    def lacks(self, schemas: Collection[bytes]) -> bool:
        return self._numbering is not None and self._numbering.lacks(schemas)

    async def append(self, partition: int, records: Sequence[Record]) -> int:
        if not 0 <= partition < self.partitions:
            raise ValueError(f"there is no partition {partition}: the log has 0 to {self.partitions - 1}")
        if self._numbering is not None:
            self._check_open()
            records = await self._numbering.framed(records)
        return await self._producer.append(self._events, partition, records)

    async def ends(self, partitions: Iterable[int]) -> Mapping[int, Ends]:
        self._check_open()
        return await self._link.ends(self._events, partitions)

    async def fetch(self, partition: int, offsets: Sequence[int]) -> list[Stored]:
        self._check_open()
        return await fetch(self._link, self._events, partition, offsets)

    async def truncate(self, partition: int, before: int) -> None:
        check_partition(partition, self.partitions)
        ends = (await self.ends([partition]))[partition]
        if before > ends.next:
            raise beyond_the_end(partition, before, ends.next)
        if before > ends.first:
            async with Admin(self.settings) as admin:
                await admin.delete_before(self._events, partition, before)

    def reader(self) -> Reader:
        self._check_open()
        self._readers = [each for each in self._readers if not each.closed]
        link = Link(self.settings, [self._events], f"{self._name}-reader")
        reader = KafkaReader(link, self._events, self.stats)
        self._readers.append(reader)
        return reader

    def own(self, service: str, member: str | None = None) -> Ownership:
        self._check_open()
        owner = KafkaOwnership(
            self.settings, self._events, f"{self.choreography}.{service}", member, self._name, self.stats
        )
        self._owners = [each for each in self._owners if not each.closed]
        self._owners.append(owner)
        return owner

    async def members(self, service: str) -> frozenset[str] | None:
        self._check_open()
        return await members(self._link, f"{self.choreography}.{service}")

    async def reject(self, record: Stored, reason: str) -> None:
        self._check_open()
        if await self._rejected.add(record, reason):
            self.stats.rejected += 1

    def rejected(self) -> AsyncIterator[Stored]:
        self._check_open()
        return self._rejected.all()

    @property
    def catalogue(self) -> Table:
        return self._catalogue

    @property
    def checkpoints(self) -> Table:
        return self._checkpoints

    @property
    def live(self) -> KafkaLive:
        return self._live

    async def now(self) -> int:
        self._check_open()
        return self._clock.now()

    async def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        gone = StoreClosed(f"the store {self.url} was closed: open it again to use it")
        await asyncio.gather(*(owner.close(gone) for owner in self._owners))
        await self._producer.close()
        await self._live.close()
        await asyncio.gather(*(reader.close() for reader in self._readers))
        if self._numbering is not None:
            await self._numbering.close()
        await self._link.close()

    def _table(self, topic: str) -> KafkaTable:
        return KafkaTable(partial(self._producer.append, topic, 0), partial(Tail, self._link, topic))

    def _check_open(self) -> None:
        if self._closed:
            raise StoreClosed(f"the store {self.url} was closed: open it again to use it")
