"""Kill switches as operators use them: what is stopped is not begun, and goes on when it is let."""

import asyncio

import pytest
from tests.reactors.working.controls import Begun, Done, Nudged, Stage, Went, eventually, virtual

from farandole.reactors import Choreography
from farandole.reactors.errors import UnknownReactor
from farandole.schemas.envelope import Kind
from farandole.testing import Scenario


def a_dance(began: list[int] | None = None) -> Choreography:
    dance = Choreography("dance")

    @dance.reactor
    async def go(begun: Begun) -> Went:
        if began is not None:
            began.append(begun.n)
        return Went(n=begun.n)

    @dance.reactor
    async def end(went: Went) -> Done:
        return Done(n=went.n)

    return dance


async def test_a_stopped_reactor_owes_and_does_nothing_and_the_others_go_on() -> None:
    async with Scenario(a_dance()) as s:
        await s.use(lambda client: client.stop("end", "the bank is down", by="ann"))
        await s.when(Begun(n=1), after="1d")
        s.then_only(Went(n=1))
        s.owes("end")
        (owed,) = s.status.owed
        assert owed.stopped
        assert await s.use(lambda client: client.stopped()) == ["end"]
        done = await s.use(lambda client: client.go_on("end"))
        assert (done.partitions, done.owed) == (1, 1)
        s.then_only(Done(n=1))
        assert await s.use(lambda client: client.stopped()) == []


async def test_all_reactors_can_be_stopped_together() -> None:
    async with Scenario(a_dance()) as s:
        await s.use(lambda client: client.stop())
        await s.when(Begun(n=1), after="1h")
        s.then_only()
        s.owes("go")
        await s.use(lambda client: client.go_on())
        s.then_only(Went(n=1), Done(n=1))


async def test_what_is_stopped_by_name_stays_so_when_all_may_go_on() -> None:
    async with Scenario(a_dance()) as s:
        await s.use(lambda client: client.stop("end"))
        await s.use(lambda client: client.stop())
        await s.when(Begun())
        await s.use(lambda client: client.go_on())
        s.then_only(Went())
        s.owes("end")


async def test_a_run_whose_reactor_is_stopped_can_be_cancelled() -> None:
    async with Scenario(a_dance()) as s:
        await s.use(lambda client: client.stop("go"))
        await s.when(Begun())
        await s.cancel("enough")
        assert s.status.status == "cancelled"


async def test_nobody_stops_a_reactor_that_is_not_there() -> None:
    async with Scenario(a_dance()) as s:
        with pytest.raises(UnknownReactor, match="'stray'"):
            await s.use(lambda client: client.stop("stray"))


async def test_stopping_twice_is_stopping_once() -> None:
    async with Scenario(a_dance()) as s:
        first = await s.use(lambda client: client.stop("go"))
        again = await s.use(lambda client: client.stop("go"))
        assert (first.partitions, again.partitions) == (1, 0)


@virtual
async def test_a_handler_at_work_ends_and_its_outcome_counts() -> None:
    dance, gate = Choreography("dance"), asyncio.Event()
    began: list[int] = []

    @dance.reactor(ordered=True)
    async def go(nudged: Nudged) -> Done:
        began.append(1)
        await gate.wait()
        return Done()

    async with Stage() as stage:
        client = await stage.client(dance)
        await stage.worker(dance)
        run = await client.start(Begun())
        await run.send(Nudged())
        await eventually(lambda: began)
        await client.stop("go")
        await run.send(Nudged())
        gate.set()
        await run.result(Done)
        await asyncio.sleep(60)
        assert len(began) == 1


@virtual
async def test_two_operators_who_disagree_leave_every_partition_as_the_last_one_said() -> None:
    dance = a_dance()
    async with Stage(partitions=3) as stage:
        ann, bob = await stage.client(dance), await stage.client(dance)
        await stage.worker(dance)
        await asyncio.gather(ann.stop("go", by="ann"), bob.stop("go", by="bob"))
        log = await stage.fold(dance)
        assert [fold.stopped for fold in log.folds] == [{b"go": (1, True)}] * 3
        assert len(log.of(Kind.POLICY)) == 3


@virtual
async def test_what_is_stopped_stays_so_for_a_worker_that_comes_later() -> None:
    began: list[int] = []
    dance = a_dance(began)
    async with Stage(partitions=2) as stage:
        client = await stage.client(dance)
        first = await stage.worker(dance)
        await client.stop("go", "a bad release")
        runs = [await client.start(Begun(n=n)) for n in range(10)]
        await first.stop()
        await stage.worker(dance)
        await asyncio.sleep(60)
        assert began == []
        await client.go_on("go")
        for run in runs:
            await run.result(Done)
        assert sorted(began) == list(range(10))
