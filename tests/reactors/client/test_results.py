"""A result is typed by the ends asked for, and everything else that can become of a run is an error of its own."""

import asyncio
import gc

import pytest
from tests.reactors.working.controls import Begun, Breakable, Done, Stage, Stopped, Went, a_stage, eventually, virtual

from farandole.reactors import Choreography, Retry
from farandole.reactors.errors import RunCancelled, RunExpired, RunFailed, UnexpectedEnd
from farandole.schemas import End


class Dance(Choreography):
    """Ends by the number of the start: 0 done, 1 stopped, 2 parked, 3 never."""

    def __init__(self) -> None:
        super().__init__("dance")
        self.mended = False

        @self.reactor(retry=Retry(attempts=1))
        async def end(begun: Begun) -> Done | Stopped | None:
            if begun.n == 2 and not self.mended:
                raise OSError("broken")
            return None if begun.n == 3 else Stopped(why="so") if begun.n == 1 else Done()


@virtual
async def test_the_end_that_was_asked_for() -> None:
    async with a_stage(Dance()) as (_, client, _w):
        assert await (await client.start(Begun(n=1))).result(Done, Stopped) == Stopped(why="so")
        assert await (await client.start(Begun(n=0))).result() == Done()
        assert await (await client.start(Begun(n=0))).result(End) == Done()


@virtual
async def test_another_end() -> None:
    async with a_stage(Dance()) as (_, client, _w):
        with pytest.raises(UnexpectedEnd, match="ended with Stopped, not with Done") as unexpected:
            await (await client.start(Begun(n=1))).result(Done)
        assert unexpected.value.end == Stopped(why="so")


@virtual
async def test_a_cancel_with_its_reason() -> None:
    async with a_stage(Dance()) as (_, client, _w):
        run = await client.start(Begun(n=3))
        await run.cancel("changed my mind")
        with pytest.raises(RunCancelled, match="was cancelled: changed my mind") as cancelled:
            await run.result(Done)
        assert cancelled.value.reason == "changed my mind"


@virtual
async def test_an_expiry() -> None:
    async with Stage() as stage:
        await stage.make(Dance(), {"expire_after": 1000})
        await stage.worker(Dance())
        client = await stage.client(Dance())
        with pytest.raises(RunExpired):
            await (await client.start(Begun(n=3))).result(Done)


@virtual
async def test_a_parked_step_raises_or_is_waited_out() -> None:
    dance = Dance()
    async with a_stage(dance) as (_, client, _w):
        run = await client.start(Begun(n=2))
        with pytest.raises(RunFailed):
            await run.result(Done)
        waiting = asyncio.ensure_future(run.result(Done, on_parked="wait"))
        await asyncio.sleep(100)
        assert not waiting.done()
        dance.mended = True
        await run.retry()
        assert await waiting == Done()


@virtual
async def test_no_result_in_time_says_what_the_run_is_doing() -> None:
    slow = Choreography("dance")

    @slow.reactor
    async def end(begun: Begun) -> Done:
        await asyncio.sleep(7200)
        return Done()

    async with a_stage(slow) as (_, client, _w):
        run = await client.start(Begun(), run_id="one")
        with pytest.raises(TimeoutError, match=r"run 'one' has no result after 30s: it is running and owes end"):
            await run.result(Done, timeout="30s")
        with pytest.raises(TimeoutError, match=r"no such run was started"):
            await client.run("two").result(Done, timeout=5)


@virtual
async def test_the_failure_that_is_told_is_that_of_the_parked_step() -> None:
    dance = Choreography("dance")

    @dance.reactor(retry=Retry(attempts=1))
    async def park(begun: Begun) -> Went:
        raise OSError("this one")

    @dance.reactor(retry=Retry(attempts=2, first="10s"))
    async def caught(begun: Begun) -> Done:
        raise KeyError("another one")

    from farandole.reactors import Failed

    @dance.reactor(of=caught)
    async def catch(failed: Failed[Begun]) -> None: ...

    async with a_stage(dance) as (stage, client, _):
        run = await client.start(Begun())
        await stage.folded(dance, lambda log: len(log.steps) == 1)
        with pytest.raises(RunFailed, match="park failed for good after 1 attempt: OSError: this one"):
            await run.result(Done)


