"""The broker of docker-compose.yml has the settings that a log needs."""

import re
from pathlib import Path

import pytest
import yaml

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


def environment() -> dict[str, str]:
    found: dict[str, str] = yaml.safe_load(FILE.read_text())["services"]["kafka"]["environment"]
    return found


def test_it_has_a_volume_a_healthcheck_and_the_version_that_is_tested() -> None:
    kafka = yaml.safe_load(FILE.read_text())["services"]["kafka"]
    assert kafka["image"] == f"apache/kafka:{KAFKA}"
    assert kafka["volumes"] == ["kafka:/var/lib/kafka/data"]
    assert environment()["KAFKA_LOG_DIRS"] == "/var/lib/kafka/data"
    assert kafka["healthcheck"]["test"]
    assert set(environment()) >= PLACES
    assert re.fullmatch(r"[\w-]{22}", environment()["CLUSTER_ID"])


def test_it_starts_without_the_rest() -> None:
    services = yaml.safe_load(FILE.read_text())["services"]
    assert [name for name, service in services.items() if "profiles" not in service] == ["kafka"]


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
