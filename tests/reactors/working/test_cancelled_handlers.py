"""A handler whose step is owed no longer learns so: it is cancelled where it waits, and nothing that it makes counts."""

import asyncio
import contextvars
import threading

from tests.reactors.working.controls import Begun, Done, Nudged, Stage, Went, a_stage, eventually, virtual

from farandole.reactors import Choreography, Retry, Run, Step
from farandole.schemas.envelope import Kind

colour: contextvars.ContextVar[str] = contextvars.ContextVar("colour", default="none")


@virtual
async def test_a_cancelled_run_cancels_its_handlers_where_they_wait_and_they_may_clean_up() -> None:
    dance, seen = Choreography("dance"), []

    @dance.reactor
    async def go(begun: Begun, step: Step) -> Went:
        try:
            await asyncio.sleep(1000)
        finally:
            await asyncio.sleep(1)
            seen.append((step.cancelled, step.cancel_reason))
        return Went()

    async with a_stage(dance) as (stage, client, at_work):
        run = await client.start(Begun())
        await eventually(lambda: at_work.worker.dispatcher.running("go"))
        await run.cancel("too dear")
        await eventually(lambda: seen)
        assert seen == [(True, "too dear")]
        await eventually(lambda: not at_work.worker.dispatcher.running("go"))
        assert not (await stage.fold(dance)).of(Kind.OUTCOME, None)
        assert not (await stage.fold(dance)).of(Kind.FAILURE, None)
        assert at_work.worker.stats.reactors["go"].superseded == 1


@virtual
async def test_a_handler_that_will_not_be_cancelled_works_for_nobody() -> None:
    dance, ended = Choreography("dance"), []

    @dance.reactor
    async def go(begun: Begun) -> Went:
        for _ in range(3):
            try:
                await asyncio.sleep(10)
            except asyncio.CancelledError:
                ended.append(begun.n)
        return Went()

    async with a_stage(dance) as (stage, client, at_work):
        run = await client.start(Begun(n=1))
        await eventually(lambda: at_work.worker.dispatcher.running("go"))
        await run.cancel()
        await eventually(lambda: not at_work.worker.dispatcher.running("go"))
        assert ended == [1]
        assert not (await stage.fold(dance)).of(Kind.OUTCOME, None)


@virtual
async def test_a_handler_that_fails_as_it_is_cancelled_leaves_no_failure() -> None:
    dance = Choreography("dance")

    @dance.reactor(timeout="5m")
    async def go(begun: Begun) -> Went:
        try:
            await asyncio.sleep(100)
        finally:
            raise OSError("the connection is closed already")

    async with a_stage(dance) as (stage, client, at_work):
        run = await client.start(Begun())
        await eventually(lambda: at_work.worker.dispatcher.running("go"))
        await run.cancel()
        await eventually(lambda: not at_work.worker.dispatcher.running("go"))
        assert not (await stage.fold(dance)).of(Kind.FAILURE, None)


@virtual
async def test_a_plain_function_may_ask_whether_it_is_cancelled() -> None:
    dance, asked, stop, seen = Choreography("dance"), asyncio.Event(), threading.Event(), []
    loop = asyncio.get_running_loop()

    @dance.reactor
    def go(begun: Begun, step: Step) -> Went:
        seen.append((step.cancelled, step.cancel_reason))
        loop.call_soon_threadsafe(asked.set)
        stop.wait(30)
        seen.append((step.cancelled, step.cancel_reason))
        return Went()

    async with a_stage(dance) as (stage, client, at_work):
        run = await client.start(Begun())
        await asked.wait()
        await run.cancel("enough")
        while at_work.worker.dispatcher.held:
            await asyncio.sleep(0)
        stop.set()
        await eventually(lambda: not at_work.worker.dispatcher.running("go"))
        assert seen == [(False, ""), (True, "enough")]
        assert not (await stage.fold(dance)).of(Kind.OUTCOME, None)


@virtual
async def test_a_handler_may_wait_for_being_cancelled() -> None:
    dance, told = Choreography("dance"), []

    @dance.reactor
    async def go(begun: Begun, step: Step) -> Went:
        async def watch() -> None:
            await step.until_cancelled()
            await step.until_cancelled()
            told.append(step.cancel_reason)

        await asyncio.shield(asyncio.ensure_future(watch()))
        return Went()

    async with a_stage(dance) as (_, client, at_work):
        run = await client.start(Begun())
        await eventually(lambda: at_work.worker.dispatcher.running("go"))
        await run.cancel("enough")
        await eventually(lambda: told)
        assert told == ["enough"]


@virtual
async def test_a_handler_is_cancelled_when_somebody_else_was_first() -> None:
    dance, seen = Choreography("dance"), []

    @dance.reactor
    async def go(begun: Begun, step: Step) -> Went:
        try:
            await asyncio.sleep(1000)
        except asyncio.CancelledError:
            seen.append((step.cancelled, step.cancel_reason))
            raise
        return Went(n=1)

    @dance.reactor
    async def end(went: Went) -> Done:
        return Done(n=went.n)

    async with a_stage(dance) as (stage, client, at_work):
        run = await client.start(Begun())
        await eventually(lambda: at_work.worker.dispatcher.running("go"))
        (owed,) = (await stage.fold(dance)).folds[0].runs.values()
        (pair,) = owed.owed.values()
        await at_work.store.append(0, stage.scribe(dance).outcome(owed.id, pair, [Went(n=2)]).records)
        assert await run.result(Done) == Done(n=2)
        assert seen == [(True, "")]


