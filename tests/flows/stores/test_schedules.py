"""Schedules on each store, with two services whose keepers both look at the clock."""

import secrets

import pytest
from tests.reactors.working.controls import Stage

from farandole.eventstore import SystemClock
from farandole.reactors import Choreography
from farandole.schemas import End, Start
from farandole.schemas.envelope import Kind
from farandole.schemas.kinship import Ticked

pytestmark = pytest.mark.timeout(120)


class NightStarted(Start):
    what: str


class NightDone(End): ...


async def test_each_tick_starts_one_run_whoever_is_killed(url: str) -> None:
    name = f"nights_{secrets.token_hex(4)}"
    first, second = Choreography(name, service="first"), Choreography(name, service="second")
    for service in (first, second):
        service.schedule(NightStarted(what="all"), name="night", every="1s", catch_up="all", overlap="allow")

    @first.reactor
    async def work(night: NightStarted) -> NightDone:
        return NightDone()

    @second.reactor
    async def watch(night: NightStarted) -> None: ...

    async with Stage(url, partitions=2, clock=SystemClock()) as stage:
        one = await stage.worker(first)
        await stage.worker(second)
        await stage.folded(first, lambda log: len(log.of(Kind.TICK)) >= 2)
        await one.kill()
        await stage.folded(first, lambda log: len(log.of(Kind.TICK)) >= 4)
        await stage.worker(first)
        log = await stage.folded(first, lambda log: len(log.of(Kind.TICK)) >= 6)
        ticks = [(out.envelope.id, Ticked.read(out.envelope.extra)) for _, out in log.of(Kind.TICK) if out.envelope]
        assert len({id for id, _ in ticks}) == len(ticks)
        seconds = [tick.ms // 1000 for _, tick in ticks if tick is not None]
        assert seconds == list(range(seconds[0], seconds[0] + len(seconds))), "each second ticks once, in its order"
        started = [record.key for record, _ in log.of(Kind.START)]
        assert len(set(started)) == len(started)
