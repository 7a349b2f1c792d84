"""The in-memory store keeps the contract."""

from collections.abc import AsyncIterator

import pytest

from farandole.eventstore import EventStore, connect
from farandole.eventstore.memory import forget
from farandole.eventstore.testing import EventStoreContract, OpenStore, fresh_name


class TestMemoryStore(EventStoreContract):
    @pytest.fixture
    async def open_store(self) -> AsyncIterator[OpenStore]:
        opened: list[EventStore] = []

        async def open_store(choreography: str | None = None, partitions: int = 4) -> EventStore:
            opened.append(await connect("memory://suite", choreography or fresh_name(), partitions=partitions))
            return opened[-1]

        yield open_store
        for store in opened:
            await store.close()
        forget("suite")


async def test_a_member_that_joins_again_is_told_again() -> None:
    async with await connect("memory://", "dance", partitions=2) as store:
        member = store.own("kitchen")
        for _ in range(2):
            async with member:
                assert await member.changed() == {0, 1}
