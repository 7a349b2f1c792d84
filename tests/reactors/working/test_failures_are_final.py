"""What no further attempt can cure is recorded as a final failure, parks that one step, and stops nothing else."""

import asyncio
import sys
import threading
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from tests.reactors.working.controls import (
    Assigned,
    Begun,
    Done,
    Folded,
    Met,
    Stage,
    Went,
    a_stage,
    eventually,
    virtual,
)

from farandole.eventstore import Record
from farandole.reactors import Choreography, Retry
from farandole.reactors.errors import RunFailed
from farandole.schemas import Event
from farandole.schemas.envelope import Flag, Kind

NONE = Retry(attempts=1)


class Grown(Event):
    text: str = ""


class Weighed(Event):
    grams: Decimal = Decimal(0)


def final(log: Folded) -> int:
    return sum(bool(out.envelope and out.envelope.flags & Flag.LAST) for _, out in log.of(Kind.FAILURE))


async def failure_of(dance: Choreography) -> RunFailed:
    """Start a run, and say how it failed; it shows that the worker goes on."""
    async with a_stage(dance) as (_, client, at_work):
        run = await client.start(Begun())
        with pytest.raises(RunFailed) as failed:
            await run.result(timeout="1h")
        other = await client.start(Begun(n=1))
        with pytest.raises(RunFailed):
            await other.result(timeout="1h")
        assert not at_work.task.done()
        return failed.value


def failing(handler: Callable[[], Any], *, retry: Retry = NONE, timeout: str | None = None) -> Choreography:
    dance = Choreography("dance")

    @dance.reactor(retry=retry, timeout=timeout)
    async def go(begun: Begun) -> Went:
        result: Went = await handler()
        return result

    return dance


@virtual
async def test_an_async_handler_that_takes_too_long_is_stopped_and_fails() -> None:
    stopped: list[float] = []

    async def sleep() -> None:
        try:
            await asyncio.sleep(3600)
        finally:
            stopped.append(asyncio.get_running_loop().time())

    failed = await failure_of(failing(sleep, timeout="30s"))
    assert "TimeoutError: the handler took longer than 30 s" in str(failed)
    assert stopped[0] < 40


@virtual
async def test_a_timeout_of_the_handlers_own_is_told_as_it_is() -> None:
    async def sleep() -> None:
        async with asyncio.timeout(1):
            await asyncio.sleep(3600)

    failed = await failure_of(failing(sleep, timeout="30s"))
    assert "took longer" not in str(failed)


async def test_a_plain_handler_that_took_too_long_fails_after_it() -> None:
    dance = Choreography("dance")

    @dance.reactor(retry=NONE, timeout="1ms")
    def go(begun: Begun) -> Went:
        time.sleep(0.01)
        return Went()

    assert "took longer than 0.001 s" in str(await failure_of(dance))


async def test_an_async_handler_that_kept_the_loop_to_itself_for_too_long_fails_after_it() -> None:
    async def block() -> None:
        time.sleep(0.01)

    assert "took longer than 0.001 s" in str(await failure_of(failing(block, timeout="1ms")))


async def test_plain_handlers_wait_for_no_thread_while_their_time_runs() -> None:
    dance = Choreography("dance")
    all_at_once = threading.Barrier(70)

    @dance.reactor(retry=NONE, timeout="30s", concurrency=70)
    def go(begun: Begun) -> Done:
        all_at_once.wait(30)
        return Done()

    async with a_stage(dance) as (_, client, _w):
        runs = [await client.start(Begun()) for _ in range(70)]
        for run in runs:
            await run.result(Done)


@virtual
async def test_exiting_the_process_from_a_handler_only_fails_the_step() -> None:
    async def leave() -> None:
        sys.exit(3)

    assert "the handler called sys.exit(3)" in str(await failure_of(failing(leave)))


@virtual
async def test_exiting_the_process_from_a_plain_handler_only_fails_the_step() -> None:
    dance = Choreography("dance")

    @dance.reactor(retry=NONE)
    def go(begun: Begun) -> Went:
        sys.exit(3)

    assert "the handler called sys.exit(3)" in str(await failure_of(dance))


@virtual
async def test_a_plain_handler_that_raises_stop_iteration_fails() -> None:
    dance = Choreography("dance")

    @dance.reactor(retry=NONE)
    def go(begun: Begun) -> Went:
        return next(iter([]))

    assert "StopIteration" in str(await failure_of(dance))


@virtual
async def test_a_cancellation_raised_in_a_handler_fails_the_step() -> None:
    async def cancelled() -> None:
        raise asyncio.CancelledError

    assert "cancelled from within" in str(await failure_of(failing(cancelled)))


@virtual
async def test_a_handler_that_awaits_a_cancelled_task_fails() -> None:
    async def wait() -> None:
        task = asyncio.ensure_future(asyncio.sleep(3600))
        task.cancel()
        await task

    assert "cancelled from within" in str(await failure_of(failing(wait)))


@virtual
async def test_a_handler_that_cancels_its_own_task_fails_and_harms_no_other() -> None:
    async def cancel() -> None:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        await asyncio.sleep(3600)

    assert "cancelled from within" in str(await failure_of(failing(cancel)))


@virtual
async def test_a_cancellation_that_comes_after_its_handler_hits_no_other_step() -> None:
    dance = Choreography("dance")

    @dance.reactor(retry=NONE, concurrency=1)
    async def end(begun: Begun) -> Done:
        task = asyncio.current_task()
        assert task is not None
        if begun.n:
            await asyncio.sleep(1)
        else:
            task.cancel()
        return Done(n=begun.n)

    async with a_stage(dance) as (_, client, _w):
        runs = [await client.start(Begun(n=n)) for n in range(3)]
        assert [(await run.result(Done)).n for run in runs] == [0, 1, 2]


