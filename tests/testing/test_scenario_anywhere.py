"""A scenario plays under any asyncio test runner, beside others, and leaves nothing behind."""

import asyncio
import contextvars
import gc
import threading
import unittest
import warnings
from collections.abc import AsyncIterator

import pytest
from tests.testing.shop import Ordered, Paid, Shipped, shop

from farandole.eventstore.memory import store as memory_store
from farandole.reactors import Choreography
from farandole.testing import Scenario, run_virtual


class Pot: ...


WHO: contextvars.ContextVar[str] = contextvars.ContextVar("WHO", default="nobody")


async def play() -> None:
    async with Scenario(shop) as s:
        await s.when(Ordered(), after="1h")
        s.then(Paid, Shipped())


def test_it_plays_on_an_event_loop_of_ones_own() -> None:
    asyncio.run(play())


def test_it_plays_on_a_loop_that_is_debugged() -> None:
    asyncio.run(play(), debug=True)


def test_it_plays_on_virtual_time() -> None:
    run_virtual(play())


class TestItPlaysInATestCase(unittest.IsolatedAsyncioTestCase):
    async def test_it_plays(self) -> None:
        await play()


async def test_two_play_at_once() -> None:
    async def one(run_id: str) -> None:
        async with Scenario(shop, run_id=run_id) as s:
            for _ in range(5):
                await s.passes("1h")
            await s.when(Ordered())
            s.then(Shipped())
            assert len(s.history) == 4

    await asyncio.gather(*(one(f"run-{n}") for n in range(4)))


async def test_one_plays_within_another() -> None:
    async with Scenario(shop) as outer, Scenario(shop) as inner:
        await outer.when(Ordered())
        inner.then_only()
        await inner.when(Ordered(what="coffee"))
        assert inner.history[0] == Ordered(what="coffee")
        assert outer.history[0] == Ordered()


async def test_commands_at_once_come_one_after_the_other() -> None:
    async with Scenario(shop) as s:
        await asyncio.gather(*(s.run(f"run-{n}").when(Ordered()) for n in range(5)))
        for n in range(5):
            assert s.run(f"run-{n}").status.status == "completed"


async def test_a_test_that_is_cancelled_ends_at_once() -> None:
    slow, began = Choreography("slow"), asyncio.Event()
    here = asyncio.get_running_loop()

    @slow.reactor
    async def work(ordered: Ordered) -> None:
        here.call_soon_threadsafe(began.set)
        while True:
            await asyncio.sleep(0)

    async def test() -> None:
        async with Scenario(slow) as s:
            await s.when(Ordered())

    playing = asyncio.create_task(test())
    await began.wait()
    playing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await playing


async def test_context_variables_reach_the_handlers() -> None:
    asking, seen = Choreography("asking"), list[str]()

    @asking.reactor
    async def ask(ordered: Ordered) -> None:
        seen.append(WHO.get())

    WHO.set("the test")
    async with Scenario(asking) as s:
        await s.when(Ordered())
    assert seen == ["the test"]


async def test_nothing_is_left_behind() -> None:
    threads = threading.active_count()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        await play()
        Scenario(shop)
        async with Scenario(shop):
            pass
        gc.collect()
    assert not [name for name, _ in memory_store._SHARED if name.startswith("scenario-")]
    while threading.active_count() > threads:
        await asyncio.sleep(0)


async def test_an_error_in_the_block_is_not_hidden_by_one_at_its_end() -> None:
    tea = Choreography("tea")

    @tea.provide
    async def pot() -> AsyncIterator[Pot]:
        yield Pot()
        raise OSError("broken pot")

    @tea.reactor
    async def brew(ordered: Ordered, pot: Pot) -> None: ...

    with pytest.raises(ValueError, match="mine"):
        async with Scenario(tea) as s:
            await s.when(Ordered())
            raise ValueError("mine")
    with pytest.raises(ExceptionGroup, match="providers failed to close"):
        async with Scenario(tea) as s:
            await s.when(Ordered())