@virtual
async def test_an_attempt_is_not_cancelled_by_another_failure_of_the_same_attempt() -> None:
    dance, seen = Choreography("dance"), []

    @dance.reactor(retry=Retry(first="1h", most="1h"))
    async def go(begun: Begun, step: Step) -> Done:
        await asyncio.sleep(10)
        seen.append(step.cancelled)
        return Done(n=step.attempt)

    async with a_stage(dance) as (stage, client, at_work):
        run = await client.start(Begun())
        await eventually(lambda: at_work.worker.dispatcher.running("go"))
        (owed,) = (await stage.fold(dance)).folds[0].runs.values()
        (pair,) = owed.owed.values()
        content = {"error": "OSError", "message": "", "traceback": "", "fingerprint": ""}
        failure = stage.scribe(dance).failure(owed.id, pair, 1, content, last=False, delay_ms=3_600_000)
        await at_work.store.append(0, [failure])
        assert await run.result(Done) == Done(n=1)
        assert seen == [False]


@virtual
async def test_a_lane_goes_on_after_a_cancelled_handler_and_is_clean() -> None:
    dance, colours = Choreography("dance"), []

    @dance.reactor(concurrency=1)
    async def go(begun: Begun) -> Done:
        colours.append(colour.get())
        colour.set("red")
        if begun.n == 0:
            await asyncio.sleep(1000)
        await asyncio.sleep(1)
        return Done(n=begun.n)

    async with a_stage(dance) as (_, client, at_work):
        first = await client.start(Begun(n=0))
        await eventually(lambda: at_work.worker.dispatcher.running("go"))
        others = [await client.start(Begun(n=n)) for n in (1, 2, 3)]
        await first.cancel()
        assert [(await run.result(Done)).n for run in others] == [1, 2, 3]
        assert colours == ["none"] * 4


@virtual
async def test_a_thousand_handlers_of_a_run_are_cancelled_at_once() -> None:
    dance, ended = Choreography("dance"), []

    @dance.reactor
    async def idle(begun: Begun) -> None: ...

    @dance.reactor(concurrency=1000)
    async def go(nudged: Nudged) -> Went:
        try:
            await asyncio.sleep(1000)
        finally:
            ended.append(nudged.note)
        return Went()

    async with a_stage(dance) as (stage, client, at_work):
        run = await client.start(Begun())
        scribe, (key,) = stage.scribe(dance), (await stage.fold(dance)).folds[0].runs
        not_after = scribe.now() // 1000 + 60_000
        for _ in range(10):
            await at_work.store.append(0, [scribe.signal(key, Nudged(note=str(n)), not_after) for n in range(100)])
        await eventually(lambda: at_work.worker.dispatcher.running("go") == 1000)
        await run.cancel()
        await eventually(lambda: len(ended) == 1000, within=1)
        await eventually(lambda: not at_work.worker.dispatcher.running("go"))
        assert at_work.worker.stats.reactors["go"].superseded == 1000


@virtual
async def test_a_handler_that_still_waits_for_what_it_takes_is_never_called() -> None:
    dance, called = Choreography("dance"), []

    @dance.reactor
    async def go(begun: Begun, run: Run[Begun]) -> Went:
        called.append(begun.n)
        return Went()

    async with Stage() as stage:
        at_work = await stage.worker(dance, memory=0)
        client = await stage.client(dance)
        fetch, gate = at_work.store.inner.fetch, asyncio.Event()

        async def late(partition, offsets):  # type: ignore[no-untyped-def]
            await gate.wait()
            return await fetch(partition, offsets)

        at_work.store.inner.fetch = late  # type: ignore[method-assign]
        run = await client.start(Begun())
        await eventually(lambda: at_work.worker.dispatcher.running("go"))
        await run.cancel()
        await eventually(lambda: not at_work.worker.dispatcher.running("go"))
        gate.set()
        await asyncio.sleep(5)
        assert not called


@virtual
async def test_a_handler_that_is_cancelled_while_its_worker_stops_ends_once() -> None:
    dance, ended = Choreography("dance"), []

    @dance.reactor
    async def go(begun: Begun) -> Went:
        try:
            await asyncio.sleep(1000)
        finally:
            ended.append(1)
            await asyncio.sleep(20)
        return Went()

    async with Stage() as stage:
        at_work = await stage.worker(dance, grace=10)
        client = await stage.client(dance)
        run = await client.start(Begun())
        await eventually(lambda: at_work.worker.dispatcher.running("go"))
        stopping = asyncio.create_task(at_work.stop())
        await asyncio.sleep(1)
        await run.cancel()
        await stopping
        assert ended == [1]
        assert not (await stage.fold(dance)).of(Kind.OUTCOME, None)
