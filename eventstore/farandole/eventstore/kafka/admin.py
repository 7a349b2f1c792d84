"""Short connections for making and describing topics."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from aiokafka import TopicPartition
from aiokafka import errors as kafka
from aiokafka.admin import AIOKafkaAdminClient, NewTopic, RecordsToDelete
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from farandole.eventstore.errors import StoreMisconfigured

from .failures import unreachable
from .link import close_client, why_unreachable
from .settings import KafkaSettings

REPLICAS: Final = 3
_FETCH: Final = 1
_FETCH_OF_KAFKA_4: Final = 4


@dataclass(frozen=True)
class Topic:
    """What one topic must be like.

    Attributes:
        name: its full name.
        partitions: how many.
        must: settings without which the log's promises do not hold; checked at every connect.
        also: settings given only when it is made.
    """

    name: str
    partitions: int
    must: Mapping[str, str]
    also: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Found:
    """A topic as it is.

    Attributes:
        name: its full name.
        partitions: how many.
        replicas: of the partition that has fewest.
        config: its settings, the broker's defaults included.
    """

    name: str
    partitions: int
    replicas: int
    config: Mapping[str, str]

    @property
    def max_message(self) -> int:
        """The largest batch, in bytes."""
        return int(self.config["max.message.bytes"])


@dataclass(frozen=True)
class Cluster:
    """What a cluster says of itself and of a choreography's topics."""

    brokers: int
    topics: Mapping[str, Found]


class Admin:
    """Makes and describes topics. Use as an async context manager, for a short time.

    Args:
        settings: how to reach the cluster.

    Raises:
        StoreUnavailable: no broker answers.
        StoreMisconfigured: the login fails, or this user may not describe or create topics.
    """

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings
        self._client: Any = None

    async def __aenter__(self) -> "Admin":
        self._client = AIOKafkaAdminClient(**self._settings.client_options("farandole-admin"))
        try:
            await self._client.start()
        except (kafka.KafkaError, OSError, TimeoutError) as e:
            await close_client(self._client)
            cause = await why_unreachable(self._settings) or e
            raise unreachable("connecting", self._settings.url, cause) from cause
        return self

    async def __aexit__(self, *exc: object) -> None:
        await close_client(self._client)

    async def describe(self, topics: Iterable[str]) -> Cluster:
        """What is there of these topics."""
        names = list(topics)
        try:
            cluster = await self._client.describe_cluster()
            described = [each for each in await self._client.describe_topics(names) if each["error_code"] != 3]
            for each in described:
                if each["error_code"]:
                    raise kafka.for_code(each["error_code"])(each["topic"])
            configs = await self._configs(each["topic"] for each in described)
        except (kafka.KafkaError, OSError, TimeoutError) as e:
            raise unreachable("describing topics", self._settings.url, e) from e
        found = {
            each["topic"]: Found(
                each["topic"],
                len(each["partitions"]),
                min((len(p["replicas"]) for p in each["partitions"]), default=0),
                configs[each["topic"]],
            )
            for each in described
        }
        return Cluster(len(cluster["brokers"]), found)

    async def create(self, topics: Iterable[Topic], brokers: int) -> None:
        """Make topics; those that another process makes at the same time are left to it."""
        replicas = min(REPLICAS, brokers)
        durable = {"min.insync.replicas": "2" if replicas >= REPLICAS else "1"}
        wanted = [
            NewTopic(each.name, each.partitions, replicas, topic_configs={**each.must, **each.also, **durable})
            for each in topics
        ]
        try:
            response = await self._client.create_topics(wanted)
        except (kafka.KafkaError, OSError, TimeoutError) as e:
            raise unreachable("creating topics", self._settings.url, e) from e
        for name, code, *message in response.topic_errors:
            error = kafka.for_code(code)
            if error not in (kafka.NoError, kafka.TopicAlreadyExistsError):
                raise unreachable(f"creating the topic {name}", self._settings.url, error(*message[:1]))

    async def delete_before(self, topic: str, partition: int, before: int) -> None:
        """Delete a partition's records below an offset.

        Raises:
            StoreUnavailable: perhaps they were deleted.
            StoreMisconfigured: this user may not delete records.
        """
        place = TopicPartition(topic, partition)
        try:
            await self._client.delete_records({place: RecordsToDelete(before)})
        except (kafka.KafkaError, OSError, TimeoutError) as e:
            if isinstance(e, kafka.TopicAuthorizationFailedError):
                raise StoreMisconfigured(
                    f"deleting records of {topic}/{partition} was refused: grant this user DELETE on the topic"
                ) from e
            raise unreachable(f"deleting records of {topic}/{partition}", self._settings.url, e) from e

    @property
    def modern(self) -> bool:
        """Whether the broker is of Kafka 4 or later, which no longer takes the oldest fetch requests."""
        versions = [connection._versions for connection in self._client._client._conns.values()]
        return any(each.get(_FETCH, (0, 0))[0] >= _FETCH_OF_KAFKA_4 for each in versions)

    async def _configs(self, names: Iterable[str]) -> dict[str, dict[str, str]]:
        resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
        if not resources:
            return {}
        found: dict[str, dict[str, str]] = {}
        for response in await self._client.describe_configs(resources):
            for code, message, _, name, entries in response.resources:
                if code:
                    raise kafka.for_code(code)(message or name)
                found[name] = {entry[0]: entry[1] for entry in entries}
        return found
