"""Every failed attempt is a record, and the next one comes when the record says, whatever becomes of the worker."""

import asyncio
from collections.abc import Callable

import pytest
from tests.reactors.working.controls import Assigned, Begun, Done, Folded, Stage, Went, a_stage, eventually, virtual

from farandole.reactors import Choreography, GiveUp, Retry, RetryAfter, Step
from farandole.reactors.errors import RunFailed
from farandole.reactors.reading import failure_of
from farandole.schemas.envelope import Flag, Kind

STEPS = Retry(attempts=4, first="10s", factor=3, most="60s", jitter=False)


class Failing:
    """A reactor that fails so many times, and notes when it was tried."""

    def __init__(
        self, times: int, error: Callable[[], Exception] = lambda: OSError("away"), retry: Retry = STEPS
    ) -> None:
        self.tried: list[float] = []
        self.numbers: list[int] = []
        self.keys: set[str] = set()
        self.left = times
        self.dance = Choreography("dance")

        @self.dance.reactor(retry=retry)
        async def end(begun: Begun, step: Step) -> Done:
            self.tried.append(asyncio.get_running_loop().time())
            self.numbers.append(step.attempt)
            self.keys.add(step.key)
            if self.left:
                self.left -= 1
                raise error()
            return Done()

    @property
    def waits(self) -> list[float]:
        return [round(b - a, 1) for a, b in zip(self.tried, self.tried[1:], strict=False)]


def failures(log: Folded) -> list[tuple[int, int, bool]]:
    """Attempt, delay in milliseconds and finality of each admitted failure."""
    return [
        (e.attempt, e.delay, bool(e.flags & Flag.LAST))
        for _, out in log.of(Kind.FAILURE)
        if (e := out.envelope) is not None
    ]


@virtual
async def test_waits_grow_by_the_factor_up_to_the_most() -> None:
    failing = Failing(3)
    async with a_stage(failing.dance) as (stage, client, _):
        run = await client.start(Begun())
        await run.result(Done)
        assert failing.waits == [10, 30, 60]
        assert failing.numbers == [1, 2, 3, 4]
        assert len(failing.keys) == 1
        assert failures(await stage.fold(failing.dance)) == [(1, 10_000, False), (2, 30_000, False), (3, 60_000, False)]


@virtual
async def test_jitter_spreads_each_wait_over_its_upper_half() -> None:
    failing = Failing(1, retry=Retry(first="10s"))
    async with Stage() as stage:
        await stage.worker(failing.dance, random=lambda: 0.0)
        run = await (await stage.client(failing.dance)).start(Begun())
        await run.result(Done)
        assert failing.waits == [5]


@virtual
async def test_a_handler_chooses_when_the_next_attempt_comes() -> None:
    failing = Failing(1, lambda: RetryAfter("5m"))
    async with a_stage(failing.dance) as (_, client, _w):
        await (await client.start(Begun())).result(Done)
        assert failing.waits == [300]


@virtual
async def test_the_last_attempt_parks_the_step_with_its_traceback() -> None:
    failing = Failing(99)
    async with a_stage(failing.dance) as (stage, client, at_work):
        run = await client.start(Begun())
        with pytest.raises(RunFailed, match="end failed for good after 4 attempts: OSError: away") as failed:
            await run.result(Done)
        assert (failed.value.reactor, failed.value.error) == ("end", "away")
        assert "raise error()" in failed.value.traceback
        status = await run.status()
        assert (status.status, status.owed[0].attempts, bool(status.owed[0].parked)) == ("failed", 4, True)
        assert [last for _, _, last in failures(await stage.fold(failing.dance))] == [False, False, False, True]
        assert at_work.worker.dispatcher.held == 0
        stats = at_work.worker.stats.reactors["end"]
        assert (stats.retried, stats.failed) == (3, 1)


@virtual
async def test_retry_counts_attempts_on_and_begins_the_policy_anew() -> None:
    failing = Failing(5)
    async with a_stage(failing.dance) as (stage, client, _):
        run = await client.start(Begun())
        with pytest.raises(RunFailed):
            await run.result(Done)
        assert await run.retry("mended") == 1
        await run.result(Done)
        assert failing.waits[:3] == [10, 30, 60]
        assert failing.waits[4:] == [10]
        assert failing.numbers == [1, 2, 3, 4, 5, 6]
        assert [attempt for attempt, _, _ in failures(await stage.fold(failing.dance))] == [1, 2, 3, 4, 5]


@virtual
async def test_giving_up_fails_at_once() -> None:
    failing = Failing(99, lambda: GiveUp("the card is stolen"))
    async with a_stage(failing.dance) as (stage, client, _):
        with pytest.raises(RunFailed, match="after 1 attempt"):
            await (await client.start(Begun())).result(Done)
        assert failures(await stage.fold(failing.dance)) == [(1, 0, True)]


