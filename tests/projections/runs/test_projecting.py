"""The projector keeps the tables exact: whatever batches come, whoever dies, whoever else writes."""

import asyncio
from random import Random
from typing import Any

import pytest
from tests.projections.runs.logs import RecordedLog, _Reader
from tests.projections.runs.model import a_random_log, differences
from tests.projections.runs.projecting import a_projector, exactly, is_at_the_end, projecting, until
from tests.projections.runs.reading import tables_in

from farandole.eventstore import PositionLost
from farandole.projections.runs import Pace, RunTables
from farandole.projections.sql import Database, DatabaseMisconfigured, DatabaseUnavailable, Exact

RECORDS = 300


@pytest.mark.parametrize("seed", [1, 2, 3, 7])
async def test_what_is_in_the_database_is_what_follows_from_the_log(database: Database, seed: int) -> None:
    records = a_random_log(seed, RECORDS)
    log = RecordedLog(records)
    async with a_projector(log, database) as projector:
        await projector.catch_up()
    assert differences(tables_in(database), exactly(records)) == []


@pytest.mark.parametrize("seed", [4, 5])
async def test_a_projector_goes_on_where_the_last_one_was_stopped(database: Database, seed: int) -> None:
    records = a_random_log(seed, RECORDS)
    log, random, at = RecordedLog(), Random(seed), 0
    while at < len(records):
        more = random.randrange(1, 60)
        log.add(records[at : at + more])
        at += more
        if random.random() < 0.4:
            log.checkpoint(0, log.of(0)[-1].offset + 1)
        async with a_projector(log, database) as projector:
            await projector.catch_up()
    assert differences(tables_in(database), exactly(records)) == []


async def test_a_start_reads_only_what_comes_after_the_newest_checkpoint_that_serves(database: Database) -> None:
    records = a_random_log(4, RECORDS)
    log = RecordedLog(records[:200])
    async with a_projector(log, database) as projector:
        await projector.catch_up()
    log.add(records[200:])
    for at in (100, 180, 250):  # the last one is beyond the tables, and serves nobody here
        log.checkpoint(0, records[at].offset)
    log.followed.clear()
    async with a_projector(log, database) as projector:
        await projector.catch_up()
    assert min(positions[0] for positions in log.followed if 0 in positions) == records[179].offset + 1
    assert differences(tables_in(database), exactly(records)) == []


@pytest.mark.parametrize("seed", [6, 8])
async def test_a_projector_that_is_cancelled_anywhere_loses_and_repeats_nothing(database: Database, seed: int) -> None:
    records = a_random_log(seed, RECORDS)
    log, random = RecordedLog(records, at_once=7), Random(seed)
    log.checkpoint(0, records[100].offset)
    for _ in range(12):
        async with a_projector(log, database, Pace(most=10, wait=0.02)) as projector:
            task = asyncio.create_task(projector.run())
            for _ in range(random.randrange(300)):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
    async with a_projector(log, database) as projector:
        await projector.catch_up()
    assert differences(tables_in(database), exactly(records)) == []


@pytest.mark.parametrize("after", [False, True], ids=["not committed", "committed, and not told"])
async def test_a_write_of_unknown_fate_is_written_once(
    database: Database, monkeypatch: pytest.MonkeyPatch, after: bool
) -> None:
    records, random, wrote = a_random_log(9, RECORDS), Random(9), Exact.write

    def breaks(exact: Exact, *args: Any) -> None:
        broken = random.random() < 0.4
        if not broken or after:
            wrote(exact, *args)
        if broken:
            raise DatabaseUnavailable("the connection is gone")

    monkeypatch.setattr(Exact, "write", breaks)
    monkeypatch.setattr("farandole.projections.runs.projector._RETRY", 0.01)
    log = RecordedLog(records)
    async with a_projector(log, database) as projector:
        await projector.catch_up()
    assert differences(tables_in(database), exactly(records)) == []


async def test_two_projectors_write_what_one_would(database: Database) -> None:
    records = a_random_log(10, RECORDS)
    log = RecordedLog(records[:20], at_once=5)
    async with projecting(log, database) as one, projecting(log, database) as other:
        for at in range(20, RECORDS, 10):
            log.add(records[at : at + 10])
            await until(lambda: is_at_the_end(one, log)() or is_at_the_end(other, log)())
    assert differences(tables_in(database), exactly(records)) == []


async def test_a_second_projector_takes_over_from_one_that_is_gone(database: Database) -> None:
    records = a_random_log(11, RECORDS)
    log = RecordedLog(records[:100])
    async with projecting(log, database) as second:
        async with projecting(log, database) as first:
            await until(lambda: is_at_the_end(first, log)() or is_at_the_end(second, log)())
        log.add(records[100:])
        await until(is_at_the_end(second, log))
    assert differences(tables_in(database), exactly(records)) == []


