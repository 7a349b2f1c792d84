"""The query client: answers are right, of one state, in pages, and as fresh as was asked for."""

import asyncio
import json
from collections.abc import AsyncIterator
from random import Random
from typing import Any

import pytest
from tests.projections.runs.logs import RecordedLog
from tests.projections.runs.model import COLUMNS, Tables, a_random_log
from tests.projections.runs.projecting import exactly, is_at_the_end, projected, projecting, until
from tests.projections.runs.reading import tables_in

from farandole.projections.runs import Database
from farandole.projections.runs.migrations import VERSIONS
from farandole.projections.runs.query import Behind, RunRow, Runs, UnknownCursor, Where
from farandole.projections.runs.query.pages import cursor_of
from farandole.projections.sql import DatabaseError, DatabaseMisconfigured

RECORDS = 400
SEED = 62
OWING = 42
"""Of a log at whose end several reactors owe something."""


@pytest.fixture
async def log() -> RecordedLog:
    return RecordedLog(a_random_log(SEED, RECORDS))


@pytest.fixture
async def runs(database: Database, log: RecordedLog) -> AsyncIterator[Runs]:
    """Questions about the runs of a random log."""
    await projected(log, database)
    yield Runs(database, "t", patience=1.0)


def column(tables: Tables, table: str, name: str) -> list[Any]:
    return [row[COLUMNS[table].index(name)] for row in tables[table].values()]


async def all_pages(runs: Runs, limit: int, where: Where = Where(), **more: Any) -> list[RunRow]:  # noqa: B008
    found: list[RunRow] = []
    cursor = None
    while True:
        answer = await runs.list(where, limit=limit, cursor=cursor, **more)
        found += answer.found
        assert len(answer.found) <= limit
        cursor = answer.next
        if cursor is None:
            return found


async def test_pages_hold_each_run_once_in_order(runs: Runs) -> None:
    everything = (await runs.list(limit=500)).found
    assert len(everything) == len(column(tables_in(runs.database), "runs", "run"))
    assert [run.touched for run in everything] == sorted((run.touched for run in everything), reverse=True)
    for limit in (1, 2, 3, 7):
        assert await all_pages(runs, limit) == list(everything)
    by_start = await all_pages(runs, 3, order="started")
    assert [run.started for run in by_start] == sorted((run.started for run in by_start), reverse=True)


