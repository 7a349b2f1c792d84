"""What no open run needs leaves the log for files; all goes on, and what began before the cut is looked up no more."""

import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import fastavro
import pytest
from tests.reactors.working.controls import AtWork, Begun, Done, Nudged, Stage
from tests.reactors.working.test_checkpoints import NEVER, OFTEN, a_dance, manifests, more, restored, waiting_runs

from farandole.eventstore import EventStore, StoreUnavailable, SystemClock
from farandole.eventstore.memory.reader import MemoryReader
from farandole.projections.checkpoints import Checkpoints, begun
from farandole.projections.fold import Fold, UnknownFoldVersion
from farandole.projections.fold.checkpoint import base_key
from farandole.reactors import Choreography, Client, archive
from farandole.reactors.archive import Archived, ArchiveFailed, archived_records
from farandole.reactors.follower import Follower


@pytest.fixture(params=["memory", "sqlite", pytest.param("kafka", marks=pytest.mark.kafka)])
def stage(request: pytest.FixtureRequest, tmp_path: Path) -> Stage:
    urls = {
        "memory": lambda: f"memory://{secrets.token_hex(4)}",
        "sqlite": lambda: f"sqlite:///{tmp_path / 'dance.db'}",
        "kafka": lambda: f"kafka://{request.getfixturevalue('kafka')}",
    }
    return Stage(urls[request.param](), partitions=1, clock=SystemClock())


async def archived(client: Client, to: Path, *, until: int | None = None, dry: bool = False) -> Sequence[Archived]:
    return [each async for each in archive.archive(client, to, until=until, dry=dry)]


async def some_done(stage: Stage, dance: Choreography, count: int = 10, name: str = "done") -> None:
    """Runs that are closed, one after the other."""
    client = await stage.client(dance)
    for n in range(count):
        run = await client.start(Begun(n=n), run_id=f"{name}-{n}")
        await run.send(Nudged())
        await run.result(Done, timeout="60s")


async def grown(stage: Stage, dance: Choreography) -> AtWork:
    """A log that can be archived, and the worker that made it so."""
    worker = await stage.worker(dance, checkpoints=OFTEN)
    await some_done(stage, dance)
    await more(stage, dance, lambda: worker.worker.stats.checkpoints > 8)
    return worker


async def all_done(stage: Stage, dance: Choreography, worker: AtWork) -> None:
    """Whatever stands open comes to its end, and a few checkpoints are written after it."""
    client, stats = await stage.client(dance), worker.worker.stats
    for run in (await client.runs(limit=10_000)).runs:
        if run.status.status == "waiting":
            await client.run(run.id).send(Nudged())
    until, n = stats.checkpoints + 4, 0
    while stats.checkpoints < until:
        await some_done(stage, dance, 1, f"after-{until}-{n}")
        n += 1


async def all_can_be_read(store: EventStore) -> None:
    """Whoever wants to know all that the log still has begins at its beginning."""
    reads_all = Follower(store, everything=True)
    await reads_all.up_to_date([0])
    await reads_all.close()


async def test_records_leave_the_log_and_all_goes_on(stage: Stage, tmp_path: Path) -> None:
    async with stage:
        dance = a_dance()
        worker = await stage.worker(dance, checkpoints=OFTEN)
        await some_done(stage, dance)
        client = await stage.client(dance)
        await more(stage, dance, lambda: worker.worker.stats.checkpoints > 8)
        store = await stage.store(dance.name)
        [planned] = await archived(client, tmp_path / "files", dry=True)
        assert (await store.ends((0,)))[0].first == 0
        assert not (tmp_path / "files").exists()
        before = [r async for r in _all(stage, dance)]
        [done] = await archived(client, tmp_path / "files")
        assert (done.first, done.before) == (0, planned.before)
        assert done.file is not None
        assert (await store.ends((0,)))[0].first == done.before
        assert (await store.checkpoints.load())[base_key(0)] == b"%d" % done.before
        assert [r._replace(headers=list(r.headers)) for r in before[: done.before]] == list(archived_records(done.file))
        fold = Fold(0, 1)
        for record in archived_records(done.file):
            fold.apply(record)
        assert fold.position == done.before
        with done.file.open("rb") as file:
            assert sum(1 for _ in fastavro.reader(file)) == done.before

        await worker.kill()
        second = await stage.worker(dance, checkpoints=NEVER)
        assert set(restored(second)) == {0}
        other = await stage.client(dance)
        run = next(iter(second.worker.partitions[0].fold.runs)).decode()
        await other.run(run).send(Nudged())
        assert (await other.run(run).result(Done, timeout="60s")).n == 4
        assert (await other.run("done-1").status()).status == "absent"
        assert "done-1" not in {run.id for run in (await other.runs(everything=True)).runs}
        reads_all = Follower(store)
        await reads_all.up_to_date([0])
        assert reads_all.fold(0).digest == other.follower.fold(0).digest
        await reads_all.close()
        assert next(iter([r async for r in other.run(run).events(live=False)])).name == f"{dance.name}.Begun"


