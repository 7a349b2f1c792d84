"""What `farandole doctor` says of a Kafka log: each finding with its cause and its cure."""

from time import time
from typing import Final

from farandole.eventstore.contract import Record
from farandole.eventstore.errors import StoreError
from farandole.eventstore.finding import Finding

from .admin import Admin, Cluster, Found, Topic
from .brokertime import BrokerTime
from .producer import Producer
from .quiet import quieten
from .registry import look_at_registry
from .settings import KafkaSettings, is_loopback, read_settings
from .stats import Stats
from .topics import check, cure, topics_of

CLOCK_WARNING: Final = 1.0
CLOCK_ERROR: Final = 60.0
_SMALL_RECORD: Final = 256 * 1024


async def diagnose(url: str, choreography: str) -> list[Finding]:
    """Look at a cluster and at a choreography's topics. Changes nothing that is ever folded; raises no store errors."""
    quieten()
    findings: list[Finding] = []
    try:
        settings = read_settings(url)
        topics = topics_of(choreography, 1)
        findings.append(_transport(settings))
        async with Admin(settings) as admin:
            cluster = await admin.describe(topic.name for topic in topics.values())
            findings.append(_broker(admin.modern, settings, cluster))
    except StoreError as e:
        return [*findings, _problem("broker", e)]
    findings += await look_at_registry(url, settings.registry, choreography)
    for topic in topics.values():
        found = cluster.topics.get(topic.name)
        if found is None:
            findings.append(Finding(topic.name, "warning", "the topic is not there", "start a worker, which makes it"))
        else:
            findings += _topic(topic, found, cluster, settings)
    live = topics["live"].name
    if live in cluster.topics:
        findings.append(await _clock(settings, live, cluster.topics[live]))
    return findings


def _transport(settings: KafkaSettings) -> Finding:
    if settings.security.endswith("SSL"):
        return Finding("transport", "ok", f"{settings.security}: encrypted")
    if all(is_loopback(server) for server in settings.servers):
        return Finding("transport", "ok", f"{settings.security} on the loopback interface")
    return Finding(
        "transport",
        "warning",
        f"{settings.security}: everything crosses the network in the clear",
        "use security=SSL or SASL_SSL in the store URL",
    )


def _broker(modern: bool, settings: KafkaSettings, cluster: Cluster) -> Finding:
    kind = "Kafka 4 or later" if modern else "Kafka 3 or earlier"
    where = ",".join(settings.servers)
    if cluster.brokers >= 3:
        return Finding("broker", "ok", f"{where} answers: {kind}, {cluster.brokers} brokers")
    return Finding(
        "broker",
        "warning",
        f"{where} answers: {kind}, {cluster.brokers} broker{'s'[: cluster.brokers > 1]}; what a lost disk held is gone",
        "good for development; run three brokers or more in production",
    )


def _topic(topic: Topic, found: Found, cluster: Cluster, settings: KafkaSettings) -> list[Finding]:
    findings: list[Finding] = []
    try:
        check(topic, found, counted=False, url=settings.url)
    except StoreError as e:
        findings.append(_problem(topic.name, e))
    if topic.name.endswith(".live"):
        # As of a topic that an older release made, where brokers begin a new segment only after days.
        longer = {k: v for k, v in topic.also.items() if found.config.get(k) != v}
        if longer:
            said = ", ".join(f"{name}={found.config.get(name)}" for name in longer)
            what = f"{said}: what is said live may be kept for longer than an hour"
            findings.append(Finding(topic.name, "warning", what, cure(topic.name, longer, settings.url)))
        return findings or [Finding(topic.name, "ok", f"{found.partitions} partitions")]
    wanted: dict[str, str] = {}
    if found.replicas < 3 <= cluster.brokers:
        findings.append(
            Finding(
                topic.name,
                "error",
                f"{found.replicas} replicas: a lost broker takes records with it",
                "raise the replicas to 3 with kafka-reassign-partitions.sh",
            )
        )
    if found.replicas >= 3 and int(found.config.get("min.insync.replicas", "1")) < 2:
        wanted["min.insync.replicas"] = "2"
    if found.config.get("unclean.leader.election.enable") == "true":
        wanted["unclean.leader.election.enable"] = "false"
    if wanted:
        said = ", ".join(f"{name}={found.config.get(name)}" for name in wanted)
        findings.append(
            Finding(
                topic.name, "error", f"{said}: acknowledged records can be lost", cure(topic.name, wanted, settings.url)
            )
        )
    if found.max_message < _SMALL_RECORD:
        more = {"max.message.bytes": "1048588"}
        findings.append(
            Finding(
                topic.name,
                "warning",
                f"max.message.bytes={found.max_message} is small",
                cure(topic.name, more, settings.url),
            )
        )
    count = f"{found.partitions} partition{'s'[: found.partitions > 1]}, {found.replicas} replica{'s'[: found.replicas > 1]}"
    return findings or [Finding(topic.name, "ok", count)]


async def _clock(settings: KafkaSettings, live: str, found: Found) -> Finding:
    # A record without a key or value in the topic that is never folded shows the broker's clock.
    clock = BrokerTime()
    producer = Producer(settings, {live: found.max_message}, Stats(), clock)
    try:
        await producer.append(live, 0, [Record(None, None, [])])
    except StoreError as e:
        return _problem("clock", e)
    finally:
        await producer.close()
    ahead = (clock.now() - time() * 1000) / 1000
    said = f"the broker's clock is {abs(ahead):.1f} s {'ahead of' if ahead > 0 else 'behind'} this machine's"
    if abs(ahead) < CLOCK_WARNING:
        return Finding("clock", "ok", said)
    return Finding(
        "clock",
        "error" if abs(ahead) > CLOCK_ERROR else "warning",
        f"{said}; deadlines and timers go by the broker's",
        "synchronise both with NTP",
    )


def _problem(what: str, error: StoreError) -> Finding:
    cause, _, remedy = str(error).rpartition(": ")
    return Finding(what, "error", cause or remedy, remedy if cause else "")
