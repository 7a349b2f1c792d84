"""Long steps and kill switches on every store, with a worker killed in the middle."""

import asyncio
import secrets
from collections import Counter

import pytest
from tests.reactors.working.controls import Stage, eventually

from farandole.reactors import Choreography, Step, leases
from farandole.schemas import End, Start
from farandole.schemas.envelope import Kind


class Begun(Start):
    n: int = 0


class Done(End):
    keys: list[str]


async def test_what_a_killed_worker_had_done_of_a_step_is_not_done_again(stage: Stage) -> None:
    crawl, asked, hold = Choreography(f"crawl_{secrets.token_hex(4)}"), Counter[str](), asyncio.Event()

    async def page(key: str) -> str:
        asked[key] += 1
        return key

    @crawl.reactor
    async def read(begun: Begun, step: Step) -> Done:
        first = await step.once("first", page, f"{begun.n} first")
        if asked["killed"] == 0:
            await hold.wait()
        return Done(keys=[first, await step.once("second", page, f"{begun.n} second")])

    worker = await stage.worker(crawl)
    client = await stage.client(crawl)
    runs = [await client.start(Begun(n=n)) for n in range(6)]
    await stage.folded(crawl, lambda log: len(log.of(Kind.SUBSTEP)) == 6)
    await worker.kill()
    asked["killed"] = 1
    await stage.worker(crawl)
    for n, run in enumerate(runs):
        assert (await run.result(Done, timeout="60s")).keys == [f"{n} first", f"{n} second"]
    assert {count for key, count in asked.items()} == {1}
    assert (await stage.folded(crawl, lambda log: not log.open)).once_each()


async def test_a_claimed_step_is_begun_by_another_once_its_claim_has_lapsed(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With times that are ten times shorter than in earnest."""
    for name, value in {"CLAIM_AFTER": 0.5, "RENEW": 0.5, "_LOOK": 0.2, "LEASE": 2_000, "MARGIN": 100}.items():
        monkeypatch.setattr(leases, name, value)
    work, began, hold = Choreography(f"work_{secrets.token_hex(4)}"), [], asyncio.Event()

    @work.reactor
    async def do(begun: Begun) -> Done:
        began.append(begun.n)
        if len(began) == 1:
            await hold.wait()
        return Done(keys=[])

    worker = await stage.worker(work)
    client = await stage.client(work)
    run = await client.start(Begun())
    await stage.folded(work, lambda log: len(log.of(Kind.CLAIM)) >= 2)
    await worker.kill()
    await stage.worker(work)
    await run.result(Done, timeout="60s")
    log = await stage.folded(work, lambda log: not log.open)
    assert len(log.of(Kind.LOST)) == 1
    assert len(began) == 2


async def test_what_is_stopped_is_done_once_it_may_go_on(stage: Stage) -> None:
    work, began = Choreography(f"work_{secrets.token_hex(4)}"), []

    @work.reactor
    async def do(begun: Begun) -> Done:
        began.append(begun.n)
        return Done(keys=[])

    worker = await stage.worker(work)
    client = await stage.client(work)
    assert (await client.stop("do", "not now", by="ann")).partitions == 2
    runs = [await client.start(Begun(n=n)) for n in range(6)]
    await worker.kill()
    other = await stage.worker(work)
    await stage.folded(work, lambda log: len(log.of(Kind.START)) == 6)
    await eventually(lambda: sum(len(s.fold.runs) for s in other.worker.partitions.values()) == 6)
    assert began == []
    assert (await client.go_on("do")).owed == 6
    for run in runs:
        await run.result(Done, timeout="60s")
    assert sorted(began) == list(range(6))
