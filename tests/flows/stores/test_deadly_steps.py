"""A step that ends the process of its worker, on the stores that outlive a process."""

import asyncio
import secrets
import sys
from pathlib import Path

import pytest
from tests.flows.stores import dying_worker
from tests.reactors.working.controls import Stage

from farandole.eventstore import SystemClock
from farandole.schemas.envelope import Kind

MOST = 3


# A log in memory ends with its process.
@pytest.mark.parametrize("url", ["sqlite", pytest.param("kafka", marks=pytest.mark.kafka)], indirect=True)
@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_it_is_parked_and_takes_few_others_along(url: str) -> None:
    dance = dying_worker.choreography(f"deadly_{secrets.token_hex(4)}")
    async with Stage(url, partitions=1, clock=SystemClock()) as stage:
        await stage.make(dance, {"lost_most": MOST})
        client = await stage.client(dance)
        worker = await stage.worker(dance)
        await worker.stop()  # so that the contracts are there
        bad = await client.start(dying_worker.Begun(deadly=True))
        good = [await client.start(dying_worker.Begun()) for _ in range(20)]
        deaths = 0
        while not (await bad.status()).owed[0].parked:
            assert deaths <= MOST + 1
            command = (sys.executable, str(Path(dying_worker.__file__)), url, dance.name)
            process = await asyncio.create_subprocess_exec(*command)
            ended = asyncio.ensure_future(process.wait())
            while not ended.done() and not (await bad.status()).owed[0].parked:
                await asyncio.wait({ended}, timeout=0.2)
            if not ended.done():
                await asyncio.gather(*(run.result(dying_worker.Done, timeout="60s") for run in good))
                process.terminate()
            code = await ended
            assert code in (7, 0, -15)
            deaths += code == 7
        lost = {record.key for record, _ in (await stage.fold(dance)).of(Kind.LOST)}
        assert deaths in (MOST, MOST + 1)
        assert bad.id.encode() in lost
        assert len(lost) <= 4