@pytest.mark.parametrize(("error", "attempts"), [(OSError, 4), (ValueError, 1)])
@virtual
async def test_only_what_on_names_is_tried_again(error: type[Exception], attempts: int) -> None:
    failing = Failing(99, lambda: error("x"), Retry(attempts=4, on=(OSError, KeyError)))
    async with a_stage(failing.dance) as (_, client, _w):
        with pytest.raises(RunFailed):
            await (await client.start(Begun())).result(Done)
        assert len(failing.tried) == attempts


@virtual
async def test_a_crash_between_attempts_forgets_none_and_restarts_no_wait() -> None:
    failing = Failing(2, retry=Retry(attempts=3, first="100s", factor=1, jitter=False))
    async with Stage() as stage:
        client = await stage.client(failing.dance)
        first = await stage.worker(failing.dance)
        run = await client.start(Begun())
        await stage.folded(failing.dance, lambda log: len(failures(log)) == 1)
        await asyncio.sleep(60)
        await first.kill()
        await stage.worker(failing.dance)
        await run.result(Done)
        assert failing.waits == pytest.approx([100, 100], abs=1)
        assert failing.numbers == [1, 2, 3]


@virtual
async def test_a_wait_that_ran_out_while_nobody_worked_is_over_at_once() -> None:
    failing = Failing(1, retry=Retry(first="100s", jitter=False))
    async with Stage() as stage:
        client = await stage.client(failing.dance)
        first = await stage.worker(failing.dance)
        run = await client.start(Begun())
        await stage.folded(failing.dance, lambda log: failures(log))
        await first.kill()
        await asyncio.sleep(1000)
        before = asyncio.get_running_loop().time()
        await stage.worker(failing.dance)
        await run.result(Done)
        assert failing.tried[-1] - before < 1


@virtual
async def test_the_failure_of_an_attempt_that_another_worker_has_failed_already_is_refused() -> None:
    gate, dance = asyncio.Event(), Choreography("dance")
    tried: list[int] = []

    @dance.reactor(retry=Retry(attempts=3, first="1h", most="1h", jitter=False))
    async def go(begun: Begun, step: Step) -> Went:
        tried.append(step.attempt)
        if len(tried) == 1:
            await gate.wait()
        raise OSError

    async with Stage() as stage:
        stale = await stage.worker(dance, owns=Assigned(0))
        client = await stage.client(dance)
        await client.start(Begun())
        await eventually(lambda: tried == [1])
        stale.store.away = True
        await stage.worker(dance, owns=Assigned(0))
        await stage.folded(dance, lambda log: len(failures(log)) == 1)
        stale.store.away = False
        await asyncio.sleep(10)
        gate.set()
        log = await stage.folded(dance, lambda log: len(log.of(Kind.FAILURE, None)) == 2)
        assert [attempt for attempt, _, _ in failures(log)] == [1]
        assert log.verdicts["WRONG_ATTEMPT"] == 1


@virtual
async def test_an_attempt_that_was_paused_away_comes_after_the_pause() -> None:
    failing = Failing(1, retry=Retry(first="10s", jitter=False))
    async with a_stage(failing.dance) as (stage, client, _):
        run = await client.start(Begun())
        await stage.folded(failing.dance, lambda log: failures(log))
        await run.pause()
        await asyncio.sleep(100)
        assert len(failing.tried) == 1
        await run.resume()
        await run.result(Done)
        assert failing.waits == pytest.approx([100], abs=1)


@virtual
async def test_a_pause_that_ends_before_the_wait_does_changes_nothing() -> None:
    failing = Failing(1, retry=Retry(first="10s", jitter=False))
    async with a_stage(failing.dance) as (stage, client, _):
        run = await client.start(Begun())
        await stage.folded(failing.dance, lambda log: failures(log))
        await run.pause()
        await run.resume()
        await run.result(Done)
        assert failing.waits == [10]


@virtual
async def test_an_attempt_that_was_made_elsewhere_is_not_made_here_too() -> None:
    failing = Failing(0)
    async with a_stage(failing.dance) as (stage, client, _):
        runs = [await client.start(Begun()) for _ in range(20)]
        await stage.worker(failing.dance)
        for run in runs:
            await run.result(Done)
        assert (await stage.fold(failing.dance)).once_each()


@virtual
async def test_the_recorded_failure_says_what_went_wrong() -> None:
    failing = Failing(1, lambda: OSError("the bank is closed"))
    async with a_stage(failing.dance) as (stage, client, _):
        await (await client.start(Begun())).result(Done)
        ((record, _),) = (await stage.fold(failing.dance)).of(Kind.FAILURE)
        content = failure_of(client.scribe.types, record)
        assert (content["error"], content["message"]) == ("OSError", "the bank is closed")
        assert "raise error()" in content["traceback"]
