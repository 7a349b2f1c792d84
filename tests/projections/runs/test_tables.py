"""The tables: made by migrations from the package, brought up to date by whoever comes, and found to be those meant."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from farandole.projections.custom.space import database_of
from farandole.projections.runs import RunTables
from farandole.projections.runs.migrations import VERSIONS
from farandole.projections.runs.tables import metadata
from farandole.projections.runs.tablespace import schema_of
from farandole.projections.sql import Database, DatabaseMisconfigured, DatabaseUnavailable


def test_migrations_make_the_tables_that_the_code_goes_by(database: Database) -> None:
    RunTables(database, "t").make(2)
    with database.reading() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": VERSIONS, "compare_type": True})
        differences = [each for each in compare_metadata(context, metadata) if "records_words" not in str(each)]
    assert [each for each in differences if "records_by_words" not in str(each)] == []


def test_tables_are_made_once_by_however_many_come(database: Database) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: RunTables(database, "t").make(2), range(8)))
    with database.reading() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM about").scalar() == 1


def test_tables_of_several_choreographies_are_made_at_once(tmp_path: Path) -> None:
    def make(number: int) -> None:
        database = Database(f"sqlite:///{tmp_path / str(number)}.db", "s")
        RunTables(database, "t").make(2)
        database.close()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(make, range(8)))


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        ("choreography = 'other'", "are those of choreography 'other'"),
        ("partitions = 9", "a log of 9 partitions"),
        ("rows_version = 99", "made by another release"),
        ("rows_version = 2", "made by another release, .*farandole rebuild"),
    ],
)
def test_tables_of_something_else_are_refused_with_the_cure(database: Database, spoil: str, says: str) -> None:
    tables = RunTables(database, "t")
    tables.make(2)
    with database.writing() as connection:
        connection.exec_driver_sql(f"UPDATE about SET {spoil}")
    with pytest.raises(DatabaseMisconfigured, match=says):
        tables.make(2)


def test_another_log_of_the_same_name_is_refused(database: Database) -> None:
    tables = RunTables(database, "t")
    tables.make(2)
    tables.name("one")
    tables.name("one")
    with pytest.raises(DatabaseMisconfigured, match="another log of the same name"):
        tables.name("two")


@pytest.mark.parametrize("url", ["", "nonsense", "mysql://u@h/d", "sqlite://", "postgresql://h/d?schema=a;b"])
def test_a_url_that_names_no_place_for_tables_is_refused(url: str) -> None:
    with pytest.raises(DatabaseMisconfigured):
        Database(url, "s")


def test_a_database_that_cannot_be_reached_is_unavailable_and_its_password_is_not_told() -> None:
    database = Database("postgresql://ann:hush@127.0.0.1:1/x?connect_timeout=2", "s")
    with pytest.raises(DatabaseUnavailable) as told, database.reading():
        pass
    assert "hush" not in str(told.value)
    assert "hush" not in database.url


def test_each_choreography_has_a_schema_of_its_own() -> None:
    assert schema_of("orders") == "farandole_orders"
    assert schema_of("shop.orders-eu") == "farandole_shop_orders_eu"
    assert len(schema_of("x" * 100)) + len("_rebuild") <= 63


@pytest.mark.parametrize("name", ["orders", "a-b", "x" * 38, "x" * 39, "x" * 100, "ü" * 60])
def test_the_places_of_a_choreography_have_names_that_postgresql_takes_and_no_other_has(name: str) -> None:
    runs = Database("postgresql://h/d", schema_of(name))
    longest = database_of(runs).beside("n123456").schema
    assert longest.startswith(runs.schema)
    assert len(longest.encode()) <= 63
    assert schema_of(f"{name}y") != schema_of(f"{name}z")
