"""Fixtures that several parts use."""

import os
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from sqlalchemy import Pool, event

from farandole.testing.broker import KafkaBroker, Listener, missing_tools
from farandole.testing.plugin import need, served
from farandole.testing.postgres import PostgresServer, programs
from farandole.testing.registry import SchemaRegistry
from farandole.testing.registry import missing_tools as missing_for_a_registry
from farandole.testing.server import free_port
from faults import FAULTS

PROXIED = "PROXIED"
_numbers = count(1)

# How fast this machine is just now is nothing that a test should fail for.
settings.register_profile("patient", settings(), deadline=None)
settings.load_profile("patient")

# Brokers of tests live for seconds: the compiler that takes its time would cost more than it ever wins back.
os.environ.setdefault("JDK_JAVA_OPTIONS", "-XX:TieredStopAtLevel=1")


def pytest_itemcollected(item: pytest.Item) -> None:
    if not {item.path, *item.path.parents}.isdisjoint(FAULTS):
        item.add_marker(pytest.mark.faults)


@pytest.fixture(scope="session")
def kafka_tools() -> None:
    """Skips the test, or fails it if FARANDOLE_REQUIRE_KAFKA=1, where a real broker cannot be started."""
    need("Apache Kafka", missing_tools())


@pytest.fixture(scope="session")
def kafka_broker(kafka_tools: None) -> Iterator[KafkaBroker]:
    """A real broker of this test session. Its listener PROXIED is advertised at a port where a proxy may stand."""
    with served(KafkaBroker(listeners=[Listener(PROXIED, advertised=free_port())])) as broker:
        yield broker


@pytest.fixture(scope="session")
def kafka(request: pytest.FixtureRequest) -> str:
    """The bootstrap servers of a real broker: FARANDOLE_TEST_KAFKA, or one started for this session."""
    if given := os.environ.get("FARANDOLE_TEST_KAFKA"):
        return given
    broker: KafkaBroker = request.getfixturevalue("kafka_broker")
    return broker.bootstrap


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A real PostgreSQL of this test session; skips, or fails if FARANDOLE_REQUIRE_POSTGRES=1, where there is none."""
    need("PostgreSQL", [] if programs() else ["initdb"], of="postgresql", required="FARANDOLE_REQUIRE_POSTGRES")
    with served(PostgresServer()) as server:
        yield server


@pytest.fixture
def connections() -> Iterator[None]:
    """Closes what a test leaves open: a server has a hundred connections, and the next tests of the session need them."""
    opened = list[Any]()

    def note(connection: Any, _: object) -> None:
        opened.append(connection)

    event.listen(Pool, "connect", note)
    yield
    event.remove(Pool, "connect", note)
    for each in opened:
        each.close()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database that nobody used before."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'rows.db'}"
    request.getfixturevalue("connections")
    server: PostgresServer = request.getfixturevalue("postgres_server")
    return f"{server.url}?schema=rows_{next(_numbers)}"


@pytest.fixture(scope="session")
def apicurio() -> Iterator[SchemaRegistry]:
    """A real schema registry of this test session. Whoever kills it starts it again."""
    need("Apicurio", missing_for_a_registry())
    with served(SchemaRegistry()) as registry:
        yield registry


@pytest.fixture
def exported(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemorySpanExporter]:
    """Where spans come, if any are made: the program has an SDK."""
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: provider)
    yield exporter
    provider.shutdown()


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch, exported: InMemorySpanExporter) -> InMemorySpanExporter:
    """Tracing is on, and its spans come here."""
    monkeypatch.setenv("FARANDOLE_TRACING", "true")
    return exported