@virtual
async def test_runs_that_were_closed_before_the_client_came_are_found() -> None:
    async with a_stage(Dance(), partitions=2) as (stage, client, _):
        ids = [f"run-{n}" for n in range(20)]
        for run_id in ids:
            await (await client.start(Begun(), run_id=run_id)).result(Done)
        late = await stage.client(Dance())
        assert [await late.run(run_id).result(Done) for run_id in ids] == [Done()] * 20


@virtual
async def test_many_questions_at_once_do_not_fold_the_log_for_each() -> None:
    async with a_stage(Dance()) as (stage, client, _):
        ids = [f"run-{n}" for n in range(50)]
        for run_id in ids:
            await (await client.start(Begun(), run_id=run_id)).result(Done)
        late = await stage.client(Dance())
        assert isinstance(late.store, Breakable)
        await late.run("something else").status()
        results = await asyncio.gather(*(late.run(run_id).result(Done) for run_id in ids * 2))
        assert results == [Done()] * 100
        assert late.store.readers <= 3


@virtual
async def test_two_handles_of_one_run_that_are_looked_up_at_once_both_follow_it() -> None:
    """A look-up that begins while another is under way must not leave the first one's handle behind."""
    async with a_stage(Dance()) as (stage, client, worker):
        await client.start(Begun(n=2), run_id="one")
        late = await stage.client(Dance())
        await late.run("something else").status()

        async def ask(turns: int) -> Done:
            for _ in range(turns):
                await asyncio.sleep(0)
            return await late.run("one").result(Done, on_parked="wait")

        waiting = [asyncio.ensure_future(ask(turns)) for turns in range(12)]
        await asyncio.sleep(1)
        await worker.stop()
        mended = Dance()
        mended.mended = True
        await stage.worker(mended)
        await client.run("one").retry()
        assert await asyncio.wait_for(asyncio.gather(*waiting), 60) == [Done()] * 12


@virtual
async def test_a_run_that_nobody_asks_about_any_more_is_not_watched() -> None:
    async with a_stage(Dance()) as (_, client, _w):
        runs = [await client.start(Begun()) for _ in range(10)]
        for run in runs:
            await run.result(Done)
        assert len(client.follower._views) == 10
        del run, runs
        gc.collect()
        assert len(client.follower._views) == 0


@virtual
async def test_whoever_waits_while_the_client_is_closed_is_told() -> None:
    from farandole.eventstore import StoreClosed

    async with a_stage(Dance()) as (stage, _, _w):
        client = await stage.client(Dance())
        run = await client.start(Begun(n=3))
        waiting = asyncio.ensure_future(run.result(Done))
        await asyncio.sleep(5)
        await client.close()
        with pytest.raises(StoreClosed, match="the client was closed"):
            await asyncio.wait_for(waiting, 10)
        with pytest.raises(StoreClosed):
            await run.status()


@virtual
async def test_whoever_waits_while_the_log_breaks_is_told() -> None:
    from farandole.eventstore import StoreMisconfigured

    async with a_stage(Dance()) as (_stage, client, _):
        run = await client.start(Begun(n=3))
        waiting = asyncio.ensure_future(run.result(Done))
        await asyncio.sleep(5)

        def broken(record: object, out: object) -> None:
            raise StoreMisconfigured("the topic is gone")

        client.follower.listener = broken
        await client.start(Begun())
        with pytest.raises(StoreMisconfigured, match="the topic is gone"):
            await asyncio.wait_for(waiting, 10)


@virtual
async def test_a_result_that_is_given_up_leaves_nothing_behind() -> None:
    async with a_stage(Dance()) as (_, client, _w):
        run = await client.start(Begun(n=3))
        for _ in range(20):
            with pytest.raises(TimeoutError):
                await run.result(Done, timeout="1s")
        await eventually(lambda: True)
        (view,) = client.follower._views.values()
        assert len(view.waiters) <= 1
