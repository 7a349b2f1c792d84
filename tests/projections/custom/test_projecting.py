"""Rows of a projection: exact, in order, whoever writes them and however they come."""

import asyncio
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.projections.custom.shop import (
    QUICK,
    Customers,
    Live,
    Packing,
    a_log,
    a_projector,
    expected,
    logs_of,
    orders,
    packing,
    payments,
    projected,
    rows,
)
from tests.projections.runs.projecting import until

from farandole.projections import BeginningMissing
from farandole.projections.custom import MemoryProjector
from farandole.projections.custom.projector import Pace, ProjectionProjector
from farandole.projections.sql import Database, DatabaseMisconfigured


async def test_events_come_in_the_order_in_which_they_were_admitted(database: Database) -> None:
    await projected(Packing, database, a_log())
    assert packing(database) == expected()


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    at_once=st.integers(1, 40), most=st.integers(1, 30), records=st.integers(1, 30), cuts=st.lists(st.integers(0, 60))
)
def test_however_records_are_cut_the_rows_are_the_same(
    tmp_path: Path, at_once: int, most: int, records: int, cuts: list[int]
) -> None:
    file = tmp_path / f"{at_once}-{most}-{records}-{'-'.join(map(str, cuts))[:80]}.db"

    async def project() -> None:
        database = Database(f"sqlite:///{file}", "")
        pace = Pace(most=most, records=records, wait=0.01)
        for cut in sorted(cuts):
            log = a_log(at_once=at_once)
            for partition in (0, 1):
                log._records[partition] = log._records[partition][:cut]
            await projected(Packing, database, log, pace)
        await projected(Packing, database, a_log(at_once=at_once), pace)
        assert packing(database) == expected()
        database.close()
        file.unlink()

    asyncio.run(project())


async def test_a_projector_follows_and_is_told_when_it_is_up_to_date(database: Database) -> None:
    log = a_log()
    half = {p: len(log.of(p)) // 2 for p in (0, 1)}
    later = [record for p in (0, 1) for record in log.of(p)[half[p] :]]
    log._records = {p: list(log.of(p)[: half[p]]) for p in (0, 1)}
    projector = a_projector(Packing, database, log)
    task = asyncio.create_task(projector.run())
    try:
        ends = {f"orders/{p}": end.next for p, end in (await log.ends((0, 1))).items()}
        await until(lambda: projector.has_come_to(ends))
        assert packing(database) != expected()
        log.add(later)
        ends = {f"orders/{p}": end.next for p, end in (await log.ends((0, 1))).items()}
        await until(lambda: projector.has_come_to(ends))
        assert packing(database) == expected()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await projector.close()


async def test_two_at_once_write_each_event_once(database: Database) -> None:
    log = a_log(at_once=3)
    projectors = [a_projector(Packing, database, log, Pace(most=2, records=5, wait=0.02, patience=0.2)) for _ in "ab"]
    tasks = [asyncio.create_task(projector.run()) for projector in projectors]
    try:
        await until(lambda: any(task.done() for task in tasks) or _is_there(database))
        assert not any(task.done() for task in tasks)
        assert packing(database) == expected()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for projector in projectors:
            await projector.close()


def _is_there(database: Database) -> bool:
    try:
        return packing(database) == expected()
    except Exception:
        return False


async def test_a_projection_joins_two_choreographies_each_with_its_own_places(database: Database) -> None:
    stores = {"orders": a_log("orders", at_once=3), "payments": a_log("payments", at_once=2)}
    logs = logs_of(Customers, stores, (orders, payments))
    assert [[event.__name__ for event in log.types] for log in logs] == [["OrderPlaced"], ["PaymentTaken"]]
    projector = ProjectionProjector(Customers, logs, database, pace=QUICK)
    await projector.catch_up()
    await projector.close()
    found = rows(database, "SELECT customer, orders, cents FROM customers ORDER BY customer")
    assert found == [("ann", 3, 1 + 3 + 5), ("ben", 3, 0 + 2 + 4)]
    places = rows(database, "SELECT choreography, partition FROM projection_positions ORDER BY part")
    assert places == [("orders", 0), ("orders", 1), ("payments", 0), ("payments", 1)]


async def test_a_projection_in_memory_needs_no_database() -> None:
    live = Live()
    await MemoryProjector(live, logs_of(Live, {"orders": a_log()}), wait=0.01).run(
        {f"orders/{p}": end.next for p, end in (await a_log().ends((0, 1))).items()}
    )
    assert live.open == set()
    assert sorted(live.packed.items()) == expected()[1]


async def test_where_the_beginning_left_the_log_it_is_refused_or_read_from_the_archive(database: Database) -> None:
    log, whole = a_log(), a_log()
    cut = log.of(0)[len(log.of(0)) // 2].offset
    log.checkpoint(0, cut)
    log.cut(0, cut)
    with pytest.raises(BeginningMissing, match=f"begins at offset {cut}, .*--archive"):
        await projected(Packing, database, log)
    await projected(Packing, database, log, archive=lambda name, p: [r for r in whole.of(p) if r.offset < cut])
    assert packing(database) == expected()


async def test_an_archive_that_lacks_something_is_refused(database: Database) -> None:
    log, whole = a_log(), a_log()
    cut = log.of(0)[-3].offset
    log.checkpoint(0, cut)
    log.cut(0, cut)
    with pytest.raises(BeginningMissing, match="does not have all"):
        await projected(Packing, database, log, archive=lambda name, p: [r for r in whole.of(p) if r.offset < cut - 1])


async def test_it_begins_with_the_newest_checkpoint_at_or_below_its_rows(database: Database) -> None:
    log = a_log()
    await projected(Packing, database, log)
    end = log.of(0)[-1].offset + 1
    log.checkpoint(0, end)
    log.cut(0, end)
    log.followed.clear()
    await projected(Packing, database, log)
    assert packing(database) == expected()
    assert min(at[0] for at in log.followed if 0 in at) >= end if any(0 in at for at in log.followed) else True


async def test_rows_of_another_log_are_refused(database: Database) -> None:
    await projected(Packing, database, a_log())
    with pytest.raises(DatabaseMisconfigured, match="do not follow from this log"):
        await projected(Packing, database, a_log(runs=5))


async def test_a_table_that_is_only_named_is_made_by_others(database: Database) -> None:
    class Kept(Packing, name="Kept"):
        tables = ["mine"]  # noqa: RUF012

    with pytest.raises(DatabaseMisconfigured, match=r"CREATE TABLE .*mine \(\.\.\.\)"):
        await projected(Kept, database, a_log())
