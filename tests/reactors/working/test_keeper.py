"""Every worker keeps the partitions that it owns: rejects are copied aside, and runs that nothing moves expire."""

import asyncio

import pytest
from tests.reactors.working.controls import AtWork, Begun, Done, Stage, Went, a_stage, eventually, virtual

from farandole.eventstore import Record, Stored, StoreUnavailable, TooLarge
from farandole.projections.checkpoints import Every
from farandole.projections.fold import Verdict
from farandole.reactors import After, Ask, Child, ChildDone, Choreography, Retry
from farandole.reactors.errors import RunExpired
from farandole.schemas import Answer, End, Event, Start
from farandole.schemas.envelope import Kind
from farandole.schemas.kinship import Ticked

CLOSE = Every(grid=8, least=16, times=0)


def dance(service: str = "dance") -> Choreography:
    choreography = Choreography("dance", service=service)

    @choreography.reactor(retry=Retry(attempts=1))
    async def go(begun: Begun) -> Done | None:
        if begun.n == 1:
            raise OSError
        return None if begun.n == 2 else Done()

    return choreography


async def rejected(worker: AtWork) -> list[Stored]:
    return [record async for record in worker.store.rejected()]


BAD = Record(b"run", b"value", [("ce_id", b"x"), ("fa", b"\x07nonsense")])


@virtual
async def test_headers_that_cannot_be_read_are_copied_aside_with_the_reason_and_stop_nobody() -> None:
    async with a_stage(dance()) as (_, client, worker):
        await worker.store.inner.append(0, [BAD, Record(None, None, [])])
        await (await client.start(Begun())).result(Done)
        await eventually(lambda: worker.worker.stats.rejected == 2)
        first, second = await rejected(worker)
        assert (first.key, first.value) == (b"run", b"value")
        headers = dict(first.headers)
        assert headers["fa_rejected_reason"] == b"the record has no header ce_type"
        assert (headers["fa_rejected_partition"], headers["fa"]) == (b"0", b"\x07nonsense")
        assert b"fa" in dict(second.headers)["fa_rejected_reason"]
        assert worker.worker.stats.refused["unreadable"] == 2


@virtual
async def test_they_are_copied_once_whoever_reads_them_again() -> None:
    async with Stage() as stage:
        first = await stage.worker(dance())
        await first.store.inner.append(0, [BAD])
        await eventually(lambda: first.worker.stats.rejected == 1)
        await first.stop()
        second = await stage.worker(dance())
        await eventually(lambda: second.worker.stats.rejected == 1)
        assert len(await rejected(second)) == 1


@virtual
async def test_rejects_wait_until_the_log_takes_them(caplog: pytest.LogCaptureFixture) -> None:
    async with a_stage(dance()) as (_, _c, worker):
        reject = worker.store.inner.reject
        calls = 0

        async def shaky(record: Stored, reason: str) -> None:
            nonlocal calls
            calls += 1
            if calls < 3:
                raise StoreUnavailable("away")
            await reject(record, reason)

        worker.store.inner.reject = shaky  # type: ignore[method-assign]
        await worker.store.inner.append(0, [BAD])
        await eventually(lambda: worker.worker.stats.rejected == 1)
        assert "keeping is put off" in caplog.text


@pytest.mark.parametrize("n", [1, 2], ids=["failed", "idle"])
@virtual
async def test_a_run_that_nothing_moves_expires_after_the_time_that_the_log_sets(n: int) -> None:
    async with Stage() as stage:
        await stage.make(dance(), {"expire_after": 600_000})
        await stage.worker(dance())
        client = await stage.client(dance())
        began = asyncio.get_running_loop().time()
        run = await client.start(Begun(n=n))
        with pytest.raises(RunExpired):
            await run.result(on_parked="wait")
        assert asyncio.get_running_loop().time() - began == pytest.approx(600, abs=5)
        assert (await run.status()).status == "expired"
        assert not (await stage.fold(dance())).open


@virtual
async def test_a_run_that_is_touched_meanwhile_expires_later() -> None:
    async with Stage() as stage:
        await stage.make(dance(), {"expire_after": 600_000})
        await stage.worker(dance())
        client = await stage.client(dance())
        run = await client.start(Begun(n=1))
        await asyncio.sleep(500)
        await run.retry()
        await asyncio.sleep(500)
        assert (await run.status()).status == "failed"
        with pytest.raises(RunExpired):
            await run.result(on_parked="wait")


