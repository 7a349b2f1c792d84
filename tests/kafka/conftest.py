"""Fixtures of the Kafka store's tests."""

import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import pytest

from farandole.eventstore.kafka import KafkaStore, open_kafka
from farandole.testing.broker import KafkaBroker
from farandole.testing.proxy import TcpProxy

from .tls import PASSWORD, secure_listeners

Open = Callable[..., Awaitable[KafkaStore]]


@pytest.fixture
def name() -> str:
    """The name of a choreography that was never used before."""
    return f"dance-{secrets.token_hex(6)}"


@pytest.fixture
async def proxy(kafka_broker: KafkaBroker) -> AsyncIterator[TcpProxy]:
    """The network before the session's broker."""
    listener = kafka_broker.listeners["PROXIED"]
    async with TcpProxy(listener.advertised, listener.port) as proxy:
        yield proxy


@pytest.fixture
async def opened(name: str) -> AsyncIterator[Open]:
    """Opens Kafka stores by server and options, and closes them at the end."""
    stores: list[KafkaStore] = []

    async def opened(server: str, options: str = "", *, choreography: str = name, **more: Any) -> KafkaStore:
        more.setdefault("partitions", 4)
        stores.append(await open_kafka(f"kafka://{server}?{options}", choreography, **more))
        return stores[-1]

    yield opened
    for store in stores:
        await store.close()


@pytest.fixture
def through(opened: Open, proxy: TcpProxy) -> Open:
    """Opens Kafka stores through the proxy."""

    async def through(options: str = "", **more: Any) -> KafkaStore:
        return await opened(f"127.0.0.1:{proxy.port}", options, **more)

    return through


@pytest.fixture(scope="session")
def second_broker(kafka_tools: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaBroker]:
    """A broker of these tests alone, to be killed; `secure_listeners` says how else it is reached. The login is alice."""
    folder = tmp_path_factory.mktemp("second")
    broker = KafkaBroker(
        data=folder,
        listeners=secure_listeners(folder),
        format=[
            argument
            for mechanism in ("SCRAM-SHA-512", "SCRAM-SHA-256")
            for argument in ("--add-scram", f"{mechanism}=[name=alice,password={PASSWORD}]")
        ],
    )
    broker.start()
    yield broker
    broker.close()


@pytest.fixture
def login(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FARANDOLE_KAFKA_USERNAME", "alice")
    monkeypatch.setenv("FARANDOLE_KAFKA_PASSWORD", PASSWORD)
