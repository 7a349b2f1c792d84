"""A new version is built beside the old one and put in its place; a rebuild does so with the same one."""

import asyncio
import logging

import pytest
from sqlalchemy import Connection
from tests.projections.custom.shop import (
    OrderPlaced,
    Packing,
    a_log,
    a_projector,
    expected,
    logs_of,
    packing,
    projected,
    rows,
)
from tests.projections.runs.projecting import until

from farandole.projections import Projection, ProjectionOutdated, ProjectionStopped, Recorded, on, table, upsert
from farandole.projections.custom.projector import Pace
from farandole.projections.custom.space import database_of
from farandole.projections.custom.verifying import verify_projection
from farandole.projections.runs import Progress
from farandole.projections.sql import Database, DatabaseMisconfigured


class First(Projection, name="Totals"):
    version = 1
    totals = table("totals", {"customer": str}, orders=int)

    @on
    def placed(self, order: Recorded[OrderPlaced], db: Connection) -> None:
        upsert(db, self.totals, {"customer": order.event.customer}, add={"orders": 1})


class Second(First, name="Totals"):
    """Counts otherwise, in a table that is made in the same way."""

    version = 2

    @on
    def placed(self, order: Recorded[OrderPlaced], db: Connection) -> None:
        upsert(db, self.totals, {"customer": order.event.customer}, add={"orders": len(order.event.items)})


class Breaking(Second, name="Totals"):
    """Cannot take an order."""

    version = 2

    @on
    def placed(self, order: Recorded[OrderPlaced], db: Connection) -> None:
        raise RuntimeError("not yet")


class Third(Projection, name="Totals"):
    """In a table that is made otherwise."""

    version = 3
    totals = table("totals", {"customer": str}, orders=int, most=int)

    @on
    def placed(self, order: Recorded[OrderPlaced], db: Connection) -> None:
        upsert(db, self.totals, {"customer": order.event.customer}, add={"orders": 1}, put={"most": 7})


TOTALS = "SELECT customer, orders FROM totals ORDER BY customer"


async def test_a_new_version_takes_the_place_of_the_old_one(database: Database) -> None:
    await projected(First, database, a_log())
    assert rows(database, TOTALS) == [("ann", 3), ("ben", 3)]
    await projected(Second, database, a_log())
    assert rows(database, TOTALS) == [("ann", 1 + 3 + 1), ("ben", 0 + 2 + 0)]
    await projected(Third, database, a_log())
    assert rows(database, "SELECT * FROM totals ORDER BY customer") == [("ann", 3, 7), ("ben", 3, 7)]
    assert rows(database, "SELECT name, version, state FROM projections") == [("Totals", 3, "live")]


async def test_code_of_an_older_version_writes_nothing(database: Database) -> None:
    await projected(Second, database, a_log())
    with pytest.raises(ProjectionOutdated, match="are of version 2, and this process has version 1"):
        await projected(First, database, a_log())
    assert rows(database, TOTALS) == [("ann", 5), ("ben", 2)]


async def test_what_hangs_on_a_table_stays_if_only_its_rows_are_others(database: Database) -> None:
    await projected(First, database, a_log())
    place = database_of(database)
    with place.writing() as connection:
        connection.exec_driver_sql("CREATE VIEW busy AS SELECT customer FROM totals WHERE orders > 4")
    assert rows(database, "SELECT * FROM busy") == []
    await projected(Second, database, a_log())
    assert rows(database, "SELECT * FROM busy") == [("ann",)]
    if place.dialect == "postgresql":
        with pytest.raises(DatabaseMisconfigured, match="such as a view"):
            await projected(Third, database, a_log())
        assert rows(database, "SELECT * FROM busy") == [("ann",)]
        place.close()


async def test_the_old_version_can_be_read_until_the_new_one_is_there(database: Database) -> None:
    await projected(First, database, a_log())
    seen: list[object] = []

    class Looking(Second, name="Totals"):
        version = 2

        @on
        def placed(self, order: Recorded[OrderPlaced], db: Connection) -> None:
            seen.append(rows(database, TOTALS))
            super().placed(order, db)

    await projected(Looking, database, a_log())
    assert seen == [[("ann", 3), ("ben", 3)]] * 6
    assert rows(database, TOTALS) == [("ann", 5), ("ben", 2)]


