"""A slow or failing reactor delays no other, and what one handler does to its surroundings no other sees."""

import asyncio
import contextvars
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from tests.reactors.working.controls import Begun, Done, Met, Stage, Went, a_stage, eventually, virtual

from farandole.reactors import Choreography, Retry
from farandole.schemas import Event

colour: contextvars.ContextVar[str] = contextvars.ContextVar("colour", default="none")


class Slow(Event): ...


@virtual
async def test_a_slow_reactor_delays_no_other() -> None:
    dance = Choreography("dance")

    @dance.reactor(concurrency=1)
    async def slow(begun: Begun) -> Slow:
        await asyncio.sleep(600)
        return Slow()

    @dance.reactor
    async def end(begun: Begun) -> Done:
        return Done()

    async with a_stage(dance) as (_, client, _w):
        began = asyncio.get_running_loop().time()
        for run in [await client.start(Begun()) for _ in range(50)]:
            await run.result(Done)
        assert asyncio.get_running_loop().time() - began < 5


@virtual
async def test_a_failing_reactor_delays_no_other() -> None:
    dance = Choreography("dance")

    @dance.reactor(retry=Retry(attempts=3))
    async def fail(begun: Begun) -> Slow:
        raise OSError

    @dance.reactor
    async def end(begun: Begun) -> Done:
        return Done()

    async with a_stage(dance) as (_, client, _w):
        for run in [await client.start(Begun()) for _ in range(50)]:
            await run.result(Done, on_parked="wait")


@virtual
async def test_plain_handlers_that_fill_their_threads_delay_no_other_reactors_plain_handlers() -> None:
    dance, gate = Choreography("dance"), threading.Event()

    @dance.reactor
    def slow(begun: Begun) -> Slow:
        gate.wait(30)
        return Slow()

    @dance.reactor
    def end(begun: Begun) -> Done:
        return Done()

    async with a_stage(dance) as (_, client, _w):
        try:
            for run in [await client.start(Begun()) for _ in range(120)]:
                await run.result(Done)
        finally:
            gate.set()


@pytest.mark.parametrize("most", [1, 3])
@virtual
async def test_no_more_handlers_run_at_once_than_the_reactor_allows(most: int) -> None:
    dance = Choreography("dance")
    now, seen = 0, 0

    @dance.reactor(concurrency=most)
    async def end(begun: Begun) -> Done:
        nonlocal now, seen
        now += 1
        seen = max(seen, now)
        await asyncio.sleep(1)
        now -= 1
        return Done()

    async with a_stage(dance, partitions=4) as (_, client, _w):
        for run in [await client.start(Begun()) for _ in range(30)]:
            await run.result(Done)
        assert seen == most


@virtual
async def test_context_variables_of_one_handler_reach_no_other() -> None:
    dance = Choreography("dance")
    seen: list[str] = []

    @dance.reactor(concurrency=1)
    async def end(begun: Begun) -> Done:
        seen.append(colour.get())
        colour.set("red")
        await asyncio.sleep(0)
        seen.append(colour.get())
        return Done()

    async with a_stage(dance) as (_, client, _w):
        for run in [await client.start(Begun()) for _ in range(3)]:
            await run.result(Done)
        assert seen == ["none", "red"] * 3


@virtual
async def test_a_plain_handler_sees_the_context_that_its_worker_was_started_in() -> None:
    dance = Choreography("dance")
    seen: list[str] = []

    @dance.reactor(concurrency=1)
    def end(begun: Begun) -> Done:
        seen.append(colour.get())
        colour.set("red")
        return Done()

    colour.set("blue")
    async with a_stage(dance) as (_, client, _w):
        for run in [await client.start(Begun()) for _ in range(3)]:
            await run.result(Done)
        assert seen == ["blue"] * 3


@virtual
async def test_handlers_may_use_timeouts_and_task_groups() -> None:
    dance = Choreography("dance")

    async def work(n: int) -> int:
        await asyncio.sleep(n)
        return n

    @dance.reactor(concurrency=2, timeout="1h")
    async def end(begun: Begun) -> Done:
        total = 0
        try:
            async with asyncio.timeout(5):
                await asyncio.sleep(100)
        except TimeoutError:
            total += 1
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(work(n)) for n in range(4)]
        total += sum(task.result() for task in tasks)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(asyncio.sleep(1000))
                raise KeyError
        except* KeyError:
            total += 10
        return Done(n=total)

    async with a_stage(dance) as (_, client, _w):
        for run in [await client.start(Begun()) for _ in range(10)]:
            assert await run.result(Done) == Done(n=17)


