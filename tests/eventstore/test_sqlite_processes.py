"""Several processes share one SQLite file, and some of them die."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest

from controls import a_record
from eventstore_processes import line, running
from farandole.eventstore import EventStore, Stored, connect


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/log.db?session=1"


@pytest.fixture
async def store(url: str) -> AsyncIterator[EventStore]:
    async with await connect(url, "dance", partitions=4) as store:
        yield store


async def whole(store: EventStore, partition: int) -> list[Stored]:
    end = (await store.ends([partition]))[partition].next
    return await store.fetch(partition, range(end))


async def read(store: EventStore, partition: int, number: int) -> list[Stored]:
    reader = store.reader()
    reader.follow({partition: 0})
    found: list[Stored] = []
    async with asyncio.timeout(30):
        while len(found) < number:
            for batch in await reader.read(wait=30):
                found += batch
    return found


def check_whole(records: Sequence[Stored]) -> None:
    """Every batch is in one piece."""
    at = 0
    while at < len(records):
        tag, _, size = (records[at].value or b"").decode().split("/")
        batch = records[at : at + int(size)]
        assert [r.value for r in batch] == [f"{tag}/{i}/{size}".encode() for i in range(int(size))]
        at += int(size)


@pytest.mark.parametrize("synchronous", ["full", "normal"])
async def test_what_was_acknowledged_outlives_kill_9_and_no_batch_is_torn(tmp_path: Path, synchronous: str) -> None:
    url = f"sqlite:///{tmp_path}/log.db?synchronous={synchronous}"
    acknowledged: list[list[str]] = []
    for kill in range(5):
        with running("append", url, f"a{kill}") as one, running("append", url, f"b{kill}") as two:
            for process, until in ((one, 20 + 7 * kill), (two, 30 - 5 * kill)):
                acknowledged += [(await line(process)).split() for _ in range(until)]
            for process in (one, two):
                process.kill()
                # A line that was cut off by the kill told nobody anything.
                acknowledged += [said.split() for said in process.communicate()[0].split("\n")[:-1]]
    async with await connect(url, "dance", partitions=4) as store:
        found = [await whole(store, p) for p in range(4)]
    for records in found:
        check_whole(records)
    assert len(acknowledged) > 200
    for partition, offset, tag, size in acknowledged:
        first = found[int(partition)][int(offset)]
        assert first.value == f"{tag}/0/{size}".encode()


async def test_two_processes_append_to_one_partition_and_a_third_reads(url: str, store: EventStore) -> None:
    with running("append_some", url, "a", "150") as one, running("append_some", url, "b", "150") as two:
        found = [r.value or b"" for r in await read(store, 0, 300)]
        assert (await line(one), await line(two)) == ("done", "done")
    for writer in (b"a", b"b"):
        assert [v for v in found if v.startswith(writer)] == [b"%b/%d" % (writer, n) for n in range(150)]


async def test_log_time_never_goes_back_whichever_process_appends(url: str, store: EventStore) -> None:
    with running("append_some", url, "a", "100") as one, running("append_some", url, "b", "100") as two:
        assert (await line(one), await line(two)) == ("done", "done")
    times = [r.time for r in await whole(store, 0)]
    assert times == sorted(times)


async def test_another_process_answers_what_this_one_appends(url: str, store: EventStore) -> None:
    with running("echo", url) as process:
        assert await line(process) == "ready"
        reader = store.reader()
        reader.follow({1: 0})
        for i in range(20):
            await store.append(0, [a_record(b"%d" % i)])
            async with asyncio.timeout(30):
                [batch] = await reader.read(wait=30)
            assert [r.value for r in batch] == [b"%d" % i]


async def test_processes_share_partitions_and_a_killed_one_loses_its_own(url: str, store: EventStore) -> None:
    async with store.own("kitchen") as here, asyncio.timeout(30):
        assert await here.changed() == {0, 1, 2, 3}
        with running("own", url, "") as process:
            kept = await here.changed()
            assert len(kept) == 2
            while len((await line(process)).split()) < 2:
                pass
            process.kill()
            while here.owned != {0, 1, 2, 3}:
                await here.changed()


async def test_a_killed_member_with_a_name_gets_its_partitions_back_at_once(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/log.db?session=3600"
    async with (
        await connect(url, "dance", partitions=4) as store,
        store.own("kitchen") as here,
        asyncio.timeout(30),
    ):
        with ExitStack() as stack:
            first = stack.enter_context(running("own", url, "cook"))
            while len(owned := (await line(first)).split()) < 2:
                pass
            first.kill()
            again = stack.enter_context(running("own", url, "cook"))
            assert (await line(again)).split() == owned
            assert len(here.owned) == 2


async def test_what_died_long_ago_delays_nobody(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/log.db?session=0.3"
    with running("own", url, "") as process:
        assert await line(process) == "0 1 2 3"
    async with await connect(url, "dance", partitions=4) as store, asyncio.timeout(30):
        await asyncio.get_running_loop().run_in_executor(None, process.wait)
        async with store.own("kitchen") as here:
            while here.owned != {0, 1, 2, 3}:
                await here.changed()
