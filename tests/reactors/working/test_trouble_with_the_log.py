"""Lost acknowledgements, refused appends, outages and lost positions cost time, and never a step or a second one."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from tests.reactors.working.controls import Begun, Breakable, Done, Stage, Went, eventually, virtual

from farandole.eventstore import Record, Stored, StoreMisconfigured, StoreUnavailable, Table
from farandole.eventstore.memory import MemoryStore
from farandole.projections.fold import KNOWN_VERSION
from farandole.projections.fold.framing import UNFINISHED
from farandole.reactors import Choreography
from farandole.reactors.genesis import establish, genesis_of
from farandole.schemas.envelope import Kind, unpack


def chain() -> Choreography:
    dance = Choreography("dance")

    @dance.reactor
    async def go(begun: Begun) -> tuple[Went, Went]:
        return Went(n=1), Went(n=2)

    @dance.reactor
    async def end(went: Went) -> Done | None:
        return Done() if went.n == 2 else None

    return dance


def memory(store: Breakable) -> MemoryStore:
    assert isinstance(store.inner, MemoryStore)
    return store.inner


@virtual
async def test_a_lost_acknowledgement_makes_a_duplicate_that_is_refused() -> None:
    async with Stage() as stage:
        client = await stage.client(chain())
        worker = await stage.worker(chain())
        worker.store.doubt = 10
        for run in [await client.start(Begun()) for _ in range(20)]:
            await run.result(Done)
        await eventually(lambda: worker.store.doubt == 0)
        log = await stage.folded(chain(), lambda log: not log.open)
        assert len(log.steps) == 60
        assert log.once_each()
        assert log.verdicts["NOT_OWED"] + log.verdicts["NO_RUN"] > 0


@virtual
async def test_a_contract_whose_acknowledgement_is_lost_is_in_force_once() -> None:
    async with Stage() as stage:
        await stage.worker(chain(), prepare=lambda store: setattr(store, "doubt", 3))
        client = await stage.client(chain())
        await (await client.start(Begun())).result(Done)
        log = await stage.fold(chain())
        assert len(log.of(Kind.CONTRACT)) == 1


@virtual
async def test_what_was_certainly_not_appended_is_appended_again() -> None:
    async with Stage() as stage:
        client = await stage.client(chain())
        worker = await stage.worker(chain())
        worker.store.refuse = 10
        for run in [await client.start(Begun()) for _ in range(20)]:
            await run.result(Done)
        assert (await stage.folded(chain(), lambda log: not log.open)).verdicts["NOT_OWED"] == 0


@virtual
async def test_a_log_that_is_away_for_a_while_costs_only_the_while(caplog: pytest.LogCaptureFixture) -> None:
    async with Stage() as stage:
        client = await stage.client(chain())
        worker = await stage.worker(chain())
        worker.store.away = True
        runs = [await client.start(Begun()) for _ in range(20)]
        await asyncio.sleep(300)
        worker.store.away = False
        for run in runs:
            await run.result(Done)
        assert (await stage.folded(chain(), lambda log: not log.open)).once_each()
        assert "the log cannot be read, trying again" in caplog.text


@virtual
async def test_steps_that_wait_for_a_log_that_is_away_say_so_once_in_a_while(caplog: pytest.LogCaptureFixture) -> None:
    async with Stage() as stage:
        client = await stage.client(chain())
        worker = await stage.worker(chain(), memory=0)
        fetch = worker.store.fetch

        async def away(partition: int, offsets: Sequence[int]) -> list[Stored]:
            raise StoreUnavailable("the log is away")

        worker.store.fetch = away  # type: ignore[method-assign]
        runs = [await client.start(Begun()) for _ in range(20)]
        await asyncio.sleep(100)
        worker.store.fetch = fetch  # type: ignore[method-assign]
        for run in runs:
            await run.result(Done)
        assert 3 <= caplog.text.count("dance.go cannot be attempted now: the log is away") <= 5


@virtual
async def test_a_client_waits_out_a_log_that_is_away() -> None:
    async with Stage() as stage:
        client = await stage.client(chain())
        await stage.worker(chain())
        assert isinstance(client.store, Breakable)
        client.store.away = True
        starting = asyncio.ensure_future(client.start(Begun()))
        await asyncio.sleep(20)
        client.store.away = False
        await (await starting).result(Done)


@virtual
async def test_a_log_that_lost_its_end_is_restored_from(caplog: pytest.LogCaptureFixture) -> None:
    async with Stage() as stage:
        client = await stage.client(chain())
        worker = await stage.worker(chain())
        await (await client.start(Begun())).result(Done)
        await stage.folded(chain(), lambda log: not log.open)
        fold = worker.worker.partitions[0].fold
        await eventually(lambda: fold.position == len(memory(worker.store).log.partitions[0]))
        del memory(worker.store).log.partitions[0][-2:]
        await eventually(lambda: worker.worker.partitions[0].fold is not fold)
        assert "the log is not the one that was read so far" in caplog.text
        other = await stage.client(chain())
        await (await other.start(Begun())).result(Done)
        await stage.folded(chain(), lambda log: not log.open)


@virtual
async def test_a_log_whose_beginning_was_deleted_is_refused_with_the_cure() -> None:
    async with Stage() as stage:
        with pytest.raises(StoreMisconfigured, match=r"begins at offset 7.*retention.ms=-1"):
            await stage.worker(chain(), prepare=lambda store: store.deleted.update({0: 7}))


@virtual
async def test_a_log_that_has_grown_is_refused_with_the_cure() -> None:
    async with Stage(partitions=2) as stage:
        store = await stage.store("dance")
        for partition in range(2):
            await store.append(partition, genesis_of(5, stage.scribe(chain())))
        with pytest.raises(StoreMisconfigured, match="made with 5 partitions and now has 2"):
            await stage.worker(chain())
        client = await stage.client(chain())
        with pytest.raises(StoreMisconfigured, match="made with 5 partitions and now has 2"):
            await client.run("any").status()


@virtual
async def test_a_grown_log_gets_no_second_genesis() -> None:
    async with Stage(partitions=2) as stage:
        store = await stage.store("dance")
        await store.append(0, genesis_of(1, stage.scribe(chain())))
        with pytest.raises(StoreMisconfigured, match="made with 1 partitions and now has 2"):
            await establish(store, stage.scribe(chain()))
        assert (await store.ends([1]))[1].next == 0


@virtual
async def test_a_fold_version_that_is_not_known_stops_that_partition_alone(caplog: pytest.LogCaptureFixture) -> None:
    async with Stage(partitions=2) as stage:
        client = await stage.client(chain())
        worker = await stage.worker(chain())
        (record,) = stage.scribe(chain()).control(Kind.VERSION, [{"version": KNOWN_VERSION + 1}])
        await worker.store.inner.append(0, [record])
        await eventually(lambda: not worker.worker.ready)
        assert "upgrade farandole" in caplog.text
        assert worker.worker.partitions[0].stopped
        ids = [run_id for n in range(20) if worker.store.partition_of((run_id := f"run-{n}").encode()) == 1]
        for run_id in ids:
            await (await client.start(Begun(), run_id=run_id)).result(Done)
        assert not worker.task.done()


@virtual
async def test_a_partition_whose_records_are_damaged_stops_alone(caplog: pytest.LogCaptureFixture) -> None:
    async with Stage(partitions=2) as stage:
        client = await stage.client(chain())
        worker = await stage.worker(chain())
        worker.store.corrupt.add(0)
        await eventually(lambda: not worker.worker.ready)
        assert caplog.text.count("partition 0 is served no more") == 1
        ids = [run_id for n in range(20) if worker.store.partition_of((run_id := f"run-{n}").encode()) == 1]
        for run_id in ids:
            await (await client.start(Begun(), run_id=run_id)).result(Done)
        assert not worker.task.done()


@virtual
async def test_a_worker_that_meets_an_unknown_fold_version_while_it_restores_serves_the_rest() -> None:
    async with Stage(partitions=2) as stage:
        client = await stage.client(chain())
        (record,) = stage.scribe(chain()).control(Kind.VERSION, [{"version": KNOWN_VERSION + 1}])
        await client.store.append(0, [record])
        worker = await stage.worker(chain())
        assert not worker.worker.ready
        run_id = next(f"run-{n}" for n in range(20) if worker.store.partition_of(f"run-{n}".encode()) == 1)
        await (await client.start(Begun(), run_id=run_id)).result(Done)


@virtual
async def test_a_log_that_was_put_in_the_place_of_another_while_the_partition_was_away_is_folded_anew() -> None:
    from tests.reactors.working.controls import Assigned

    owned = Assigned(0)
    async with Stage() as stage:
        client = await stage.client(chain())
        worker = await stage.worker(chain(), owns=owned)
        await (await client.start(Begun())).result(Done)
        fold = worker.worker.partitions[0].fold
        owned.give()
        await eventually(lambda: not worker.worker.partitions[0].active)
        log = memory(worker.store).log.partitions[0]
        log[:] = [Stored(r.partition, i, r.time, r.key, r.value, r.headers) for i, r in enumerate(reversed(log))]
        owned.give(0)
        await eventually(lambda: worker.worker.partitions[0].active)
        assert worker.worker.partitions[0].fold is not fold
        await eventually(lambda: worker.worker.dispatcher.held == 0)


@virtual
async def test_one_step_that_cannot_be_read_now_is_attempted_again_without_counting() -> None:
    dance = chain()
    async with Stage() as stage:
        client = await stage.client(dance)
        worker = await stage.worker(dance, memory=0)
        fetch = worker.store.fetch
        calls = 0

        async def shaky(partition: int, offsets: Any) -> Any:
            nonlocal calls
            calls += 1
            worker.store.away = calls <= 3
            try:
                return await fetch(partition, offsets)
            finally:
                worker.store.away = False

        worker.store.fetch = shaky  # type: ignore[method-assign]
        await (await client.start(Begun())).result(Done)
        assert calls > 3
        assert not (await stage.fold(dance)).of(Kind.FAILURE, None)


@virtual
async def test_a_handler_that_meets_trouble_with_a_log_of_its_own_fails_like_any_other() -> None:
    from farandole.eventstore import StoreUnavailable
    from farandole.reactors.errors import RunFailed
    from farandole.reactors.retry import Retry

    dance = Choreography("dance")

    @dance.reactor(retry=Retry(attempts=2))
    async def end(begun: Begun) -> Done:
        raise StoreUnavailable("another log is away")

    async with Stage() as stage:
        client = await stage.client(dance)
        await stage.worker(dance)
        with pytest.raises(RunFailed, match="after 2 attempts"):
            await (await client.start(Begun())).result()


@virtual
async def test_what_was_pushed_out_by_pieces_of_other_appends_is_appended_again() -> None:
    torn: list[Kind] = []

    def prepare(store: Breakable) -> None:
        whole = store.append

        async def append(partition: int, records: Sequence[Record]) -> int:
            e = unpack(records[0].headers)
            if len(records) != 2 or e.kind in torn:
                return await whole(partition, records)
            torn.append(Kind(e.kind))
            first = await whole(partition, records[:1])
            for n in range(UNFINISHED):
                piece = e._replace(append=b"%016d" % n).headers()
                await whole(partition, [Record(records[0].key, records[0].value, piece)])
            await whole(partition, records[1:])
            return first

        store.append = append  # type: ignore[method-assign]

    async with Stage() as stage:
        worker = await stage.worker(chain(), prepare=prepare)
        client = await stage.client(chain())
        await (await client.start(Begun())).result(Done, timeout="30s")
        assert torn == [Kind.CONTRACT, Kind.OUTCOME]
        log = await stage.folded(chain(), lambda log: not log.open)
        assert log.once_each()
        assert worker.worker.dispatcher.held == 0


class Away(Table):
    """A catalogue that nobody reaches."""

    async def put(self, key: bytes, value: bytes | None) -> None:
        raise StoreUnavailable("the catalogue is away")

    async def load(self) -> Mapping[bytes, bytes]:
        raise StoreUnavailable("the catalogue is away")

    async def scan(self, prefix: bytes) -> Mapping[bytes, bytes]:
        raise StoreUnavailable("the catalogue is away")


@virtual
@pytest.mark.parametrize("what", ["log", "catalogue"])
async def test_schedules_try_again_each_second_and_not_all_the_time(
    what: str, caplog: pytest.LogCaptureFixture
) -> None:
    dance = chain()
    dance.schedule(Begun(), name="again", every="10m")
    async with Stage() as stage:
        worker = await stage.worker(dance)
        if what == "log":
            worker.store.away = True
        else:
            worker.store.table = Away()
        await asyncio.sleep(1800)
        said = [each for each in caplog.records if "schedules are put off" in each.getMessage()]
        assert 500 < len(said) < 1900
        worker.store.away, worker.store.table = False, None
        log = await stage.folded(dance, lambda log: len(log.of(Kind.TICK)) > 0 and not log.open)
        assert log.once_each()
