"""A log whose beginning was archived: what the tables have, and that what has left the one is not missed in the other."""

import pytest
from tests.flow.random_log import PARTITIONS
from tests.projections.runs.logs import RecordedLog
from tests.projections.runs.model import COLUMNS, a_random_log
from tests.projections.runs.projecting import projected
from tests.projections.runs.reading import tables_in

from farandole.eventstore import Stored
from farandole.projections.fold import Fold
from farandole.projections.runs import RunTables, rebuild, retire, verify
from farandole.projections.sql import Database

RECORDS = 300
SEEDS = (33, 34, 35, 46, 50)


def archived(records: list[Stored]) -> RecordedLog:
    """A log that was cut as an archive cuts: below the start of every open run, where some of those before were open."""
    log, last = RecordedLog(records), Fold(0, PARTITIONS)
    for record in records:
        last.apply(record)
    oldest = min((run.offset for run in last.runs.values()), default=records[-1].offset + 1)
    below = [record.offset for record in records if record.offset <= oldest]
    # Where a checkpoint stands: after a record, though nothing may be at the offset that comes next.
    at = below[len(below) * 2 // 3 - 1] + 1
    log.checkpoint(0, at)
    log.cut(0, at)
    return log


@pytest.mark.parametrize("seed", SEEDS)
async def test_tables_that_have_more_than_the_log_are_verified_as_far_as_it_goes(database: Database, seed: int) -> None:
    records = a_random_log(seed, RECORDS)
    await projected(RecordedLog(records), database)
    log = archived(records)
    found = await verify(log, database, "t")
    assert found.differences == ()
    assert found.rows > 10
    with database.writing() as connection:
        offset = records[-1].offset
        connection.exec_driver_sql(f"UPDATE records SET sent = sent + 1 WHERE log_offset = {offset}")
    (difference,) = (await verify(log, database, "t")).differences
    assert (difference.table, difference.key) == ("records", (0, offset))


@pytest.mark.parametrize("seed", SEEDS)
async def test_what_governs_the_partition_is_known_though_its_records_have_left(database: Database, seed: int) -> None:
    records = a_random_log(seed, RECORDS)
    log, fold = archived(records), Fold(0, PARTITIONS)
    for record in records:
        fold.apply(record)
    await rebuild(log, database, "t")
    tables = tables_in(database)
    in_force = {
        (row[1], row[COLUMNS["reactors"].index("contract")])
        for row in tables["reactors"].values()
        if row[COLUMNS["reactors"].index("state")] != "renamed"
    }
    assert in_force == {(contract.reactor.decode(), contract.id) for contract in fold.contracts}
    policies = {row[1]: (row[3], row[2]) for row in tables["policies"].values()}
    assert policies == {name.decode(): stopped for name, stopped in fold.stopped.items()}
    schedules = {row[1]: row[2] for row in tables["schedules"].values()}
    assert schedules == {name.decode(): each.last for name, each in fold.schedules.items()}
    assert (await verify(log, database, "t")).differences == ()


@pytest.mark.parametrize("seed", SEEDS)
async def test_closed_runs_leave_tables_of_an_archived_log_too(database: Database, seed: int) -> None:
    records = a_random_log(seed, RECORDS)
    await projected(RecordedLog(records), database)
    log, tables = archived(records), RunTables(database, "t")
    closed = sorted(row[COLUMNS["runs"].index("closed")] or 0 for row in tables_in(database)["runs"].values())
    for before in (closed[len(closed) // 2], closed[-1] + 1):
        retire(tables, {0: before})
        assert (await verify(log, database, "t")).differences == ()
    await rebuild(log, database, "t")
    assert (await verify(log, database, "t")).differences == ()
    assert not [row for row in tables_in(database)["runs"].values() if row[COLUMNS["runs"].index("closed")] is not None]
