"""A worker begins with a checkpoint and the rest of the log, on every store, and goes on as if it had read all of it."""

import asyncio
import logging
import secrets
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.reactors.working.controls import AtWork, Begun, Done, Met, Nudged, Stage, Went, eventually

from farandole.eventstore import Record, Stored, StoreUnavailable, SystemClock
from farandole.projections import State, on
from farandole.projections.checkpoints import Every
from farandole.projections.fold.checkpoint import CHUNKS, MANIFESTS, Manifest, chunk_key, manifests_in
from farandole.reactors import Choreography, Run
from farandole.testing import run_virtual

OFTEN = Every(grid=8, least=16, times=0, look=0.05, rank=0.5)
NEVER = Every(least=1 << 40, look=0.05)


@pytest.fixture(params=["memory", "sqlite", pytest.param("kafka", marks=pytest.mark.kafka)])
def stage(request: pytest.FixtureRequest, tmp_path: Path) -> Stage:
    urls = {
        "memory": lambda: f"memory://{secrets.token_hex(4)}",
        "sqlite": lambda: f"sqlite:///{tmp_path / 'dance.db'}",
        "kafka": lambda: f"kafka://{request.getfixturevalue('kafka')}",
    }
    return Stage(urls[request.param](), partitions=2, clock=SystemClock())


def a_dance(service: str | None = None) -> Choreography:
    """Runs that wait for a nudge, and look back when it comes."""
    name = f"dance_{secrets.token_hex(4)}" if service is None else service
    dance = Choreography(name)

    @dance.reactor
    async def go(begun: Begun) -> tuple[Went, Met]:
        return Went(n=begun.n), Met(n=begun.n)

    @dance.reactor
    async def end(went: Went, met: Met, nudged: Nudged, run: Run[Begun]) -> Done:
        return Done(n=len(await run.events(Begun, Went, Met, Nudged)))

    return dance


async def manifests(stage: Stage, dance: Choreography) -> dict[int, list[Manifest]]:
    store = await stage.store(dance.name)
    return manifests_in(await store.checkpoints.scan(MANIFESTS))


async def checkpointed(stage: Stage, dance: Choreography, partitions: int = 2) -> dict[int, list[Manifest]]:
    async with asyncio.timeout(60):
        while len(found := await manifests(stage, dance)) < partitions:
            await asyncio.sleep(0.01)
    return found


async def waiting_runs(stage: Stage, dance: Choreography, count: int = 40, every: Every = OFTEN) -> AtWork:
    """Runs that have come to where they wait, and a worker that is still there."""
    worker = await stage.worker(dance, checkpoints=every)
    client = await stage.client(dance)
    await asyncio.gather(*(client.start(Begun(n=n), run_id=f"run-{n}") for n in range(count)))
    await stage.folded(dance, lambda log: len(log.steps) == count)
    return worker


async def more(stage: Stage, dance: Choreography, enough: Callable[[], bool]) -> None:
    """Runs one after the other, until there is enough of something."""
    client = await stage.client(dance)
    while not enough():
        await (await client.start(Begun())).created
        await asyncio.sleep(0.01)


def restored(worker: AtWork) -> dict[int, int]:
    """By partition, the position of the checkpoint that it began with."""
    return {p: s.since.position for p, s in worker.worker.partitions.items() if s.since is not None}


async def test_a_worker_begins_with_a_checkpoint_and_goes_on_with_the_rest(stage: Stage) -> None:
    async with stage:
        dance = a_dance()
        first = await waiting_runs(stage, dance)
        await checkpointed(stage, dance)
        await first.kill()
        second = await stage.worker(dance, checkpoints=NEVER)
        assert set(restored(second)) == {0, 1}
        client = await stage.client(dance)
        runs = [client.run(f"run-{n}") for n in range(40)]
        await asyncio.gather(*(run.send(Nudged()) for run in runs))
        results = await asyncio.gather(*(run.result(Done, timeout="60s") for run in runs))
        assert {done.n for done in results} == {4}
        log = await stage.folded(dance, lambda log: not log.open)
        assert log.once_each()
        for partition, serving in second.worker.partitions.items():
            await eventually(lambda s=serving, p=partition: s.fold.position == log.folds[p].position)  # type: ignore[misc]
            assert serving.fold.digest == log.folds[partition].digest


