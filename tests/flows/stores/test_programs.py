"""The programs of tests/typing/apps, as they stand, on every kind of store.

The order program has a file of its own among the workers' tests. What takes days here takes them on virtual time.
"""

import asyncio
import logging
import sys
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import pytest
from tests.programs import program

from farandole.projections import fold_state
from farandole.reactors import Choreography, GiveUp, RunHandle
from farandole.testing import Scenario

T = TypeVar("T")


async def until(look: Callable[[], Awaitable[T]]) -> T:
    """What is looked for, once it is there."""
    async with asyncio.timeout(60):
        while not (found := await look()):
            await asyncio.sleep(0.02)
        return found


async def question(run: RunHandle) -> Any:
    """The question that a run asks, once it does."""
    (decision,) = await until(run.decisions)
    return decision


def impossible(event: Any, field: str, value: str | None = None) -> None:
    """Let handlers fail for good where they make such an event, of this value only if one is given."""
    made = event.__init__

    def init(self: Any, **fields: Any) -> None:
        if value in (None, fields[field]):
            raise GiveUp("it cannot be")
        made(self, **fields)

    event.__init__ = init


async def test_the_approval(url: str) -> None:
    p, docs = program("a02_approval")
    document = p.Document(title="News", text="...")
    async with docs.work(url, partitions=2) as client:
        yes = await client.start(p.DocumentSubmitted(document=document, manager="ann"))
        no = await client.start(p.DocumentSubmitted(document=document, manager="ben"))
        asked = await question(yes)
        assert (asked.question, asked.to, asked.about["title"]) == ("Publish News?", ("ann",), "News")
        await yes.decide(asked, p.Approved(comment="well done"), by="ann")
        await no.decide(await question(no), p.Rejected(reason="dull"), by="ben")
        assert await yes.result(timeout="60s") == p.DocumentPublished(by="ann")
        assert await no.result(timeout="60s") == p.DocumentRefused(reason="dull")


async def test_the_report(url: str) -> None:
    p, report = program("a03_map_reduce")
    async with report.work(url, partitions=2) as client:
        some = await client.start(p.ReportAsked(urls=["a", "", "b"]))
        none = await client.start(p.ReportAsked(urls=[]))
        assert await some.result(timeout="60s") == p.ReportDone(text="3: a\nb", missing=[])
        assert await none.result(timeout="60s") == p.ReportDone(text="0: ", missing=[])


async def test_a_page_that_cannot_be_read_is_missing(url: str) -> None:
    p, report = program("a03_map_reduce")
    impossible(p.PageSummarised, "text", "b")
    async with report.work(url, partitions=2) as client:
        run = await client.start(p.ReportAsked(urls=["a", "b"]))
        assert await run.result(timeout="60s") == p.ReportDone(text="2: a", missing=["b"])


async def test_the_saga(url: str) -> None:
    p, trips = program("a05_saga")
    async with trips.work(url, partitions=2) as client:
        run = await client.start(p.TripAsked(who="ann"))
        booked = await run.result(p.TripBooked, timeout="60s")
        assert booked.flight != booked.hotel


async def test_a_trip_that_is_abandoned_gives_back_what_was_booked(url: str, caplog: pytest.LogCaptureFixture) -> None:
    p, trips = program("a05_saga")

    impossible(p.HotelBooked, "ref")
    with caplog.at_level(logging.INFO, "farandole"):
        async with trips.work(url, partitions=2) as client:
            run = await client.start(p.TripAsked(who="ann"))
            assert await run.result(timeout="60s") == p.TripAbandoned(why="book_hotel: it cannot be")

            async def closed() -> bool:
                return (await run.status()).status == "completed"

            await until(closed)
            booked = [r.event async for r in run.events(live=False) if isinstance(r.event, p.FlightBooked)]
    assert [r.getMessage() for r in caplog.records if "cancel" in r.getMessage()] == [f"cancel {booked[0].ref}"]


