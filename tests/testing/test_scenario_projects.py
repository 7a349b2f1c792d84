"""A scenario feeds projections with what has happened, and gives their rows."""

from collections import Counter
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import Connection
from tests.testing.shop import Ordered, Shipped, shop

from farandole.projections import Projection, ProjectionStopped, Recorded, on, table, upsert
from farandole.testing import Scenario


class PerDay(Projection):
    days = table("days", {"day": date}, orders=int)

    @on
    def ordered(self, order: Recorded[Ordered], db: Connection) -> None:
        upsert(db, self.days, {"day": order.at.date()}, add={"orders": 1})


class Open(Projection):
    def __init__(self) -> None:
        self.what: Counter[str] = Counter()

    @on
    def ordered(self, order: Recorded[Ordered]) -> None:
        if order.event.what == "poison":
            raise RuntimeError("not that")
        self.what[order.event.what] += 1

    @on
    def shipped(self, order: Recorded[Shipped]) -> None:
        self.what["shipped"] += 1


async def test_a_projection_is_fed_with_what_has_happened() -> None:
    async with Scenario(shop) as s:
        assert (await s.project(PerDay)).rows("days") == []
        await s.when(Ordered())
        await s.passes("1d")
        await s.run("other").when(Ordered())
        await s.run("another").when(Ordered())
        days = await s.project(PerDay)
        assert days.rows("days") == [("2026-01-01", 1), ("2026-01-02", 2)]
        assert days.rows("SELECT sum(orders) FROM days") == [(3,)]


async def test_an_object_is_kept_in_memory_and_looking_changes_nothing() -> None:
    async with Scenario(shop) as s:
        await s.when(Ordered(what="tea"))
        story = str(s)
        shown = await s.project(Open())
        assert shown.what["tea"] == 1
        assert str(s) == story
        await s.run("other").when(Ordered(what="milk"))
        assert await s.project(shown) is shown
        assert (shown.what["tea"], shown.what["milk"]) == (1, 1)


async def test_history_that_is_given_counts_and_time_stands_still() -> None:
    async with Scenario(shop) as s:
        await s.given(Ordered(what="tea"))
        now = s.now
        assert (await s.project(Open())).what == {"tea": 1}
        assert s.now == now
        await s.given(Shipped())
        assert (await s.project(Open())).what == {"tea": 1, "shipped": 1}


async def test_what_a_handler_raises_fails_the_test() -> None:
    async with Scenario(shop) as s:
        await s.when(Ordered(what="poison"))
        with pytest.raises(ProjectionStopped, match=r"run .run.*not that"):
            await s.project(Open())


async def test_another_database_can_be_named(tmp_path: Path) -> None:
    async with Scenario(shop) as s:
        await s.when(Ordered())
        days = await s.project(PerDay, db=f"sqlite:///{tmp_path / 'days.db'}")
        assert days.rows("days") == [("2026-01-01", 1)]
        assert (tmp_path / "days.db").exists()
