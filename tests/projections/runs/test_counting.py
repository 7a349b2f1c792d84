"""How many runs there are of each status is what counting them says, whatever is done to the tables."""

import pytest
from sqlalchemy import func, select
from tests.projections.runs.logs import RecordedLog
from tests.projections.runs.model import a_random_log
from tests.projections.runs.projecting import QUICK, projected

from farandole.projections.fold.status import Status
from farandole.projections.runs import Pace, RunTables, rebuild, retire, verify
from farandole.projections.runs.query import Runs, Where
from farandole.projections.runs.standings import STATUSES
from farandole.projections.runs.tables import runs
from farandole.projections.sql import Database

RECORDS = 300


async def assert_counted(database: Database) -> dict[str, int]:
    """What the tables say is what there is."""
    with database.reading() as connection:
        query = select(runs.c.status, func.count()).group_by(runs.c.status)
        counted = {status: number for status, number in connection.execute(query)}  # noqa: C416
    said = (await Runs(database, "t").counts()).found
    assert said == counted == (await Runs(database, "t").counts(Where(started_from=0))).found
    assert counted
    return counted


@pytest.mark.parametrize("pace", [QUICK, Pace(most=1)], ids=["batches", "record by record"])
async def test_while_runs_come_move_and_leave(database: Database, pace: Pace) -> None:
    log = RecordedLog(a_random_log(34, RECORDS))
    await projected(log, database, pace=pace)
    before = await assert_counted(database)
    assert len(before) > 2
    assert retire(RunTables(database, "t"), {0: max(record.time for record in log.of(0))}) > 0
    assert await assert_counted(database) != before
    assert (await verify(log, database, "t")).differences == ()


async def test_after_a_rebuild_and_in_what_comes_after_it(database: Database) -> None:
    records = a_random_log(34, RECORDS)
    log = RecordedLog(records[:200])
    await projected(log, database)
    await rebuild(log, database, "t")
    between = await assert_counted(database)
    log.add(records[200:])
    await projected(log, database)
    assert await assert_counted(database) != between


async def test_a_count_that_somebody_changed_is_found_out(database: Database) -> None:
    log = RecordedLog(a_random_log(34, RECORDS))
    await projected(log, database)
    with database.writing() as connection:
        connection.exec_driver_sql("UPDATE standings SET runs = runs + 1 WHERE status = 'idle'")
    found = (await verify(log, database, "t")).differences
    assert [(each.table, each.key, each.what) for each in found] == [("standings", ("idle",), "differs")]
    await rebuild(log, database, "t")
    await assert_counted(database)


def test_every_status_of_a_run_is_counted() -> None:
    assert {*STATUSES, "absent"} == set(Status.__args__)  # type: ignore[attr-defined]