@virtual
async def test_what_is_raised_may_be_no_exception_at_all() -> None:
    class Outcome(BaseException): ...

    async def odd() -> None:
        raise Outcome("odd")

    assert "Outcome('odd'), which is no Exception" in str(await failure_of(failing(odd)))


@virtual
async def test_an_event_that_was_not_declared_fails_the_step_without_another_attempt() -> None:
    async def other() -> Any:
        return Met()

    failed = await failure_of(failing(other, retry=Retry(attempts=5)))
    assert "after 1 attempt" in str(failed)
    assert "UndeclaredOutcome" in str(failed)


@virtual
async def test_an_event_that_is_too_large_for_the_log_fails_the_step() -> None:
    dance = Choreography("dance")

    @dance.reactor
    async def grow(begun: Begun) -> Grown:
        return Grown(text="x" * 2_000_000)

    assert "larger than" in str(await failure_of(dance)) or "more than" in str(await failure_of(dance))


@virtual
async def test_an_event_that_only_the_log_finds_too_large_fails_the_step_and_spares_its_neighbours() -> None:
    dance = Choreography("dance")

    @dance.reactor
    async def grow(begun: Begun) -> Grown | Done:
        return Grown(text="x" * 5000) if begun.n == 3 else Done()

    def prepare(store: Any) -> None:
        store.inner.max_record_bytes = 4000

    async with Stage() as stage:
        client = await stage.client(dance)
        await stage.worker(dance, prepare=prepare)
        runs = [await client.start(Begun(n=n)) for n in range(6)]
        for n, run in enumerate(runs):
            if n == 3:
                with pytest.raises(RunFailed, match="after 1 attempt"):
                    await run.result()
            else:
                await run.result(Done)


@virtual
async def test_an_event_that_cannot_be_written_as_its_types_say_fails_the_step() -> None:
    async def odd() -> Any:
        return Went.model_construct(n="no number")

    failed = await failure_of(failing(odd, retry=Retry(attempts=5)))
    assert "after 1 attempt: EncodingError" in str(failed)


@virtual
async def test_a_trigger_that_cannot_be_read_parks_its_step_alone() -> None:
    dance = Choreography("dance")

    @dance.reactor
    async def end(begun: Begun) -> Done:
        return Done(n=begun.n)

    async with a_stage(dance) as (stage, client, at_work):
        start = client.scribe.start(b"bad", Begun())
        await at_work.store.inner.append(
            0, [Record(start.key, (start.value or b"")[:10] + b"\xff" * 40, start.headers)]
        )
        others = [await client.start(Begun(n=n)) for n in range(5)]
        assert [(await run.result(Done)).n for run in others] == list(range(5))
        with pytest.raises(RunFailed, match=r"after 1 attempt: UndecodableValue"):
            await client.run("bad").result()
        assert final(await stage.fold(dance)) == 1


@virtual
async def test_a_run_id_that_is_no_text_stops_nobody() -> None:
    dance = Choreography("dance")

    @dance.reactor(retry=NONE)
    async def end(begun: Begun) -> Done:
        if begun.n:
            raise ValueError
        return Done()

    async with a_stage(dance) as (stage, client, at_work):
        for key, n in ((b"\xff\xfe", 0), (b"\xff\xff", 1)):
            await at_work.store.inner.append(0, [client.scribe.start(key, Begun(n=n))])
        assert await (await client.start(Begun())).result(Done)
        log = await stage.folded(dance, final)
        assert log.folds[0].runs.keys() == {b"\xff\xff"}


@virtual
async def test_a_schema_that_another_service_registers_later_is_learned_when_it_is_needed() -> None:
    old, new = Choreography("dance", service="old"), Choreography("dance", service="new")

    class Gone(Event):
        n: int = 0

    class NewGone(Event, name="Gone"):
        n: int = 0
        why: str = "no reason"

    @old.reactor
    async def end(gone: Gone) -> Done:
        return Done(n=gone.n)

    @new.reactor
    async def go(begun: Begun) -> NewGone:
        return NewGone(n=begun.n, why="newer")

    async with Stage() as stage:
        await stage.worker(old)
        await stage.worker(new)
        client = await stage.client(old)
        assert await (await client.start(Begun(n=5))).result(Done) == Done(n=5)


@virtual
async def test_a_success_after_the_final_failure_is_refused() -> None:
    gate, dance = asyncio.Event(), Choreography("dance")
    tried: list[int] = []

    @dance.reactor(retry=NONE)
    async def end(begun: Begun) -> Done:
        tried.append(1)
        if len(tried) == 1:
            await gate.wait()
            return Done(n=1)
        if len(tried) == 2:
            raise ValueError
        return Done(n=2)

    async with Stage() as stage:
        await stage.worker(dance, owns=Assigned(0))
        client = await stage.client(dance)
        run = await client.start(Begun())
        await eventually(lambda: tried)
        await stage.worker(dance, owns=Assigned(0))
        with pytest.raises(RunFailed):
            await run.result()
        gate.set()
        await stage.folded(dance, lambda log: log.verdicts["LATE"])
        await run.retry()
        assert await run.result(Done) == Done(n=2)
        log = await stage.folded(dance, lambda log: not log.open)
        assert len(log.steps) == 1
