"""Schedules, as users write and test them."""

from datetime import UTC, datetime

import pytest

from farandole.reactors import Choreography
from farandole.reactors.partition import Serving
from farandole.reactors.schedules import Overlap
from farandole.reactors.worker import Worker
from farandole.schemas import Encrypt, End, Signal, Start
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


async def test_a_year_of_nights_passes_on_virtual_time_and_knows_summer_time() -> None:
    async with Scenario(nights(tz="Europe/Paris"), at=datetime(2026, 1, 1, tzinfo=UTC)) as s:
        await s.passes("365d")
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


async def test_what_a_run_starts_with_is_sealed_in_the_catalogue_and_in_its_log() -> None:
    shop = Choreography("sealed", codec=Encrypt({"one": bytes(range(32))}, active="one"))

    @shop.reactor
    async def work(night: NightStarted) -> NightDone:
        assert night.what == "a secret"
        return NightDone()

    shop.schedule(NightStarted(what="a secret"), name="night", every="1h")
    async with Scenario(shop, at=datetime(2026, 1, 1, tzinfo=UTC)) as s:
        await s.passes("1h")
        (run,) = runs(s)
        assert s.run(run).status.status == "completed"
        catalogue = s._stage.logs["sealed"].store.catalogue
        assert not any(b"a secret" in value for value in (await s.use(lambda client: catalogue.load())).values())


async def test_what_was_missed_is_made_up_for_as_the_schedule_says() -> None:
    found = {}
    for catch_up in ("none", "last", "all"):
        shop = nights(every="1h", cron=None, catch_up=catch_up, overlap="allow")
        async with Scenario(shop, at=datetime(2026, 1, 1, tzinfo=UTC)) as s:
            await s.passes("90m")
            log = s._stage.logs["nights"]
            worker = log.workers[0]
            (serving,) = worker.partitions.values()
            serving.active = False  # nobody keeps the partition for a while
            await s.passes("5h")
            serving.active = True
            await s.use(lambda client, worker=worker, serving=serving: _restored(worker, serving))  # type: ignore[misc]
            found[catch_up] = [run[-9:-4] for run in runs(s)]
    assert found["none"] == ["01:00"]
    assert found["last"] == ["01:00", "06:00"]
    assert found["all"] == ["01:00", "02:00", "03:00", "04:00", "05:00", "06:00"]


async def _restored(worker: Worker, serving: Serving) -> None:
    worker.keeper.restored(serving)
