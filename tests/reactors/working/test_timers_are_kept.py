"""What is due is written by whoever owns the partition: once as a rule, not early, and whatever happened meanwhile."""

import asyncio
from collections.abc import Sequence

import pytest
from tests.reactors.working.controls import (
    AtWork,
    Begun,
    Nudged,
    Stage,
    Stopped,
    Went,
    a_stage,
    virtual,
)

from farandole.eventstore import Record
from farandole.projections.fold import Verdict
from farandole.reactors import After, Ask, Choreography, Retry, RunExpired
from farandole.schemas import Answer, Encrypt, PayloadCodec, Start
from farandole.schemas.envelope import Kind

SECRET = "the rabbit is in the hat"


class Yes(Answer): ...


class Hurried(Start, deadline="1m"): ...


def dance(service: str = "dance", codec: PayloadCodec | None = None) -> Choreography:
    choreography = Choreography("dance", service=service, codec=codec)

    @choreography.reactor(unless=Nudged)
    async def wait(begun: Begun) -> After[Stopped]:
        return After(f"{begun.n or 60}s", Stopped(why=SECRET))

    return choreography


def idle(service: str) -> Choreography:
    """A service with nothing to do with timers."""
    choreography = Choreography("dance", service=service)

    @choreography.reactor(name=f"look_{service}")
    async def look(nudged: Nudged) -> None: ...

    return choreography


async def timers(stage: Stage, verdict: Verdict | None = Verdict.ADMITTED) -> int:
    return len((await stage.fold(dance())).of(Kind.TIMER, verdict))


def set_clock(at_work: AtWork, ahead: int) -> None:
    """Let a worker believe that the log's clock is ahead of what it is."""
    inner = at_work.store.inner

    async def now() -> int:
        return await inner.now() + ahead

    at_work.store.now = now  # type: ignore[method-assign]


@virtual
async def test_a_clock_that_is_wrong_costs_a_few_refused_records_and_no_time() -> None:
    async with Stage() as stage:
        at_work = await stage.worker(dance())
        set_clock(at_work, 600_000)
        client = await stage.client(dance())
        run = await client.start(Begun(n=60))
        assert (await run.result(Stopped)).why == SECRET
        log = await stage.fold(dance())
        ((fired, _),) = log.of(Kind.TIMER)
        ((was_set, _),) = log.of(Kind.OUTCOME)[:1]
        assert 60_000 <= fired.time - was_set.time <= 60_100
        assert len(log.of(Kind.TIMER, Verdict.NOT_DUE)) <= 60 / 5 + 1


@virtual
async def test_what_came_too_early_is_written_again_once_however_many_copies_of_it_came() -> None:
    choreography = Choreography("dance")

    @choreography.reactor(retry=Retry(attempts=100, first="5m"))
    async def go(hurried: Hurried) -> Went:
        raise OSError

    async with Stage() as stage:
        at_work = await stage.worker(choreography)
        set_clock(at_work, 600_000)
        client = await stage.client(choreography)
        run = await client.start(Hurried())
        await stage.folded(choreography, lambda log: log.of(Kind.EXPIRY, Verdict.NOT_DUE))
        early, _ = (await stage.fold(choreography)).of(Kind.EXPIRY, Verdict.NOT_DUE)[0]
        copies = [Record(early.key, early.value, early.headers)] * 20
        await client.store.append(early.partition, copies)
        with pytest.raises(RunExpired):
            await run.result(Stopped, on_parked="wait")
        log = await stage.fold(choreography)
        assert len(log.of(Kind.EXPIRY, Verdict.NOT_DUE)) <= 20 + 60 / 5 + 1


@virtual
async def test_a_machine_whose_clock_is_set_gives_no_step_up_before_its_time() -> None:
    choreography = Choreography("dance")

    @choreography.reactor(deadline="1m")
    async def go(begun: Begun) -> Stopped:
        await asyncio.sleep(2)
        return Stopped()

    async with Stage() as stage:
        at_work = await stage.worker(choreography)
        client = await stage.client(choreography)
        run = await client.start(Begun())
        now = at_work.worker._scribe.now
        await asyncio.sleep(1)
        at_work.worker._scribe.now = lambda: now() + 600_000_000
        await run.result(Stopped)
        await (await client.start(Begun())).result(Stopped)


@virtual
async def test_what_came_due_while_nobody_was_there_fires_in_its_order() -> None:
    async with Stage() as stage:
        first = await stage.worker(dance())
        client = await stage.client(dance())
        runs = [await client.start(Begun(n=100 - n % 7)) for n in range(1_200)]
        await stage.folded(dance(), lambda log: len(log.of(Kind.OUTCOME)) == 1_200)
        await first.stop()
        await asyncio.sleep(3_600)
        await stage.worker(dance())
        for run in runs:
            await run.result(Stopped)
        log = await stage.fold(dance())
        due = {out.run.id: record.time + out.envelope.delay for record, out in log.of(Kind.OUTCOME) if out.armed}  # type: ignore[union-attr]
        order = [due[record.key] for record, _ in log.of(Kind.TIMER, None)]  # type: ignore[index]
        assert len(order) == 1_200
        assert _nearly_sorted(order)


