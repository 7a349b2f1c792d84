"""The topics of a choreography: what they must be like, making them, and checking them."""

import asyncio
import re
from collections.abc import Mapping
from typing import Final

from farandole.eventstore.errors import StoreMisconfigured, StoreUnavailable

from .admin import Admin, Cluster, Found, Topic
from .failures import told
from .settings import KafkaSettings

HOUR: Final = 3_600_000
_NAME: Final = re.compile(r"[A-Za-z0-9._-]{1,200}")


def topics_of(choreography: str, partitions: int) -> dict[str, Topic]:
    """The topics of a choreography by their short names.

    Raises:
        StoreMisconfigured: the name cannot be a part of a topic's.
    """
    if not _NAME.fullmatch(choreography):
        raise StoreMisconfigured(
            f"{choreography!r} cannot name Kafka topics: use letters, digits, dots, hyphens and underscores"
        )
    stamped = {"message.timestamp.type": "LogAppendTime"}
    kept = {"cleanup.policy": "delete", "retention.ms": "-1", "retention.bytes": "-1"} | stamped
    compacted = {"cleanup.policy": "compact"} | stamped
    timed = {"cleanup.policy": "delete"} | stamped
    # Brokers delete whole segments, and by themselves begin a new one only after days.
    hour = {"retention.ms": str(HOUR), "segment.ms": str(HOUR // 6)}
    clean = {"unclean.leader.election.enable": "false"}
    return {
        "events": Topic(f"{choreography}.events", partitions, kept, clean),
        "checkpoints": Topic(f"{choreography}.checkpoints", 1, compacted, clean),
        "catalogue": Topic(f"{choreography}.catalogue", 1, compacted, clean),
        "live": Topic(f"{choreography}.live", partitions, timed, hour),
        "rejected": Topic(f"{choreography}.rejected", 1, timed, {"retention.ms": str(30 * 24 * HOUR)}),
    }


async def ensure(settings: KafkaSettings, topics: Mapping[str, Topic], *, create: bool) -> dict[str, Found]:
    """Make what is missing, if ``create``, and check the settings of what is there; by short names.

    Without ``create`` the number of partitions is what is found.

    Raises:
        StoreMisconfigured: a topic is missing, or is not as it must be. The message says the cure.
        StoreUnavailable: no broker answers.
    """
    names = [topic.name for topic in topics.values()]
    async with Admin(settings) as admin:
        cluster = await admin.describe(names)
        missing = [topic for topic in topics.values() if topic.name not in cluster.topics]
        if missing and not create:
            raise StoreMisconfigured(
                f"{settings.url} has no topic {', '.join(topic.name for topic in missing)}: start a worker, which "
                "makes them, or connect with create=True"
            )
        if missing:
            await admin.create(missing, cluster.brokers)
            cluster = await _appeared(admin, settings, names)
    for topic in topics.values():
        check(topic, cluster.topics[topic.name], counted=create, url=settings.url)
    return {short: cluster.topics[topic.name] for short, topic in topics.items()}


def check(topic: Topic, found: Found, *, counted: bool, url: str) -> None:
    """Check a topic against what it must be.

    Raises:
        StoreMisconfigured: it differs. The message names the command that puts it right.
    """
    if counted and found.partitions != topic.partitions:
        raise StoreMisconfigured(
            f"{topic.name} has {found.partitions} partitions and {topic.partitions} were asked for: connect with "
            f"partitions={found.partitions}. The number is fixed when the log is made, because a run stays in its "
            "partition; for another number, make a choreography of another name"
        )
    wrong = {name: value for name, value in topic.must.items() if found.config.get(name) != value}
    if wrong:
        said = ", ".join(f"{name}={found.config.get(name)}" for name in wrong)
        raise StoreMisconfigured(f"{topic.name} has {said}: run {cure(topic.name, wrong, url)}")


def cure(name: str, settings: Mapping[str, str], url: str) -> str:
    """The command that gives a topic these settings."""
    server = url.removeprefix("kafka://").partition(",")[0].partition("?")[0]
    config = ",".join(f"{key}={value}" for key, value in settings.items())
    return f"kafka-configs.sh --bootstrap-server {server} --alter --topic {name} --add-config {config}"


async def _appeared(admin: Admin, settings: KafkaSettings, names: list[str]) -> Cluster:
    deadline = asyncio.get_running_loop().time() + settings.patience
    while True:
        try:
            cluster = await admin.describe(names)
            if all(name in cluster.topics for name in names):
                return cluster
            lacking = ", ".join(name for name in names if name not in cluster.topics)
        except StoreUnavailable as e:
            lacking = told(e)
        if asyncio.get_running_loop().time() > deadline:
            raise StoreUnavailable(f"new topics did not appear at {settings.url} ({lacking}): try again")
        await asyncio.sleep(0.05)
