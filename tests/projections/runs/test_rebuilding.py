"""Tables are made anew beside those in use, swapped in one transaction, and verified row for row."""

import asyncio
from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest
from tests.projections.runs.logs import RecordedLog
from tests.projections.runs.model import a_random_log, differences
from tests.projections.runs.projecting import exactly, is_at_the_end, projected, projecting, until
from tests.projections.runs.reading import tables_in

from farandole.projections.runs import Progress, rebuild, verify
from farandole.projections.runs.query import Runs
from farandole.projections.sql import Database, DatabaseMisconfigured
from farandole.testing.postgres import PostgresServer

RECORDS = 250
_numbers = count(1)


async def test_a_rebuild_makes_the_rows_that_follow_from_the_log(database: Database) -> None:
    records = a_random_log(21, RECORDS)
    log = RecordedLog(records)
    await projected(log, database)
    with database.writing() as connection:
        connection.exec_driver_sql("UPDATE runs SET status = 'nonsense'")
        connection.exec_driver_sql("DELETE FROM steps")
    await rebuild(log, database, "t")
    assert differences(tables_in(database), exactly(records)) == []


async def test_tables_can_be_built_where_there_were_none(database: Database) -> None:
    records = a_random_log(22, RECORDS)
    await rebuild(RecordedLog(records), database, "t")
    assert differences(tables_in(database), exactly(records)) == []


async def test_tables_of_an_earlier_release_are_shown_to_nobody_and_made_anew_by_a_rebuild(database: Database) -> None:
    records = a_random_log(21, RECORDS)
    log = RecordedLog(records)
    await projected(log, database)
    with database.writing() as connection:
        # Up to the second form of rows, what sub-steps returned stood with what everybody may read.
        connection.exec_driver_sql("UPDATE about SET rows_version = 2")
    with pytest.raises(DatabaseMisconfigured, match=r"another release, .*farandole rebuild"):
        await projected(log, database)
    async with Runs(database, "t") as runs:
        with pytest.raises(DatabaseMisconfigured, match=r"an earlier release, .*farandole rebuild"):
            await runs.list()
        await rebuild(log, database, "t")
        assert (await runs.list()).found
    await projected(log, database)
    assert differences(tables_in(database), exactly(records)) == []


async def test_a_projector_at_work_goes_on_from_the_tables_that_were_made(database: Database) -> None:
    records = a_random_log(23, RECORDS)
    log = RecordedLog(records[:150])
    async with projecting(log, database) as projector:
        await until(is_at_the_end(projector, log))
        with database.writing() as connection:
            connection.exec_driver_sql("DELETE FROM steps")
        await rebuild(log, database, "t")
        log.add(records[150:])
        await until(is_at_the_end(projector, log))
    assert differences(tables_in(database), exactly(records)) == []


async def test_a_rebuild_tells_how_far_it_is_and_how_long_it_will_take(database: Database) -> None:
    log = RecordedLog(a_random_log(24, RECORDS))
    told: list[Progress] = []
    done = await rebuild(log, database, "t", told=told.append)
    assert told
    assert done.done == done.total == log.of(0)[-1].offset + 1
    assert all(progress.left is not None and progress.left >= 0 for progress in told)
    assert [progress.done for progress in told] == sorted(progress.done for progress in told)