def _nearly_sorted(times: Sequence[int]) -> bool:
    """Whether they ascend but within one batch, which is read from the log in its order."""
    return all(max(times[: at + 1]) <= min(times[at + 500 :], default=10**15) for at in range(len(times)))


@virtual
async def test_one_of_several_services_writes_it() -> None:
    async with Stage() as stage:
        for service in ("b", "c"):
            await stage.worker(idle(service))
        await stage.worker(dance("a"))
        client = await stage.client(dance())
        await (await client.start(Begun())).result(Stopped)
        assert await timers(stage, None) == 1


@virtual
async def test_another_service_writes_it_where_that_one_is_gone_and_needs_no_codec_for_it() -> None:
    codec = Encrypt({"one": bytes(range(32))}, active="one")
    async with Stage() as stage:
        await stage.worker(idle("z"))
        at_work = await stage.worker(dance("a", codec))
        client = await stage.client(dance("a", codec))
        run = await client.start(Begun())
        await stage.folded(dance(), lambda log: len(log.of(Kind.OUTCOME)) == 1)
        await at_work.kill()
        assert await run.result(Stopped) == Stopped(why=SECRET)
        log = await stage.fold(dance())
        ((fired, out),) = log.of(Kind.TIMER)
        assert out.envelope is not None
        assert out.envelope.source == b"/dance/z"
        assert SECRET.encode() not in (fired.value or b"")


@virtual
async def test_a_question_through_a_codec_is_read_by_who_has_it_and_closed_by_who_has_not() -> None:
    codec = Encrypt({"one": bytes(range(32))}, active="one")
    asking = Choreography("dance", service="a", codec=codec)

    @asking.reactor
    async def ask(begun: Begun) -> Ask[Yes | Stopped]:
        return Ask(SECRET, Yes, within="1m", otherwise=Stopped(why=SECRET))

    async with Stage() as stage:
        await stage.worker(idle("z"))
        at_work = await stage.worker(asking)
        client = await stage.client(asking)
        run = await client.start(Begun())
        await stage.folded(dance(), lambda log: len(log.of(Kind.OUTCOME)) == 1)
        ((view),) = await run.decisions()
        assert view.question == SECRET
        stranger = await stage.client(dance())
        ((view),) = await stranger.decisions()
        assert view.question.startswith("(cannot be read here: ")
        await at_work.kill()
        assert await run.result(Stopped) == Stopped(why=SECRET)
        assert not any(SECRET.encode() in (record.value or b"") for record, _ in (await stage.fold(dance())).records)


@virtual
async def test_a_log_that_is_away_when_it_is_due_is_waited_for() -> None:
    async with a_stage(dance()) as (stage, client, at_work):
        run = await client.start(Begun(n=10))
        await stage.folded(dance(), lambda log: len(log.of(Kind.OUTCOME)) == 1)
        at_work.worker.values._kept.clear()
        at_work.store.away = True
        await asyncio.sleep(30)
        assert await timers(stage, None) == 0
        at_work.store.away = False
        assert (await run.result(Stopped)).why == SECRET
        assert await timers(stage) == 1


@virtual
async def test_the_deadline_of_a_step_that_nobody_serves_passes_all_the_same() -> None:
    gone = Choreography("dance", service="gone")

    @gone.reactor(deadline="1m", retry=Retry(attempts=100, first="10s"))
    async def go(begun: Begun) -> Went:
        raise OSError

    async with Stage() as stage:
        await stage.worker(idle("other"))
        at_work = await stage.worker(gone)
        client = await stage.client(gone)
        run = await client.start(Begun())
        await stage.folded(gone, lambda log: len(log.of(Kind.FAILURE)) == 1)
        await at_work.kill()

        async def failed() -> bool:
            return (await run.status()).status == "failed"

        async with asyncio.timeout(120):
            while not await failed():
                await asyncio.sleep(0.5)
        failure, out = (await stage.fold(gone)).of(Kind.FAILURE)[-1]
        assert out.envelope is not None
        assert (out.envelope.source, out.envelope.attempt) == (b"/dance/other", 2)
        assert client.failure(failure)["error"].endswith("DeadlinePassed")


@pytest.mark.parametrize("times", [1, 3])
@virtual
async def test_a_partition_that_goes_and_comes_back_keeps_its_timers(times: int) -> None:
    async with Stage() as stage:
        first = await stage.worker(dance(), member="one")
        client = await stage.client(dance())
        run = await client.start(Begun())
        await stage.folded(dance(), lambda log: len(log.of(Kind.OUTCOME)) == 1)
        for _ in range(times):
            second = await stage.worker(dance(), member="two")
            await second.stop()
        await run.result(Stopped)
        assert await timers(stage, None) == 1
        await first.stop()
