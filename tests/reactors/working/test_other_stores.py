"""What holds in memory holds on SQLite and on a real broker."""

import asyncio
import secrets
from pathlib import Path

import pytest
from tests.reactors.working.controls import Begun, Done, Met, Nudged, Stage, Went, eventually

from farandole.eventstore import Record, SystemClock
from farandole.reactors import Choreography, Retry, Run
from farandole.schemas.envelope import Kind

STORES = ["sqlite", pytest.param("kafka", marks=pytest.mark.kafka)]


@pytest.fixture(params=STORES)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'dance.db'}"
    return f"kafka://{request.getfixturevalue('kafka')}"


@pytest.fixture
def stage(url: str) -> Stage:
    return Stage(url, partitions=2, clock=SystemClock())


@pytest.fixture
def dance() -> Choreography:
    dance = Choreography(f"dance_{secrets.token_hex(4)}")
    failed: set[str] = set()

    @dance.reactor
    async def go(begun: Begun) -> tuple[Went, Met]:
        return Went(n=begun.n), Met(n=begun.n)

    @dance.reactor(retry=Retry(first="10ms"))
    def fail_once(went: Went, run: Run[Begun]) -> None:
        if run.id not in failed:
            failed.add(run.id)
            raise OSError("once")

    @dance.reactor
    async def end(went: Went, met: Met, nudged: Nudged, run: Run[Begun]) -> Done:
        return Done(n=len(await run.events(Begun, Went, Met, Nudged)))

    return dance


async def test_runs_go_from_start_to_end_with_joins_retries_and_signals(stage: Stage, dance: Choreography) -> None:
    async with stage:
        await stage.worker(dance)
        client = await stage.client(dance)
        runs = await asyncio.gather(*(client.start(Begun(n=n)) for n in range(50)))
        await asyncio.gather(*(run.send(Nudged()) for run in runs))
        results = await asyncio.gather(*(run.result(Done, timeout="60s") for run in runs))
        assert {done.n for done in results} == {4}
        log = await stage.folded(dance, lambda log: not log.open)
        assert len(log.steps) == 150
        assert log.once_each()
        assert len(log.of(Kind.FAILURE)) == 50


async def test_workers_that_are_killed_lose_and_double_nothing(stage: Stage, dance: Choreography) -> None:
    async with stage:
        client = await stage.client(dance)
        runs = await asyncio.gather(*(client.start(Begun(n=n)) for n in range(50)))
        for _ in range(2):
            worker = await stage.worker(dance)
            await worker.kill()
        await asyncio.gather(*(run.send(Nudged()) for run in runs))
        await stage.worker(dance)
        await asyncio.gather(*(run.result(Done, timeout="60s") for run in runs))
        assert (await stage.folded(dance, lambda log: not log.open)).once_each()


async def test_acknowledgements_that_are_lost_double_nothing(stage: Stage, dance: Choreography) -> None:
    async with stage:
        worker = await stage.worker(dance)
        client = await stage.client(dance)
        worker.store.doubt = worker.store.refuse = 5
        runs = await asyncio.gather(*(client.start(Begun(n=n)) for n in range(20)))
        await asyncio.gather(*(run.send(Nudged()) for run in runs))
        await asyncio.gather(*(run.result(Done, timeout="60s") for run in runs))
        assert (await stage.folded(dance, lambda log: not log.open)).once_each()


async def test_records_that_cannot_be_read_are_copied_aside(stage: Stage, dance: Choreography) -> None:
    async with stage:
        worker = await stage.worker(dance)
        await worker.store.append(0, [Record(b"run", b"value", [("fa", b"nonsense")])])
        await eventually(lambda: worker.worker.stats.rejected == 1)
        assert [record.value async for record in worker.store.rejected()] == [b"value"]
        client = await stage.client(dance)
        run = await client.start(Begun())
        await run.send(Nudged())
        await run.result(Done, timeout="60s")
