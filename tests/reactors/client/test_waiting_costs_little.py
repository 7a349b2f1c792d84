"""Whoever waits for a run is woken by what they wait for, and asks the log no more than they must."""

import asyncio
from collections.abc import Collection, Iterable, Mapping

import pytest
from tests.reactors.working.controls import Begun, Breakable, Done, Nudged, Stage, Went, a_stage, virtual

from farandole.eventstore import Ends, StoreClosed
from farandole.reactors import Choreography, Client, CommandRefused, Retry, RunFailed
from farandole.reactors.view import View
from farandole.schemas import Start
from farandole.schemas.envelope import Kind


class Dance(Choreography):
    """Ends by the number of its start; 2 fails until it is mended."""

    def __init__(self) -> None:
        super().__init__("dance")
        self.mended = False

        @self.reactor
        async def go(begun: Begun) -> Went:
            return Went(n=begun.n)

        @self.reactor(retry=Retry(attempts=1))
        async def end(went: Went) -> Done:
            if went.n == 2 and not self.mended:
                raise OSError("broken")
            return Done(n=went.n)


def asking(client: Client, monkeypatch: pytest.MonkeyPatch) -> list[Collection[int]]:
    """Of which partitions it was asked where they end."""
    asked: list[Collection[int]] = []
    ends = Breakable.ends

    async def noted(store: Breakable, partitions: Iterable[int]) -> Mapping[int, Ends]:
        found = tuple(partitions)
        if store is client.store:
            asked.append(found)
        return await ends(store, found)

    monkeypatch.setattr(Breakable, "ends", noted)
    return asked


async def test_what_is_not_waited_for_wakes_nobody() -> None:
    view, there = View(b"r", 0), False
    waiting = [asyncio.ensure_future(view.until(lambda: there)), asyncio.ensure_future(view.changed())]
    await asyncio.sleep(0)
    view.wake()
    await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    assert [task.done() for task in waiting] == [False, True]
    there = True
    view.wake()
    await asyncio.wait_for(waiting[0], 20)
    await asyncio.wait_for(view.until(lambda: there), 20)
    assert view.waiters == []


async def test_whoever_waits_is_told_when_nothing_more_will_come() -> None:
    view = View(b"r", 0)
    waiting = asyncio.ensure_future(view.until(lambda: False))
    await asyncio.sleep(0)
    view.failed = StoreClosed("it is closed")
    view.wake()
    await asyncio.wait_for(waiting, 20)
    with pytest.raises(StoreClosed):
        await view.until(lambda: False)


@virtual
async def test_the_result_of_a_run_that_was_watched_from_its_start_asks_for_no_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with a_stage(Dance()) as (_, client, _w):
        await (await client.start(Begun())).result(Done)
        asked = asking(client, monkeypatch)
        runs = [await client.start(Begun(n=n)) for n in (3, 4, 5)]
        assert [(await run.result(Done)).n for run in (*runs, *runs)] == [3, 4, 5] * 2
        assert asked == []
        assert (await client.run(runs[0].id).result(Done)).n == 3
        assert len(asked) == 1


@virtual
async def test_what_becomes_of_what_was_sent_into_a_run_that_is_watched_asks_for_no_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    dance = Choreography("dance")

    @dance.reactor
    async def end(begun: Begun, nudged: Nudged) -> Done: ...

    async with a_stage(dance) as (_, client, _w):
        await (await client.start(Begun())).status()
        asked = asking(client, monkeypatch)
        run = await client.start(Begun(), run_id="one")
        again = await client.start(Begun(), run_id="one")
        await run.pause()
        with pytest.raises(CommandRefused):
            await run.pause()
        assert (await run.created, await again.created) == (True, False)
        assert asked == []
        await run.status()
        assert len(asked) == 1


@virtual
async def test_a_step_that_was_retried_a_moment_ago_is_not_told_as_parked() -> None:
    dance = Dance()
    async with a_stage(dance) as (_, client, _w):
        run = await client.start(Begun(n=2))
        with pytest.raises(RunFailed):
            await run.result(Done)
        dance.mended = True
        (step,) = (await run.status()).owed
        content = {"failure_id": step.parked, "reason": "", "by": ""}
        causation = step.parked.encode()
        retry = client.scribe.command(Kind.RETRY, run.id.encode(), content, client.not_after("1m"), causation=causation)
        await client.append(run.id.encode(), retry)
        assert (await run.result(Done)).n == 2


@virtual
async def test_a_new_run_of_an_id_has_its_own_result_though_the_old_one_is_still_held() -> None:
    dance = Dance()
    async with Stage() as stage:
        await stage.make(dance, {"dedup_window": 1000})
        await stage.worker(dance)
        client = await stage.client(dance)
        old = await client.start(Begun(n=3), run_id="one")
        assert (await old.result(Done)).n == 3
        await asyncio.sleep(10)
        new = await client.start(Begun(n=4), run_id="one")
        assert (await new.result(Done)).n == 4


@virtual
async def test_a_start_of_a_run_that_is_over_has_the_result_of_that_run() -> None:
    dance = Dance()
    async with a_stage(dance) as (stage, client, _w):
        await (await client.start(Begun(n=3), run_id="one")).result(Done)
        other = await stage.client(dance)
        await (await other.start(Begun(n=4))).result(Done)
        again = await other.start(Begun(n=5), run_id="one")
        assert (await again.result(Done, timeout="20s")).n == 3
        assert not await again.created


@virtual
async def test_a_client_that_is_closed_lets_nobody_wait() -> None:
    dance = Choreography("dance")
    dance.know(Begun, Done)
    async with Stage() as stage:
        client = await stage.client(dance)
        begun: Start = Begun()
        await (await client.start(begun)).status()
        run = await client.start(begun)
        waiting = asyncio.ensure_future(run.result(Done))
        await asyncio.sleep(1)
        await client.close()
        with pytest.raises(StoreClosed):
            await asyncio.wait_for(waiting, 20)
        with pytest.raises(StoreClosed):
            await run.result(Done, timeout="20s")
