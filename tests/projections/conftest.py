"""Both kinds of database, for suites of tables that are filled from a log."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from farandole.projections.sql import Database
from farandole.testing.postgres import PostgresServer

_numbers = count(1)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database that nobody used before."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'rows.db'}"
    server: PostgresServer = request.getfixturevalue("postgres_server")
    return f"{server.url}?schema=rows_{next(_numbers)}"


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = Database(database_url, "farandole_t")
    yield database
    database.close()
