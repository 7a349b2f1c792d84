"""The broker of docker-compose.yml has the settings that a log needs."""

import re
from pathlib import Path

import pytest

from controls import a_record
from farandole.eventstore.kafka import diagnose
from farandole.testing.broker import KAFKA, KafkaBroker

from .conftest import Open
from .waiting import whole

FILE = Path(__file__).parents[2] / "docker-compose.yml"
# What names a place within the container, or is not for Kafka itself.
PLACES = {
    "KAFKA_HEAP_OPTS",
    "KAFKA_NODE_ID",
    "KAFKA_PROCESS_ROLES",
    "KAFKA_CONTROLLER_QUORUM_VOTERS",
    "KAFKA_CONTROLLER_LISTENER_NAMES",
    "KAFKA_INTER_BROKER_LISTENER_NAME",
    "KAFKA_LISTENERS",
    "KAFKA_ADVERTISED_LISTENERS",
    "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP",
    "KAFKA_LOG_DIRS",
}


def lines() -> list[str]:
    return [line for line in FILE.read_text().splitlines() if line.strip() and not line.lstrip().startswith("#")]


def environment() -> dict[str, str]:
    return dict(re.findall(r'^ {6}(KAFKA_\w+|CLUSTER_ID): "([^"]*)"$', FILE.read_text(), re.MULTILINE))


def test_every_line_is_plain_yaml() -> None:
    for line in lines():
        assert re.fullmatch(r'( {2})*([\w-]+:( \S.*)?|- ".*"|- [\w:/.-]+)', line), line
    assert [line for line in lines() if not line.startswith(" ")] == ["name: farandole", "services:", "volumes:"]


def test_it_has_a_volume_a_healthcheck_and_the_version_that_is_tested() -> None:
    text = FILE.read_text()
    assert f"image: apache/kafka:{KAFKA}" in text
    assert "- kafka:/var/lib/kafka/data" in text and environment()["KAFKA_LOG_DIRS"] == "/var/lib/kafka/data"
    assert "healthcheck:" in text
    assert set(environment()) >= PLACES
    assert re.fullmatch(r"[\w-]{22}", environment()["CLUSTER_ID"])


def test_only_this_machine_reaches_its_port() -> None:
    assert re.findall(r'- "([\d.]+):\d+:\d+"', FILE.read_text()) == ["127.0.0.1"]


@pytest.mark.kafka
async def test_a_broker_with_its_settings_serves_a_log(kafka_tools: None, opened: Open, name: str) -> None:
    settings = {
        key.removeprefix("KAFKA_").lower().replace("_", "."): value
        for key, value in environment().items()
        if key not in PLACES and key != "CLUSTER_ID"
    }
    with KafkaBroker(config=settings) as broker:
        store = await opened(broker.bootstrap)
        await store.append(0, [a_record()])
        assert len(await whole(store)) == 1
        found = await diagnose(broker.url, name)
        assert not [each for each in found if each.severity == "error"]
        await store.close()