@virtual
async def test_no_run_expires_unless_the_log_says_so() -> None:
    async with a_stage(dance()) as (stage, client, _):
        run = await client.start(Begun(n=2))
        await asyncio.sleep(7200)
        assert (await run.status()).status == "idle"
        assert not (await stage.fold(dance())).of(Kind.EXPIRE, None)


@virtual
async def test_of_several_services_one_keeps_and_the_others_find_it_done() -> None:
    other = Choreography("dance", service="zebra")

    @other.reactor
    async def look(went: Went) -> None: ...

    async with Stage() as stage:
        await stage.make(dance("ant"), {"expire_after": 60_000})
        await stage.worker(dance("ant"))
        await stage.worker(other)
        client = await stage.client(dance("ant"))
        with pytest.raises(RunExpired):
            await (await client.start(Begun(n=2))).result()
        await asyncio.sleep(60)
        ((_record, out),) = (await stage.fold(dance("ant"))).of(Kind.EXPIRE, None)
        assert out.envelope is not None
        assert out.envelope.source == b"/dance/ant"


class Waited(Start, deadline="30m"):
    n: int


class Due(Event): ...


class Yes(Answer): ...


class Nobody(Event): ...


class Over(End):
    how: str


class NightFell(Start): ...


def waiting() -> tuple[Choreography, Choreography]:
    """A service whose runs wait for whatever a keeper writes, with a schedule; and one that comes before it by name."""
    waits, other = Choreography("waiting", service="zebra"), Choreography("waiting", service="ant")

    @waits.reactor
    async def wait(begun: Waited) -> After[Due] | Ask[Yes | Nobody] | Child[NightFell] | None:
        match begun.n:
            case 0:
                return After("10m", Due())
            case 1:
                return Ask("Well?", Yes, within="20m", otherwise=Nobody())
            case 2:
                return Child(NightFell())
        return None

    @waits.reactor
    async def end(it: Due | Nobody | ChildDone[Over]) -> Over:
        return Over(how=type(it).__name__)

    @waits.reactor
    async def sleep(night: NightFell) -> Over:
        return Over(how="slept")

    @other.reactor
    async def look(night: NightFell) -> None: ...

    for service in (waits, other):
        service.schedule(NightFell(), name="night", every="7m", overlap="allow", catch_up="all")
    return waits, other


@virtual
async def test_a_keeper_that_was_stopped_for_an_hour_does_no_harm() -> None:
    waits, other = waiting()
    async with Stage(partitions=2) as stage:
        stopped = await stage.worker(other, checkpoints=CLOSE)
        await stage.worker(waits, checkpoints=CLOSE)
        client = await stage.client(waits)
        for n in range(40):
            await client.start(Waited(n=n % 4), run_id=f"run-{n}")
        await asyncio.sleep(30)
        stopped.store.awake.clear()
        await asyncio.sleep(3_600)
        stopped.store.awake.set()
        log = await stage.folded(waits, lambda log: not log.open, within=600)
        assert log.once_each()
        assert len(log.of(Kind.TIMER)) == 10
        assert len(log.of(Kind.EXPIRY)) == 20, "ten questions, and ten runs that were out of time"
        ticks = [tick.ms for _, out in log.of(Kind.TICK) if out.envelope and (tick := Ticked.read(out.envelope.extra))]
        assert ticks == list(range(ticks[0], ticks[0] + 420_000 * len(ticks), 420_000))
        assert len(ticks) in (8, 9)
        born = [record.key for record, _ in log.of(Kind.START)]
        assert len(set(born)) == len(born) == 40 + 10 + len(ticks)
        assert len(log.of(Kind.TIMER, Verdict.NO_RUN)) == 10, "it wrote what it had in hand, and was refused"
        for number, fold in enumerate(log.folds):
            await eventually(lambda n=number, f=fold: stopped.worker.partitions[n].fold.position >= f.position)  # type: ignore[misc]
        assert not stopped.task.done()
        assert stopped.worker.stats.alarms == 0


@virtual
async def test_a_reject_that_is_too_large_to_copy_keeps_no_other_back(caplog: pytest.LogCaptureFixture) -> None:
    async with a_stage(dance()) as (_, _c, worker):
        reject = worker.store.inner.reject

        async def small(record: Stored, reason: str) -> None:
            if record.value == b"large":
                raise TooLarge("too large")
            await reject(record, reason)

        worker.store.inner.reject = small  # type: ignore[method-assign]
        await worker.store.inner.append(0, [Record(b"run", value, BAD.headers) for value in (b"large", b"small")])
        await eventually(lambda: worker.worker.stats.rejected == 1)
        assert [record.value for record in await rejected(worker)] == [b"small"]
        assert "stays there only: too large" in caplog.text
