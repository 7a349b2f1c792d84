"""Whatever becomes of a worker, the next one finishes everything, and history has each step once."""

import asyncio
import logging
import threading

import pytest
from tests.reactors.working.controls import Assigned, Begun, Breakable, Done, Met, Stage, Went, eventually, virtual

from farandole.reactors import Choreography, Run
from farandole.schemas.envelope import Kind


class Walk:
    """A chain of three steps and a join; each step can be held up."""

    def __init__(self) -> None:
        self.gates = {name: asyncio.Event() for name in ("go", "meet", "end")}
        self.at = dict.fromkeys(self.gates, 0)
        self.dance = Choreography("dance")

        @self.dance.reactor
        async def go(begun: Begun) -> Went:
            await self._pass("go")
            return Went(n=begun.n)

        @self.dance.reactor
        async def meet(went: Went) -> tuple[Met, Met]:
            await self._pass("meet")
            return Met(n=went.n), Met(n=went.n + 1)

        @self.dance.reactor
        async def end(went: Went, met: Met, run: Run[Begun]) -> Done:
            await self._pass("end")
            return Done(n=len(await run.events(Begun, Went, Met)))

    async def _pass(self, name: str) -> None:
        self.at[name] += 1
        await self.gates[name].wait()

    def open(self, *names: str) -> None:
        for name in names or self.gates:
            self.gates[name].set()


@pytest.mark.parametrize("stage_of_death", ["go", "meet", "end"])
@virtual
async def test_a_worker_that_is_killed_at_any_stage_leaves_nothing_undone(stage_of_death: str) -> None:
    walk = Walk()
    order = list(walk.gates)
    async with Stage(partitions=2) as stage:
        client = await stage.client(walk.dance)
        first = await stage.worker(walk.dance)
        walk.open(*order[: order.index(stage_of_death)])
        runs = [await client.start(Begun()) for _ in range(5)]
        await eventually(lambda: walk.at[stage_of_death] == 5)
        await first.kill()
        walk.open()
        await stage.worker(walk.dance)
        for run in runs:
            assert (await run.result(Done)).n == 3
        log = await stage.folded(walk.dance, lambda log: not log.open)
        assert len(log.steps) == 15
        assert log.once_each()


@virtual
async def test_a_worker_that_is_killed_while_it_appends_leaves_nothing_undone_and_nothing_twice() -> None:
    walk = Walk()
    walk.open()
    async with Stage() as stage:
        client = await stage.client(walk.dance)
        first = await stage.worker(walk.dance)
        runs = [await client.start(Begun()) for _ in range(50)]
        first.store.gate.clear()
        await eventually(lambda: walk.at["go"] > 10)
        await first.kill()
        await stage.worker(walk.dance)
        for run in runs:
            await run.result(Done)
        assert (await stage.folded(walk.dance, lambda log: not log.open)).once_each()


@virtual
async def test_ten_workers_killed_one_after_the_other_lose_and_double_nothing() -> None:
    walk = Walk()
    walk.open()
    async with Stage(partitions=3) as stage:
        client = await stage.client(walk.dance)
        runs = [await client.start(Begun(), run_id=f"run-{n}") for n in range(100)]
        for _ in range(10):
            worker = await stage.worker(walk.dance, wait=False)
            await asyncio.sleep(0.05)
            await worker.kill()
        await stage.worker(walk.dance)
        for run in runs:
            await run.result(Done)
        log = await stage.folded(walk.dance, lambda log: not log.open)
        assert len(log.steps) == 300
        assert log.once_each()


@virtual
async def test_a_graceful_stop_lets_handlers_end_and_hands_over_with_a_record() -> None:
    walk = Walk()
    async with Stage() as stage:
        client = await stage.client(walk.dance)
        first = await stage.worker(walk.dance)
        run = await client.start(Begun())
        await eventually(lambda: walk.at["go"] == 1)
        stopping = asyncio.ensure_future(first.stop())
        await asyncio.sleep(5)
        assert not stopping.done()
        walk.open()
        await stopping
        log = await stage.fold(walk.dance)
        assert [step.reactor for step in log.steps] == ["go"]
        assert len(log.of(Kind.RELEASED)) == 1
        await stage.worker(walk.dance)
        await run.result(Done)
        assert walk.at["go"] == 1


@virtual
async def test_a_handler_that_outlives_the_grace_is_stopped_and_done_again_elsewhere(
    caplog: pytest.LogCaptureFixture,
) -> None:
    walk = Walk()
    async with Stage() as stage:
        client = await stage.client(walk.dance)
        first = await stage.worker(walk.dance, grace=3)
        run = await client.start(Begun())
        await eventually(lambda: walk.at["go"] == 1)
        began = asyncio.get_running_loop().time()
        await first.stop()
        assert asyncio.get_running_loop().time() - began == pytest.approx(3, abs=0.5)
        assert "some handlers did not end within 3 s" in caplog.text
        walk.open()
        await stage.worker(walk.dance)
        await run.result(Done)
        assert walk.at["go"] == 2


@virtual
async def test_a_stop_while_the_log_is_away_does_not_hang(caplog: pytest.LogCaptureFixture) -> None:
    walk = Walk()
    walk.open()
    async with Stage() as stage:
        client = await stage.client(walk.dance)
        first = await stage.worker(walk.dance, grace=3)
        first.store.gate.clear()
        await client.start(Begun())
        await eventually(lambda: walk.at["go"] == 1)
        async with asyncio.timeout(10):
            await first.stop()
        assert "their steps stay owed: the log took them not in time" in caplog.text


