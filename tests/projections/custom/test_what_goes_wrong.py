"""A handler that raises, an event that cannot be read: only that projection stops, or goes on without it, and says so."""

import asyncio
from collections.abc import Iterable

import pytest
from sqlalchemy import Connection, text
from tests.projections.custom.shop import (
    ItemPacked,
    OrderPlaced,
    OrderShipped,
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

from farandole.cli import declared as keeping
from farandole.projections import Projection, ProjectionStopped, Recorded, on, table
from farandole.projections.custom import MemoryProjector
from farandole.projections.custom.space import ProjectionTables
from farandole.projections.sql import Database, DatabaseUnavailable
from farandole.schemas import Event


class Poisoned(Packing, name="Packing"):
    @on
    def packed(self, items: Iterable[Recorded[ItemPacked]], db: Connection) -> None:
        items = list(items)
        super().packed(items, db)
        if any(each.run_id == "order-3" and each.event.item == "pen" for each in items):
            raise RuntimeError("no pens")


class Skipping(Poisoned, name="Packing"):
    on_error = "skip"


async def test_it_stops_before_the_event_and_names_it(database: Database) -> None:
    with pytest.raises(ProjectionStopped) as told:
        await projected(Poisoned, database, a_log())
    said = str(told.value)
    assert "orders.ItemPacked of run 'order-3'" in said
    assert "Poisoned.packed failed with RuntimeError: no pens" in said
    assert 'on_error = "skip"' in said
    ((state, error),) = rows(database, "SELECT state, error FROM projections")
    assert (state, error) == ("stopped", said)
    assert ("order-3", 1, "placed ann") in packing(database)[0]
    assert not [row for row in packing(database)[0] if row[0] == "order-3" and row[1] > 1]


async def test_it_goes_on_from_there_once_the_code_is_mended(database: Database) -> None:
    with pytest.raises(ProjectionStopped):
        await projected(Poisoned, database, a_log())
    await projected(Packing, database, a_log())
    assert packing(database) == expected()
    assert rows(database, "SELECT state, error FROM projections") == [("live", "")]


async def test_it_may_go_on_without_the_event_which_is_kept_for_people(database: Database) -> None:
    await projected(Skipping, database, a_log())
    lines, counts = expected()
    assert [row[2] for row in packing(database)[0] if row[0] == "order-3"] == [
        "placed ann", "packed book", "packed cup", "shipped 3",
    ]  # fmt: skip
    assert packing(database)[1] == [(item, n - (item == "pen")) for item, n in counts]
    assert len(packing(database)[0]) == len(lines) - 1
    (row,) = rows(database, "SELECT projection, choreography, run_id, type, handler, error FROM projection_errors")
    assert row == ("Packing", "orders", "order-3", "orders.ItemPacked", "packed", "RuntimeError: no pens")


async def test_other_projections_go_on(database: Database) -> None:
    class Boxes(Projection):
        boxes = table("boxes", {"run": str}, boxes=int)

        @on
        def shipped(self, order: Recorded[OrderShipped], db: Connection) -> None:
            db.execute(self.boxes.insert(), {"run": order.run_id, "boxes": order.event.boxes})

    stopped, other = a_projector(Poisoned, database, a_log()), a_projector(Boxes, database, a_log())
    ends = {f"orders/{p}": end.next for p, end in (await a_log().ends((0, 1))).items()}
    tasks = [asyncio.create_task(stopped.run()), asyncio.create_task(other.run())]
    try:
        await until(lambda: tasks[0].done() and other.has_come_to(ends))
        assert isinstance(tasks[0].exception(), ProjectionStopped)
        assert len(rows(database, "SELECT * FROM boxes")) == 6
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await stopped.close()
        await other.close()


async def test_sql_that_cannot_be_is_the_handlers_fault_and_not_the_databases(database: Database) -> None:
    class Wrong(Packing, name="Wrong"):
        lines = table("wrong_lines", {"run": str, "number": int}, what=str)
        counts = table("wrong_counts", {"item": str}, packed=int)

        @on
        def shipped(self, order: Recorded[OrderShipped], db: Connection) -> None:
            db.execute(text("INSERT INTO nowhere VALUES (1)"))

    with pytest.raises(ProjectionStopped, match=r"Wrong\.shipped failed with"):
        await projected(Wrong, database, a_log())


async def test_an_event_that_cannot_be_read_stops_it_too(database: Database) -> None:
    log = a_log()
    log.catalogue.all.clear()  # and so are the schemas of what was written with others

    class Later(Event, name="OrderPlaced"):
        somebody: str

    class Reading(Projection):
        seen = table("seen", {"run": str})

        @on
        def placed(self, order: Recorded[Later], db: Connection) -> None: ...

    with pytest.raises(ProjectionStopped, match=r"orders\.OrderPlaced of run 'order-.*UndecodableValue: .*catalogue"):
        await projected(Reading, database, log)


async def test_events_of_other_types_are_not_looked_at(database: Database) -> None:
    class Placed(Projection):
        placed_ones = table("placed_ones", {"run": str})

        @on
        def placed(self, order: Recorded[OrderPlaced], db: Connection) -> None:
            db.execute(self.placed_ones.insert(), {"run": order.run_id})

    log = a_log()
    (only,) = logs_of(Placed, {"orders": log})
    assert [event.__name__ for event in only.types] == ["OrderPlaced"]
    await projected(Placed, database, log)
    assert len(rows(database, "SELECT * FROM placed_ones")) == 6


async def test_an_object_in_memory_stops_or_goes_on(database: Database) -> None:
    class Fussy(Projection):
        def __init__(self) -> None:
            self.seen: list[str] = []

        @on
        def placed(self, order: Recorded[OrderPlaced]) -> None:
            if order.run_id == "order-3":
                raise RuntimeError("not that one")
            self.seen.append(order.run_id)

    class Easy(Fussy):
        on_error = "skip"

    ends = {f"orders/{p}": end.next for p, end in (await a_log().ends((0, 1))).items()}
    with pytest.raises(ProjectionStopped, match="run 'order-3'"):
        await MemoryProjector(Fussy(), logs_of(Fussy, {"orders": a_log()}), wait=0.01).run(ends)
    easy = Easy()
    projector = MemoryProjector(easy, logs_of(Easy, {"orders": a_log()}), wait=0.01)
    await projector.run(ends)
    assert sorted(easy.seen) == [f"order-{n}" for n in (0, 1, 2, 4, 5)]
    assert len(projector.passed_over) == 1


async def test_what_stops_is_tried_again_is_said_once_and_is_trouble_until_the_tables_are_there(
    database: Database, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "_AGAIN", 0.01)
    monkeypatch.setattr(keeping, "_SLOWEST", 0.02)
    tried = 0
    mended = False

    class Mended(Packing, name="Packing"):
        @on
        def packed(self, items: Iterable[Recorded[ItemPacked]], db: Connection) -> None:
            nonlocal tried
            items = list(items)
            if not mended and any(each.run_id == "order-3" for each in items):
                tried += 1
                raise RuntimeError("no pens")
            super().packed(items, db)

    projector = a_projector(Mended, database, a_log())
    async with keeping.at_work([projector]) as trouble:
        await until(lambda: tried > 6)
        for _ in range(20):
            assert "projection Packing goes no further" in (trouble() or "")
            await asyncio.sleep(0.01)
        mended = True
        await until(lambda: trouble() is None)
        assert packing(database) == expected()
    await projector.close()
    said = [each.getMessage() for each in caplog.records if "goes no further" in each.getMessage()]
    assert len(said) == 1


async def test_a_database_that_is_away_is_trouble_until_it_has_answered(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    projector = a_projector(Packing, database, a_log())
    with monkeypatch.context() as broken:

        def away(*_: object) -> None:
            raise DatabaseUnavailable("it is away")

        broken.setattr(ProjectionTables, "begin", away)
        async with keeping.at_work([projector]) as trouble:
            await until(lambda: trouble() == "projection Packing: it is away")
            broken.undo()
            await until(lambda: trouble() is None)
            await until(lambda: packing(database) == expected())
    await projector.close()
