"""Whatever happens to workers and to the log, in whatever order: every run ends, and each step is there once."""

import asyncio
import contextlib
import os
import random

import pytest
from tests.reactors.working.controls import Assigned, AtWork, Begun, Done, Met, Nudged, Stage, Went, virtual

from farandole.reactors import Choreography, Retry, Run, Step
from farandole.reactors.errors import CommandRefused

PARTITIONS = 3


def dance(chance: random.Random) -> Choreography:
    choreography = Choreography("dance")
    retry = Retry(attempts=50, first="100ms", most="2s", jitter=False)

    @choreography.reactor(retry=retry)
    async def go(begun: Begun, step: Step) -> tuple[Went, Went, Went]:
        await asyncio.sleep(chance.random())
        if chance.random() < 0.3:
            raise OSError
        return Went(n=0), Went(n=1), Went(n=2)

    @choreography.reactor(ordered=True, retry=retry)
    async def march(went: Went, run: Run[Begun]) -> Met | None:
        await asyncio.sleep(chance.random() * 3)
        if chance.random() < 0.2:
            raise OSError
        await run.events(Begun, Went, Met)
        return Met() if went.n == 2 else None

    @choreography.reactor(retry=retry, timeout="500ms")
    async def end(met: Met, nudged: Nudged) -> Done:
        await asyncio.sleep(chance.random())
        return Done()

    return choreography


@pytest.mark.parametrize("seed", range(int(os.environ.get("FARANDOLE_TEST_SEEDS", "12"))))
@virtual
async def test_every_run_ends_and_each_step_is_there_once(seed: int) -> None:
    chance = random.Random(seed)
    async with Stage(partitions=PARTITIONS) as stage:
        client = await stage.client(dance(chance))
        workers: list[tuple[AtWork, Assigned]] = []
        runs = []

        async def begin() -> None:
            owned = Assigned(*some())
            worker = await stage.worker(dance(chance), owns=owned, wait=False, memory=chance.choice([0, 1 << 20]))
            workers.append((worker, owned))

        def some() -> list[int]:
            return [p for p in range(PARTITIONS) if chance.random() < 0.6]

        for turn in range(60):
            await asyncio.sleep(chance.random() * 2)
            if not workers:
                await begin()
            worker, owned = chance.choice(workers)
            match chance.randrange(11):
                case 0 | 1:
                    runs.append(await client.start(Begun(), run_id=f"run-{turn}"))
                case 2 if len(workers) < 4:
                    await begin()
                case 3:
                    await worker.kill()
                    workers.remove((worker, owned))
                case 4:
                    await worker.stop()
                    workers.remove((worker, owned))
                case 5 | 6:
                    owned.give(*some())
                case 7:
                    worker.store.doubt += chance.randrange(4)
                case 8:
                    worker.store.refuse += chance.randrange(4)
                case 9:
                    worker.store.away = not worker.store.away
                case _ if runs:
                    run = chance.choice(runs)
                    with contextlib.suppress(CommandRefused):
                        await chance.choice([run.pause, run.resume])()
        for worker, owned in workers:
            worker.store.away = False
            owned.give()
        last = await stage.worker(dance(chance), owns=Assigned(*range(PARTITIONS)))
        for run in runs:
            if (await run.status()).paused:
                await run.resume()
            await run.send(Nudged())
        for run in runs:
            await run.result(Done, timeout="1h")
        log = await stage.folded(dance(chance), lambda log: not log.open)
        assert log.once_each()
        assert len(log.steps) == 5 * len(runs)
        assert last.worker.dispatcher.held == 0
        assert last.worker.dispatcher.bytes == 0
