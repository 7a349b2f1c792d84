"""A client sees a run's events as they come, and its state as it is."""

import asyncio

import pytest
from tests.reactors.working.controls import Begun, Done, Met, Nudged, Stage, Went, a_stage, virtual

from farandole.eventstore import VIRTUAL_EPOCH
from farandole.reactors import Choreography, Retry
from farandole.schemas.envelope import Kind


class Dance(Choreography):
    def __init__(self) -> None:
        super().__init__("dance")
        self.gate = asyncio.Event()

        @self.reactor
        async def go(begun: Begun) -> Went:
            await self.gate.wait()
            return Went(n=begun.n)

        @self.reactor
        async def end(went: Went) -> Done:
            return Done()


@virtual
async def test_events_come_as_they_are_recorded_until_the_run_is_closed() -> None:
    dance = Dance()
    async with a_stage(dance) as (_, client, _w):
        run = await client.start(Begun(n=3), run_id="one")
        seen = []
        async for recorded in run.events():
            seen.append(recorded)
            dance.gate.set()
        assert [(r.name, r.event, r.reactor) for r in seen] == [
            ("dance.Begun", Begun(n=3), ""),
            ("dance.Went", Went(n=3), "go"),
            ("dance.Done", Done(), "end"),
        ]
        assert [r.offset for r in seen] == sorted(r.offset for r in seen)
        assert seen[0].at.timestamp() * 1000 >= VIRTUAL_EPOCH
        assert {r.run_id for r in seen} == {"one"}
        assert len({r.id for r in seen}) == 3


@virtual
async def test_events_so_far_are_an_end_of_their_own() -> None:
    async with a_stage(Dance()) as (_, client, _w):
        run = await client.start(Begun())
        assert [r.name async for r in run.events(live=False)] == ["dance.Begun"]
        assert [r.name async for r in client.run("nobody").events(live=False)] == []


@virtual
async def test_what_was_refused_is_no_event() -> None:
    dance = Dance()
    async with a_stage(dance) as (stage, client, worker):
        run = await client.start(Begun())
        worker.store.doubt = 5
        dance.gate.set()
        await run.result(Done)
        await stage.folded(dance, lambda log: log.verdicts["NO_RUN"] + log.verdicts["NOT_OWED"] >= 2)
        assert [r.name async for r in run.events()] == ["dance.Begun", "dance.Went", "dance.Done"]
        assert len(await run.history()) > 3


@virtual
async def test_the_state_of_a_run() -> None:
    dance = Choreography("dance")
    gate, other = asyncio.Event(), Choreography("dance", service="other")

    @dance.reactor(retry=Retry(attempts=2, first="100s", jitter=False))
    async def go(begun: Begun) -> Went | Met | None:
        if begun.n == 1:
            raise OSError
        if begun.n == 2:
            await gate.wait()
        return Met() if begun.n == 4 else Went() if begun.n == 5 else None

    @dance.reactor
    async def join(went: Went, nudged: Nudged) -> Done:
        return Done()

    @dance.reactor
    async def linger(done: Done) -> None:
        await gate.wait()

    async with a_stage(dance) as (stage, client, _):
        await asyncio.sleep(700)  # beyond the settling time
        runs = {n: await client.start(Begun(n=n), run_id=f"run-{n}") for n in range(6)}
        await stage.folded(dance, lambda log: len(log.steps) == 4 and log.of(Kind.FAILURE))

        async def status(n: int) -> str:
            return (await runs[n].status()).status

        assert [await status(n) for n in (1, 2, 4, 5)] == ["retrying", "running", "unserved", "waiting"]
        assert await status(0) == "waiting"  # a signal could move it
        await runs[2].pause()
        assert await status(2) == "paused"
        await runs[5].send(Nudged())
        await runs[5].result(Done)
        assert await status(5) == "ending"
        await runs[4].cancel()
        assert await status(4) == "cancelled"
        await asyncio.sleep(200)
        assert await status(1) == "failed"
        gate.set()
        await stage.folded(dance, lambda log: "run-5" not in log.open)
        assert await status(5) == "completed"
        assert (await client.run("nobody").status()).status == "absent"
        owed = (await runs[1].status()).owed[0]
        assert (owed.reactor, owed.service, owed.trigger_types) == ("go", "dance", ("dance.Begun",))
        assert other.service == "other"


@virtual
async def test_the_status_of_a_closed_run_is_found_by_a_client_that_came_later() -> None:
    dance = Dance()
    dance.gate.set()
    async with a_stage(dance) as (stage, client, _):
        run = await client.start(Begun(), run_id="one")
        await run.result(Done)
        await stage.folded(dance, lambda log: not log.open)
        late = await stage.client(dance)
        await late.run("two").status()
        assert (await late.run("one").status()).status == "completed"
        assert [r.name async for r in late.run("one").events()] == ["dance.Begun", "dance.Went", "dance.Done"]


@pytest.mark.parametrize("partitions", [1, 4])
@virtual
async def test_many_who_watch_many_runs_all_see_them_end(partitions: int) -> None:
    dance = Dance()
    async with Stage(partitions=partitions) as stage:
        await stage.worker(dance)
        clients = [await stage.client(dance) for _ in range(3)]
        await clients[0].run("x").status()
        runs = [await clients[0].start(Begun(), run_id=f"run-{n}") for n in range(30)]
        watching = [asyncio.ensure_future(client.run(run.id).result(Done)) for run in runs for client in clients]
        await asyncio.sleep(1)
        dance.gate.set()
        assert await asyncio.wait_for(asyncio.gather(*watching), 60) == [Done()] * 90
