"""A rebalance drops neither state nor handlers: what began goes on, and its outcome is admitted or refused once."""

import asyncio

import pytest
from tests.reactors.working.controls import Assigned, AtWork, Begun, Done, Stage, Went, eventually, virtual

from farandole.reactors import Choreography, Run
from farandole.schemas.envelope import Kind


class Slow:
    """One step that the test lets go on, and an end."""

    def __init__(self) -> None:
        self.began: list[str] = []
        self.gate = asyncio.Event()
        self.dance = Choreography("dance")

        @self.dance.reactor
        async def go(begun: Begun, run: Run[Begun]) -> Went:
            self.began.append(run.id)
            await self.gate.wait()
            return Went(n=len(await run.events(Begun)))

        @self.dance.reactor
        async def end(went: Went) -> Done:
            return Done(n=went.n)


async def away(worker: AtWork) -> None:
    """Wait until the worker knows that it owns nothing."""
    await eventually(lambda: all(not serving.active for serving in worker.worker.partitions.values()))


async def back(worker: AtWork) -> None:
    """Wait until the worker has partition 0 again and is restored."""
    await eventually(
        lambda: 0 in worker.worker.partitions and worker.worker.partitions[0].active and worker.worker.ready
    )


@virtual
async def test_a_partition_that_comes_back_goes_on_without_being_folded_again() -> None:
    slow, owned = Slow(), Assigned(0)
    async with Stage() as stage:
        client = await stage.client(slow.dance)
        worker = await stage.worker(slow.dance, owns=owned)
        run = await client.start(Begun())
        await eventually(lambda: slow.began)
        fold = worker.worker.partitions[0].fold
        owned.give()
        await away(worker)
        await asyncio.sleep(30)
        owned.give(0)
        await back(worker)
        assert worker.worker.partitions[0].fold is fold
        assert worker.worker.stats.rebalances == 3  # had, taken, had again
        slow.gate.set()
        assert await run.result(Done) == Done(n=1)
        assert len(slow.began) == 1


@virtual
async def test_the_state_of_a_partition_that_stays_away_for_a_minute_is_dropped() -> None:
    slow, owned = Slow(), Assigned(0)
    slow.gate.set()
    async with Stage() as stage:
        client = await stage.client(slow.dance)
        worker = await stage.worker(slow.dance, owns=owned)
        await (await client.start(Begun())).result(Done)
        fold = worker.worker.partitions[0].fold
        owned.give()
        await away(worker)
        await asyncio.sleep(61)
        assert not worker.worker.partitions
        owned.give(0)
        await back(worker)
        assert worker.worker.partitions[0].fold is not fold
        await (await client.start(Begun())).result(Done)


@virtual
async def test_a_handler_whose_partition_is_away_appends_its_outcome_all_the_same() -> None:
    slow, owned = Slow(), Assigned(0)
    async with Stage() as stage:
        client = await stage.client(slow.dance)
        worker = await stage.worker(slow.dance, owns=owned)
        await client.start(Begun())
        await eventually(lambda: slow.began)
        owned.give()
        await away(worker)
        slow.gate.set()
        log = await stage.folded(slow.dance, lambda log: log.steps)
        assert [step.reactor for step in log.steps] == ["go"]


@virtual
async def test_of_two_workers_with_the_same_step_one_outcome_is_admitted() -> None:
    slow, owned = Slow(), Assigned(0)
    async with Stage() as stage:
        client = await stage.client(slow.dance)
        first = await stage.worker(slow.dance, owns=owned)
        run = await client.start(Begun())
        await eventually(lambda: slow.began)
        first.store.away = True  # so that nobody learns that it is at work
        owned.give()
        await away(first)
        await stage.worker(slow.dance, owns=Assigned(0))
        await eventually(lambda: len(slow.began) == 2)
        first.store.away = False
        slow.gate.set()
        await run.result(Done)
        log = await stage.folded(slow.dance, lambda log: len(log.of(Kind.OUTCOME, None)) == 3)
        assert log.once_each()
        assert len(log.of(Kind.OUTCOME, None)) - len(log.of(Kind.OUTCOME)) == 1


