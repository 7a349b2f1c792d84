"""The loop with a budget on a real broker, with workers that are killed: it costs what it may, and not a cent twice."""

import asyncio
import os
import random
import secrets
import time
from itertools import count
from pathlib import Path

import pytest

from flow.crew import Crew, assert_no_promise_is_broken, watch
from flow.example_worker import example

AT_ONCE = 12


@pytest.mark.kafka
@pytest.mark.slow
@pytest.mark.timeout(440)
async def test_the_loop_ends_when_its_budget_is_spent_or_its_draft_is_good(kafka: str, tmp_path: Path) -> None:
    seed = int(os.environ.get("FARANDOLE_SEED", time.time_ns() % 2**32))
    print(f"seed {seed}")
    url, name = f"kafka://{kafka}", f"essays_{secrets.token_hex(4)}"
    p, essays = example("budget", name)
    ends: list[str] = []
    with Crew("budget", name, url, tmp_path, random.Random(seed), seconds=0.05) as crew:

        async def play() -> None:
            numbers = count()
            async with essays.connect(url) as client:

                async def one_after_the_other() -> None:
                    while crew.to_die:
                        number = next(numbers)
                        wanted = p.EssayWanted(topic="dances", quality=5, cents=700 if number % 2 else 20)
                        run = await client.start(wanted, run_id=f"essay-{number}")
                        end = await run.result(p.EssayDone, p.BudgetSpent, timeout="400s")
                        assert end == (
                            p.EssayDone(drafts=5, spent=35) if number % 2 else p.BudgetSpent(quality=3, spent=21)
                        )
                        ends.append(run.id)

                await asyncio.gather(*(one_after_the_other() for _ in range(AT_ONCE)))

        found = await watch(kafka, crew, len(essays.reactors), play, 400)
    print(f"{len(ends)} essays, {found.records} records")
    assert_no_promise_is_broken(found)
    assert sorted(run.key.decode() for run in found.runs) == sorted(ends)
    paid = {deed.to[2] for deed in crew.deeds}
    assert len(paid) == sum(5 if int(id.rpartition("-")[2]) % 2 else 3 for id in ends)
