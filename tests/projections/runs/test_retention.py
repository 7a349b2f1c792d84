"""What is long over leaves the tables, with all that belongs to it; the rest stays, and is still what follows from the log."""

import pytest
from tests.projections.runs.logs import RecordedLog
from tests.projections.runs.model import COLUMNS, a_random_log, differences
from tests.projections.runs.projecting import exactly, projected
from tests.projections.runs.reading import tables_in

from farandole.projections.runs import RunTables, cut_for, rebuild, retire, verify
from farandole.projections.runs.migrations import VERSIONS
from farandole.projections.sql import Database

RECORDS = 300


async def retired(database: Database, seed: int) -> tuple[RecordedLog, int]:
    """Tables from which about half was taken out, and the cut."""
    log = RecordedLog(a_random_log(seed, RECORDS))
    await projected(log, database)
    tables = RunTables(database, "t")
    closed = sorted(row[COLUMNS["runs"].index("closed")] or 0 for row in tables_in(database)["runs"].values())
    before = closed[-1]
    assert retire(tables, {0: before}) == sum(0 < at < before for at in closed)
    return log, before


async def test_closed_runs_leave_with_all_that_belongs_to_them(database: Database) -> None:
    log, before = await retired(database, 34)
    found, whole = tables_in(database), exactly(log.of(0))
    closed = COLUMNS["runs"].index("closed")
    gone = {key for key, row in whole["runs"].items() if row[closed] is not None and row[closed] < before}
    assert gone
    for table in ("records", "steps", "timers", "decisions", "children", "failures"):
        run = COLUMNS[table].index("run")
        assert not [key for key, row in found[table].items() if (0, row[run]) in gone]
        kept = {key: row for key, row in whole[table].items() if row[run] is not None and (0, row[run]) not in gone}
        assert kept.items() <= found[table].items()
    assert found["runs"] == {key: row for key, row in whole["runs"].items() if key not in gone}


async def test_tables_that_were_cut_are_verified_as_they_are(database: Database) -> None:
    log, _ = await retired(database, 33)
    assert (await verify(log, database, "t")).differences == ()


async def test_a_rebuild_brings_nothing_back(database: Database) -> None:
    log, _ = await retired(database, 33)
    before = tables_in(database)
    await rebuild(log, database, "t")
    assert differences(tables_in(database), before) == []


async def test_a_cut_is_so_much_before_where_its_partition_is(database: Database) -> None:
    log = RecordedLog(a_random_log(40, RECORDS), partitions=1)
    await projected(log, database)
    tables = RunTables(database, "t")
    now = max(record.time for record in log.of(0))
    assert cut_for(tables, 10) == {0: now - 10}


async def test_a_projector_takes_out_what_is_over_for_long(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("farandole.projections.runs.projector._MINUTE", 1)
    log = RecordedLog(a_random_log(49, RECORDS), partitions=1)
    await projected(log, database, keep=20)
    closed, now = COLUMNS["runs"].index("closed"), max(record.time for record in log.of(0))
    assert all(row[closed] is None or row[closed] >= now - 60 for row in tables_in(database)["runs"].values())
    assert (await verify(log, database, "t")).differences == ()


async def test_a_partition_in_which_nothing_happens_any_more_holds_up_no_other(database: Database) -> None:
    """Of two, one has stood still since its beginning, and the tables of the other are cut all the same."""
    log = RecordedLog(a_random_log(34, RECORDS))
    await projected(log, database)
    tables = RunTables(database, "t")
    now = max(record.time for record in log.of(0))
    cuts = cut_for(tables, 10)
    assert cuts == {0: now - 10, 1: 0}
    assert retire(tables, cuts) > 0
    assert retire(tables, cuts) == 0
    assert cut_for(tables, 10**9) == cuts
    assert (await verify(log, database, "t")).differences == ()
    before = tables_in(database)
    await rebuild(log, database, "t")
    assert differences(tables_in(database), before) == []
    assert cut_for(tables, 10**9) == cuts


async def test_tables_of_a_former_release_keep_what_was_cut(database: Database) -> None:
    log, before = await retired(database, 33)
    with database.writing() as connection:
        connection.exec_driver_sql(f"UPDATE about SET kept_since = {before}")
        connection.exec_driver_sql("ALTER TABLE positions DROP COLUMN kept_since")
        connection.exec_driver_sql("DROP TABLE usage")
        connection.exec_driver_sql("ALTER TABLE runs DROP COLUMN resumed")
        connection.exec_driver_sql(f"UPDATE {VERSIONS} SET version_num = '0004'")
    await rebuild(log, database, "t")
    assert cut_for(RunTables(database, "t"), 10**9) == {0: before, 1: before}
    assert (await verify(log, database, "t")).differences == ()
