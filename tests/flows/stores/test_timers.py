"""Timers on every store: once each, on time, whoever is killed between."""

import asyncio
import secrets
from collections import Counter
from datetime import timedelta

import pytest
from tests.chaos.starvation import Starvation
from tests.reactors.working.controls import Folded, Stage

from farandole.projections.fold import Verdict
from farandole.reactors import After, Choreography, RunExpired
from farandole.schemas import End, Event, Signal, Start
from farandole.schemas.envelope import Kind


class Begun(Start):
    wait: float = 0.3


class Rung(Event): ...


class Paid(Signal): ...


class Done(End): ...


class Hurried(Start, deadline="500ms"): ...


@pytest.fixture
def clock() -> Choreography:
    clock = Choreography(f"clock_{secrets.token_hex(4)}")

    @clock.reactor(unless=Paid)
    async def wait(begun: Begun) -> After[Rung]:
        return After(timedelta(seconds=begun.wait), Rung())

    @clock.reactor
    async def end(rung: Rung) -> Done:
        return Done()

    @clock.reactor
    async def hurry(hurried: Hurried) -> After[Rung]:
        return After("1h", Rung())

    return clock


def rang(log: Folded) -> Counter[bytes | None]:
    """How often a timer fired in each run."""
    return Counter(record.key for record, _ in log.of(Kind.TIMER))


def waiting(log: Folded) -> int:
    """How many runs have set their timer by now, whether it has fired or not."""
    return sum(step.reactor == "wait" for step in log.steps)


async def test_timers_fire_once_though_their_worker_is_killed_before_they_are_due(
    stage: Stage, clock: Choreography
) -> None:
    first, second = await stage.worker(clock), await stage.worker(clock)
    client = await stage.client(clock)
    runs = [await client.start(Begun(wait=1.5)) for _ in range(20)]
    await stage.folded(clock, lambda log: waiting(log) == 20)
    await first.kill()
    third = await stage.worker(clock)
    await asyncio.gather(*(run.result(Done, timeout="60s") for run in runs))
    log = await stage.folded(clock, lambda log: not log.open)
    assert rang(log) == Counter({run.id.encode(): 1 for run in runs})
    assert log.once_each()
    await second.stop()
    await third.stop()


async def test_timers_of_a_log_that_nobody_worked_on_fire_at_once(stage: Stage, clock: Choreography) -> None:
    worker = await stage.worker(clock)
    client = await stage.client(clock)
    runs = [await client.start(Begun(wait=0.5)) for _ in range(20)]
    await stage.folded(clock, lambda log: waiting(log) == 20)
    await worker.stop()
    await stage.worker(clock)
    await asyncio.gather(*(run.result(Done, timeout="60s") for run in runs))
    assert rang(await stage.fold(clock)).total() == 20


async def test_they_are_exact_to_a_tenth_of_a_second(stage: Stage, clock: Choreography) -> None:
    await stage.worker(clock)
    client = await stage.client(clock)
    starvation = Starvation()
    runs = await asyncio.gather(*(client.start(Begun(wait=0.5 + n / 100)) for n in range(200)))
    await asyncio.gather(*(run.result(Done, timeout="60s") for run in runs))
    starved = starvation.seconds * 1000
    log = await stage.folded(clock, lambda log: not log.open)
    set_at = {
        out.run.id: (record, out.envelope) for record, out in log.of(Kind.OUTCOME) if out.run and not out.admitted
    }
    late = sorted(
        record.time - set_at[record.key][0].time - set_at[record.key][1].delay for record, _ in log.of(Kind.TIMER)
    )
    assert len(late) == 200
    assert late[0] >= 0
    # No promise is about the time in which the machine was busy with something else.
    assert late[-10] <= 100 + starved, (starved, late)
    # A clock that is looked at now and then is a tick of the log's ahead at most, and seldom.
    assert log.of(Kind.TIMER, Verdict.NOT_DUE) == []


async def test_what_they_wait_for_drops_them(stage: Stage, clock: Choreography) -> None:
    await stage.worker(clock)
    client = await stage.client(clock)
    paid, other = await client.start(Begun(wait=3600)), await client.start(Begun(wait=0.5))
    await stage.folded(clock, lambda log: waiting(log) == 2)
    assert (await paid.status()).timers
    await paid.send(Paid())
    await other.result(Done, timeout="60s")
    status = await paid.status()
    assert (status.timers, status.status) == ((), "idle")


async def test_a_run_is_closed_at_its_deadline(stage: Stage, clock: Choreography) -> None:
    await stage.worker(clock)
    client = await stage.client(clock)
    run = await client.start(Hurried())
    with pytest.raises(RunExpired, match="was not done by its deadline"):
        await run.result(timeout="60s")
