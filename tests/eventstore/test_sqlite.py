"""The SQLite store keeps the contract."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest

from farandole.eventstore import EventStore, connect
from farandole.eventstore.testing import EventStoreContract, Interrupt, OpenStore, fresh_name


class TestSqliteStore(EventStoreContract):
    @pytest.fixture
    async def open_store(self, tmp_path: Path) -> AsyncIterator[OpenStore]:
        opened: list[EventStore] = []

        async def open_store(choreography: str | None = None, partitions: int = 4) -> EventStore:
            url = f"sqlite:///{tmp_path}/log.db?patience=0.3"
            opened.append(await connect(url, choreography or fresh_name(), partitions=partitions))
            return opened[-1]

        yield open_store
        for store in opened:
            await store.close()

    @pytest.fixture
    async def interrupt(self, tmp_path: Path) -> Interrupt:
        @asynccontextmanager
        async def locked() -> AsyncIterator[None]:
            with closing(sqlite3.connect(tmp_path / "log.db", isolation_level=None)) as other:
                other.execute("BEGIN EXCLUSIVE")
                yield

        return locked