async def test_a_rebuild_that_fails_leaves_the_tables_as_they_were(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    records = a_random_log(25, RECORDS)
    log = RecordedLog(records)
    await projected(log, database)

    def fails(*_: object) -> None:
        raise RuntimeError("here")

    monkeypatch.setattr("farandole.projections.runs.rebuilding._finish", fails)
    with pytest.raises(RuntimeError, match="here"):
        await rebuild(log, database, "t")
    assert differences(tables_in(database), exactly(records)) == []


async def test_what_helps_to_find_rows_is_there_after_a_rebuild(database: Database) -> None:
    log = RecordedLog(a_random_log(26, 50))
    await projected(log, database)
    before = indexes_of(database)
    await rebuild(log, database, "t")
    assert indexes_of(database) == before


def indexes_of(database: Database) -> set[str]:
    query = (
        "SELECT name FROM sqlite_master WHERE type = 'index'"
        if database.dialect == "sqlite"
        else f"SELECT indexname FROM pg_indexes WHERE schemaname = '{database.schema}'"
    )
    with database.reading() as connection:
        return set(connection.exec_driver_sql(query).scalars())


async def test_tables_as_they_should_be_are_found_to_be_so(database: Database) -> None:
    log = RecordedLog(a_random_log(27, RECORDS))
    await projected(log, database)
    found = await verify(log, database, "t")
    assert found.differences == ()
    assert found.rows > RECORDS
    assert found.places[0].position == log.of(0)[-1].offset + 1


async def test_each_row_that_differs_is_named_with_what_it_should_be(database: Database) -> None:
    records = a_random_log(28, RECORDS)
    log = RecordedLog(records)
    await projected(log, database)
    missing, wrong = records[10].offset, records[20].offset
    with database.writing() as connection:
        connection.exec_driver_sql(f"DELETE FROM records WHERE log_offset = {missing}")
        connection.exec_driver_sql(f"UPDATE records SET type = 'wrong' WHERE log_offset = {wrong}")
        connection.exec_driver_sql(
            "INSERT INTO attributes (partition, log_offset, name, run, value, admitted) VALUES (0, 1, 'n', 1, 'v', true)"
        )
    found = {(each.table, each.key): each for each in (await verify(log, database, "t")).differences}
    assert found["records", (0, missing)].what == "missing"
    assert found["records", (0, wrong)].columns["type"][0] == "wrong"
    assert found["attributes", (0, 1, "n")].what == "too much"
    assert len(found) == 3


async def test_tables_are_verified_while_a_projector_goes_on(database: Database) -> None:
    records = a_random_log(29, RECORDS)
    log = RecordedLog(records[:100])
    async with projecting(log, database) as projector:
        await until(is_at_the_end(projector, log))
        verifying = asyncio.create_task(verify(log, database, "t"))
        for at in range(100, RECORDS, 10):
            log.add(records[at : at + 10])
            await until(is_at_the_end(projector, log))
        assert (await verifying).differences == ()
    assert (await verify(log, database, "t")).differences == ()


async def test_where_there_are_no_tables_there_is_nothing_to_verify(database: Database) -> None:
    with pytest.raises(DatabaseMisconfigured, match="start a projector first"):
        await verify(RecordedLog(a_random_log(30, 10)), database, "t")


@pytest.fixture
def at_postgresql(postgres_server: PostgresServer) -> Iterator[Database]:
    database = Database(f"{postgres_server.url}?schema=rebuilt_{next(_numbers)}", "farandole_t")
    yield database
    database.close()


def _asked(database: Database, question: str) -> Any:
    with database.reading() as connection:
        return connection.exec_driver_sql(question).scalar()


@pytest.mark.postgres
async def test_who_may_read_tables_may_read_those_that_take_their_place(at_postgresql: Database) -> None:
    database, schema = at_postgresql, at_postgresql.schema
    log = RecordedLog(a_random_log(27, 50))
    await projected(log, database)
    role = f"reader_{schema}"
    with database.writing() as connection:
        connection.exec_driver_sql(f"CREATE ROLE {role}")
        connection.exec_driver_sql(f"GRANT USAGE ON SCHEMA {schema} TO {role}")
        connection.exec_driver_sql(f"GRANT SELECT ON {schema}.runs TO {role}")
        connection.exec_driver_sql(f"GRANT SELECT (kind, payload) ON {schema}.records TO {role} WITH GRANT OPTION")
    for _ in range(2):
        await rebuild(log, database, "t")
        assert _asked(database, f"SELECT has_schema_privilege('{role}', '{schema}', 'USAGE')")
        assert _asked(database, f"SELECT has_table_privilege('{role}', '{schema}.runs', 'SELECT')")
        assert _asked(database, f"SELECT has_column_privilege('{role}', '{schema}.records', 'payload', 'SELECT')")
        assert not _asked(database, f"SELECT has_column_privilege('{role}', '{schema}.records', 'personal', 'SELECT')")
        assert not _asked(database, f"SELECT has_table_privilege('{role}', '{schema}.steps', 'SELECT')")


@pytest.mark.postgres
async def test_no_view_of_somebody_elses_goes_with_the_tables_that_it_reads(at_postgresql: Database) -> None:
    database, schema = at_postgresql, at_postgresql.schema
    log = RecordedLog(a_random_log(28, 50))
    await projected(log, database)
    with database.writing() as connection:
        connection.exec_driver_sql(f"CREATE VIEW public.of_{schema} AS SELECT run_id FROM {schema}.runs")
    with pytest.raises(DatabaseMisconfigured, match=f"public.of_{schema} would go with the tables"):
        await rebuild(log, database, "t")
    assert _asked(database, f"SELECT count(*) FROM public.of_{schema}") == _asked(database, "SELECT count(*) FROM runs")
    with database.writing() as connection:
        connection.exec_driver_sql(f"DROP VIEW public.of_{schema}")
    await rebuild(log, database, "t")


@pytest.mark.postgres
async def test_a_swap_that_waits_for_a_long_reader_lets_the_others_read(at_postgresql: Database) -> None:
    database = at_postgresql
    log = RecordedLog(a_random_log(29, 50))
    await projected(log, database)
    waits = "SELECT count(*) FROM pg_locks l JOIN pg_class c ON c.oid = l.relation WHERE NOT l.granted AND c.relname = 'positions'"
    with database.reading() as long:
        long.exec_driver_sql("SELECT count(*) FROM positions")
        rebuilding = asyncio.create_task(rebuild(log, database, "t"))
        for _ in range(2):
            await until(lambda: _asked(database, waits) > 0)
            assert await asyncio.to_thread(_asked, database, "SELECT count(*) FROM positions") > 0
        assert not rebuilding.done()
    await rebuilding
