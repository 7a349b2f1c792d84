"""A step is in one pair of hands while its worker lives; who is lost at it is counted, and has a limit."""

import asyncio

import pytest
from tests.reactors.working.controls import Assigned, AtWork, Begun, Done, Folded, Stage, Went, eventually, virtual

from farandole.reactors import Choreography, Failed, Retry, Run, RunFailed, Step
from farandole.schemas.envelope import Kind, unpack


class Slow:
    """One step that the test lets go on, and an end."""

    def __init__(self, concurrency: int = 100) -> None:
        self.began: list[str] = []
        self.gate = asyncio.Event()
        self.dance = Choreography("dance")

        @self.dance.reactor(concurrency=concurrency)
        async def go(begun: Begun, run: Run[Begun]) -> Went:
            self.began.append(run.id)
            await self.gate.wait()
            return Went()

        @self.dance.reactor
        async def end(went: Went) -> Done:
            return Done()


async def away(worker: AtWork) -> None:
    """Wait until the worker knows that it owns nothing."""
    await eventually(lambda: all(not serving.active for serving in worker.worker.partitions.values()))


def holders(log: Folded) -> set[bytes]:
    return {unpack(record.headers).extra for record, _ in log.of(Kind.CLAIM)}


@virtual
async def test_a_short_step_is_not_claimed() -> None:
    slow = Slow()
    slow.gate.set()
    async with Stage() as stage:
        client = await stage.client(slow.dance)
        await stage.worker(slow.dance)
        await (await client.start(Begun())).result(Done)
        assert not (await stage.fold(slow.dance)).of(Kind.CLAIM)


@virtual
async def test_a_step_that_takes_long_is_claimed_and_the_claim_renewed_until_it_is_done() -> None:
    slow = Slow()
    async with Stage() as stage:
        client = await stage.client(slow.dance)
        await stage.worker(slow.dance)
        run = await client.start(Begun())
        await eventually(lambda: slow.began)
        for _ in range(20):
            await asyncio.sleep(15)
            (owed,) = (await run.status()).owed
            assert owed.claimed_until > stage.clock.now()
        slow.gate.set()
        await run.result(Done)
        claims = len((await stage.fold(slow.dance)).of(Kind.CLAIM))
        await asyncio.sleep(60)
        assert len((await stage.fold(slow.dance)).of(Kind.CLAIM, None)) == claims
        assert claims in range(25, 32)


@virtual
async def test_what_is_at_work_when_its_partition_goes_is_not_begun_by_the_next_owner() -> None:
    slow, owned = Slow(), Assigned(0)
    async with Stage() as stage:
        client = await stage.client(slow.dance)
        first = await stage.worker(slow.dance, owns=owned)
        run = await client.start(Begun())
        await eventually(lambda: slow.began)
        owned.give()
        await away(first)
        await stage.worker(slow.dance, owns=Assigned(0))
        await asyncio.sleep(600)
        slow.gate.set()
        assert await run.result(Done)
        assert len(slow.began) == 1
        log = await stage.fold(slow.dance)
        assert not log.of(Kind.LOST, None)
        assert len(holders(log)) == 1


@virtual
async def test_who_learns_late_that_a_partition_went_is_waited_for() -> None:
    slow, owned = Slow(), Assigned(0)
    slow.gate.set()
    async with Stage() as stage:
        client = await stage.client(slow.dance)
        first = await stage.worker(slow.dance, owns=owned)
        await (await client.start(Begun())).result(Done)
        second = asyncio.ensure_future(stage.worker(slow.dance, owns=Assigned(0)))
        runs = []
        for _ in range(100):
            runs.append(await client.start(Begun()))
            await asyncio.sleep(0.01)
        owned.give()
        await away(first)
        runs += [await client.start(Begun()) for _ in range(20)]
        for run in runs:
            await run.result(Done)
        await second
        assert len(slow.began) == len(set(slow.began))
        log = await stage.fold(slow.dance)
        assert log.once_each()
        assert not log.verdicts["NOT_OWED"]


@virtual
async def test_the_step_of_a_worker_that_died_is_begun_once_its_claim_has_lapsed() -> None:
    slow = Slow()
    async with Stage() as stage:
        client = await stage.client(slow.dance)
        first = await stage.worker(slow.dance)
        run = await client.start(Begun())
        await asyncio.sleep(60)
        await first.kill()
        died = asyncio.get_running_loop().time()
        await stage.worker(slow.dance)
        await asyncio.sleep(15)
        assert len(slow.began) == 1
        await eventually(lambda: len(slow.began) == 2)
        assert 20 <= asyncio.get_running_loop().time() - died <= 33
        assert [owed.lost for owed in (await run.status()).owed] == [1]
        slow.gate.set()
        assert await run.result(Done)