async def test_runs_are_found_by_what_they_are_like(runs: Runs) -> None:
    everything = (await runs.list(limit=500)).found
    for status in {run.status for run in everything}:
        found = (await runs.list(Where(status=[status]), limit=500)).found
        assert found == tuple(run for run in everything if run.status == status)
    for open_ in (True, False):
        found = (await runs.list(Where(open=open_), limit=500)).found
        assert found == tuple(run for run in everything if (run.closed is None) is open_)
    type = everything[0].type
    short = type.removeprefix("t.")
    assert (await runs.list(Where(type=type))).found == (await runs.list(Where(type=short))).found
    at = everything[len(everything) // 2].touched
    earlier = (await runs.list(Where(touched_to=at), limit=500)).found
    later = (await runs.list(Where(touched_from=at), limit=500)).found
    assert (*later, *earlier) == everything
    assert (await runs.list(Where(id=everything[0].run_id[:3]), limit=500)).found
    assert not (await runs.list(Where(id="%"))).found
    assert not (await runs.list(Where(status=["failed"], open=False))).found


async def test_runs_are_found_by_reactor_parent_and_when_they_began(database: Database) -> None:
    await projected(RecordedLog(a_random_log(OWING, RECORDS)), database)
    runs = Runs(database, "t")
    steps = [dict(zip(COLUMNS["steps"], row, strict=True)) for row in tables_in(database)["steps"].values()]
    everything = (await runs.list(limit=500)).found
    with database.writing() as connection:  # random logs have few children
        for n, run in enumerate(everything):
            parent = f"parent-{n % 3}" if n % 4 else None
            connection.exec_driver_sql(
                f"UPDATE runs SET parent = {'NULL' if parent is None else repr(parent)} WHERE run = {run.run}"
            )
    everything = (await runs.list(limit=500)).found

    async def found(**like: Any) -> tuple[RunRow, ...]:
        where = Where(**like)
        page = (await runs.list(where, limit=500)).found
        assert sum((await runs.counts(where)).found.values()) == len(page)
        return page

    waiting = {
        name: {(step["partition"], step["run"]) for step in steps if step["reactor"] == name and step["state"] in ("owed", "parked")}
        for name in {step["reactor"] for step in steps}
    }  # fmt: skip
    assert sum(bool(those) for those in waiting.values()) > 1
    for name, those in waiting.items():
        assert await found(reactor=name) == tuple(run for run in everything if (run.partition, run.run) in those)
    for parent in ("parent-0", "parent-2", "parent-9"):
        assert await found(parent=parent) == tuple(run for run in everything if run.parent == parent)
    began = sorted(run.started for run in everything)
    for since, upto in ((began[3], began[-3]), (began[5], None), (None, began[5]), (began[-1], began[0])):
        assert await found(started_from=since, started_to=upto) == tuple(
            run
            for run in everything
            if (since is None or run.started >= since) and (upto is None or run.started < upto)
        )


async def test_a_run_at_a_time_is_the_run_after_the_last_record_until_then(runs: Runs) -> None:
    longest = max((await runs.list(limit=500)).found, key=lambda run: run.events)
    records = (await runs.history(longest.run_id, everything=True)).found
    assert len({record.at for record in records}) > 5
    for at in sorted({record.at + more for record in records for more in (-1, 0, 1)}):
        before = [record.log_offset for record in records if record.at <= at]
        by_time = (await runs.state_at(longest.run_id, at=at)).found
        if not before:
            assert by_time is None
            continue
        by_offset = (await runs.state_at(longest.run_id, offset=before[-1])).found
        assert by_time is not None
        assert by_time == by_offset


async def test_counts_are_those_of_the_list(runs: Runs) -> None:
    everything = (await runs.list(limit=500)).found
    counts = (await runs.counts()).found
    assert counts == {status: sum(r.status == status for r in everything) for status in {r.status for r in everything}}


async def test_a_run_is_found_with_its_history_and_all_that_belongs_to_it(runs: Runs, log: RecordedLog) -> None:
    tables = exactly(log.of(0))
    for run_id in set(column(tables, "runs", "run_id")):
        run = (await runs.get(run_id)).found
        assert run is not None
        records = [row for row in tables["records"].values() if row[COLUMNS["records"].index("run")] == run.run]
        whole = (await runs.history(run_id, everything=True)).found
        assert [r.log_offset for r in whole] == sorted(row[1] for row in records)
        events = (await runs.history(run_id)).found
        assert len(events) == run.events
        assert [(r.admitted, r.place) for r in events] == sorted((r.admitted, r.place) for r in events)
        steps = (await runs.steps(run_id)).found
        assert sum(step.state == "owed" for step in steps) == run.owed
        assert sum(step.state == "parked" for step in steps) == run.parked
        assert sum(timer.state == "open" for timer in (await runs.timers(run_id)).found) == run.timers
        assert sum(child.state == "open" for child in (await runs.children(run_id)).found) == run.children
        assert len((await runs.failures(run_id)).found) == run.failures
        assert len((await runs.decisions(run_id=run_id)).found) == run.decisions


async def test_a_history_comes_in_pages(runs: Runs) -> None:
    longest = max((await runs.list(limit=500)).found, key=lambda run: run.events)
    for everything in (False, True):
        whole = (await runs.history(longest.run_id, everything=everything)).found
        found: list[Any] = []
        cursor = None
        while cursor is not None or not found:
            page = await runs.history(longest.run_id, everything=everything, limit=2, cursor=cursor)
            found, cursor = [*found, *page.found], page.next
            if cursor is None:
                break
        assert tuple(found) == whole


async def test_a_run_is_as_it_was_at_any_offset(runs: Runs, log: RecordedLog) -> None:
    longest = max((await runs.list(limit=500)).found, key=lambda run: run.events)
    for record in Random(1).sample(list(log.of(0)), 6):
        then = (await runs.state_at(longest.run_id, offset=record.offset)).found
        whole = exactly([r for r in log.of(0) if r.offset <= record.offset])
        before = whole["runs"].get((0, longest.run))
        if before is None:
            assert then is None
            continue
        assert then is not None
        assert len(then.events) == before[COLUMNS["runs"].index("events")]
        owed = before[COLUMNS["runs"].index("owed")] + before[COLUMNS["runs"].index("parked")]
        assert len(then.steps) == owed
    at = (await runs.history(longest.run_id)).found[1].at
    by_time = (await runs.state_at(longest.run_id, at=at)).found
    assert by_time is not None
    assert by_time.at <= at


async def test_reactors_and_causes_are_counted_over_all_runs(runs: Runs, log: RecordedLog) -> None:
    tables = exactly(log.of(0))
    states = column(tables, "steps", "state")
    found = (await runs.reactors(minutes=10_000)).found
    assert found
    assert sum(r.owed for r in found) <= states.count("owed")
    causes = (await runs.causes()).found
    assert sum(cause.attempts for cause in causes) == len(tables["failures"])


async def test_minutes_schedules_and_policies_are_told_over_all_partitions(database: Database) -> None:
    log = RecordedLog(a_random_log(45, RECORDS))
    await projected(log, database)
    tables, runs = exactly(log.of(0)), Runs(database, "t")
    minutes = (await runs.minutes(0)).found
    assert sum(minute.done for minute in minutes) == sum(column(tables, "minutes", "done"))
    assert [minute.minute for minute in minutes] == sorted(minute.minute for minute in minutes)
    assert (await runs.minutes(0, minutes[0].minute)).found == ()
    assert {s.name for s in (await runs.schedules()).found} == set(column(tables, "schedules", "name"))
    policies = (await runs.policies()).found
    assert {p.reactor: p.stopped for p in policies} == dict(
        zip(column(tables, "policies", "reactor"), column(tables, "policies", "stopped"), strict=True)
    )


async def test_who_asks_for_a_position_waits_until_the_tables_are_there(database: Database) -> None:
    records = a_random_log(SEED, RECORDS)
    log = RecordedLog(records[:200])
    async with projecting(log, database) as projector:
        await until(is_at_the_end(projector, log))
        runs, end = Runs(database, "t", patience=30), records[-1].offset + 1
        asked = asyncio.create_task(runs.list(min_position={0: end}))
        await asyncio.sleep(0)
        log.add(records[200:])
        assert (await asked).fresh.positions[0] == end


async def test_who_waits_in_vain_is_told_why(runs: Runs) -> None:
    hurried = Runs(runs.database, "t", patience=0.05)
    with pytest.raises(Behind, match="is a projector at work"):
        await hurried.get("x", min_position={0: 1 << 40})


@pytest.mark.parametrize("cursor", ["", "x", "W10", "WzEsMl0", "eyJhIjoxfQ", "WzEsMiwxZTRd", cursor_of(1 << 63, 1, 1)])
async def test_a_cursor_of_something_else_is_refused(runs: Runs, cursor: str) -> None:
    with pytest.raises(UnknownCursor):
        await runs.list(cursor=cursor)


async def test_what_is_not_there_is_not_found(runs: Runs) -> None:
    assert (await runs.get("nobody")).found is None
    assert (await runs.history("nobody")).found == ()
    assert (await runs.state_at("nobody")).found is None
    assert (await runs.decisions(run_id="nobody")).found == ()


async def test_where_there_are_no_tables_nothing_can_be_asked(database_url: str) -> None:
    with pytest.raises(DatabaseMisconfigured, match="start a projector first"):
        await Runs.open(database_url, "t")


async def test_runs_are_found_by_text_and_by_attributes(database: Database, log: RecordedLog) -> None:
    await projected(log, database)
    runs = Runs(database, "t")
    first, second, *_ = (await runs.list()).found
    fields = COLUMNS["attributes"]
    with database.writing() as connection:
        for run, value, admitted in ((first, "ann", "true"), (second, "ann", "false"), (second, "bob", "true")):
            connection.exec_driver_sql(
                f"INSERT INTO attributes ({', '.join(fields)}) VALUES ({run.partition}, {run.last_at}, '{value}', "
                f"{run.run}, '{value}', {admitted})"
            )
        for run, words in ((first, 'broken "till" at noon'), (second, "a till OR a bank")):
            connection.exec_driver_sql(f"UPDATE records SET words = '{words}' WHERE log_offset = {run.last_at}")
            if database.dialect == "sqlite":
                row = run.partition << 40 | run.last_at
                connection.exec_driver_sql(f"DELETE FROM records_words WHERE rowid = {row}")
                connection.exec_driver_sql(f"INSERT INTO records_words (rowid, words) VALUES ({row}, '{words}')")

    async def ids(where: Where) -> set[str]:
        return {run.run_id for run in (await runs.list(where)).found}

    assert await ids(Where(attributes={"ann": "ann"})) == {first.run_id}
    assert await ids(Where(attributes={"bob": "bob"})) == {second.run_id}
    assert await ids(Where(text="till")) == {first.run_id, second.run_id}
    assert await ids(Where(text="TILL noon")) == {first.run_id}
    assert await ids(Where(text="till OR bank")) == {second.run_id}
    assert await ids(Where(text="'; DROP TABLE runs; --")) == set()


async def test_questions_are_found_by_who_is_asked(database: Database) -> None:
    for seed in range(60, 90):
        log = RecordedLog(a_random_log(seed, RECORDS))
        if any(state == "open" for state in column(exactly(log.of(0)), "decisions", "state")):
            break
    await projected(log, database)
    runs = Runs(database, "t")
    everybody = (await runs.decisions(to=["ann"])).found
    assert everybody == (await runs.decisions()).found
    with database.writing() as connection:
        connection.exec_driver_sql(f"UPDATE decisions SET asked_of = '{json.dumps(['role:editor', 'bob'])}'")
    assert (await runs.decisions(to=["ann"])).found == ()
    assert len((await runs.decisions(to=["ann", "role:editor"])).found) == len(everybody)


@pytest.mark.parametrize("tables", ["of an older release", "not there"])
async def test_tables_that_were_not_brought_up_to_date_are_told_with_the_cure(
    database: Database, log: RecordedLog, tables: str
) -> None:
    if tables == "not there":
        said = r"no tables of runs: start a projector first \(farandole project"
    else:
        said = "another release. If it is an older one, start a projector of this one, which brings them up to date: farandole p"
        await projected(log, database)
        with database.writing() as connection:
            connection.exec_driver_sql("DROP TABLE usage")
            connection.exec_driver_sql("ALTER TABLE runs DROP COLUMN resumed")
            connection.exec_driver_sql(f"UPDATE {VERSIONS} SET version_num = '0005'")
    async with Runs(database, "t") as runs:
        with pytest.raises(DatabaseMisconfigured, match=said):
            await runs.usage(by=("agent",))
    await projected(log, database)
    async with Runs(database, "t") as runs:
        assert (await runs.usage(by=("agent",))).found == ()


async def test_a_question_that_is_wrong_by_itself_is_not_laid_to_the_tables(runs: Runs) -> None:
    with pytest.raises(DatabaseError, match="nowhere"):
        await runs.ask(lambda connection: connection.exec_driver_sql("SELECT 1 FROM nowhere"))
