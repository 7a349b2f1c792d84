"""Tables of the shop's projections."""

from collections.abc import Iterator

import pytest

from farandole.projections.sql import Database


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = Database(database_url, "shop")
    yield database
    database.close()