@virtual
async def test_a_stop_begins_no_further_step() -> None:
    walk = Walk()
    async with Stage() as stage:
        client = await stage.client(walk.dance)
        first = await stage.worker(walk.dance)
        for _ in range(5):
            await client.start(Begun())
        await eventually(lambda: walk.at["go"] == 5)
        stopping = asyncio.ensure_future(first.stop())
        await eventually(lambda: first.worker.dispatcher.stopped)
        walk.open()
        await client.start(Begun())
        await stopping
        assert walk.at == {"go": 5, "meet": 0, "end": 0}


@virtual
async def test_a_second_worker_takes_over_what_the_first_leaves() -> None:
    walk = Walk()
    walk.open()
    async with Stage(partitions=4) as stage:
        client = await stage.client(walk.dance)
        first = await stage.worker(walk.dance)
        second = await stage.worker(walk.dance)
        await eventually(lambda: len(first.worker.partitions) == 4 and len(second.worker.partitions) == 2)
        runs = [await client.start(Begun()) for _ in range(20)]
        for run in runs:
            await run.result(Done)
        await first.stop()
        more = [await client.start(Begun()) for _ in range(20)]
        for run in more:
            await run.result(Done)
        assert len(second.worker.partitions) == 4
        assert (await stage.folded(walk.dance, lambda log: not log.open)).once_each()


@virtual
async def test_a_worker_that_stands_by_is_ready_and_takes_over() -> None:
    walk = Walk()
    walk.open()
    async with Stage(partitions=1) as stage:
        client = await stage.client(walk.dance)
        first = await stage.worker(walk.dance, member="a")
        second = await stage.worker(walk.dance, member="b")
        assert second.worker.ready
        assert not second.worker.partitions
        await first.stop()
        await (await client.start(Begun())).result(Done)


@virtual
async def test_a_restored_worker_holds_nothing_but_what_is_owed() -> None:
    walk = Walk()
    walk.open()
    async with Stage() as stage:
        client = await stage.client(walk.dance)
        first = await stage.worker(walk.dance)
        for run in [await client.start(Begun()) for _ in range(20)]:
            await run.result(Done)
        await first.stop()
        second = await stage.worker(walk.dance)
        (serving,) = second.worker.partitions.values()
        assert not serving.fold.runs
        assert second.worker.dispatcher.held == 0
        assert serving.history is not None
        assert serving.history.bytes == 0


@virtual
async def test_an_append_that_can_never_succeed_ends_the_worker_with_its_reason() -> None:
    walk = Walk()
    walk.open()

    class Denied(Exception): ...

    async with Stage() as stage:
        client = await stage.client(walk.dance)
        worker = await stage.worker(walk.dance)

        async def denied(partition: int, records: object) -> int:
            raise Denied("no permission")

        worker.store.append = denied  # type: ignore[method-assign]
        await client.start(Begun())
        with pytest.raises(Denied):
            await asyncio.wait_for(worker.task, 60)


@virtual
async def test_a_worker_whose_task_is_cancelled_leaves_nothing_running() -> None:
    walk = Walk()
    async with Stage() as stage:
        client = await stage.client(walk.dance)
        others = asyncio.all_tasks()
        worker = await stage.worker(walk.dance)
        await client.start(Begun())
        await eventually(lambda: walk.at["go"] == 1)
        worker.task.cancel()
        await asyncio.gather(worker.task, return_exceptions=True)
        left = {task for task in asyncio.all_tasks() - others if not task.done()}
        assert not {task.get_coro().__qualname__ for task in left if "Follower" not in str(task)}  # type: ignore[union-attr]


@virtual
async def test_no_field_of_an_event_is_ever_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    dance = Choreography("dance")

    @dance.reactor
    async def go(begun: Begun) -> Went:
        return Went(n=31415926)

    @dance.reactor
    async def end(went: Went) -> Done:
        raise ValueError(f"cannot take {went.n}")

    def prepare(store: Breakable) -> None:
        store.doubt = store.refuse = 2

    async with Stage() as stage:
        client = await stage.client(dance)
        worker = await stage.worker(dance, prepare=prepare)
        run = await client.start(Begun())
        while (await run.status()).status != "failed":
            await client.follower.progress()
        await worker.stop()
        assert "failed for good" in caplog.text
        assert "31415926" not in caplog.text


async def test_a_plain_handler_that_never_ends_does_not_keep_the_worker_from_stopping() -> None:
    gate, dance = threading.Event(), Choreography("dance")
    began: list[int] = []

    @dance.reactor
    def go(begun: Begun) -> Went:
        began.append(1)
        gate.wait(60)
        return Went()

    async with Stage() as stage:
        client = await stage.client(dance)
        worker = await stage.worker(dance, grace=0.1)
        await client.start(Begun())
        await eventually(lambda: began)
        try:
            await asyncio.wait_for(worker.stop(), 30)
        finally:
            gate.set()
        assert not (await stage.fold(dance)).steps


@virtual
async def test_a_worker_that_reaches_nothing_is_not_ready() -> None:
    walk = Walk()
    async with Stage() as stage:
        waiting = asyncio.ensure_future(stage.worker(walk.dance, owns=Assigned(), wait=False))
        worker = await waiting
        worker.store.away = True
        await asyncio.sleep(60)
        assert not worker.worker.ready
        worker.store.away = False
        await asyncio.wait_for(worker.worker.until_ready(), 30)
