"""What can be wrong with an SQLite file, and what is said about it."""

import asyncio
import os
import resource
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from controls import a_record
from farandole.eventstore import (
    Ends,
    EventStore,
    NotAppended,
    PositionLost,
    StoreError,
    StoreMisconfigured,
    StoreUnavailable,
    connect,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "log.db"


async def opened(path: Path, options: str = "", create: bool = True) -> EventStore:
    return await connect(f"sqlite:///{path}?patience=0.2{options}", "dance", partitions=4, create=create)


@contextmanager
def files_no_larger_than(size: int) -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@contextmanager
def write_lock(path: Path) -> Iterator[None]:
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield


async def test_a_missing_directory_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreMisconfigured, match=r"no directory .*nowhere"):
        await opened(tmp_path / "nowhere" / "log.db")


async def test_a_directory_is_not_a_file(tmp_path: Path) -> None:
    with pytest.raises(StoreMisconfigured, match="is a directory"):
        await opened(tmp_path)


async def test_a_missing_file_is_not_made_unless_asked(path: Path) -> None:
    with pytest.raises(StoreMisconfigured, match="create=True"):
        await opened(path, create=False)
    assert not path.exists()


async def test_an_empty_file_is_made_a_store_only_if_asked(path: Path) -> None:
    path.touch()
    with pytest.raises(StoreMisconfigured, match="is empty"):
        await opened(path, create=False)
    async with await opened(path) as store:
        await store.append(0, [a_record()])


async def test_a_missing_choreography_is_not_made_unless_asked(path: Path) -> None:
    await (await opened(path)).close()
    with pytest.raises(StoreMisconfigured, match=r"no choreography 'waltz'.*create=True"):
        await connect(f"sqlite:///{path}", "waltz", create=False)


async def test_a_log_that_is_there_is_opened_as_it_is_without_create(path: Path) -> None:
    await (await opened(path)).close()
    async with await connect(f"sqlite:///{path}", "dance", create=False) as store:
        assert store.partitions == 4


async def test_a_file_that_is_no_database_is_refused_and_left_alone(path: Path) -> None:
    path.write_text("Dear diary, " * 1000)
    with pytest.raises(StoreMisconfigured, match="not a database"):
        await opened(path)
    assert path.read_text() == "Dear diary, " * 1000


async def test_a_database_of_something_else_is_refused_and_left_alone(path: Path) -> None:
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE diary (day, entry)")
    before = path.read_bytes()
    with pytest.raises(StoreMisconfigured, match="something else"):
        await opened(path)
    assert path.read_bytes() == before


async def test_a_file_of_a_later_version_is_refused(path: Path) -> None:
    await (await opened(path)).close()
    with closing(sqlite3.connect(path)) as other:
        other.execute("PRAGMA user_version = 99")
    with pytest.raises(StoreMisconfigured, match=r"version 99.*upgrade"):
        await opened(path)


async def test_a_file_of_the_first_version_gets_what_it_lacks(path: Path) -> None:
    async with await opened(path) as store:
        await store.append(0, [a_record(b"old")])
    with closing(sqlite3.connect(path)) as other:
        other.execute("DROP TABLE cut")
        other.execute("PRAGMA user_version = 1")
    async with await opened(path) as store:
        await store.truncate(0, 1)
        assert await store.append(0, [a_record(b"new")]) == 1
        assert (await store.ends([0]))[0] == (1, 2)


async def test_a_damaged_file_is_reported(path: Path) -> None:
    async with await opened(path) as store:
        for i in range(50):
            await store.append(0, [a_record(bytes(3000) + b"%d" % i)])
    content = bytearray(path.read_bytes())
    content[100:4096] = os.urandom(3996)
    path.write_bytes(content)
    with pytest.raises(StoreMisconfigured, match="backup"):
        await opened(path)


async def test_a_file_that_may_not_be_written_is_reported() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "log.db"
        await (await opened(path)).close()
        path.chmod(0o444)
        path.parent.chmod(0o555)
        with as_nobody(), pytest.raises(StoreMisconfigured, match="able to write"):
            await opened(path)
        path.parent.chmod(0o755)