async def test_the_checkpoint_at_the_cut_stays_though_others_come_while_records_are_copied(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with stage:
        dance = a_dance()
        worker = await grown(stage, dance)
        client, store = await stage.client(dance), await stage.store(dance.name)
        export = archive._export

        async def slowly(*args: Any) -> tuple[int, bytes]:
            await all_done(stage, dance, worker)
            return await export(*args)

        monkeypatch.setattr(archive, "_export", slowly)
        [done] = await archived(client, tmp_path)
        assert done.before in [m.position for m in (await manifests(stage, dance))[0]]
        await all_can_be_read(store)


async def test_who_dies_before_records_are_deleted_leaves_a_log_that_can_be_read_and_archived(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with stage:
        dance = a_dance()
        worker = await grown(stage, dance)
        client, store = await stage.client(dance), await stage.store(dance.name)
        [once] = await archived(client, tmp_path)
        assert once.file is not None
        await all_done(stage, dance, worker)
        with monkeypatch.context() as away:
            away.setattr(type(client.store), "truncate", _away)
            with pytest.raises(StoreUnavailable):
                await archived(client, tmp_path)
        await all_done(stage, dance, worker)
        await all_can_be_read(store)
        [again] = await archived(client, tmp_path)
        assert again.first == once.before < again.before
        await all_can_be_read(store)


async def test_the_checkpoint_with_which_an_archived_log_begins_will_do_whatever_is_doubted(tmp_path: Path) -> None:
    async with Stage(clock=SystemClock()) as stage:
        dance = a_dance()
        worker = await grown(stage, dance)
        client, store = await stage.client(dance), await stage.store(dance.name)
        await worker.kill()
        [done] = await archived(client, tmp_path)
        checkpoints = Checkpoints(store)
        await checkpoints.look()
        checkpoints.distrusted |= {manifest.hash for manifest in checkpoints.of(0)}
        checkpoints.astray[0] = done.before
        assert (await begun(store, checkpoints, [0], newest=True))[0].position == done.before


async def test_a_release_that_cannot_read_the_checkpoints_of_an_archived_log_says_that_it_is_too_old(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Stage(clock=SystemClock()) as stage:
        dance = a_dance()
        worker = await grown(stage, dance)
        [done] = await archived(await stage.client(dance), tmp_path)
        assert done.file is not None
        await worker.kill()
        # As if the release at hand were an earlier one: there are no rules that it knows.
        monkeypatch.setattr("farandole.projections.fold.fold.KNOWN_VERSION", 0)
        older = await stage.worker(dance, checkpoints=NEVER)
        assert "upgrade farandole" in (older.worker.partitions[0].stopped or "")
        with pytest.raises(UnknownFoldVersion, match=r"its checkpoints are of a newer release .*: upgrade farandole"):
            await all_can_be_read(await stage.store(dance.name))


async def test_who_looks_a_run_up_while_the_log_is_archived_is_told_what_is_there_then(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Stage(f"memory://{secrets.token_hex(4)}", partitions=1, clock=SystemClock()) as stage:
        dance = a_dance()
        await grown(stage, dance)
        client, other = await stage.client(dance), await stage.client(dance)
        read, cut = MemoryReader.read, list[Archived]()

        async def after_the_cut(reader: MemoryReader, *, wait: float = 0.5) -> Any:
            if reader.positions == {0: 0} and not cut:
                cut.append(Archived(0, 0, 0))
                cut.extend(await archived(other, tmp_path))
            return await read(reader, wait=wait)

        monkeypatch.setattr(MemoryReader, "read", after_the_cut)
        assert (await client.run("done-1").status()).status == "absent"
        assert cut[-1].file is not None


async def test_of_two_who_archive_at_once_one_is_told_and_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Stage(clock=SystemClock()) as stage:
        dance = a_dance()
        await grown(stage, dance)
        one, other = await stage.client(dance), await stage.client(dance)
        begun, first = archive.begun, list[Archived]()

        async def after_the_other(*args: Any, **more: Any) -> Any:
            monkeypatch.setattr(archive, "begun", begun)
            first.extend(await archived(other, tmp_path))
            return await begun(*args, **more)

        monkeypatch.setattr(archive, "begun", after_the_other)
        with pytest.raises(ArchiveFailed, match="somebody else archived it"):
            await archived(one, tmp_path)
        assert first[0].file is not None
        assert len(list(archived_records(first[0].file))) == first[0].before


async def _away(*_: object) -> None:
    raise StoreUnavailable("the log cannot be reached")


async def test_nothing_that_an_open_run_needs_is_archived(tmp_path: Path) -> None:
    async with Stage(clock=SystemClock()) as stage:
        dance = a_dance()
        worker = await waiting_runs(stage, dance, 1)
        await more(stage, dance, lambda: worker.worker.stats.checkpoints > 4)
        client = await stage.client(dance)
        [done] = await archived(client, tmp_path)
        assert "an open run began at offset" in done.why
        assert (await (await stage.store(dance.name)).ends((0,)))[0].first == 0


async def test_nothing_younger_than_was_said_is_archived(tmp_path: Path) -> None:
    async with Stage(clock=SystemClock()) as stage:
        dance = a_dance()
        await grown(stage, dance)
        client = await stage.client(dance)
        assert [each.why for each in await archived(client, tmp_path, until=1)] == ["nothing is old enough"]


async def test_a_file_that_does_not_hold_it_deletes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with Stage(clock=SystemClock()) as stage:
        dance = a_dance()
        await grown(stage, dance)
        client = await stage.client(dance)
        monkeypatch.setattr(archive, "_read_back", lambda file: (0, b""))
        with pytest.raises(ArchiveFailed):
            await archived(client, tmp_path)
        assert (await (await stage.store(dance.name)).ends((0,)))[0].first == 0


async def _all(stage: Stage, dance: Choreography):  # type: ignore[no-untyped-def]
    store = await stage.store(dance.name)
    end = (await store.ends((0,)))[0].next
    reader = store.reader()
    reader.follow({0: 0})
    at = 0
    while at < end:
        for batch in await reader.read():
            for record in batch:
                at = record.offset + 1
                yield record
    await reader.close()