@virtual
async def test_the_steps_of_a_worker_that_died_are_begun_one_then_two_then_four_at_a_time() -> None:
    slow = Slow()
    async with Stage() as stage:
        client = await stage.client(slow.dance)
        first = await stage.worker(slow.dance)
        runs = [await client.start(Begun()) for _ in range(7)]
        await asyncio.sleep(60)
        await first.kill()
        died = asyncio.get_running_loop().time()
        await stage.worker(slow.dance)
        turns: list[tuple[int, float]] = []
        for after in (1, 3, 7):
            await eventually(lambda after=after: len(slow.began) >= 7 + after)  # type: ignore[misc]
            turns.append((len(slow.began) - 7, asyncio.get_running_loop().time() - died))
        assert [begun for begun, _ in turns] == [1, 3, 7]
        lapsed, *later = (seconds for _, seconds in turns)
        assert 18 <= lapsed <= 33
        assert [10 <= then - before <= 12.5 for before, then in zip((lapsed, *later), later, strict=False)] == [
            True,
            True,
        ]
        slow.gate.set()
        for run in runs:
            assert await run.result(Done)


@virtual
async def test_a_worker_that_stops_lets_go_so_that_nobody_waits_and_nobody_is_lost() -> None:
    slow = Slow()
    async with Stage() as stage:
        client = await stage.client(slow.dance)
        first = await stage.worker(slow.dance, grace=1)
        run = await client.start(Begun())
        await asyncio.sleep(60)
        await first.stop()
        await stage.worker(slow.dance)
        await eventually(lambda: len(slow.began) == 2, within=2)
        slow.gate.set()
        assert await run.result(Done)
        assert not (await stage.fold(slow.dance)).of(Kind.LOST, None)


@virtual
async def test_what_waits_in_a_queue_behind_its_claim_is_not_lost() -> None:
    """Of four claimed steps that a worker found, one is at work for long, and the others wait for it."""
    slow = Slow(concurrency=1)
    async with Stage() as stage:
        client = await stage.client(slow.dance)
        first = await stage.worker(slow.dance)
        for _ in range(4):
            await client.start(Begun())
        await eventually(lambda: slow.began)
        await first.kill()
        await stage.worker(slow.dance)
        await eventually(lambda: len(slow.began) == 2)
        await asyncio.sleep(300)
        slow.gate.set()
        log = await stage.folded(slow.dance, lambda log: not log.open)
        assert not log.of(Kind.LOST, None)
        assert len(slow.began) == 5


@virtual
async def test_what_is_not_to_be_begun_any_more_is_let_go_of() -> None:
    """Its run is paused while its claim is on its way."""
    slow = Slow()
    async with Stage() as stage:
        client = await stage.client(slow.dance)
        first = await stage.worker(slow.dance)
        run = await client.start(Begun())
        await eventually(lambda: slow.began)
        await first.kill()
        second = await stage.worker(slow.dance, prepare=lambda store: store.gate.clear())
        await asyncio.sleep(1)
        await run.pause()
        second.store.gate.set()
        await stage.folded(slow.dance, lambda log: len(log.of(Kind.CLAIM)) == 2)
        await asyncio.sleep(120)
        log = await stage.fold(slow.dance)
        assert [unpack(record.headers).delay > 0 for record, _ in log.of(Kind.CLAIM)] == [True, False]
        assert len(slow.began) == 1
        slow.gate.set()
        await run.resume()
        assert await run.result(Done)
        assert not log.of(Kind.LOST, None)


class Deadly:
    """A step that ends its worker: the test kills it as soon as the step has begun."""

    def __init__(self) -> None:
        self.began: list[int] = []
        self.died = asyncio.Event()
        self.dance = Choreography("dance")

        @self.dance.reactor
        async def go(begun: Begun) -> Done:
            self.began.append(begun.n)
            if begun.n == 0:
                self.died.set()
                await asyncio.Event().wait()
            return Done(n=begun.n)


