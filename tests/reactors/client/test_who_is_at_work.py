"""A run's state tells which service owes it a step and has no process at work, as far as anybody may know."""

import asyncio

import pytest
from tests.reactors.working.controls import Begun, Done, Stage, virtual

from farandole.reactors import Choreography


def dance() -> Choreography:
    choreography = Choreography("dance", service="floor")

    @choreography.reactor
    async def end(begun: Begun) -> Done:
        await asyncio.sleep(begun.n)
        return Done()

    return choreography


@virtual
async def test_a_step_of_a_service_without_a_worker_is_told_as_such() -> None:
    async with Stage() as stage:
        worker = await stage.worker(dance())
        client = await stage.client(dance())
        run = await client.start(Begun(n=100))
        assert (await run.status()).without_worker == ()
        await worker.stop()
        assert (await run.status()).without_worker == ("floor",)
        assert [listed.status.without_worker for listed in (await client.runs()).runs] == [("floor",)]
        with pytest.raises(TimeoutError, match=r"owes end \(no worker of floor is alive\)"):
            await run.result(Done, timeout="1s")
        await stage.worker(dance())
        assert (await run.status()).without_worker == ()
        await run.result(Done)
        assert (await run.status()).without_worker == ()


@virtual
async def test_who_may_not_know_is_told_nothing_and_no_error() -> None:
    async with Stage() as stage:
        worker = await stage.worker(dance())
        client = await stage.client(dance())
        run = await client.start(Begun(n=100))
        await run.status()
        await worker.stop()
        client.store.discreet = True  # type: ignore[attr-defined]
        assert (await run.status()).without_worker == ()
        assert (await run.status()).status == "running"
