"""Schedules, as users write and test them."""

from datetime import UTC, datetime
from time import perf_counter

import pytest

from farandole.reactors import Choreography
from farandole.reactors.schedules import Overlap
from farandole.schemas import End, Signal, Start
from farandole.testing import Scenario


class NightStarted(Start):
    what: str = "all"


class Finish(Signal): ...


class NightDone(End): ...


def nights(*, ends: bool = True, **schedule: object) -> Choreography:
    """A choreography whose runs end at once, or when they are told to."""
    orders = Choreography("nights")

    @orders.reactor
    async def work(night: NightStarted) -> NightDone | None:
        return NightDone() if ends else None

    @orders.reactor
    async def finish(told: Finish) -> NightDone:
        return NightDone()

    orders.schedule(NightStarted(), name="night", **{"cron": "0 2 * * *", **schedule})  # type: ignore[arg-type]
    return orders


def runs(s: Scenario) -> list[str]:
    return [run_id for _, run_id in s._stage.chronicle.runs]


async def test_a_schedule_starts_runs_by_the_clock() -> None:
    async with Scenario(nights(), at=datetime(2026, 1, 1, tzinfo=UTC)) as s:
        await s.passes("3d")
        assert runs(s) == [f"night@2026-01-0{day}T02:00:00Z" for day in (1, 2, 3)]
        night = s.run("night@2026-01-02T02:00:00Z")
        assert night.history == [NightStarted(), NightDone()]
        assert night.status.status == "completed"


async def test_a_year_of_nights_takes_no_time_and_knows_summer_time() -> None:
    async with Scenario(nights(tz="Europe/Paris"), at=datetime(2026, 1, 1, tzinfo=UTC)) as s:
        began = perf_counter()
        await s.passes("365d")
        assert perf_counter() - began < 10
        found = runs(s)
        assert len(found) == 365
        assert "night@2026-03-28T01:00:00Z" in found
        assert "night@2026-03-29T01:00:00Z" in found, "02:00 is not there: at 03:00, summer time"
        assert "night@2026-03-30T00:00:00Z" in found


@pytest.mark.parametrize(
    ("overlap", "started"), [("skip", 1), ("allow", 3), ("queue", 1), ("replace", 3)], ids=lambda value: str(value)
)
async def test_overlap(overlap: Overlap, started: int) -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    async with Scenario(nights(ends=False, overlap=overlap, every="1h", cron=None), at=at) as s:
        await s.passes("3h")
        found = runs(s)
        assert len(found) == started
        states = [s.run(run_id).status.status for run_id in found]
        assert states == (["cancelled"] * 2 if overlap == "replace" else []) + ["waiting"] * (
            1 if overlap == "replace" else started
        )


async def test_a_queued_tick_starts_once_the_last_run_is_closed() -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    async with Scenario(nights(ends=False, overlap="queue", every="1h", cron=None), at=at) as s:
        await s.passes("3h")
        (first,) = runs(s)
        await s.run(first).when(Finish())
        assert runs(s) == [first, "night@2026-01-01T03:00:00Z"], "the newest that waited"


async def test_two_services_tick_once() -> None:
    first, second = nights(), Choreography("nights", service="other")
    second.schedule(NightStarted(), name="night", cron="0 2 * * *")

    @second.reactor
    async def more(night: NightStarted) -> None: ...

    async with Scenario(first, second, at=datetime(2026, 1, 1, tzinfo=UTC)) as s:
        await s.passes("2d")
        assert runs(s) == [f"night@2026-01-0{day}T02:00:00Z" for day in (1, 2)]


async def test_jitter_moves_the_start_and_not_the_tick() -> None:
    async with Scenario(nights(jitter="30m"), at=datetime(2026, 1, 1, tzinfo=UTC)) as s:
        await s.passes("3h")
        assert runs(s) == ["night@2026-01-01T02:00:00Z"]