def scripted(p: Any, agent: Choreography) -> None:
    """Let the model want three tools, two of which somebody has to allow, and answer with what came of them."""

    class Scripted:
        async def reply(self, question: str, history: list[Any]) -> Any:
            done = [each for each in history if not isinstance(each, p.ToolProposed)]
            if done:
                return p.Reply(text=f"{question}: {', '.join(sorted(type(e).__name__ for e in done))}", calls=[])
            names = ("search", "publish", "publish")
            return p.Reply(text="", calls=[p.Call(tool=name, args=f"{name} {n}") for n, name in enumerate(names)])

    def model() -> Any:
        return Scripted()

    # The same provider again, as when a cell of a notebook is run a second time.
    model.__module__, model.__qualname__, model.__annotations__ = p.__name__, "model", {"return": p.Model}
    agent.provide(model)


async def test_the_agent(url: str) -> None:
    p, agent = program("a07_agent")
    scripted(p, agent)
    async with agent.work(url, partitions=2) as client:
        run = await client.start(p.Asked(question="why"))

        async def both() -> list[Any]:
            found = await run.decisions()
            return found if len(found) == 2 else []

        first, second = sorted(await until(both), key=lambda asked: str(asked.about["args"]))
        await run.decide(first, p.ToolAllowed(), by="ann")
        await run.decide(second, p.ToolDenied(comment="no"), by="ann")
        answered = await run.result(p.Answered, timeout="60s")
        assert answered == p.Answered(text="why: ToolDenied, ToolReturned, ToolReturned")


async def test_the_agent_is_denied_what_nobody_allows_within_a_day() -> None:
    p, agent = program("a07_agent")
    scripted(p, agent)
    async with Scenario(agent) as s:
        await s.when(p.Asked(question="why"), after="23h")
        s.then(p.ToolReturned(text="search 0"))
        await s.passes("1h")
        s.then(p.ToolDenied(comment="late"), p.Answered(text="why: ToolDenied, ToolDenied, ToolReturned"))


async def test_the_shop(url: str) -> None:
    p, shop = program("b_state")
    async with shop.work(url, partitions=2) as client:
        run = await client.start(p.Opened(address="Arles"))

        async def waits() -> Any:
            return (await run.status()).timers

        (timer,) = await until(waits)
        assert timer.type == f"{shop.name}.Ready"
        moved = [r.event async for r in run.events(live=False) if isinstance(r.event, p.Moved)]
        assert moved == [p.Moved(address="Arles")]
        nowhere = await client.start(p.Opened(address=""))

        async def idle() -> bool:
            return (await nowhere.status()).status == "idle"

        await until(idle)


async def test_any_failure_of_the_shop_is_told(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    p, shop = program("b_state")
    impossible(p.Moved, "address")
    async with shop.work(url, partitions=2) as client:
        run = await client.start(p.Opened(address="Arles"))

        async def idle() -> bool:
            return (await run.status()).status == "idle"

        await until(idle)
    assert capsys.readouterr().out == "address='Arles' move\n"


async def test_the_shop_is_ready_a_day_later() -> None:
    p, shop = program("b_state")
    async with Scenario(shop) as s:
        await s.when(p.Opened(address="Arles"), after="23h")
        s.then_only(p.Moved(address="Arles"))
        await s.passes("1h")
        s.then_only(p.Ready())


async def test_the_state_of_an_order(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    p, _ = program("a01_order")
    monkeypatch.setitem(sys.modules, "tests.typing.apps.a01_order", p)
    q, orders = program("a12_test")
    async with orders.work(url, partitions=2) as client:
        order = p.OrderPlaced(order_id="17", amount=5, address="x")
        run = await client.start(order)
        assert (await run.result(p.OrderShipped, timeout="60s")).tracking == "b-7-r-1-x"
        events = [r.event async for r in run.events(live=False)]
    assert fold_state(q.OrderState, events).address == "x"
    assert fold_state(q.OrderState, [*events, p.AddressChanged(address="y")]).address == "y"
