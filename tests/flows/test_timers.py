"""Timers and deadlines as users write them, and as they test them."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from farandole.reactors import After, Choreography, Failed, Retry, RunExpired
from farandole.schemas import End, Event, Signal, Start
from farandole.testing import Scenario

bills = Choreography("bills")


class BillSent(Start, deadline="8d"):
    to: str = "Ann"


class Reminded(Event):
    times: int = 1


class Paid(Signal): ...


class Settled(End): ...


@bills.reactor(unless=Paid)
def remind(x: BillSent | Reminded) -> After[Reminded]:
    return After("1h", Reminded(times=x.times + 1 if isinstance(x, Reminded) else 1))


@bills.reactor
def settle(paid: Paid) -> Settled:
    return Settled()


async def test_a_week_of_hourly_reminders_stops_with_what_they_remind_of() -> None:
    async with Scenario(bills) as s:
        await s.when(BillSent())
        s.then_only()
        assert [timer.type for timer in s.status.timers] == ["bills.Reminded"]
        assert s.status.status == "waiting"
        await s.passes("59m")
        s.then_only()
        await s.passes("1m")
        s.then_only(Reminded(times=1))
        await s.passes(timedelta(days=7, hours=-1))
        assert s.last(Reminded) == Reminded(times=168)
        await s.when(Paid(), after="30d")
        s.then_only(Settled())
        assert s.status.status == "completed"


async def test_what_a_scenario_tells_names_timers() -> None:
    async with Scenario(bills) as s:
        await s.when(BillSent(), after="1h")
        told = str(s)
        assert "0s  remind    sets Reminded, due at 1h\n" in told
        assert "1h  bills     Reminded(times=1)\n" in told
        assert "waits for Reminded, due in 1h\n" in told
        assert "has to be done in 7d23h" in told


async def test_a_run_that_is_not_done_by_its_deadline_is_closed() -> None:
    async with Scenario(bills) as s:
        await s.when(BillSent(), after=timedelta(days=8, milliseconds=-1))
        assert s.status.status == "waiting"
        await s.passes("1ms")
        assert s.status.status == "expired"
        await s.passes("30d")
        s.then_only()


trips = Choreography("trips")


class Booked(Start):
    at: datetime


class LeftHome(Event): ...


class TooLate(End): ...


@trips.reactor
def leave(trip: Booked) -> After[LeftHome]:
    return After(trip.at, LeftHome())


@trips.reactor
def drive(left: LeftHome) -> tuple[After[TooLate], After[TooLate]]:
    return After("1h", TooLate()), After("2h", TooLate())


async def test_a_timer_may_have_an_absolute_time_and_end_the_run() -> None:
    began = datetime(2027, 5, 1, 12, tzinfo=UTC)
    async with Scenario(trips, at=began) as s:
        await s.when(Booked(at=began + timedelta(days=2)), after=timedelta(days=2, seconds=-1))
        s.then_only()
        await s.passes("1s")
        s.then_only(LeftHome())
        assert len(s.status.timers) == 2
        await s.passes("1h")
        s.then_only(TooLate())
        assert s.status.status == "completed"
        assert s.status.timers == ()
        await s.passes("1d")
        s.then_only()


async def test_a_time_that_is_past_comes_at_once() -> None:
    async with Scenario(trips) as s:
        await s.when(Booked(at=s.now - timedelta(days=1)), after="0s")
        s.then_only(LeftHome())


calls = Choreography("calls")


class Dialled(Start): ...


class Answered(Event): ...


class Missed(Event): ...


attempts: list[int] = []


@calls.reactor(deadline="10s", retry=Retry(attempts=100, first="4s", factor=1, jitter=False))
async def call(_: Dialled) -> Answered:
    attempts.append(1)
    await asyncio.sleep(1)
    raise ConnectionError("busy")


@calls.reactor
def note(failed: Failed[Dialled]) -> Missed:
    return Missed()


async def test_a_step_fails_for_good_at_its_deadline_though_attempts_are_left() -> None:
    attempts.clear()
    async with Scenario(calls) as s:
        await s.when(Dialled(), after="9s")
        s.then_only()
        assert len(attempts) == 2
        await s.passes("1s")
        s.then_only(Missed())
        assert [(f.error, f.last) for f in s.failures()] == [("DeadlinePassed", True)]
        await s.passes("1h")
        assert len(attempts) == 2


slow = Choreography("slow")


class Asked(Start): ...


@slow.reactor(deadline="10s", timeout="1m", retry=Retry(attempts=100))
async def think(_: Asked) -> Settled:
    await asyncio.sleep(30)
    return Settled()


async def test_a_handler_at_work_has_until_the_deadline() -> None:
    async with Scenario(slow) as s:
        await s.when(Asked(), after="10s")
        assert [(f.error, f.attempt, f.last) for f in s.failures()] == [("DeadlinePassed", 1, True)]
        s.owes(think)
        assert s.refused() == []
        await s.retry(after="9s")
        s.then_only()
        await s.passes("1s")
        assert [(f.error, f.attempt, f.last) for f in s.failures()] == [("DeadlinePassed", 2, True)]
        assert s.refused() == []


async def test_the_deadline_of_a_step_passes_while_its_run_is_paused() -> None:
    attempts.clear()
    async with Scenario(calls) as s:
        await s.when(Dialled(), after="2s")
        await s.pause()
        await s.passes("8s")
        assert [f.error for f in s.failures()] == ["DeadlinePassed"]
        s.then_only()
        await s.resume()
        s.then_only(Missed())
        assert len(attempts) == 1


async def test_a_result_that_never_came_says_so() -> None:
    async with Scenario(bills) as s:
        await s.when(BillSent(), after="8d")
        with pytest.raises(RunExpired, match="by its deadline"):
            await s.use(lambda client: client.run(s.id).result())
