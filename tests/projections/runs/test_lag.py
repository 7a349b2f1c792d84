"""How far reactors and services are behind, and how much they do, as their rows in the tables say it."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from tests.projections.runs.logs import RecordedLog
from tests.projections.runs.model import COLUMNS, Tables, a_random_log
from tests.projections.runs.projecting import projected
from tests.projections.runs.reading import tables_in

from farandole.projections.runs import Database
from farandole.projections.runs.query import ReactorRow, Runs
from farandole.projections.runs.tables import policies

FOR_EVER = 10_000_000


@pytest.fixture(params=[16, 42, 74, 121])
async def runs(request: pytest.FixtureRequest, database: Database) -> AsyncIterator[Runs]:
    await projected(RecordedLog(a_random_log(request.param, 400)), database)
    yield Runs(database, "t")


def rows(tables: Tables, table: str) -> Iterator[dict[str, Any]]:
    for row in tables[table].values():
        yield dict(zip(COLUMNS[table], row, strict=True))


async def newest(runs: Runs) -> int:
    return max((await runs.freshness()).log_times.values())


async def owing(runs: Runs) -> dict[str, ReactorRow]:
    return {row.reactor: row for row in (await runs.reactors(minutes=FOR_EVER)).found}


async def test_lag_is_from_when_the_oldest_owed_step_could_have_begun(runs: Runs) -> None:
    tables, now = tables_in(runs.database), await newest(runs)
    by_run = {(run["partition"], run["run"]): (run["paused"], run["resumed"] or 0) for run in rows(tables, "runs")}
    switches = {
        (each["partition"], each["reactor"]): (each["stopped"], each["since"]) for each in rows(tables, "policies")
    }
    could = []
    for step in rows(tables, "steps"):
        said = [switches.get((step["partition"], name), (False, 0)) for name in ("", step["reactor"])]
        paused, resumed = by_run[step["partition"], step["run"]]
        if step["state"] != "owed" or step["due"] > now or paused:
            continue
        if not any(stopped for stopped, _ in said):
            could.append((step["reactor"], max(step["since"], step["due"], resumed, *(since for _, since in said))))
    for name, row in (await owing(runs)).items():
        assert row.lag == max((now - since for reactor, since in could if reactor == name), default=0)


async def test_nobody_is_behind_with_what_cannot_begin(runs: Runs) -> None:
    now = await newest(runs)
    with runs.database.writing() as connection:
        connection.exec_driver_sql("DELETE FROM policies")
        connection.exec_driver_sql(f"UPDATE steps SET since = {now - 7_000}, due = {now - 7_000} WHERE state = 'owed'")
        connection.exec_driver_sql("UPDATE runs SET paused = false, resumed = NULL")
    owed = {name for name, row in (await owing(runs)).items() if row.owed}
    assert {name for name, row in (await owing(runs)).items() if row.lag == 7_000} == owed
    with runs.database.writing() as connection:
        connection.exec_driver_sql(f"UPDATE steps SET due = {now + 1} WHERE state = 'owed'")
    assert {row.lag for row in (await owing(runs)).values()} == {0}
    with runs.database.writing() as connection:
        connection.exec_driver_sql(f"UPDATE steps SET due = {now - 2_000} WHERE state = 'owed'")
    # The next attempt is due since then, and was not before.
    assert {row.lag for row in (await owing(runs)).values() if row.owed} <= {2_000}
    assert {row.held for row in (await owing(runs)).values()} == {0}
    with runs.database.writing() as connection:
        connection.exec_driver_sql("UPDATE runs SET paused = true")
    assert {(row.lag, row.held - row.owed) for row in (await owing(runs)).values()} == {(0, 0)}
    with runs.database.writing() as connection:
        connection.exec_driver_sql(f"UPDATE runs SET paused = false, resumed = {now - 500}")
    # They could begin since their runs were resumed.
    assert {(row.lag, row.held) for row in (await owing(runs)).values() if row.owed} == {(500, 0)}


def turn(runs: Runs, stopped: bool, since: int, *reactors: str) -> None:
    """Stop reactors by hand, or let them go on; the empty name: all of them."""
    with runs.database.writing() as connection:
        connection.execute(policies.delete())
        row = {"partition": 0, "stopped": stopped, "number": 1, "by": "", "why": "", "since": since, "since_at": 1}
        connection.execute(policies.insert(), [{"reactor": reactor, **row} for reactor in reactors])


@pytest.mark.parametrize("at_once", [True, False], ids=["all at once", "each by itself"])
async def test_nobody_is_behind_with_what_a_kill_switch_holds(runs: Runs, at_once: bool) -> None:
    now = await newest(runs)
    with runs.database.writing() as connection:
        connection.exec_driver_sql(f"UPDATE steps SET since = {now - 7_000}, due = {now - 7_000} WHERE state = 'owed'")
        connection.exec_driver_sql("UPDATE runs SET paused = false, resumed = NULL")
    names = [""] if at_once else list(await owing(runs))
    turn(runs, True, now - 5_000, *names)
    assert {(row.lag, row.held - row.owed) for row in (await owing(runs)).values()} == {(0, 0)}
    figures = (await runs.figures()).found.reactors.values()
    assert {(each.oldest, each.held - each.owed) for each in figures} == {(None, 0)}
    turn(runs, False, now - 1_000, *names)
    # They could begin since the switch lets them go on.
    assert {(row.lag, row.held) for row in (await owing(runs)).values() if row.owed} == {(1_000, 0)}
    assert {each.oldest for each in (await runs.figures()).found.reactors.values() if each.owed} == {now - 7_000}


async def test_a_service_is_the_sum_of_its_reactors_and_as_late_as_the_last_of_them(runs: Runs) -> None:
    by_service: dict[str, list[ReactorRow]] = {}
    for row in (await owing(runs)).values():
        if row.state == "active":
            by_service.setdefault(row.service, []).append(row)
    services = (await runs.services(minutes=FOR_EVER)).found
    assert [each.service for each in services] == sorted(by_service)
    for each in services:
        members = by_service[each.service]
        assert each.lag == max(row.lag for row in members)
        assert each.reactors == tuple(row.reactor for row in members)
        for name in ("owed", "parked", "held", "stopped", "done", "failed", "took"):
            assert getattr(each, name) == sum(getattr(row, name) for row in members), name


async def test_rates_are_of_the_minutes_that_are_asked_for(runs: Runs) -> None:
    tables, now = tables_in(runs.database), await newest(runs)
    for minutes in (1, 5, FOR_EVER):
        lately = [each for each in rows(tables, "minutes") if each["minute"] > now - minutes * 60_000]
        for row in (await runs.reactors(minutes=minutes)).found:
            for name in ("done", "failed", "took"):
                assert getattr(row, name) == sum(each[name] for each in lately if each["reactor"] == row.reactor)


async def test_somebody_owes_something_in_these_logs(runs: Runs) -> None:
    assert any(row.owed for row in (await owing(runs)).values())


@pytest.mark.parametrize("seed", [12, 43])
async def test_a_run_says_when_it_was_resumed_last(database: Database, seed: int) -> None:
    await projected(RecordedLog(a_random_log(seed, 400)), database)
    tables = tables_in(database)
    last: dict[tuple[int, int], int] = {}
    for each in rows(tables, "records"):
        if (each["kind"], each["verdict"]) == ("resume", "admitted"):
            last[each["partition"], each["run"]] = each["at"]
    assert last
    assert last == {(r["partition"], r["run"]): r["resumed"] for r in rows(tables, "runs") if r["resumed"] is not None}