class Seen(State):
    """How many events of a run there were."""

    events: int = 0

    @on
    def any(self, event: Begun | Went | Met | Nudged) -> None:
        self.events += 1


async def test_a_state_is_folded_from_before_and_after_the_checkpoint(stage: Stage) -> None:
    dance = Choreography(f"dance_{secrets.token_hex(4)}")

    @dance.reactor
    async def go(begun: Begun) -> tuple[Went, Met]:
        return Went(n=begun.n), Met(n=begun.n)

    @dance.reactor
    async def end(nudged: Nudged, seen: Seen) -> Done | None:
        return Done(n=seen.events) if seen.events == 5 else None

    async with stage:
        worker = await waiting_runs(stage, dance)
        await checkpointed(stage, dance)
        await worker.stop()
        worker = await stage.worker(dance, checkpoints=NEVER)
        assert all(serving.since is not None for serving in worker.worker.partitions.values())
        client = await stage.client(dance)
        for n in range(40):
            for _ in range(2):
                await client.run(f"run-{n}").send(Nudged())
            assert (await client.run(f"run-{n}").result(Done)).n == 5


async def test_what_cannot_be_read_is_copied_aside_before_others_begin_after_it(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    async with stage:
        dance = a_dance()
        worker = await stage.worker(dance, checkpoints=OFTEN)
        reject = worker.store.reject

        async def away(record: Stored, reason: str) -> None:
            raise StoreUnavailable("nothing can be copied aside")

        worker.store.reject = away  # type: ignore[method-assign]
        for partition in range(2):
            await worker.store.inner.append(partition, [Record(b"run", b"value", [("ce_id", b"x")])])
        await more(stage, dance, lambda: "the checkpoint of partition" in caplog.text)
        assert not await manifests(stage, dance)
        worker.store.reject = reject  # type: ignore[method-assign]
        await more(stage, dance, lambda: worker.worker.stats.checkpoints > 0)
        for partition in await manifests(stage, dance):
            copies = [dict(record.headers) async for record in worker.store.rejected()]
            assert str(partition).encode() in {headers["fa_rejected_partition"] for headers in copies}


async def test_of_checkpoints_the_two_newest_stay_and_that_before_the_oldest_run(stage: Stage) -> None:
    async with stage:
        dance = a_dance()
        first = await waiting_runs(stage, dance, 8)
        client = await stage.client(dance)
        for n in range(100, 140):
            run = await client.start(Begun(n=n), run_id=f"run-{n}")
            await run.send(Nudged())
            await run.result(Done, timeout="60s")
        await more(stage, dance, lambda: first.worker.stats.checkpoints > 3)
        await first.stop()
        store = await stage.store(dance.name)
        held = await store.checkpoints.load()
        for partition, kept in manifests_in(held).items():
            assert 1 <= len(kept) <= 3
            chunks = {key for manifest in kept for key in manifest.chunks}
            there = {key for key in held if key.startswith(b"%s%d/" % (CHUNKS, partition))}
            assert chunks <= there
            newest = max(manifest.position for manifest in kept)
            assert all(int(key.split(b"/")[2]) > newest for key in there - chunks)


@pytest.mark.parametrize("spoil", ["lost", "bit", "beyond", "another log"])
async def test_a_checkpoint_that_is_not_whole_or_not_of_this_log_is_passed_over(spoil: str, tmp_path: Path) -> None:
    async with Stage(f"sqlite:///{tmp_path / 'dance.db'}", partitions=1, clock=SystemClock()) as stage:
        dance = a_dance()
        first = await waiting_runs(stage, dance, 40)
        await more(stage, dance, lambda: first.worker.stats.checkpoints > 1)
        await first.kill()
        store = await stage.store(dance.name)
        newest, second, *_ = manifests_in(await store.checkpoints.load())[0]
        fields = {name: getattr(newest, name) for name in newest.__slots__}
        if spoil == "lost":
            await store.checkpoints.put(newest.chunks[0], None)
        elif spoil == "bit":
            value = (await store.checkpoints.load())[newest.chunks[0]]
            await store.checkpoints.put(newest.chunks[0], value[:-1] + bytes([value[-1] ^ 1]))
        elif spoil == "beyond":
            await store.checkpoints.put(newest.key, None)
            far = Manifest(**{**fields, "position": 1 << 40})
            await store.checkpoints.put(far.key, far.encode())
        else:
            other = Manifest(**{**fields, "last_append": bytes(16)})
            await store.checkpoints.put(newest.key, other.encode())
        third = await stage.worker(dance, checkpoints=NEVER)
        assert restored(third) == {0: second.position}


async def test_without_any_whole_checkpoint_a_worker_begins_with_the_log() -> None:
    async def body() -> None:
        async with Stage() as stage:
            dance = a_dance()
            first = await waiting_runs(stage, dance, 20)
            await checkpointed(stage, dance, 1)
            await first.kill()
            store = await stage.store(dance.name)
            for key in await store.checkpoints.load():
                if key.startswith(CHUNKS):
                    await store.checkpoints.put(key, b"")
            second = await stage.worker(dance, checkpoints=NEVER)
            assert restored(second) == {}
            assert len(second.worker.partitions[0].fold.runs) == 20

    await asyncio.to_thread(run_virtual, body())


async def test_another_state_at_a_checkpoint_alarms_and_restores(caplog: pytest.LogCaptureFixture) -> None:
    async def body() -> None:
        async with Stage() as stage:
            dance = a_dance()
            worker = await waiting_runs(stage, dance, 30)
            (manifest, *_) = (await checkpointed(stage, dance, 1))[0]
            fields = {name: getattr(manifest, name) for name in manifest.__slots__}
            forged = Manifest(**{**fields, "digest": bytes(8), "hash": bytes(32)})
            store = await stage.store(dance.name)
            await store.checkpoints.put(forged.key, forged.encode())
            before = worker.worker.partitions[0]
            await eventually(lambda: worker.worker.stats.alarms == 1)
            assert not worker.worker.ready
            await eventually(lambda: worker.worker.ready)
            after = worker.worker.partitions[0]
            assert after is not before
            assert after.since is None or after.since.position < manifest.position
            client = await stage.client(dance)
            await client.run("run-1").send(Nudged())
            assert (await client.run("run-1").result(Done)).n == 4
            assert worker.worker.stats.alarms == 1

    with caplog.at_level(logging.ERROR):
        await asyncio.to_thread(run_virtual, body())
    assert "is of another digest than this process knows" in caplog.text


async def test_a_worker_whose_state_went_wrong_is_healed() -> None:
    async def body() -> None:
        async with Stage() as stage:
            dance = a_dance()
            worker = await waiting_runs(stage, dance, 30)
            before = worker.worker.partitions[0]
            del before.fold.runs[b"run-7"]
            watching = Choreography(dance.name, service="aa")

            @watching.reactor
            async def watch(went: Went) -> None: ...

            await stage.worker(watching, checkpoints=OFTEN)
            client = await stage.client(dance)
            await client.run("run-7").send(Nudged())
            await more(stage, dance, lambda: worker.worker.stats.alarms > 0)
            assert (await client.run("run-7").result(Done, timeout="60s")).n == 4
            await eventually(lambda: worker.worker.ready)
            after = worker.worker.partitions[0]
            assert after is not before
            log = await stage.folded(dance, lambda log: log.folds[0].position == after.fold.position)
            assert after.fold.digest == log.folds[0].digest

    await asyncio.to_thread(run_virtual, body())


async def test_of_two_services_the_second_writes_only_what_the_first_does_not() -> None:
    async def body() -> None:
        async with Stage() as stage:
            dance = a_dance()
            watching = Choreography(dance.name, service="zz")

            @watching.reactor
            async def watch(went: Went) -> None: ...

            first = await stage.worker(dance, checkpoints=OFTEN)
            second = await stage.worker(watching, checkpoints=OFTEN)
            client = await stage.client(dance)
            for n in range(60):
                run = await client.start(Begun(n=n))
                await run.send(Nudged())
                await run.result(Done)
            wrote = first.worker.stats.checkpoints
            assert wrote > 3
            assert second.worker.stats.checkpoints == 0
            await first.kill()
            for n in range(60):
                await client.start(Begun(n=n))
                await asyncio.sleep(0.2)
            assert second.worker.stats.checkpoints > 0

    await asyncio.to_thread(run_virtual, body())


def test_keys_of_chunks_have_their_size() -> None:
    assert chunk_key(3, 17, 1024, 2) == b"c/3/00000000000000000017/1024/2"
