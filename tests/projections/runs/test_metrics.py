"""A server tells Prometheus how far its tables are, how the log stands, and what it was asked."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any, Never

import pytest
from tests.projections.runs.logs import RecordedLog
from tests.projections.runs.model import a_random_log
from tests.projections.runs.projecting import projected
from tests.projections.runs.reading import tables_in
from tests.projections.runs.test_asking import column

from exposition import Exposition, promtool
from farandole.eventstore import StoreUnavailable
from farandole.projections.runs import Database
from farandole.projections.runs.metrics import ServerMetrics
from farandole.projections.runs.query import Runs
from farandole.projections.sql import DatabaseUnavailable

RECORDS, MORE = 400, 30
CLOSED = {"completed", "cancelled", "expired"}


@pytest.fixture(params=[68, 109])
def records(request: pytest.FixtureRequest) -> Any:
    return a_random_log(request.param, RECORDS + MORE)


@pytest.fixture
async def log(records: Any) -> RecordedLog:
    return RecordedLog(records[:RECORDS])


@pytest.fixture
async def runs(database: Database, log: RecordedLog) -> AsyncIterator[Runs]:
    await projected(log, database)
    yield Runs(database, "t", patience=1.0)


async def scraped(metrics: ServerMetrics) -> Exposition:
    body, kind = await metrics.scrape()
    assert kind.startswith("text/plain")
    return Exposition(body.decode())


async def test_open_runs_by_status_are_those_of_the_tables(runs: Runs) -> None:
    told = await scraped(ServerMetrics(runs))
    should = Counter(column(tables_in(runs.database), "runs", "status"))
    assert sum(n for status, n in should.items() if status not in CLOSED) > 0
    for status in ("running", "retrying", "waiting", "failed", "paused", "idle", "unserved", "ending"):
        assert told("farandole_projected_runs_open", choreography="t", status=status) == should[status]
    assert told.values_of("status") & CLOSED == set()


async def test_what_is_owed_to_each_reactor_is_that_of_the_tables(runs: Runs) -> None:
    tables = tables_in(runs.database)
    paused = dict(zip(tables["runs"], column(tables, "runs", "paused"), strict=True))
    switches = dict(zip(tables["policies"], column(tables, "policies", "stopped"), strict=True))
    now = 4_000_000_000.0
    told = await scraped(ServerMetrics(runs, now=lambda: now))
    states, since = column(tables, "steps", "state"), column(tables, "steps", "since")
    owed: Counter[tuple[str, str]] = Counter()
    oldest: dict[str, float] = {}
    for key, state, at in zip(tables["steps"], states, since, strict=True):
        owed[key[3], state] += 1
        held = paused[key[:2]] or switches.get((key[0], ""), False) or switches.get((key[0], key[3]), False)
        if state == "owed" and held:
            owed[key[3], "held"] += 1
        elif state == "owed":
            oldest[key[3]] = max(oldest.get(key[3], 0.0), now - at / 1000)
    reactors = told.values_of("reactor")
    assert {reactor for reactor, state in owed if state in ("owed", "parked")} <= reactors
    assert oldest or any(what == "held" for _, what in owed)
    for reactor in reactors:
        assert told("farandole_projected_steps_owed", reactor=reactor) == owed[reactor, "owed"]
        assert told("farandole_projected_steps_parked", reactor=reactor) == owed[reactor, "parked"]
        assert told("farandole_projected_steps_held", reactor=reactor) == owed[reactor, "held"]
        found = told("farandole_projected_oldest_owed_seconds", reactor=reactor)
        assert found == pytest.approx(oldest.get(reactor, 0.0))
    for name, table in (("decisions_open", "decisions"), ("timers_pending", "timers")):
        assert told(f"farandole_projected_{name}") == column(tables, table, "state").count("open")


async def test_how_far_the_tables_are_behind(runs: Runs, log: RecordedLog, records: Any) -> None:
    metrics = ServerMetrics(runs, store=log, now=lambda: records[-1].time / 1000 + 60)
    told = await scraped(metrics)
    assert told("farandole_projection_lag_records") == told("farandole_projection_lag_seconds") == 0
    log.add(records[RECORDS:])
    metrics = ServerMetrics(runs, store=log, now=lambda: records[-1].time / 1000 + 60)
    told = await scraped(metrics)
    # Offsets are counted, of which not all hold a record.
    assert told("farandole_projection_lag_records") == records[-1].offset - records[RECORDS - 1].offset >= MORE
    age = 60 + (records[-1].time - records[RECORDS].time) / 1000
    assert told("farandole_projection_lag_seconds") == pytest.approx(age, abs=0.1)


async def test_requests_are_counted_by_the_route_that_they_matched(runs: Runs) -> None:
    metrics = ServerMetrics(runs)
    metrics.request("GET", "/api/v1/runs/{run_id}", 200, 0.004)
    metrics.request("GET", "/api/v1/runs/{run_id}", 404, 0.3)
    metrics.request("BREW", "", 405, 0.001)
    told = await scraped(metrics)
    assert told("farandole_http_requests_total", route="/api/v1/runs/{run_id}", status="404") == 1
    assert told("farandole_http_requests_total", method="other", route="") == 1
    assert told("farandole_http_request_duration_seconds_count", route="/api/v1/runs/{run_id}") == 2
    metrics.request("GET", "/api/v1/runs/{run_id}", 200, 0.004)
    assert (await scraped(metrics))("farandole_http_requests_total", status="200") == 2


async def test_the_tables_are_looked_at_once_a_second_at_most(runs: Runs) -> None:
    asked, ask = 0, runs.figures

    async def counted(**more: Any) -> Any:
        nonlocal asked
        asked += 1
        return await ask(**more)

    runs.figures = counted  # type: ignore[method-assign]
    metrics = ServerMetrics(runs)
    await asyncio.gather(*(scraped(metrics) for _ in range(20)))
    assert asked <= 2


async def test_a_database_that_is_away_is_told_of(runs: Runs, log: RecordedLog) -> None:
    async def away() -> Never:
        raise DatabaseUnavailable("away")

    runs.figures = away  # type: ignore[method-assign]
    told = await scraped(ServerMetrics(runs, store=log, stopped=lambda: {1}))
    assert told("farandole_projection_database_up") == 0
    assert told("farandole_projection_stopped_partitions") == 1
    assert "farandole_projection_lag" not in told.text and "farandole_projected" not in told.text


async def test_a_log_that_is_away_costs_the_lag_alone(runs: Runs, log: RecordedLog) -> None:
    async def away(partitions: object) -> Never:
        raise StoreUnavailable("away")

    log.ends = away  # type: ignore[method-assign]
    told = await scraped(ServerMetrics(runs, store=log))
    assert told("farandole_projection_database_up") == 1
    assert "farandole_projection_lag" not in told.text


async def test_what_it_tells_is_as_prometheus_wants_it(runs: Runs, log: RecordedLog) -> None:
    metrics = ServerMetrics(runs, store=log)
    metrics.request("GET", "/", 200, 0.1)
    told = await scraped(metrics)
    promtool("check", "metrics", says=told.text)
    labels = frozenset[str]().union(*(family.labels for family in told.families.values()))
    assert labels == {"choreography", "service", "reactor", "status", "method", "route", "version"}
