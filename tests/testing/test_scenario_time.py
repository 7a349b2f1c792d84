"""In a scenario time passes when the test says so, costs nothing, and nothing goes on for ever unseen."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterator

import pytest
from tests.testing.shop import Ordered, Packed, Paid, Shipped, bank, fails, pay, shop

from farandole.reactors import Choreography, Retry, RetryAfter
from farandole.schemas import End, Event, Start
from farandole.testing import NotAtRest, Scenario
from farandole.testing.scenario import stage
from farandole.testing.scenario.loop import RestingLoop


class Ended(End): ...


@pytest.fixture
def turns(monkeypatch: pytest.MonkeyPatch) -> Iterator[Counter[str]]:
    """How often a loop had nothing left to do and looked for the next timer: what virtual time costs."""
    counted = Counter[str]()
    advance = RestingLoop.advance

    def counting(self: RestingLoop, seconds: float | None) -> float | None:
        counted["turns"] += 1
        return advance(self, seconds)

    monkeypatch.setattr(RestingLoop, "advance", counting)
    yield counted


async def test_no_time_passes_unless_it_is_said() -> None:
    async with Scenario(shop) as s:
        began = s.now
        await s.given(Ordered(), Packed())
        await s.when(Paid())
        s.then(Shipped())
        assert s.now == began


async def test_attempts_are_made_when_they_are_due() -> None:
    async with Scenario(shop) as s:
        s.replace(bank, fails(2))
        await s.when(Ordered(), after="999ms")
        s.owes(pay)
        s.then_not(Paid)
        assert s.status.owed[0].attempts == 1
        await s.passes("1ms")
        assert s.status.owed[0].attempts == 2
        await s.passes("1999ms")
        s.then_only()
        await s.passes("1ms")
        s.then(Paid(receipt="r-3"))


async def test_time_passes_after_whatever_else_is_done() -> None:
    async with Scenario(shop) as s:
        s.replace(bank, fails(1))
        await s.use(lambda client: client.start(Ordered(), run_id=s.id), after="999ms")
        s.owes(pay)
        await s.pause(after="1h")
        s.owes(pay)
        await s.resume()
        s.then(Paid(receipt="r-2"))


async def test_time_passes_while_a_handler_works() -> None:
    slow = Choreography("slow")

    @slow.reactor
    async def work(ordered: Ordered) -> Ended:
        await asyncio.sleep(3600)
        return Ended()

    async with Scenario(slow) as s:
        began = s.now
        await s.when(Ordered())
        s.then_only(Ended())
        assert (s.now - began).total_seconds() == 3600
    async with Scenario(slow) as s:
        await s.when(Ordered(), after="59m")
        s.then_only()
        s.owes(work)
        await s.passes("1m")
        s.then_only(Ended())


async def test_a_handler_at_work_can_be_cut_short() -> None:
    slow = Choreography("slow")

    @slow.reactor(timeout="10m", retry=Retry(attempts=1))
    async def work(ordered: Ordered) -> Ended:
        await asyncio.Event().wait()
        return Ended()

    async with Scenario(slow) as s:
        await s.when(Ordered())
        (failed,) = s.failures()
        assert (failed.error, failed.last) == ("TimeoutError", True)
    async with Scenario(slow) as s:
        await s.when(Ordered(), after=0)
        s.owes(work)
        await s.cancel("enough", after=0)
        assert s.status.status == "cancelled"


async def test_a_handler_that_waits_for_ever_is_told_with_the_place_where_it_waits() -> None:
    slow = Choreography("slow")

    class Till:
        async def opened(self) -> None:
            await asyncio.Event().wait()

    @slow.provide
    def till() -> Till:
        return Till()

    @slow.reactor
    async def wait_for_ever(ordered: Ordered, till: Till) -> Ended:
        await till.opened()
        return Ended()

    async with Scenario(slow) as s:
        with pytest.raises(NotAtRest) as raised:
            await s.when(Ordered())
        said = str(raised.value)
        assert "wait_for_ever: " in said
        assert "Till.opened (test_scenario_time.py, line " in said
        assert "say how much time passes: after='10m'" in said


async def test_reactors_that_feed_each_other_for_ever_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage, "MOST_RECORDS", 200)

    class Ping(Start): ...

    class Pong(Event):
        n: int

    loop = Choreography("loop")

    @loop.reactor
    async def begin(ping: Ping) -> Pong:
        return Pong(n=0)

    @loop.reactor
    async def again(pong: Pong) -> Pong:
        return Pong(n=pong.n + 1)

    async with Scenario(loop) as s:
        with pytest.raises(NotAtRest, match=r"200 records(.|\n)*again → Pong\(n=19\d\)"):
            await s.when(Ping())
        with pytest.raises(NotAtRest):
            await s.passes("1m")


async def test_a_handler_that_never_tires_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage, "_MOST_MOVES", 1000)
    busy = Choreography("busy")

    @busy.reactor
    async def poll(ordered: Ordered) -> None:
        while True:
            await asyncio.sleep(0.01)

    async with Scenario(busy) as s:
        with pytest.raises(NotAtRest, match="poll"):
            await s.when(Ordered())


async def test_plain_functions_run_in_the_same_order_each_time() -> None:
    many = Choreography("many")

    def works(n: int) -> None:
        @many.reactor(name=f"work-{n}")
        def work(ordered: Ordered) -> Packed:
            time.sleep(0.001 * (8 - n))
            return Packed(box=str(n))

    for n in range(8):
        works(n)

    histories = []
    for _ in range(2):
        async with Scenario(many) as s:
            await s.when(Ordered())
            histories.append(s.history)
    assert histories[0] == histories[1]
    assert histories[0] == [Ordered(), *(Packed(box=str(n)) for n in range(8))]


async def test_a_plain_function_may_wait_for_the_loop() -> None:
    mixed = Choreography("mixed")
    loops: list[asyncio.AbstractEventLoop] = []

    @mixed.reactor(ordered=True)
    async def a(ordered: Ordered) -> Packed:
        loops.append(asyncio.get_running_loop())
        return Packed()

    @mixed.reactor
    def b(packed: Packed) -> Ended:
        asyncio.run_coroutine_threadsafe(asyncio.sleep(0), loops[0]).result()
        return Ended()

    async with Scenario(mixed) as s:
        await s.when(Ordered())
        s.then(Ended())


async def test_async_handlers_may_use_threads() -> None:
    mixed = Choreography("mixed")

    @mixed.reactor
    async def work(ordered: Ordered) -> Packed:
        return Packed(box=await asyncio.to_thread(lambda: "from a thread"))

    async with Scenario(mixed) as s:
        await s.when(Ordered())
        s.then(Packed(box="from a thread"))


async def test_a_week_of_nothing_costs_nothing(turns: Counter[str]) -> None:
    async with Scenario(shop) as s:
        await s.given(Ordered())
        await s.passes("7d")
        assert turns["turns"] < 4 * 7 * 24


async def test_a_week_of_hourly_attempts_costs_little_more_than_the_attempts(turns: Counter[str]) -> None:
    hourly = Choreography("hourly")

    @hourly.reactor(retry=Retry(attempts=1000))
    async def work(ordered: Ordered) -> Ended:
        raise RetryAfter("1h")

    async with Scenario(hourly) as s:
        await s.when(Ordered(), after="7d")
        assert s.status.owed[0].attempts == 7 * 24 + 1
        assert turns["turns"] < 6 * 7 * 24