async def test_changed_code_without_a_new_version_is_told(database: Database, caplog: pytest.LogCaptureFixture) -> None:
    await projected(First, database, a_log())

    class Changed(First, name="Totals"):
        @on
        def placed(self, order: Recorded[OrderPlaced], db: Connection) -> None:
            upsert(db, self.totals, {"customer": order.event.customer}, add={"orders": 2})

    with caplog.at_level(logging.WARNING):
        await projected(First, database, a_log())
        assert caplog.messages == []
        await projected(Changed, database, a_log())
    assert "say version = 2" in caplog.text
    assert rows(database, "SELECT name FROM projections WHERE changed") == [("Totals",)]


async def test_tables_declared_otherwise_need_a_new_version(database: Database) -> None:
    class Otherwise(Third, name="Totals"):
        version = 1

    await projected(First, database, a_log())
    with pytest.raises(ProjectionOutdated, match="say version = 2"):
        await projected(Otherwise, database, a_log())


async def test_a_rebuild_goes_on_beside_a_projector_at_work(database: Database) -> None:
    log = a_log(at_once=5)
    half = {p: len(log.of(p)) // 2 for p in (0, 1)}
    later = [record for p in (0, 1) for record in log.of(p)[half[p] :]]
    log._records = {p: list(log.of(p)[: half[p]]) for p in (0, 1)}
    projector, other = a_projector(Packing, database, log), a_projector(Packing, database, log)
    task = asyncio.create_task(projector.run())
    ends = {f"orders/{p}": end.next for p, end in (await log.ends((0, 1))).items()}
    try:
        await until(lambda: projector.has_come_to(ends))
        before, place = packing(database), database_of(database)
        with place.writing() as connection:
            connection.exec_driver_sql("UPDATE counts SET packed = 100")
        told: list[Progress] = []
        done = await other.rebuild(told.append)
        assert packing(database) == before
        assert done.done == done.total == sum(ends.values())
        assert [each.done for each in told] == sorted(each.done for each in told)
        assert told[0].left is not None
        log.add(later)
        await until(lambda: task.done() or packing(database) == expected())
        assert not task.done()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await projector.close()
        await other.close()


async def test_a_build_that_was_broken_off_goes_on_where_it_was(database: Database) -> None:
    await projected(First, database, a_log())
    failing = {"now": True}

    class BreaksOff(Second, name="Totals"):
        version = 2
        taken = 0

        @on
        def placed(self, order: Recorded[OrderPlaced], db: Connection) -> None:
            type(self).taken += 1
            if order.event.items == ["book", "pen", "cup"] and failing["now"]:
                raise RuntimeError("not yet")
            super().placed(order, db)

    with pytest.raises(ProjectionStopped, match="not yet"):
        await projected(BreaksOff, database, a_log(at_once=1), Pace(most=1, wait=0.02))
    assert rows(database, TOTALS) == [("ann", 3), ("ben", 3)]
    failing["now"], first = False, BreaksOff.taken
    await projected(BreaksOff, database, a_log())
    assert rows(database, TOTALS) == [("ann", 5), ("ben", 2)]
    assert BreaksOff.taken - first < 6


async def test_rows_that_are_not_as_they_should_be_are_named(database: Database) -> None:
    await projected(Packing, database, a_log())
    logs = logs_of(Packing, {"orders": a_log()})
    good = await verify_projection(Packing, logs, database)
    assert (good.differences, good.rows) == ((), sum(map(len, expected())))
    place = database_of(database)
    with place.writing() as connection:
        connection.exec_driver_sql("UPDATE counts SET packed = 100 WHERE item = 'pen'")
        connection.exec_driver_sql("DELETE FROM lines WHERE run = 'order-1' AND number = 2")
        connection.exec_driver_sql("INSERT INTO counts VALUES ('cap', 1)")
    found = {(each.table, each.key): each for each in (await verify_projection(Packing, logs, database)).differences}
    assert found["counts", ("pen",)].columns["packed"][0] == 100
    assert found["counts", ("cap",)].what == "too much"
    assert found["lines", ("order-1", 2)].what == "missing"
    assert len(found) == 3
