"""Of two that would make the same tables anew, or verify them, one does, and the other is told at once who, and since when."""

import asyncio
import subprocess
import sys
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import text
from tests.projections.custom.shop import Packing, a_log, a_projector, logs_of, packing
from tests.projections.custom.shop import projected as kept
from tests.projections.runs.logs import RecordedLog
from tests.projections.runs.model import a_random_log, differences
from tests.projections.runs.projecting import exactly, projected
from tests.projections.runs.reading import tables_in

from farandole.eventstore import Ends
from farandole.projections.custom.projector import NEW
from farandole.projections.custom.verifying import verify_projection
from farandole.projections.runs import rebuild, verify
from farandole.projections.sql import ClaimLost, Database, UnderWay

RECORDS = 120
_HOLDER = """
import sys
from farandole.projections.sql import Database
with Database(sys.argv[1], "").claimed("runs", "rebuild of t"):
    print("claimed", flush=True)
    sys.stdin.read()
"""


def url_of(database: Database) -> str:
    return database._url.update_query_dict({"schema": database.schema} if database.schema else {}).render_as_string(
        hide_password=False
    )


class Held:
    """A log of which nothing is told before it is let go."""

    def __init__(self, log: RecordedLog) -> None:
        self.asked, self.go = asyncio.Event(), asyncio.Event()
        ends = log.ends

        async def later(partitions: Iterable[int]) -> Mapping[int, Ends]:
            self.asked.set()
            await self.go.wait()
            return await ends(partitions)

        log.ends = later  # type: ignore[method-assign]


async def test_of_two_rebuilds_at_once_one_does_it_and_the_other_is_told(database: Database) -> None:
    records = a_random_log(31, RECORDS)
    log = RecordedLog(records)
    held = Held(log)
    first = asyncio.create_task(rebuild(log, database, "t"))
    await held.asked.wait()
    said = r"^a rebuild of t is under way since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC, by process \d+ of \S+@"
    with pytest.raises(UnderWay, match=said):
        await rebuild(log, database, "t")
    held.go.set()
    await first
    assert differences(tables_in(database), exactly(records)) == []


async def test_while_tables_are_made_anew_nobody_verifies_them_and_then_everybody_may(database: Database) -> None:
    log = RecordedLog(a_random_log(32, RECORDS))
    await projected(log, database)
    with database.claimed("runs", "rebuild of t"):
        with pytest.raises(UnderWay, match="a rebuild of t is under way since"):
            await verify(log, database, "t")
        with pytest.raises(UnderWay):
            await rebuild(log, database, "t")
    assert (await verify(log, database, "t")).differences == ()
    await rebuild(log, database, "t")


async def test_what_is_claimed_is_free_again_after_a_failure(database: Database) -> None:
    with pytest.raises(RuntimeError, match="here"), database.claimed("runs", "rebuild of t"):
        raise RuntimeError("here")
    with database.claimed("runs", "rebuild of t"), database.claimed("others", "rebuild of u"):
        pass


async def test_a_process_that_is_killed_leaves_no_claim_behind(database: Database) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", _HOLDER, url_of(database)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "claimed\n"
        with pytest.raises(UnderWay, match=f"by process {holder.pid} of"), database.claimed("runs", "rebuild of t"):
            pass
    finally:
        holder.kill()
        holder.communicate()
    async with asyncio.timeout(30):
        while True:
            try:
                with database.claimed("runs", "rebuild of t"):
                    return
            except UnderWay:  # the database has not heard of it yet
                await asyncio.sleep(0.05)


async def test_of_two_rebuilds_of_a_projection_one_does_it_and_the_other_is_told(database: Database) -> None:
    await kept(Packing, database, a_log())
    before, logs = packing(database), [a_log() for _ in range(2)]
    projectors = [a_projector(Packing, database, log) for log in logs]
    held = Held(logs[0])
    try:
        first = asyncio.create_task(projectors[0].rebuild())
        await held.asked.wait()
        with pytest.raises(UnderWay, match="a rebuild of Packing is under way since"):
            await projectors[1].rebuild()
        held.go.set()
        await first
        assert packing(database) == before
        async with projectors[0].tables.claimed("verify"):
            with pytest.raises(UnderWay, match="a verify of Packing"):
                await verify_projection(Packing, logs_of(Packing, {"orders": a_log()}), database)
            await projectors[1].rebuild()
    finally:
        for each in projectors:
            await each.close()


def test_beside_a_file_nothing_is_left_of_a_claim(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/rows.db", "")
    with database.claimed("runs", "rebuild of t"):
        assert [each.name for each in tmp_path.iterdir()] == ["rows.db.runs.claim"]
    assert not [*tmp_path.iterdir()]
    database.close()


def take_over(database: Database, name: str, stack: ExitStack) -> None:
    """Cut the connection that holds a claim, or put its file away, and claim the same."""
    if database.dialect == "sqlite":
        Path(f"{database.path}.{name}.claim").unlink()
    else:
        query = "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE application_name LIKE 'farandole process%'"
        with database.writing() as connection:
            assert connection.execute(text(query)).scalars().all() == [True]
    stack.enter_context(database.claimed(name, "rebuild by another"))


async def test_whoever_lost_its_claim_puts_no_tables_of_runs_in_place_and_leaves_those_of_the_other_alone(
    database: Database,
) -> None:
    records = a_random_log(33, RECORDS)
    log = RecordedLog(records)
    await projected(log, database)
    before = tables_in(database)
    shadow = database.beside("rebuild")
    with ExitStack() as stack:
        taken = False

        def told(progress: object) -> None:
            nonlocal taken
            if not taken:
                take_over(database, "runs", stack)
                taken = True

        with database.writing() as connection:
            connection.execute(text("UPDATE runs SET status = 'of the former tables'"))
        with pytest.raises(ClaimLost, match="rebuild of t was lost on the way; nothing was put in place"):
            await rebuild(log, database, "t", told=told)
        assert taken
        assert tables_in(database) != before
        assert tables_in(shadow)["runs"] == before["runs"]
    await rebuild(log, database, "t")
    assert differences(tables_in(database), exactly(records)) == []
    shadow.close()


async def test_whoever_lost_its_claim_puts_no_tables_of_a_projection_in_place(database: Database) -> None:
    await kept(Packing, database, a_log())
    whole = packing(database)
    projector = a_projector(Packing, database, a_log())
    live = projector.tables
    with live.database.writing() as connection:
        connection.execute(text("DELETE FROM lines"))
    with ExitStack() as stack:
        taken = False

        def told(progress: object) -> None:
            nonlocal taken
            if not taken:
                take_over(live.database, "build-Packing", stack)
                taken = True

        with pytest.raises(ClaimLost):
            await projector.rebuild(told)
        assert packing(database) not in (whole, {})
        made = live.beside(NEW)
        assert made.places()
        made.database.close()
    await projector.rebuild()
    assert packing(database) == whole
    await projector.close()