@pytest.mark.parametrize("in_good_order", [False, True])
@virtual
async def test_a_step_that_kills_its_worker_is_parked_and_takes_few_others_with_it(in_good_order: bool) -> None:
    deadly, most = Deadly(), 5
    async with Stage() as stage:
        await stage.make(deadly.dance, {"lost_most": most})
        client = await stage.client(deadly.dance)
        worker = await stage.worker(deadly.dance)
        await (worker.stop() if in_good_order else worker.kill())
        bad, *good = [await client.start(Begun(n=n), run_id=f"run-{n}") for n in range(40)]
        deaths = 0
        while not any(owed.parked for owed in (await bad.status()).owed):
            deadly.died.clear()
            worker = await stage.worker(deadly.dance)
            try:
                async with asyncio.timeout(40):
                    await deadly.died.wait()
                    deaths += 1
            except TimeoutError:
                assert deaths == most
            await worker.kill()
        log = await stage.fold(deadly.dance)
        lost = {record.key for record, _ in log.of(Kind.LOST)}
        assert b"run-0" in lost
        assert len(lost) <= 4
        await stage.worker(deadly.dance)
        for run in good:
            assert await run.result(Done)


@virtual
async def test_a_reactor_of_failures_takes_the_last_loss() -> None:
    dance = Choreography("dance")
    told: list[Failed[Begun]] = []
    began = asyncio.Event()

    @dance.reactor
    async def go(begun: Begun) -> Done:
        began.set()
        await asyncio.Event().wait()
        return Done()

    @dance.reactor
    async def give_up(failed: Failed[Begun]) -> Done:
        told.append(failed)
        return Done(n=7)

    async with Stage() as stage:
        await stage.make(dance, {"lost_most": 1})
        client = await stage.client(dance)
        worker = await stage.worker(dance)
        run = await client.start(Begun())
        await began.wait()
        await asyncio.sleep(15)
        await worker.kill()
        await stage.worker(dance)
        assert await run.result(Done) == Done(n=7)
        (failed,) = told
        assert (failed.error_type, failed.attempts, failed.reactor) == ("WorkerLost", 0, "go")


@virtual
async def test_a_loss_beyond_the_limit_fails_the_run_and_a_retry_begins_anew() -> None:
    slow = Slow()
    async with Stage() as stage:
        await stage.make(slow.dance, {"lost_most": 1})
        client = await stage.client(slow.dance)
        worker = await stage.worker(slow.dance)
        run = await client.start(Begun())
        await asyncio.sleep(15)
        await worker.kill()
        await stage.worker(slow.dance)
        try:
            await run.result(Done)
        except RunFailed as e:
            assert "claim" in str(e)
        else:
            raise AssertionError("a run whose step is parked has failed")
        slow.gate.set()
        await run.retry()
        assert await run.result(Done)


@virtual
async def test_the_failure_of_a_claimed_step_is_tried_again_in_time() -> None:
    dance = Choreography("dance")
    attempts: list[int] = []

    @dance.reactor
    async def go(begun: Begun, step: Step) -> Done:
        attempts.append(step.attempt)
        await asyncio.sleep(40)
        if step.attempt < 3:
            raise ConnectionError("no")
        return Done()

    async with Stage() as stage:
        client = await stage.client(dance)
        await stage.worker(dance)
        await (await client.start(Begun())).result(Done)
        assert attempts == [1, 2, 3]
        assert not (await stage.fold(dance)).of(Kind.LOST, None)


@pytest.mark.parametrize("lost", [False, True])
@virtual
async def test_what_is_begun_with_care_and_fails_is_attempted_again_at_once_if_it_may(lost: bool) -> None:
    """It is owed anew before anybody has looked whether it survived."""
    dance = Choreography("dance")
    attempts: list[int] = []

    @dance.reactor(retry=Retry(first="0s"))
    async def go(begun: Begun, step: Step) -> Done:
        attempts.append(step.attempt)
        if len(attempts) == 1:
            await asyncio.Event().wait()
        if step.attempt < 3:
            raise ConnectionError("no")
        return Done()

    async with Stage() as stage:
        client = await stage.client(dance)
        first = await stage.worker(dance)
        run = await client.start(Begun())
        await eventually(lambda: attempts)
        await asyncio.sleep(60 if lost else 1)
        await first.kill()
        await stage.worker(dance)
        assert await run.result(Done)
        assert attempts == [1, 1, 2, 3]


@virtual
async def test_a_worker_that_cannot_reach_the_log_for_a_while_keeps_its_claim() -> None:
    slow = Slow()
    async with Stage() as stage:
        client = await stage.client(slow.dance)
        owned = Assigned(0)
        first = await stage.worker(slow.dance, owns=owned)
        run = await client.start(Begun())
        await asyncio.sleep(15)
        first.store.away = True
        owned.give()
        await stage.worker(slow.dance, owns=Assigned(0))
        await asyncio.sleep(19)
        first.store.away = False
        await asyncio.sleep(300)
        slow.gate.set()
        assert await run.result(Done)
        assert len(slow.began) == 1


