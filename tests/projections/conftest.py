"""A database of either kind, for suites of tables that are filled from a log."""

from collections.abc import Iterator

import pytest

from farandole.projections.sql import Database


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = Database(database_url, "farandole_t")
    yield database
    database.close()