@asynccontextmanager
async def cancel_scope(seconds: float) -> AsyncIterator[list[bool]]:
    """Cancels what runs in it until it has left, as anyio's scopes do."""
    task, loop, cancelled = asyncio.current_task(), asyncio.get_running_loop(), [False]
    assert task is not None
    left = False

    def deliver() -> None:
        if not left:
            cancelled[0] = True
            task.cancel()
            loop.call_later(0.01, deliver)

    timer = loop.call_later(seconds, deliver)
    try:
        yield cancelled
    except asyncio.CancelledError:
        if not cancelled[0]:
            raise
    finally:
        left = True
        timer.cancel()
        while task.uncancel():
            pass


@virtual
async def test_handlers_may_cancel_a_part_of_themselves_over_and_over() -> None:
    dance = Choreography("dance")

    @dance.reactor(concurrency=1)
    async def end(begun: Begun) -> Done:
        async with cancel_scope(5) as cancelled:
            try:
                await asyncio.sleep(100)
            finally:
                await asyncio.sleep(100)
        return Done(n=int(cancelled[0]))

    async with a_stage(dance) as (_, client, _w):
        for run in [await client.start(Begun()) for _ in range(3)]:
            assert await run.result(Done) == Done(n=1)


@virtual
async def test_a_handler_that_times_out_while_it_looks_back_harms_nobody_who_looks_at_the_same() -> None:
    from farandole.reactors import Run

    dance = Choreography("dance")

    @dance.reactor
    async def go(begun: Begun) -> tuple[Went, Met]:
        return Went(), Met()

    @dance.reactor(timeout="1s", retry=Retry(attempts=1))
    async def hasty(went: Went, run: Run[Begun]) -> None:
        await run.events(Begun, Went, Met)

    @dance.reactor(retry=Retry(attempts=1))
    async def patient(went: Went, run: Run[Begun]) -> Done:
        return Done(n=len(await run.events(Begun, Went, Met)))

    async with Stage() as stage:
        at_work = await stage.worker(dance, memory=0)
        client = await stage.client(dance)
        fetch, gate = at_work.store.inner.fetch, asyncio.Event()

        async def late(partition, offsets):  # type: ignore[no-untyped-def]
            if len(offsets) > 1:
                await gate.wait()
            return await fetch(partition, offsets)

        at_work.store.inner.fetch = late  # type: ignore[method-assign]
        run = await client.start(Begun())
        await eventually(lambda: at_work.worker.stats.reactors["hasty"].failed)
        gate.set()
        assert await run.result(Done, on_parked="wait") == Done(n=2)


@virtual
async def test_waiting_triggers_stay_within_the_memory_budget_and_are_read_again() -> None:
    dance, gate = Choreography("dance"), asyncio.Event()

    class Heavy(Event):
        text: str = "x" * 1000

    @dance.reactor
    async def go(begun: Begun) -> Heavy:
        return Heavy()

    @dance.reactor(concurrency=1)
    async def end(heavy: Heavy) -> Done:
        await gate.wait()
        return Done(n=len(heavy.text))

    async with Stage() as stage:
        at_work = await stage.worker(dance, memory=10_000)
        client = await stage.client(dance)
        runs = [await client.start(Begun()) for _ in range(100)]
        await eventually(lambda: at_work.worker.dispatcher.waiting("end") == 99)
        assert at_work.worker.dispatcher.bytes <= 12_500
        gate.set()
        assert {(await run.result(Done)).n for run in runs} == {1000}
        assert sum(len(offsets) for _, offsets in at_work.store.fetched) >= 85
        await eventually(lambda: at_work.worker.dispatcher.bytes == 0)


@virtual
async def test_a_plain_handler_that_blocks_does_not_block_reading() -> None:
    dance, gate = Choreography("dance"), threading.Event()

    @dance.reactor
    def slow(begun: Begun) -> Slow | None:
        gate.wait(30)
        return None

    @dance.reactor
    async def end(begun: Begun) -> Done:
        return Done()

    async with a_stage(dance) as (_, client, _w):
        try:
            for _ in range(20):
                await (await client.start(Begun())).result(Done)
        finally:
            gate.set()


@virtual
async def test_backpressure_holds_handlers_back_while_the_log_takes_nothing() -> None:
    dance = Choreography("dance")
    made = 0

    class Heavy(Event):
        text: str

    @dance.reactor
    async def go(begun: Begun) -> Heavy:
        nonlocal made
        made += 1
        return Heavy(text="x" * 500_000)

    async with a_stage(dance) as (_stage, client, at_work):
        at_work.store.gate.clear()
        for _ in range(200):
            await client.start(Begun())
        await asyncio.sleep(10)
        assert made <= 16 * 1024 * 1024 // 500_000 + 101
        at_work.store.gate.set()
        await eventually(lambda: made == 200)
        assert at_work.worker.partitions[0].fold.position > 200
