"""What people say to runs and reactors is obeyed on every store, by every worker, and outlives it."""

import asyncio
import secrets

import pytest
from tests.reactors.working.controls import Stage, eventually

from farandole.reactors import Choreography, Retry, RunCancelled, Step
from farandole.schemas import End, Event, Signal, Start


class Begun(Start):
    n: int = 0


class Went(Event):
    n: int = 0


class Nudged(Signal): ...


class Done(End):
    n: int = 0


def a_dance(began: list[int]) -> Choreography:
    dance = Choreography(f"control_{secrets.token_hex(4)}")

    @dance.reactor
    async def go(begun: Begun) -> Went:
        began.append(begun.n)
        return Went(n=begun.n)

    @dance.reactor
    async def end(went: Went, nudged: Nudged) -> Done:
        return Done(n=went.n)

    return dance


@pytest.mark.parametrize("reactor", ["go", None])
async def test_what_is_stopped_is_not_begun_by_the_next_worker_either_and_goes_on_when_it_is_let(
    stage: Stage, reactor: str | None
) -> None:
    began: list[int] = []
    dance = a_dance(began)
    first = await stage.worker(dance)
    client = await stage.client(dance)
    stopped = await client.stop(reactor, "the bank is down", by="ann")
    assert stopped.partitions == 2
    runs = [await client.start(Begun(n=n)) for n in range(6)]
    for run in runs:
        await run.send(Nudged())
    await first.kill()
    await stage.worker(dance)
    assert await client.stopped() == [reactor or ""]
    assert all([(await run.status()).owed[0].stopped for run in runs])
    assert not began
    await client.go_on(reactor)
    assert sorted([(await run.result(Done, timeout="30s")).n for run in runs]) == [*range(6)]
    assert sorted(began) == [*range(6)]


async def test_a_paused_run_begins_nothing_until_it_is_resumed_whichever_worker_is_there(stage: Stage) -> None:
    began: list[int] = []
    dance = a_dance(began)
    client = await stage.client(dance)
    run = await client.start(Begun(n=1))
    await run.pause("wait for the lawyer")
    other = await client.start(Begun(n=2))
    await stage.worker(dance)
    await other.send(Nudged())
    await other.result(Done, timeout="30s")
    assert began == [2]
    assert (await run.status()).status == "paused"
    await run.resume()
    await run.send(Nudged())
    await run.result(Done, timeout="30s")
    assert began == [2, 1]


async def test_a_handler_at_work_is_told_of_the_cancel_and_why(stage: Stage) -> None:
    dance, reasons, at_work = Choreography(f"control_{secrets.token_hex(4)}"), list[str](), asyncio.Event()

    @dance.reactor
    async def go(begun: Begun, step: Step) -> Done:
        at_work.set()
        try:
            await asyncio.Event().wait()
        finally:
            reasons.append(step.cancel_reason)
        return Done()

    client = await stage.client(dance)
    await stage.worker(dance)
    run = await client.start(Begun())
    await at_work.wait()
    await run.cancel("she changed her mind")
    with pytest.raises(RunCancelled, match="she changed her mind"):
        await run.result(Done, timeout="30s")
    await eventually(lambda: reasons == ["she changed her mind"])


async def test_all_that_failed_by_one_cause_is_retried_at_once(stage: Stage) -> None:
    dance, mended = Choreography(f"control_{secrets.token_hex(4)}"), asyncio.Event()

    @dance.reactor(retry=Retry(attempts=1))
    async def go(begun: Begun) -> Done:
        if begun.n % 2 and not mended.is_set():
            raise ConnectionError("the bank is down")
        if begun.n == 4:
            raise LookupError("nobody has four")
        return Done(n=begun.n)

    client = await stage.client(dance)
    first = await stage.worker(dance)
    runs = [await client.start(Begun(n=n)) for n in range(8)]
    await stage.folded(dance, lambda log: sum(r.parked for f in log.folds for r in f.runs.values()) == 5)
    bank, four = await client.failures()
    assert (bank.steps, bank.message, four.steps) == (4, "the bank is down", 1)
    await first.kill()
    mended.set()
    await stage.worker(dance)
    assert await client.retry("it is up again", by="ann", fingerprint=bank.fingerprint) == 4
    for run, n in zip(runs, range(8), strict=True):
        if n != 4:
            assert (await run.result(Done, timeout="30s")).n == n
    assert [group.message for group in await client.failures()] == ["nobody has four"]