async def test_one_that_stands_by_outlives_a_database_that_is_away(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("farandole.projections.runs.projector._RETRY", 0.01)
    records = a_random_log(18, RECORDS)
    log = RecordedLog(records[:100], at_once=10)
    places, asked = RunTables.places, 0

    def away(tables: RunTables) -> Any:
        nonlocal asked
        asked += 1
        if asked % 3 == 0:
            raise DatabaseUnavailable("the connection is gone")
        return places(tables)

    monkeypatch.setattr(RunTables, "places", away)
    async with projecting(log, database) as second:
        async with projecting(log, database) as first:
            await until(lambda: is_at_the_end(first, log)() or is_at_the_end(second, log)())
        log.add(records[100:])
        await until(is_at_the_end(second, log))
    assert differences(tables_in(database), exactly(records)) == []


async def test_tables_that_are_set_back_are_brought_up_again(database: Database) -> None:
    records = a_random_log(12, RECORDS)
    log = RecordedLog(records[:200])
    async with projecting(log, database) as projector:
        await until(is_at_the_end(projector, log))
        with database.writing() as connection:
            for table in (*tables_in(database), *(["records_words"] if database.dialect == "sqlite" else [])):
                connection.exec_driver_sql(f"DELETE FROM {table}")
            connection.exec_driver_sql("UPDATE positions SET position = 0, digest = '', log_time = 0")
        log.add(records[200:])
        await until(is_at_the_end(projector, log))
    assert differences(tables_in(database), exactly(records)) == []


async def test_a_log_that_is_away_is_waited_for(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("farandole.projections.runs.projector._RETRY", 0.01)
    records = a_random_log(13, RECORDS)
    log = RecordedLog(records[:50])
    async with projecting(log, database) as projector:
        await until(is_at_the_end(projector, log))
        log.away, tries = True, log.tries
        log.add(records[50:])
        await until(lambda: log.tries > tries + 2)
        log.away = False
        await until(is_at_the_end(projector, log))
    assert differences(tables_in(database), exactly(records)) == []


@pytest.mark.parametrize("seed", [19])
async def test_a_start_anew_takes_nothing_of_what_was_not_written_yet(
    database: Database, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """The log is lost between a batch that was folded and its being written: it is folded again, and counted once."""
    monkeypatch.setattr("farandole.projections.runs.projector._RETRY", 0.01)
    records, random = a_random_log(seed, RECORDS), Random(seed)
    log = RecordedLog(records, at_once=11)
    reads = _Reader.read

    async def breaks(reader: _Reader, **more: Any) -> Any:
        if random.random() < 0.1:
            raise PositionLost("the broker has another log for a moment")
        return await reads(reader, **more)

    monkeypatch.setattr(_Reader, "read", breaks)
    async with projecting(log, database) as projector:
        await until(is_at_the_end(projector, log))
    assert differences(tables_in(database), exactly(records)) == []


async def test_tables_of_another_log_are_not_written_to(database: Database) -> None:
    records = a_random_log(14, 100)
    async with a_projector(RecordedLog(records), database) as projector:
        await projector.catch_up()
    before = tables_in(database)
    async with a_projector(RecordedLog(a_random_log(15, 200)), database) as projector:
        with pytest.raises(DatabaseMisconfigured, match="do not follow from this log"):
            await projector.catch_up()
    assert tables_in(database) == before


async def test_tables_begin_where_an_archived_log_does(database: Database) -> None:
    records = a_random_log(16, RECORDS)
    log = RecordedLog(records)
    begins = records[150].offset
    log.checkpoint(0, begins)
    log.cut(0, records[149].offset + 1)
    async with a_projector(log, database) as projector:
        await projector.catch_up()
    found = tables_in(database)
    assert {key[1] for key in found["records"]} == {r.offset for r in records[150:]}
    assert all(key[1] >= records[149].offset + 1 for key in found["runs"])


async def test_tables_that_an_archive_has_overtaken_are_refused(database: Database) -> None:
    records = a_random_log(17, RECORDS)
    log = RecordedLog(records[:100])
    async with a_projector(log, database) as projector:
        await projector.catch_up()
    log.add(records[100:])
    log.checkpoint(0, records[200].offset)
    log.cut(0, records[200].offset)
    async with a_projector(log, database) as projector:
        with pytest.raises(DatabaseMisconfigured, match="farandole rebuild"):
            await projector.catch_up()
