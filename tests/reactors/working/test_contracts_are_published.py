"""A service's contracts are in force once in each partition, and nobody takes them from it but on purpose."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import pytest
from tests.reactors.working.controls import Assigned, Begun, Done, Folded, Met, Stage, Went, eventually, virtual

from farandole.projections.fold import Contract, Verdict
from farandole.reactors import Choreography
from farandole.reactors.errors import ServedElsewhere
from farandole.schemas import Event
from farandole.schemas.envelope import Kind


def dance(
    service: str | None = None, version: str = "", takes: Any = Begun, note: Callable[[], None] = lambda: None
) -> Choreography:
    choreography = Choreography("dance", service=service, version=version)

    async def end(event) -> Done:  # type: ignore[no-untyped-def]
        note()
        return Done()

    end.__annotations__["event"] = takes
    choreography.reactor(end)
    return choreography


def contracts(log: Folded, verdict: Verdict | None = Verdict.ADMITTED) -> int:
    return len(log.of(Kind.CONTRACT, verdict))


def in_force(log: Folded, reactor: bytes = b"end") -> Contract:
    found = log.folds[0].contracts.get(reactor)
    assert found is not None
    return found


@virtual
async def test_once_in_each_partition() -> None:
    async with Stage(partitions=3) as stage:
        await stage.worker(dance())
        await stage.folded(dance(), lambda log: contracts(log) == 3)
        second = await stage.worker(dance())
        await second.stop()
        await stage.worker(dance())
        await asyncio.sleep(10)
        assert contracts(await stage.fold(dance()), None) == 3


@virtual
async def test_all_contracts_of_a_service_come_into_force_together() -> None:
    choreography = dance()

    @choreography.reactor
    async def other(begun: Begun) -> None: ...

    async with Stage() as stage:
        await stage.worker(choreography)
        log = await stage.folded(choreography, lambda log: contracts(log) == 1)
        assert len({out.envelope.append for _, out in log.of(Kind.CONTRACT, None) if out.envelope}) == 1
        assert contracts(log, Verdict.HELD) == 1


@virtual
async def test_a_contract_that_is_read_back_before_it_was_acknowledged_is_not_published_again() -> None:
    async with Stage() as stage:
        client = await stage.client(dance())
        late = asyncio.Event()

        def prepare(store: Any) -> None:
            append = store.append

            async def slow(partition: int, records: Any) -> int:
                offset: int = await append(partition, records)
                await late.wait()
                return offset

            store.append = slow

        starting = asyncio.ensure_future(stage.worker(dance(), wait=False, prepare=prepare))
        await asyncio.sleep(1)
        late.set()
        await starting
        await (await client.start(Begun())).result(Done)
        assert contracts(await stage.fold(dance()), None) == 1


@virtual
async def test_two_workers_that_begin_at_once_put_one_contract_in_force() -> None:
    async with Stage() as stage:
        await asyncio.gather(*(stage.worker(dance(), owns=Assigned(0)) for _ in range(3)))
        client = await stage.client(dance())
        await (await client.start(Begun())).result(Done)
        await asyncio.sleep(10)
        log = await stage.fold(dance())
        assert contracts(log) == 1
        assert contracts(log, None) <= 3


@virtual
async def test_a_contract_that_lost_the_race_is_published_anew_in_the_place_of_the_winner() -> None:
    """Two releases begin at once: both write a first contract, and the loser's replaces the winner's."""
    async with Stage() as stage:
        older = asyncio.ensure_future(stage.worker(dance(version="1"), owns=Assigned(0)))
        newer = asyncio.ensure_future(stage.worker(dance(version="2"), owns=Assigned(0)))
        await asyncio.gather(older, newer)
        log = await stage.folded(dance(), lambda log: contracts(log) == 2)
        await asyncio.sleep(60)
        assert contracts(await stage.fold(dance()), None) == 3
        assert contracts(log, Verdict.SUPERSEDED) == 1


@virtual
async def test_a_reactor_of_another_service_is_refused() -> None:
    async with Stage() as stage:
        await stage.worker(dance("one"))
        await stage.folded(dance(), lambda log: contracts(log) == 1)
        with pytest.raises(ServedElsewhere, match=r"'end' is served by service 'one'.*--take-over") as refused:
            await (await stage.worker(dance("two"), wait=False)).task
        assert "service 'two'" in str(refused.value)


@virtual
async def test_taking_over_is_possible_on_purpose_and_done_once() -> None:
    async with Stage() as stage:
        one = await stage.worker(dance("one"))
        await stage.folded(dance(), lambda log: contracts(log) == 1)
        two = await stage.worker(dance("two"), take_over=True)
        await stage.folded(dance(), lambda log: in_force(log).service == "two")
        await asyncio.sleep(120)
        assert contracts(await stage.fold(dance()), None) == 2
        assert not one.task.done()
        assert not two.task.done()


@virtual
async def test_two_services_that_both_take_over_do_not_take_it_from_each_other_for_ever() -> None:
    async with Stage() as stage:
        await stage.worker(dance("one"), take_over=True)
        await stage.worker(dance("two"), take_over=True)
        await asyncio.sleep(120)
        log = await stage.fold(dance())
        assert contracts(log, None) == 2
        assert in_force(log).service == "two"


@virtual
async def test_a_new_version_replaces_the_old_one_which_does_not_come_back() -> None:
    async with Stage() as stage:
        old = await stage.worker(dance(version="1"))
        await stage.folded(dance(), lambda log: contracts(log) == 1)
        await old.stop()
        new = await stage.worker(dance(version="2"))
        await stage.folded(dance(), lambda log: in_force(log).content["version"] == "2")
        await new.stop()
        await stage.worker(dance(version="1"))
        await asyncio.sleep(60)
        log = await stage.fold(dance())
        assert (contracts(log, None), in_force(log).content["version"]) == (2, "2")


@virtual
async def test_the_old_version_serves_on_while_it_takes_the_same(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "farandole")
    async with Stage() as stage:
        old = await stage.worker(dance(version="1"), owns=Assigned(0))
        new = await stage.worker(dance(version="2"), owns=Assigned(0))
        await stage.folded(dance(), lambda log: in_force(log).content["version"] == "2")
        assert "is served by a newer contract of service dance; it stays so" in caplog.text
        await new.stop()
        client = await stage.client(dance())
        await (await client.start(Begun())).result(Done)
        assert not old.task.done()


@virtual
async def test_what_takes_something_else_now_is_not_dispatched_to_the_old_code() -> None:
    done: list[str] = []
    old_code = dance(version="1", note=lambda: done.append("old"))
    new_code = dance(version="2", takes=Begun | Went, note=lambda: done.append("new"))
    async with Stage() as stage:
        await stage.worker(old_code, owns=Assigned(0))
        new = await stage.worker(new_code, owns=Assigned(0))
        await stage.folded(new_code, lambda log: in_force(log).content["version"] == "2")
        await new.stop()
        client = await stage.client(new_code)
        run = await client.start(Begun())
        await asyncio.sleep(60)
        assert done == []
        assert (await run.status()).status == "running"
        await stage.worker(new_code, owns=Assigned(0))
        await run.result(Done)
        assert done == ["new"]


@virtual
async def test_what_another_service_serves_is_left_to_it() -> None:
    one, two = Choreography("dance", service="one"), Choreography("dance", service="two")

    @one.reactor
    async def go(begun: Begun) -> Went:
        return Went()

    @two.reactor
    async def end(went: Went) -> Done:
        return Done()

    async with Stage() as stage:
        await stage.worker(one)
        client = await stage.client(one)
        run = await client.start(Begun())
        await stage.folded(one, lambda log: log.steps)
        await asyncio.sleep(60)
        await stage.worker(two)
        await run.result(Done)


@virtual
async def test_a_client_may_start_runs_before_any_worker_was_there() -> None:
    async with Stage(partitions=2) as stage:
        client = await stage.client(dance())
        runs = [await client.start(Begun()) for _ in range(10)]
        await asyncio.sleep(120)
        await stage.worker(dance())
        for run in runs:
            await run.result(Done)
        assert (await stage.folded(dance(), lambda log: not log.open)).once_each()


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2)])
@virtual
async def test_services_start_in_any_order(order: tuple[int, ...]) -> None:
    one, two, three = (Choreography("dance", service=name) for name in ("one", "two", "three"))

    class Left(Event): ...

    @one.reactor
    async def go(begun: Begun) -> tuple[Went, Left]:
        return Went(), Left()

    @two.reactor
    async def meet(went: Went) -> Met:
        return Met()

    @three.reactor
    async def end(left: Left, met: Met) -> Done:
        return Done()

    async with Stage(partitions=2) as stage:
        client = await stage.client(three)
        runs = [await client.start(Begun()) for _ in range(5)]
        for number in order:
            await stage.worker((one, two, three)[number])
            await asyncio.sleep(30)
        for run in runs:
            await run.result(Done)
        assert (await stage.folded(three, lambda log: not log.open)).once_each()


@virtual
async def test_long_after_the_beginning_a_type_that_nobody_named_still_waits_for_its_first_reactor() -> None:
    one, two = Choreography("dance", service="one"), Choreography("dance", service="two")

    @one.reactor
    async def go(begun: Begun) -> Went:
        return Went()

    @two.reactor
    async def end(went: Went) -> Done:
        return Done()

    async with Stage() as stage:
        await stage.worker(one)
        client = await stage.client(two)
        await asyncio.sleep(1800)
        run = await client.start(Begun())
        await stage.folded(one, lambda log: log.steps)
        assert (await run.status()).status == "unserved"
        await stage.worker(two)
        await run.result(Done)


@virtual
async def test_contracts_that_cannot_be_appended_now_are_appended_later() -> None:
    async with Stage() as stage:
        client = await stage.client(dance())
        worker = await stage.worker(dance(), prepare=lambda store: setattr(store, "refuse", 5))
        await (await client.start(Begun())).result(Done)
        await eventually(lambda: worker.store.refuse == 0)


@virtual
async def test_a_worker_is_ready_once_its_contracts_are_in_force() -> None:
    """Whoever waited for it may stop its reactors at once; until then nobody knows them."""
    async with Stage(partitions=2) as stage:
        client = await stage.client(dance())
        at_work = await stage.worker(dance(), wait=False, prepare=lambda store: store.gate.clear())
        await eventually(lambda: [s.published is not None for s in at_work.worker.partitions.values()] == [True, True])
        await asyncio.sleep(60)
        assert not at_work.worker.ready
        at_work.store.gate.set()
        await at_work.ready()
        assert at_work.worker.ready
        assert (await client.stop("end")).partitions == 2