@virtual
async def test_a_step_outlives_rolling_restarts_of_the_other_workers() -> None:
    slow = Slow()
    async with Stage(partitions=4) as stage:
        client = await stage.client(slow.dance)
        await stage.worker(slow.dance, member="first")
        run = await client.start(Begun())
        await eventually(lambda: slow.began)
        for _ in range(5):
            others = [await stage.worker(slow.dance, member=f"other-{n}") for n in range(2)]
            await asyncio.sleep(40)
            for other in others:
                await other.stop()
                await asyncio.sleep(20)
        slow.gate.set()
        assert await run.result(Done)
        assert len(slow.began) == 1
        assert not (await stage.fold(slow.dance)).of(Kind.LOST, None)


@virtual
async def test_a_clock_that_is_wrong_makes_nobody_lost() -> None:
    """The new owner's clock is ten minutes ahead: it says too early that the worker is lost, and learns so."""
    slow = Slow()
    async with Stage() as stage:
        client = await stage.client(slow.dance)
        owned = Assigned(0)
        await stage.worker(slow.dance, owns=owned)
        run = await client.start(Begun())
        await asyncio.sleep(15)
        owned.give()
        second = await stage.worker(slow.dance, owns=Assigned(0), wait=False)
        scribe = second.worker._scribe
        right = scribe.now
        scribe.now = lambda: right() + 600_000_000
        await asyncio.sleep(600)
        slow.gate.set()
        assert await run.result(Done)
        log = await stage.fold(slow.dance)
        assert (len(slow.began), log.of(Kind.LOST)) == (1, [])
        assert len(log.of(Kind.LOST, None)) < 5


@virtual
@pytest.mark.parametrize("seconds", [1, 60])
async def test_a_sub_step_under_way_when_the_log_is_read_anew_is_done_once(seconds: int) -> None:
    dance, gate = Choreography("dance"), asyncio.Event()
    began: list[str] = []
    parts: list[str] = []

    @dance.reactor
    async def go(begun: Begun, step: Step) -> Done:
        began.append(step.key)

        async def part() -> int:
            parts.append(step.key)
            await gate.wait()
            return 7

        return Done(n=await step.once("part", part))

    async with Stage() as stage:
        client = await stage.client(dance)
        worker = await stage.worker(dance)
        run = await client.start(Begun())
        await asyncio.sleep(seconds)
        before = worker.worker.partitions[0]
        worker.store.moved = True
        await eventually(lambda: worker.worker.partitions[0] is not before and worker.worker.ready)
        await asyncio.sleep(60)
        claimed = seconds > 10
        assert len(began) == len(parts) == (1 if claimed else 2)
        gate.set()
        assert (await run.result(Done)).n == 7
        assert len(parts) == (1 if claimed else 2)
        await asyncio.sleep(60)
        assert not worker.worker.dispatcher.at_work_in()
        claims = len((await stage.fold(dance)).of(Kind.CLAIM, None))
        await asyncio.sleep(60)
        assert len((await stage.fold(dance)).of(Kind.CLAIM, None)) == claims


@virtual
async def test_an_hour_of_work_is_done_once_over_twenty_rebalances() -> None:
    dance = Choreography("dance")
    began: list[str] = []

    @dance.reactor
    async def go(begun: Begun, step: Step) -> Done:
        began.append(step.key)
        for minute in range(60):
            await asyncio.sleep(60)
            assert await step.once(f"minute {minute}", _double, minute) == 2 * minute
        return Done()

    async with Stage() as stage:
        client = await stage.client(dance)
        one, other = Assigned(0), Assigned()
        workers = [await stage.worker(dance, owns=one)]
        run = await client.start(Begun())
        await eventually(lambda: began)
        workers.append(await stage.worker(dance, owns=other))
        for turn in range(20):
            (one, other)[turn % 2].give()
            (other, one)[turn % 2].give(0)
            await asyncio.sleep(171)
        assert await run.result(Done, timeout="30m")
        assert len(began) == 1
        log = await stage.fold(dance)
        assert len(log.of(Kind.SUBSTEP)) == 60
        assert not log.of(Kind.LOST, None)


async def _double(n: int) -> int:
    return 2 * n
