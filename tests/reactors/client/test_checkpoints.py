"""A client begins with checkpoints too, and knows what one that read everything knows."""

import asyncio

from tests.reactors.working.controls import Begun, Done, Nudged, Stage, virtual
from tests.reactors.working.test_checkpoints import OFTEN, a_dance, checkpointed, waiting_runs

from farandole.projections.fold import Verdict
from farandole.reactors import Choreography, Retry, RunFailed


async def prepared(stage: Stage) -> Choreography:
    """Ten runs are done, thirty wait, and a checkpoint has them all."""
    dance = a_dance()
    worker = await waiting_runs(stage, dance, 40)
    client = await stage.client(dance)
    for n in range(10):
        await client.run(f"run-{n}").send(Nudged())
        await client.run(f"run-{n}").result(Done)
    for n in range(100, 120):
        await client.start(Begun(n=n), run_id=f"run-{n}")
        await asyncio.sleep(0.1)
    (newest, *_) = (await checkpointed(stage, dance, 1))[0]
    assert newest.position > worker.worker.partitions[0].fold.runs[b"run-39"].offset
    return dance


@virtual
async def test_an_open_run_of_a_checkpoint_has_its_state_and_its_result() -> None:
    async with Stage() as stage:
        dance = await prepared(stage)
        client = await stage.client(dance)
        run = client.run("run-20")
        status = await run.status()
        assert (status.status, client.follower.from_checkpoints) == ("waiting", True)
        assert not (await client.follower.view(b"run-20")).whole
        await run.send(Nudged())
        assert (await run.result(Done)).n == 4


@virtual
async def test_what_a_checkpoint_does_not_tell_is_read_again() -> None:
    async with Stage() as stage:
        dance = await prepared(stage)
        client = await stage.client(dance)
        assert (await client.run("run-21").status()).status == "waiting"
        assert {e.verdict for e in await client.run("run-21").history()} == {Verdict.HELD, Verdict.ADMITTED}
        events = [type(r.event).__name__ async for r in client.run("run-21").events(live=False)]
        assert events == ["Begun", "Went", "Met"]
        assert (await client.run("run-3").result(Done)).n == 4
        assert (await client.run("run-3").status()).status == "completed"
        assert (await client.run("nobody").status()).status == "absent"


@virtual
async def test_a_start_that_stands_before_the_checkpoint_is_known_to_have_opened_its_run() -> None:
    async with Stage() as stage:
        dance = a_dance()
        await waiting_runs(stage, dance, 5)
        client = await stage.client(dance)
        run = await client.start(Begun(n=1), run_id="mine")
        again = await client.start(Begun(n=2), run_id="mine")
        for n in range(100, 130):
            await (await stage.client(dance)).start(Begun(n=n))
        await asyncio.sleep(1)
        assert await run.created
        assert client.follower.from_checkpoints
        assert not await again.created


@virtual
async def test_why_a_step_was_parked_before_the_checkpoint_is_told() -> None:
    async with Stage() as stage:
        dance = Choreography("dance")

        @dance.reactor(retry=Retry(attempts=1))
        async def fail(begun: Begun) -> Done:
            raise ValueError("it was a bad day")

        await stage.worker(dance, checkpoints=OFTEN)
        client = await stage.client(dance)
        for n in range(40):
            await client.start(Begun(n=n), run_id=f"run-{n}")
            await asyncio.sleep(0.1)
        other = await stage.client(dance)
        try:
            await other.run("run-2").result()
        except RunFailed as e:
            assert "it was a bad day" in str(e)
        else:
            raise AssertionError("nothing was said")
        assert other.follower.from_checkpoints


@virtual
async def test_lists_of_runs_begin_with_checkpoints_unless_everything_is_asked_for() -> None:
    async with Stage() as stage:
        dance = await prepared(stage)
        client = await stage.client(dance)
        listed = await client.runs(limit=100)
        assert listed.recent
        assert {run.id for run in listed.runs if run.status.status == "waiting"} == {
            f"run-{n}" for n in (*range(10, 40), *range(100, 120))
        }
        assert {run.type for run in listed.runs} == {f"{dance.name}.Begun"}
        assert all(run.started for run in listed.runs)
        everything = await client.runs(limit=100, everything=True)
        assert not everything.recent
        assert everything.counts["completed"] == 10
        few = await client.runs(limit=3, type=f"{dance.name}.Begun", status=["waiting"])
        assert len(few.runs) == 3


@virtual
async def test_who_waits_for_a_result_is_told_though_somebody_else_looked_the_whole_run_up_meanwhile() -> None:
    async with Stage() as stage:
        dance = await prepared(stage)
        client = await stage.client(dance)
        waiting = asyncio.ensure_future(client.run("run-22").result(Done))
        await client.run("run-22").status()
        other = client.run("run-22")
        assert len(await other.history()) > 1
        await other.send(Nudged())
        assert (await asyncio.wait_for(waiting, 60)).n == 4
        assert [entry.offset for entry in await other.history()] == sorted({e.offset for e in await other.history()})
