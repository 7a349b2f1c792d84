"""The Kafka store keeps the contract, on a real broker."""

from collections.abc import AsyncIterator

import pytest

from farandole.eventstore import EventStore, connect
from farandole.eventstore.testing import EventStoreContract, Interrupt, OpenStore, fresh_name
from farandole.testing.proxy import TcpProxy


@pytest.mark.kafka
class TestKafkaStore(EventStoreContract):
    @pytest.fixture
    async def open_store(self, proxy: TcpProxy) -> AsyncIterator[OpenStore]:
        opened: list[EventStore] = []

        async def open_store(choreography: str | None = None, partitions: int = 4) -> EventStore:
            url = f"kafka://127.0.0.1:{proxy.port}?session=6"
            opened.append(await connect(url, choreography or fresh_name(), partitions=partitions))
            return opened[-1]

        yield open_store
        for store in opened:
            await store.close()

    @pytest.fixture
    async def interrupt(self, proxy: TcpProxy) -> Interrupt:
        return proxy.down
