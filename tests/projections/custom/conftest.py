"""Both kinds of database, as for the tables of runs."""

import os
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from farandole.projections.sql import Database
from farandole.testing.postgres import PostgresServer, programs

_numbers = count(1)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A real PostgreSQL of this test session; skips, or fails if FARANDOLE_REQUIRE_POSTGRES=1, where there is none."""
    if programs() is None:
        why = "PostgreSQL is not installed (Debian: postgresql)"
        if os.environ.get("FARANDOLE_REQUIRE_POSTGRES") == "1":
            pytest.fail(why, pytrace=False)
        pytest.skip(why)
    with PostgresServer() as server:
        yield server


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database that nobody used before."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'shop.db'}"
    server: PostgresServer = request.getfixturevalue("postgres_server")
    return f"{server.url}?schema=shop_{next(_numbers)}"


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = Database(database_url, "shop")
    yield database
    database.close()