@virtual
async def test_what_was_settled_while_the_partition_was_away_is_let_go_of() -> None:
    slow, owned = Slow(), Assigned(0)
    async with Stage() as stage:
        client = await stage.client(slow.dance)
        first = await stage.worker(slow.dance, owns=owned)
        run = await client.start(Begun())
        await eventually(lambda: slow.began)
        owned.give()
        await away(first)
        await run.cancel("enough")
        owned.give(0)
        await back(first)
        assert first.worker.dispatcher.held == 0
        assert first.worker.dispatcher.bytes == 0
        slow.gate.set()
        await eventually(lambda: first.worker.dispatcher.running("go") == 0)
        assert not (await stage.fold(slow.dance)).steps


@virtual
async def test_what_became_owed_while_the_partition_was_away_is_done_when_it_is_back() -> None:
    slow, owned = Slow(), Assigned(0)
    slow.gate.set()
    async with Stage() as stage:
        client = await stage.client(slow.dance)
        worker = await stage.worker(slow.dance, owns=owned)
        owned.give()
        await away(worker)
        runs = [await client.start(Begun()) for _ in range(10)]
        owned.give(0)
        for run in runs:
            await run.result(Done)
        assert (await stage.fold(slow.dance)).once_each()


@virtual
async def test_nothing_is_begun_in_a_partition_that_was_handed_over() -> None:
    slow, owned = Slow(), Assigned(0, 1)
    async with Stage(partitions=2) as stage:
        client = await stage.client(slow.dance)
        worker = await stage.worker(slow.dance, owns=owned)
        owned.give(1)
        await eventually(lambda: not worker.worker.partitions[0].active)
        ids = [f"run-{n}" for n in range(20)]
        for run_id in ids:
            await client.start(Begun(), run_id=run_id)
        ours = [run_id for run_id in ids if worker.store.partition_of(run_id.encode()) == 1]
        await eventually(lambda: len(slow.began) >= len(ours))
        await asyncio.sleep(10)
        assert sorted(slow.began) == sorted(ours)


@virtual
async def test_a_step_that_could_not_be_attempted_while_its_partition_went_is_done_when_it_is_back() -> None:
    slow, owned = Slow(), Assigned(0)
    slow.gate.set()
    async with Stage() as stage:
        client = await stage.client(slow.dance)
        worker = await stage.worker(slow.dance, owns=owned, memory=0)
        fetch = worker.store.fetch
        asked = asyncio.Event()
        gate = asyncio.Event()

        async def late(partition: int, offsets: object) -> object:
            asked.set()
            await gate.wait()
            worker.store.away = True
            return await fetch(partition, offsets)  # type: ignore[arg-type]

        worker.store.fetch = late  # type: ignore[method-assign,assignment]
        run = await client.start(Begun())
        await asked.wait()
        owned.give()
        await away(worker)
        gate.set()
        await asyncio.sleep(5)
        worker.store.fetch = fetch  # type: ignore[method-assign]
        worker.store.away = False
        owned.give(0)
        await back(worker)
        assert await run.result(Done)


@virtual
async def test_a_handler_that_looks_back_after_its_run_has_ended_is_not_told_of_an_empty_history() -> None:
    slow = Slow()
    seen: list[int] = []
    dance = Choreography("dance")

    @dance.reactor
    async def go(begun: Begun, run: Run[Begun]) -> Went:
        slow.began.append(run.id)
        await slow.gate.wait()
        seen.append(len(await run.events(Begun)))
        return Went()

    async with Stage() as stage:
        client = await stage.client(dance)
        worker = await stage.worker(dance)
        run = await client.start(Begun())
        await eventually(lambda: slow.began)
        await run.cancel()
        await eventually(lambda: not worker.worker.partitions[0].fold.runs)
        slow.gate.set()
        await eventually(lambda: worker.worker.dispatcher.running("go") == 0)
        assert seen == []


@pytest.mark.parametrize("seconds", [0.0, 0.1, 1.0])
@virtual
async def test_partitions_that_flap_lose_and_double_nothing(seconds: float) -> None:
    slow, one, other = Slow(), Assigned(0), Assigned(1)
    slow.gate.set()
    async with Stage(partitions=2) as stage:
        client = await stage.client(slow.dance)
        await stage.worker(slow.dance, owns=one)
        await stage.worker(slow.dance, owns=other)
        runs = []
        for turn in range(20):
            runs += [await client.start(Begun()) for _ in range(5)]
            one.give(turn % 2)
            other.give(1 - turn % 2)
            await asyncio.sleep(seconds)
        for run in runs:
            await run.result(Done)
        log = await stage.folded(slow.dance, lambda log: not log.open)
        assert len(log.steps) == 200
        assert log.once_each()
