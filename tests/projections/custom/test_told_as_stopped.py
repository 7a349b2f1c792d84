"""What stopped is told as stopped for as long as it stands there, in the tables, which alerts go by, and in the process."""

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any

import pytest
from sqlalchemy import Connection
from tests.projections.custom.shop import (
    QUICK,
    ItemPacked,
    Packing,
    a_log,
    a_projector,
    expected,
    packing,
    projected,
    rows,
)
from tests.projections.custom.test_versions import TOTALS, Breaking, First, Second
from tests.projections.custom.test_what_goes_wrong import Poisoned
from tests.projections.runs.projecting import until

from farandole.cli import declared as keeping
from farandole.eventstore import Ends
from farandole.projections import ProjectionStopped, Recorded, on
from farandole.projections.custom import projector as projecting
from farandole.projections.custom.space import ProjectionTables, database_of
from farandole.projections.custom.swapping import swap
from farandole.projections.sql import Database, DatabaseMisconfigured

STATE = "SELECT state, error FROM projections"


def state(database: Database) -> str:
    ((found, _),) = rows(database, STATE)
    return str(found)


async def test_it_is_told_as_stopped_while_it_is_tried_again(database: Database) -> None:
    seen: list[str] = []

    class Looking(Poisoned, name="Packing"):
        @on
        def packed(self, items: Iterable[Recorded[ItemPacked]], db: Connection) -> None:
            seen.append(state(database))
            super().packed(items, db)

    for _ in range(3):
        with pytest.raises(ProjectionStopped):
            await projected(Looking, database, a_log())
        assert state(database) == "stopped"
        seen.append("again")
    tries = "".join(each[0] for each in seen).strip("a").split("a")
    assert len(tries) == 3
    assert all(set(each) == {"s"} for each in tries[1:])


async def test_rows_of_another_partition_do_not_end_it(database: Database) -> None:
    log = a_log()
    ends = await log.ends((0, 1))
    # The partition in which it does not stop has come to no more than half at first.
    (stands,) = {p for p in ends if any(record.key == b"order-3" for record in log.of(p))}
    other = 1 - stands
    later = log.of(other)[len(log.of(other)) // 2 :]
    log._records[other] = list(log.of(other)[: -len(later)])
    with pytest.raises(ProjectionStopped):
        await projected(Poisoned, database, log)
    before = packing(database)
    log.add(later)
    with pytest.raises(ProjectionStopped):
        await projected(Poisoned, database, log, QUICK)
    assert state(database) == "stopped"
    await projected(Packing, database, log)
    assert packing(database) == expected() != before
    assert rows(database, STATE) == [("live", "")]
    assert rows(database, "SELECT * FROM projection_stops") == []


async def test_what_a_former_release_stopped_goes_on_with_the_first_rows(database: Database) -> None:
    with pytest.raises(ProjectionStopped):
        await projected(Poisoned, database, a_log())
    with ProjectionTables(database_of(database), Packing).database.writing() as connection:
        connection.exec_driver_sql("DROP TABLE projection_stops")
    with pytest.raises(ProjectionStopped):
        await projected(Poisoned, database, a_log())
    assert state(database) == "stopped"
    await projected(Packing, database, a_log())
    assert rows(database, STATE) == [("live", "")]


async def test_a_version_that_cannot_be_put_in_place_is_trouble_all_the_time_and_tried_ever_more_seldom(
    database: Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(keeping, "_AGAIN", 0.013)
    monkeypatch.setattr(keeping, "_SLOWEST", 0.1)
    waits: list[float] = []
    sleep = asyncio.sleep

    async def slept(seconds: float) -> None:
        if seconds in (0.013, 0.026, 0.052, 0.1):
            waits.append(seconds)
        await sleep(seconds)

    await projected(First, database, a_log())
    told: list[str | None] = []
    mended = False

    def swapped(*given: Any) -> None:
        told.append(projector.trouble)
        if not mended:
            raise DatabaseMisconfigured("something hangs on it")
        swap(*given)

    monkeypatch.setattr(projecting, "swap", swapped)
    monkeypatch.setattr(asyncio, "sleep", slept)
    projector = a_projector(Second, database, a_log())
    async with keeping.at_work([projector]) as trouble:
        await until(lambda: len(told) > 4)
        assert all("something hangs on it" in (each or "") for each in told[1:])
        assert waits[:4] == [0.013, 0.026, 0.052, 0.1]
        ((found, error),) = rows(database, STATE)
        assert (found, "version 2 cannot be built" in error) == ("stopped", True)
        assert rows(database, TOTALS) == [("ann", 3), ("ben", 3)]
        mended = True
        await until(lambda: trouble() is None)
        assert rows(database, TOTALS) == [("ann", 5), ("ben", 2)]
        assert rows(database, STATE) == [("live", "")]
    await projector.close()
    assert len([each for each in caplog.records if "goes no further" in each.getMessage()]) == 1


async def test_a_version_whose_handler_raises_is_told_until_it_is_built_or_given_up(database: Database) -> None:
    await projected(First, database, a_log())
    projector = a_projector(Breaking, database, a_log())
    with pytest.raises(ProjectionStopped, match="not yet"):
        await projector.run()
    await projector.close()
    ((found, error),) = rows(database, STATE)
    assert (found, "version 2 cannot be built" in error, "not yet" in error) == ("stopped", True, True)
    # The former code is back, and keeps its rows.
    await projected(First, database, a_log())
    assert rows(database, STATE) == [("live", "")]


async def test_trouble_is_over_for_one_that_stands_by_however_busy_the_log_is(
    database: Database,
) -> None:
    log, busy = a_log(), a_log()
    tables = ProjectionTables(database_of(database), Packing)

    async def ends(partitions: Iterable[int]) -> Mapping[int, Ends]:
        places = tables.places()
        return {p: Ends(0, places[f"orders/{p}"].position + 5) for p in partitions}

    await projected(Packing, database, log)
    busy.ends = ends  # type: ignore[method-assign]
    projector = a_projector(Packing, database, busy)
    filling = projector._filling
    await filling._begin()
    projector.tell_trouble("it was away")
    standing_by = asyncio.create_task(filling.stand_by())
    try:
        steps = 0
        while projector.trouble is not None and steps < 200:
            # Another one writes on, and is never at the end of the log.
            places = tables.places()
            after = {part: place._replace(position=place.position + 1) for part, place in places.items()}
            tables.write(places, after, lambda connection: None)
            await asyncio.sleep(0.01)
            steps += 1
        assert projector.trouble is None
        assert steps >= 5
    finally:
        standing_by.cancel()
        await asyncio.gather(standing_by, return_exceptions=True)
        await projector.close()
        tables.database.close()
