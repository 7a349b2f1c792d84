"""A partition that cannot be read on fails those who ask about its runs; everybody else goes on."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from tests.reactors.working.controls import Begun, Breakable, Done, Stage, virtual

from farandole.eventstore import PartitionCorrupt
from farandole.projections.fold import KNOWN_VERSION, UnknownFoldVersion
from farandole.reactors import Choreography, Client
from farandole.schemas.envelope import Kind


def chain() -> Choreography:
    made = Choreography("chain")

    @made.reactor
    async def finish(begun: Begun) -> Done | None:
        return Done() if begun.n else None

    return made


def a_run(client: Client, partition: int, nth: int = 0) -> str:
    return [id for n in range(99) if client.store.partition_of((id := f"run-{n}").encode()) == partition][nth]


def damage(client: Client, partition: int) -> None:
    assert isinstance(client.store, Breakable)
    client.store.corrupt.add(partition)


@asynccontextmanager
async def at_work() -> AsyncIterator[tuple[Stage, Client]]:
    """A log of two partitions, a worker and a client."""
    async with Stage(partitions=2) as stage:
        client = await stage.client(chain())
        await stage.worker(chain())
        yield stage, client


@virtual
async def test_who_waits_for_a_run_of_a_damaged_partition_is_told_and_the_others_go_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with at_work() as (_, client):
        here = await client.start(Begun(n=0), run_id=a_run(client, 0))
        there = await client.start(Begun(n=0), run_id=a_run(client, 1))
        waiting = [asyncio.create_task(run.result(Done)) for run in (here, there)]
        await there.status()
        damage(client, 0)
        with pytest.raises(PartitionCorrupt, match="partition 0 is damaged"):
            await waiting[0]
        assert not waiting[1].done()
        for nth in range(1, 4):
            await (await client.start(Begun(n=1), run_id=a_run(client, 1, nth))).result(Done, timeout="30s")
        await there.cancel()
        await asyncio.wait(waiting)
        assert "RunCancelled" in repr(waiting[1].exception())
        assert caplog.text.count("partition 0 is followed no more") == 1


@virtual
async def test_who_asks_later_is_told_the_same_whatever_is_asked() -> None:
    async with at_work() as (_, client):
        run = await client.start(Begun(n=1), run_id=a_run(client, 0))
        await run.result(Done)
        damage(client, 0)
        with pytest.raises(PartitionCorrupt):
            while True:
                await client.follower.progress()
        for asked in (run, client.run(a_run(client, 0, 1)), await client.start(Begun(n=1), run_id=a_run(client, 0, 2))):
            with pytest.raises(PartitionCorrupt):
                await asked.status()
            with pytest.raises(PartitionCorrupt):
                await asked.result(timeout="5s")
            with pytest.raises(PartitionCorrupt):
                await asked.cancel()
        assert (await client.run(a_run(client, 1)).status()).status == "absent"


@virtual
async def test_rules_that_this_release_does_not_know_stop_the_partition_in_which_they_are() -> None:
    async with at_work() as (stage, client):
        run = await client.start(Begun(n=0), run_id=a_run(client, 0))
        waiting = asyncio.create_task(run.result(Done))
        (record,) = stage.scribe(chain()).control(Kind.VERSION, [{"version": KNOWN_VERSION + 1}])
        await client.store.append(0, [record])
        with pytest.raises(UnknownFoldVersion, match="upgrade farandole"):
            await waiting
        await (await client.start(Begun(n=1), run_id=a_run(client, 1))).result(Done, timeout="30s")


@virtual
async def test_a_list_of_runs_does_not_leave_out_a_partition_in_silence() -> None:
    async with at_work() as (_, client):
        await client.start(Begun(n=1), run_id=a_run(client, 1))
        assert len((await client.runs()).runs) == 1
        damage(client, 0)
        with pytest.raises(PartitionCorrupt):
            await client.runs()
