"""The SQLite store keeps the contract."""

import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing, suppress
from itertools import count
from pathlib import Path

import pytest

from farandole.eventstore import EventStore, connect
from farandole.eventstore.sqlite.connection import Connection
from farandole.eventstore.sqlite.log import LogReader
from farandole.eventstore.sqlite.schema import VERSION, look_at_file, make_tables
from farandole.eventstore.sqlite.settings import read_url
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


@pytest.mark.parametrize(
    "ask",
    [
        lambda reader: reader.ends([0, 1]),
        lambda reader: reader.news(),
        lambda reader: reader.holding(0, [4_000]),
        lambda reader: reader.read({0: 4_999}),
    ],
    ids=["ends", "news", "holding", "read"],
)
def test_a_question_takes_no_more_steps_in_a_long_log(tmp_path: Path, ask: Callable[[LogReader], object]) -> None:
    steps: list[int] = []
    for batches in (10, 5_000):
        connection = Connection(read_url(f"sqlite:///{tmp_path}/{batches}.db"), create=True)
        reader = LogReader(connection, 1, 2)
        rows = [(1, 0, n * 5_000 // batches, (n + 1) * 5_000 // batches, 7, b"") for n in range(batches)]
        insert = "INSERT INTO batch VALUES (?, ?, ?, ?, ?, ?)"
        connection.transaction(lambda sqlite, insert=insert, rows=rows: sqlite.executemany(insert, rows))  # type: ignore[misc]
        taken = count()
        connection.run(lambda sqlite, taken=taken: sqlite.set_progress_handler(lambda: next(taken) < 0, 1))  # type: ignore[misc]
        assert ask(reader)
        connection.run(lambda sqlite: sqlite.set_progress_handler(None, 1))
        steps.append(next(taken))
        connection.close()
    assert steps[1] < steps[0] * 2, steps


class Meddled(sqlite3.Connection):
    """A connection that sees another process make the tables in the middle of what it does."""

    path: Path

    def execute(self, sql: str, *parameters: object) -> sqlite3.Cursor:  # type: ignore[override]
        done = super().execute(sql, *parameters)  # type: ignore[arg-type]
        if sql == "PRAGMA application_id":
            done = super().execute(sql)
            other = sqlite3.connect(self.path, isolation_level=None, timeout=0)
            with closing(other), suppress(sqlite3.OperationalError):
                make_tables(other, self.path)
        return done


@pytest.mark.parametrize("mode", ["delete", "wal"])
def test_a_file_in_which_another_process_just_makes_the_tables_is_not_taken_for_something_else(
    tmp_path: Path, mode: str
) -> None:
    path = tmp_path / "log.db"
    with closing(sqlite3.connect(path, isolation_level=None, factory=Meddled)) as connection:
        connection.execute(f"PRAGMA journal_mode = {mode}")
        connection.path = path
        assert look_at_file(connection, path) in (0, VERSION)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        make_tables(connection, path)
        assert look_at_file(connection, path) == VERSION
