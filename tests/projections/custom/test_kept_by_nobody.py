"""A projection that no process keeps is told apart from one that is behind; and it can be removed."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from tests.projections.custom.shop import Packing, a_log, a_projector, expected, packing, projected, rows
from tests.projections.custom.test_listing import runs as runs
from tests.projections.custom.test_versions import TOTALS, Breaking, First, Second
from tests.projections.custom.test_what_goes_wrong import Poisoned
from tests.projections.runs.projecting import until

from exposition import Exposition
from farandole.projections import ProjectionStopped
from farandole.projections.custom import ProjectionKept, UnknownProjection, keepers
from farandole.projections.custom.dropping import drop_projection
from farandole.projections.custom.projector import ProjectionProjector
from farandole.projections.custom.space import claimed, database_of
from farandole.projections.custom.tables import OURS
from farandole.projections.custom.tables import keepers as keepers_table
from farandole.projections.runs.metrics import ServerMetrics
from farandole.projections.runs.query import ProjectionRow, Runs
from farandole.projections.sql import Database, DatabaseMisconfigured, UnderWay
from farandole.projections.sql.claims import this_process


@asynccontextmanager
async def at_work(database: Database, *, leaves: bool = True) -> AsyncIterator[ProjectionProjector]:
    """A projector that has said that it keeps the tables, and says so no more if it does not leave."""
    projector = a_projector(Packing, database, a_log())
    task = asyncio.create_task(projector.run())
    try:
        await until(lambda: projector._keeps)
        yield projector
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        if not leaves:
            projector._keeps = False
        await projector.close()


async def listed(runs: Runs) -> ProjectionRow:
    (row,) = (await runs.projections()).found
    return row


async def told(runs: Runs) -> Exposition:
    return Exposition((await ServerMetrics(runs, store=a_log()).scrape())[0].decode())


def at(database: Database, seen: int) -> None:
    """It was at another time that somebody said so last."""
    place = database_of(database)
    with place.writing() as connection:
        connection.execute(keepers_table.update().values(seen=keepers.now_of(connection) - seen))


async def test_who_keeps_it_is_told_as_long_as_they_do(runs: Runs, database: Database) -> None:
    async with at_work(database):
        row = await listed(runs)
        assert (row.kept, row.kept_by) == (True, (this_process(),))
        assert (await told(runs))("farandole_custom_projection_kept", projection="Packing") == 1
    row = await listed(runs)
    assert (row.kept, row.kept_by) == (False, ())


async def test_one_that_was_killed_keeps_it_until_it_is_silent_for_long(runs: Runs, database: Database) -> None:
    async with at_work(database, leaves=False):
        pass
    assert (await listed(runs)).kept
    at(database, keepers.SILENT - 30_000)
    assert (await listed(runs)).kept
    at(database, keepers.SILENT + 1_000)
    assert (await listed(runs)).kept is False


async def test_one_that_stands_by_keeps_it_too(runs: Runs, database: Database, monkeypatch: Any) -> None:
    from farandole.projections.custom import projector as projecting

    names = iter(("one", "other"))
    monkeypatch.setattr(projecting, "this_process", lambda: next(names, "other"))
    async with at_work(database, leaves=False), at_work(database):
        assert (await listed(runs)).kept_by == ("one", "other")
    assert (await listed(runs)).kept_by == ("one",)


async def test_nobody_is_late_with_one_that_nobody_keeps(runs: Runs, database: Database) -> None:
    async with at_work(database) as projector:
        ends = {f"orders/{p}": end.next for p, end in (await a_log().ends((0, 1))).items()}
        await until(lambda: projector.has_come_to(ends))
    said = await told(runs)
    assert said("farandole_custom_projection_kept", projection="Packing") == 0
    assert "farandole_custom_projection_lag_records{" not in said.text
    at(database, 0)
    assert (await told(runs))("farandole_custom_projection_lag_records", projection="Packing") == 0


async def test_of_tables_of_former_releases_it_is_not_known(runs: Runs, database: Database) -> None:
    await projected(Packing, database, a_log())
    place = database_of(database)
    with place.writing() as connection:
        connection.exec_driver_sql("DROP TABLE projection_keepers")
    assert (await listed(runs)).kept is None
    said = await told(runs)
    assert "farandole_custom_projection_kept{" not in said.text
    assert said("farandole_custom_projection_lag_records", projection="Packing") == 0


async def test_one_that_stopped_is_kept_while_it_is_tried_again(runs: Runs, database: Database) -> None:
    projector = a_projector(Poisoned, database, a_log())
    with pytest.raises(ProjectionStopped):
        await projector.run()
    assert (await listed(runs)).kept
    await projector.close()
    assert (await listed(runs)).kept is False
    assert rows(database, "SELECT state FROM projections") == [("stopped",)]


async def test_one_that_nobody_keeps_is_removed_with_all_that_is_known_of_it(runs: Runs, database: Database) -> None:
    await projected(First, database, a_log())
    with pytest.raises(ProjectionStopped):
        await projected(Poisoned, database, a_log())
    assert await drop_projection(database, "Packing") == ("counts", "lines")
    (row,) = (await runs.projections()).found
    assert row.name == "Totals"
    said = await told(runs)
    assert "Packing" not in said.text
    assert said("farandole_custom_projection_lag_records", projection="Totals") == 0
    for table in OURS - {"projections"}:
        assert not rows(database, f"SELECT 1 FROM {table} WHERE projection = 'Packing'")
    assert rows(database, "SELECT count(*) FROM totals") == [(2,)]
    # It can be declared again, and begins anew.
    await projected(Packing, database, a_log())
    assert packing(database) == expected()


async def test_a_build_that_was_broken_off_goes_too(database: Database) -> None:
    await projected(First, database, a_log())
    with pytest.raises(ProjectionStopped):
        await projected(Breaking, database, a_log())
    await drop_projection(database, "Totals")
    await projected(Second, database, a_log())
    assert rows(database, TOTALS) == [("ann", 5), ("ben", 2)]


async def test_one_that_somebody_keeps_is_not_removed(runs: Runs, database: Database) -> None:
    async with at_work(database):
        with pytest.raises(ProjectionKept, match=f"Packing is kept by {this_process()}"):
            await drop_projection(database, "Packing")
    assert packing(database)[0]
    await drop_projection(database, "Packing")
    assert (await runs.projections()).found == ()


async def test_one_that_is_made_anew_is_not_removed(database: Database) -> None:
    await projected(Packing, database, a_log())
    place = database_of(database)
    async with claimed(place, "Packing", "rebuild"):
        with pytest.raises(UnderWay, match="a rebuild of Packing is under way"):
            await drop_projection(database, "Packing")


async def test_one_on_which_something_hangs_is_not_removed(database: Database) -> None:
    await projected(First, database, a_log())
    place = database_of(database)
    if place.dialect == "postgresql":
        with place.writing() as connection:
            connection.exec_driver_sql("CREATE VIEW busy AS SELECT customer FROM totals")
        with pytest.raises(DatabaseMisconfigured, match="such as a view"):
            await drop_projection(database, "Totals")
        assert rows(database, TOTALS) == [("ann", 3), ("ben", 3)]


async def test_those_that_are_there_are_named_where_one_is_not(database: Database) -> None:
    with pytest.raises(UnknownProjection, match="has no projection Totals; there is none at all"):
        await drop_projection(database, "Totals")
    await projected(Packing, database, a_log())
    with pytest.raises(UnknownProjection, match="has no projection Totals; there are Packing"):
        await drop_projection(database, "Totals")
