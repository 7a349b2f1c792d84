"""The night on a real broker, with workers that are killed: the schedule starts it once, and it its 500 children."""

import os
import random
import secrets
import time
from pathlib import Path

import pytest

from farandole.eventstore import connect
from farandole.reactors.scheduled import publish
from farandole.reactors.service import types_of
from flow.crew import PARTITIONS, Crew, assert_no_promise_is_broken, watch
from flow.example_worker import example, tick_once

SHOPS = 500


@pytest.mark.kafka
@pytest.mark.slow
@pytest.mark.timeout(440)
async def test_every_shop_is_counted_once_whoever_is_killed(kafka: str, tmp_path: Path) -> None:
    seed = int(os.environ.get("FARANDOLE_SEED", time.time_ns() % 2**32))
    print(f"seed {seed}")
    url, name = f"kafka://{kafka}", f"takings_{secrets.token_hex(4)}"
    p, takings = example("nightly", name)
    gone = [n for n in range(SHOPS) if n % 100 == 13]
    counted = [n for n in range(SHOPS) if n not in gone]
    right = p.NightReported(counted=len(counted), cents=100 * sum(counted), missing=gone)
    nights: list[str] = []
    tonight = int(time.time()) + 10
    tick_once(takings, tonight)
    async with await connect(url, name, partitions=PARTITIONS) as store:
        # Known from now on, the night is made up for if it falls before the first worker is at work.
        await publish(store.catalogue, takings.schedules, types_of(takings), takings.service, int(time.time() * 1000))
    with Crew("nightly", name, url, tmp_path, random.Random(seed), seconds=1.0, first=tonight, most=12) as crew:

        async def play() -> None:
            async with takings.connect(url) as client:
                night = time.strftime("nightly@%Y-%m-%dT%H:%M:%SZ", time.gmtime(tonight))
                while not nights or crew.to_die:
                    run = client.run(night) if not nights else await client.start(p.NightFell())
                    assert await run.result(p.NightReported, timeout="400s") == right
                    nights.append(run.id)
                # The shops without a till have failed, and are open until somebody looks after them.
                failed = await client.runs(status=["failed"], limit=SHOPS)
                assert len(failed.runs) == len(gone) * len(nights)
                for lost in failed.runs:
                    await client.run(lost.id).cancel("the till is gone")

        found = await watch(kafka, crew, len(takings.reactors), play, 400)
    print(f"{len(nights)} nights, {found.records} records")
    assert_no_promise_is_broken(found)
    children = [run for run in found.runs if run.key.decode() not in nights]
    assert len(children) == SHOPS * len(nights)
    keys = {tuple(deed.to) for deed in crew.deeds}
    assert len(keys) == len(counted) * len(nights)