@contextmanager
def as_nobody() -> Iterator[None]:
    """Root may write everything, so root becomes somebody else for a while."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


async def test_several_choreographies_share_a_file_and_nothing_else(path: Path) -> None:
    async with (
        await opened(path) as dance,
        await connect(f"sqlite:///{path}", "waltz", partitions=2) as waltz,
    ):
        await dance.append(0, [a_record(b"dance")])
        await dance.catalogue.put(b"a", b"1")
        assert (await waltz.ends([0]))[0].next == 0
        assert await waltz.catalogue.load() == {}
        async with dance.own("kitchen") as one, waltz.own("kitchen") as two:
            assert (len(one.owned), len(two.owned)) == (4, 2)


async def test_a_relative_url_is_relative(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(path.parent)
    async with await connect("sqlite:///some%20name.db", "dance") as store:
        assert store.url == "sqlite:///some%20name.db"
    assert (path.parent / "some name.db").exists()


async def test_an_append_behind_a_long_transaction_is_not_appended(path: Path) -> None:
    async with await opened(path) as store:
        await store.append(0, [a_record(b"a")])
        with write_lock(path), pytest.raises(NotAppended, match="keeps its transaction open"):
            await store.append(0, [a_record(b"b")])
        assert await store.append(0, [a_record(b"c")]) == 1


async def test_an_append_waits_for_a_short_transaction(path: Path) -> None:
    async with await connect(f"sqlite:///{path}?patience=30", "dance") as store:
        with write_lock(path):
            waiting = asyncio.ensure_future(store.append(0, [a_record()]))
            await store.ends([0])
        assert await asyncio.wait_for(waiting, 30) == 0


async def test_a_locked_file_cannot_be_made_a_store_for_now(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StoreUnavailable):
            await opened(path)


async def test_reading_goes_on_while_another_process_writes(path: Path) -> None:
    async with await opened(path) as store:
        await store.append(0, [a_record(b"a")])
        with write_lock(path):
            assert [r.value for r in await store.fetch(0, [0])] == [b"a"]


async def test_a_full_database_takes_nothing_and_the_store_recovers(path: Path) -> None:
    async with await opened(path) as store:
        await store.write(lambda sqlite: sqlite.execute("PRAGMA max_page_count = 30"))  # type: ignore[attr-defined]
        results = await asyncio.gather(
            *(store.append(i % 4, [a_record(bytes(5000))] * 3) for i in range(40)), return_exceptions=True
        )
        assert all(isinstance(r, int | NotAppended) for r in results)
        with pytest.raises(NotAppended, match="make room"):
            while True:
                await store.append(0, [a_record(bytes(5000))])
        ends = sum(e.next for e in (await store.ends(range(4))).values())
        await store.write(lambda sqlite: sqlite.execute("PRAGMA max_page_count = 100000"))  # type: ignore[attr-defined]
        await store.append(1, [a_record(b"room again")])
        assert sum(e.next for e in (await store.ends(range(4))).values()) == ends + 1


async def test_a_failing_disk_takes_nothing_and_the_store_recovers(path: Path) -> None:
    async with await opened(path) as store:
        await store.append(0, [a_record(b"before")])
        taken = 1
        with files_no_larger_than(200_000), pytest.raises(NotAppended, match=r"disk|full"):
            while True:
                await store.append(0, [a_record(bytes(5000))])
                taken += 1
        assert await store.append(0, [a_record(b"after")]) == taken
    async with await opened(path) as store:
        found = await store.fetch(0, range(taken + 1))
        assert (found[0].value, found[-1].value) == (b"before", b"after")


async def test_a_commit_that_fails_leaves_no_gap_where_others_append_too(path: Path) -> None:
    async with await opened(path) as store, await opened(path) as other:
        await store.append(0, [a_record(b"0")])
        await other.append(0, [a_record(b"1")])
        with files_no_larger_than(4096), pytest.raises(NotAppended, match=r"disk|full"):
            await store.append(0, [a_record(b"never")])
        assert await store.append(0, [a_record(b"2")]) == 2
        assert [r.value for r in await other.fetch(0, range(3))] == [b"0", b"1", b"2"]


@pytest.mark.parametrize("replaced", [False, True])
async def test_a_file_that_was_removed_while_in_use_takes_nothing_more(path: Path, replaced: bool) -> None:
    async with await opened(path) as store:
        await store.append(0, [a_record()])
        for file in path.parent.glob("log.db*"):
            file.rename(path.parent / f"old-{file.name}")
        if replaced:
            await (await opened(path)).close()
        with pytest.raises(NotAppended, match="removed or replaced"):
            await store.append(0, [a_record()])
        with pytest.raises(StoreError, match="removed or replaced"):
            await store.ends([0])


async def test_a_waiting_reader_is_told_that_the_file_is_gone(path: Path) -> None:
    async with await opened(path) as store:
        reader = store.reader()
        reader.follow({0: 0})
        waiting = asyncio.ensure_future(reader.read(wait=60))
        await store.ends([0])
        path.unlink()
        with pytest.raises(StoreError, match="removed or replaced"):
            await asyncio.wait_for(waiting, 30)


async def test_what_was_cut_off_is_a_lost_position(path: Path) -> None:
    async with await opened(path) as store:
        for i in range(4):
            await store.append(0, [a_record(b"%d" % i)])
    with closing(sqlite3.connect(path)) as other, other:
        other.execute("DELETE FROM batch WHERE first < 2")
    async with await opened(path) as store:
        assert await store.ends([0]) == {0: Ends(2, 4)}
        reader = store.reader()
        reader.follow({0: 1})
        with pytest.raises(PositionLost, match="begins at offset 2"):
            await reader.read()
        with pytest.raises(PositionLost):
            await store.fetch(0, [1, 2])
        assert await store.append(0, [a_record()]) == 4


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
async def test_a_store_says_that_it_does_not_work_after_a_fork(path: Path) -> None:
    async with await opened(path) as store:
        child = os.fork()
        if child == 0:
            try:
                store.reader()
            except StoreMisconfigured as e:
                os._exit(0 if "connect again in the child" in str(e) else 2)
            finally:
                os._exit(1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


async def test_a_cancelled_append_does_not_hurt_those_that_share_its_commit(path: Path) -> None:
    async with await connect(f"sqlite:///{path}?patience=30", "dance") as store:
        with write_lock(path):
            first = asyncio.ensure_future(store.append(0, [a_record(b"first")]))
            await store.ends([0])
            later = [asyncio.ensure_future(store.append(0, [a_record(b"%d" % i)])) for i in range(4)]
            await store.ends([0])
            first.cancel()
            later[1].cancel()
            await asyncio.gather(first, later[1], return_exceptions=True)
        assert [await append for append in (later[0], later[2], later[3])] == [1, 2, 3]
        assert [r.value for r in await store.fetch(0, range(4))] == [b"first", b"0", b"2", b"3"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("&synchronous=off", "synchronous is full"),
        ("&session=soon", "give seconds"),
        ("&session=-1", "give seconds"),
        ("&session=", "once"),
        ("&patience=1", "once"),
        ("&speed=fast", "no option 'speed'; it knows: synchronous"),
    ],
)
async def test_a_wrong_option_is_explained(path: Path, options: str, said: str) -> None:
    with pytest.raises(StoreMisconfigured, match=said):
        await opened(path, options)


@pytest.mark.parametrize(("options", "level"), [("", 2), ("&synchronous=full", 2), ("&synchronous=normal", 1)])
async def test_durability_is_as_asked_and_full_by_default(path: Path, options: str, level: int) -> None:
    async with await opened(path, options) as store:
        asked = await store.write(lambda sqlite: sqlite.execute("PRAGMA synchronous").fetchone())  # type: ignore[attr-defined]
        assert asked == (level,)
