"""With ``ordered=True`` the steps of one run go one at a time, in the order of the log."""

import asyncio

import pytest
from tests.reactors.working.controls import Begun, Done, Stage, Went, eventually, virtual

from farandole.reactors import Choreography, Retry
from farandole.reactors.errors import RunFailed


class Marching:
    """Three steps of one run, of which the test says how they go."""

    def __init__(self, *, fail: int = -1) -> None:
        self.began: list[int] = []
        self.now = self.most = 0
        self.fail = fail
        self.dance = Choreography("dance")

        @self.dance.reactor
        async def go(begun: Begun) -> tuple[Went, Went, Went]:
            return Went(n=0), Went(n=1), Went(n=2)

        @self.dance.reactor(ordered=True, retry=Retry(attempts=2, first="10s", jitter=False))
        async def march(went: Went) -> Done | None:
            self.began.append(went.n)
            self.now += 1
            self.most = max(self.most, self.now)
            await asyncio.sleep(3 - went.n)
            self.now -= 1
            if went.n == self.fail:
                raise OSError
            return Done() if went.n == 2 else None


@virtual
async def test_one_at_a_time_in_the_order_of_the_log() -> None:
    marching = Marching()
    async with Stage() as stage:
        await stage.worker(marching.dance)
        client = await stage.client(marching.dance)
        await (await client.start(Begun())).result(Done)
        assert (marching.began, marching.most) == ([0, 1, 2], 1)


@virtual
async def test_runs_do_not_wait_for_one_another() -> None:
    marching = Marching()
    async with Stage() as stage:
        await stage.worker(marching.dance)
        client = await stage.client(marching.dance)
        for run in [await client.start(Begun()) for _ in range(5)]:
            await run.result(Done)
        assert marching.most == 5


@virtual
async def test_a_retry_holds_those_behind_it_back() -> None:
    marching = Marching(fail=0)
    async with Stage() as stage:
        await stage.worker(marching.dance)
        client = await stage.client(marching.dance)
        run = await client.start(Begun())
        await eventually(lambda: marching.began == [0])
        await asyncio.sleep(5)
        marching.fail = -1
        await run.result(Done)
        assert marching.began == [0, 0, 1, 2]


@virtual
async def test_those_behind_a_parked_step_wait_until_it_was_retried() -> None:
    marching = Marching(fail=1)
    async with Stage() as stage:
        await stage.worker(marching.dance)
        client = await stage.client(marching.dance)
        run = await client.start(Begun())
        with pytest.raises(RunFailed):
            await run.result(Done)
        await asyncio.sleep(1000)
        assert marching.began == [0, 1, 1]
        marching.fail = -1
        await run.retry()
        await run.result(Done)
        assert marching.began == [0, 1, 1, 1, 2]


@virtual
async def test_the_order_survives_a_crash() -> None:
    marching = Marching()
    async with Stage() as stage:
        client = await stage.client(marching.dance)
        first = await stage.worker(marching.dance)
        run = await client.start(Begun())
        await eventually(lambda: marching.began == [0, 1])
        await first.kill()
        marching.now = 0
        await stage.worker(marching.dance)
        await run.result(Done)
        assert marching.began == [0, 1, 1, 2]
        assert marching.most == 1


@virtual
async def test_the_order_survives_a_pause() -> None:
    marching = Marching()
    async with Stage() as stage:
        await stage.worker(marching.dance)
        client = await stage.client(marching.dance)
        run = await client.start(Begun())
        await eventually(lambda: marching.began == [0])
        await run.pause()
        await asyncio.sleep(100)
        assert marching.began == [0]
        await run.resume()
        await run.result(Done)
        assert (marching.began, marching.most) == ([0, 1, 2], 1)
