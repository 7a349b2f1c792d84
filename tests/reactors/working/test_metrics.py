"""A worker tells Prometheus what it does, and whether it is ready, whatever its loop is at."""

import asyncio
import time
import urllib.error
import urllib.request
from http.client import HTTPResponse
from typing import Never

import pytest
from tests.reactors.working.controls import AtWork, Begun, Done, Stage, Went, eventually

from exposition import Exposition, promtool
from farandole.eventstore import StoreMisconfigured, StoreUnavailable, SystemClock
from farandole.reactors import After, Choreography, Client, Retry, RunHandle
from farandole.reactors.metrics import MetricsServer


def dance() -> Choreography:
    choreography = Choreography("dance")

    @choreography.reactor(retry=Retry(attempts=2, first="1ms"))
    async def end(begun: Begun) -> Done:
        if begun.n:
            raise OSError
        return Done()

    return choreography


async def get(server: MetricsServer, path: str) -> tuple[int, str]:
    def ask() -> tuple[int, str]:
        try:
            answer: HTTPResponse = urllib.request.urlopen(f"http://127.0.0.1:{server.port}{path}", timeout=10)
            return answer.status, answer.read().decode()
        except urllib.error.HTTPError as e:
            return e.code, e.read().decode()

    return await asyncio.to_thread(ask)


async def scraped(at_work: AtWork) -> Exposition:
    with MetricsServer(at_work.worker, "127.0.0.1", 0) as server:
        status, text = await get(server, "/metrics")
    assert status == 200
    return Exposition(text)


async def failed(run: RunHandle, client: Client) -> None:
    while (await run.status()).status != "failed":
        await client.follower.progress()


async def test_what_a_worker_did_can_be_scraped() -> None:
    async with Stage(clock=SystemClock()) as stage:
        worker = await stage.worker(dance())
        client = await stage.client(dance())
        for n in (0, 0, 1):
            run = await client.start(Begun(n=n))
            await eventually(lambda: worker.worker.dispatcher.held == 0)
        await failed(run, client)
        told = await scraped(worker)
        assert told("farandole_steps_total", reactor="end", result="done") == 2
        assert told("farandole_steps_total", reactor="end", result="retried") == 1
        assert told("farandole_steps_total", reactor="end", result="failed") == 1
        assert told("farandole_partitions_owned") == 1
        assert told("farandole_runs_open") == 1
        assert told("farandole_handler_duration_seconds_count", reactor="end") == 4
        assert told("farandole_handler_duration_seconds_bucket", reactor="end", le="+Inf") == 4
        assert told("farandole_records_folded_total") >= 7
        assert told("farandole_lag_records") == 0
        assert told("farandole_rebalances_total") == 1


def a_hall(held: asyncio.Event) -> Choreography:
    """Whose steps end once they are let."""
    choreography = Choreography("dance", service="hall")

    @choreography.reactor
    async def end(begun: Begun) -> Done:
        await held.wait()
        return Done()

    return choreography


async def test_what_is_owed_and_for_how_long_is_told() -> None:
    async with Stage(clock=SystemClock()) as stage:
        held = asyncio.Event()
        choreography = a_hall(held)
        worker = await stage.worker(choreography)
        client = await stage.client(choreography)
        run, paused = await client.start(Begun()), await client.start(Begun())
        await paused.pause()
        await eventually(lambda: worker.worker.dispatcher.running("end") == 2)
        before = int(worker.worker.census._now())
        worker.worker.census._now = lambda: before + 90_000_000
        told = await scraped(worker)
        assert told("farandole_steps_owed", choreography="dance", service="hall", reactor="end") == 2
        assert 90 <= told("farandole_oldest_owed_seconds", reactor="end") < 150
        await eventually(lambda: any(run.paused for run in worker.worker.partitions[0].fold.runs.values()))
        worker.worker.census._again_at = 0
        assert (await scraped(worker))("farandole_steps_held", reactor="end") == 1
        await run.pause()
        await eventually(lambda: all(run.paused for run in worker.worker.partitions[0].fold.runs.values()))
        worker.worker.census._again_at = 0
        assert (await scraped(worker))("farandole_oldest_owed_seconds", reactor="end") == 0
        held.set()


async def test_nobody_is_late_with_what_a_kill_switch_holds() -> None:
    async with Stage(clock=SystemClock()) as stage:
        held = asyncio.Event()
        choreography = a_hall(held)
        worker = await stage.worker(choreography)
        client = await stage.client(choreography)
        await client.start(Begun())
        await eventually(lambda: worker.worker.dispatcher.running("end") == 1)
        census = worker.worker.census
        before = int(census._now())
        census._now = lambda: before + 90_000_000
        told = await scraped(worker)
        assert told("farandole_oldest_owed_seconds", reactor="end") >= 90
        assert told("farandole_steps_held", reactor="end") == 0
        await client.stop("end", "the hall is closed", by="ann")
        await eventually(lambda: worker.worker.partitions[0].fold.stops(b"end"))
        census._again_at = 0
        told = await scraped(worker)
        assert told("farandole_oldest_owed_seconds", reactor="end") == 0
        assert told("farandole_steps_held", reactor="end") == told("farandole_steps_owed", reactor="end") == 1
        held.set()


async def test_a_step_that_failed_for_good_is_parked_and_owed_no_longer() -> None:
    async with Stage(clock=SystemClock()) as stage:
        worker = await stage.worker(dance())
        client = await stage.client(dance())
        await failed(await client.start(Begun(n=1)), client)
        await eventually(lambda: worker.worker.dispatcher.held == 0)
        told = await scraped(worker)
        assert told("farandole_steps_parked", reactor="end") == 1
        assert told("farandole_steps_owed", reactor="end") == 0
        assert told("farandole_oldest_owed_seconds", reactor="end") == 0


async def test_what_is_refused_is_told_apart_from_what_is_admitted() -> None:
    async with Stage(clock=SystemClock()) as stage:
        worker = await stage.worker(dance())
        client = await stage.client(dance())
        await (await client.start(Begun(), run_id="r1")).result(Done)
        assert not await (await client.start(Begun(), run_id="r1")).created
        await eventually(lambda: worker.worker.stats.refused)
        told = await scraped(worker)
        refused = told("farandole_records_refused_total")
        assert refused == told("farandole_records_refused_total", verdict="run_remembered") == 1
        end = (await worker.store.ends((0,)))[0].next
        restored = told("farandole_records_folded_total") - told("farandole_records_admitted_total") - refused
        assert 0 <= restored < end - 2


async def test_a_restore_refuses_nothing_anew() -> None:
    """Or each restart would be an alarm."""
    async with Stage(clock=SystemClock()) as stage:
        client = await stage.client(dance())
        await client.start(Begun(), run_id="r1")
        assert not await (await client.start(Begun(), run_id="r1")).created
        began = time.monotonic()
        worker = await stage.worker(dance())
        at_most = time.monotonic() - began
        await eventually(lambda: worker.worker.stats.reactors["end"].done)
        told = await scraped(worker)
        assert 0 < told("farandole_restore_seconds") <= at_most
        assert told("farandole_records_folded_total") > told("farandole_records_admitted_total")
        assert told("farandole_records_refused_total") == 0


async def test_what_was_never_refused_is_told_as_0() -> None:
    """Else the first one would be no growth to Prometheus, and no alert."""
    async with Stage(clock=SystemClock()) as stage:
        told = await scraped(await stage.worker(dance()))
        for verdict in ("unreadable", "misrouted", "not_owed"):
            assert told("farandole_records_refused_total", verdict=verdict) == 0


async def test_a_record_that_is_read_again_is_admitted_once() -> None:
    async with Stage(clock=SystemClock()) as stage:
        worker = await stage.worker(dance())
        client = await stage.client(dance())
        await (await client.start(Begun())).result(Done)
        await eventually(lambda: worker.worker.dispatcher.held == 0)
        before = worker.worker.stats.admitted
        worker.worker._fold(await worker.store.fetch(0, (0, 1)))
        assert worker.worker.stats.admitted == before


async def test_timers_that_fire_late_are_told_of() -> None:
    async with Stage(clock=SystemClock()) as stage:
        choreography = Choreography("dance")

        @choreography.reactor
        async def wait(begun: Begun) -> After[Went]:
            return After(f"{begun.n}ms", Went())

        @choreography.reactor
        async def end(went: Went) -> Done:
            return Done()

        worker = await stage.worker(choreography)
        client = await stage.client(choreography)
        await client.start(Begun(n=3_600_000))
        await (await client.start(Begun(n=10))).result(Done)
        told = await scraped(worker)
        assert told("farandole_timer_late_seconds_count") >= 1
        assert told("farandole_timers_pending") == 1
        assert told("farandole_timers_overdue") == 0
        worker.worker.census._now = lambda: SystemClock().now() * 1000 + 3_700_000_000
        worker.worker.census._again_at = 0
        assert (await scraped(worker))("farandole_timers_overdue") == 1


async def test_counting_takes_no_more_than_its_share() -> None:
    """However often somebody asks, all runs are not walked again at once."""
    async with Stage(clock=SystemClock()) as stage:
        worker = await stage.worker(dance())
        first = worker.worker.census.take()
        assert worker.worker.census.take() is first


async def test_no_run_is_in_a_label() -> None:
    async with Stage(clock=SystemClock()) as stage:
        worker = await stage.worker(dance())
        client = await stage.client(dance())
        for n in range(2):
            await failed(await client.start(Begun(n=1), run_id=f"secret-{n}"), client)
        told = await scraped(worker)
        assert "secret" not in told.text
        labels = frozenset[str]().union(*(family.labels for family in told.families.values()))
        assert labels <= {"choreography", "service", "reactor", "result", "verdict", "version"}


async def test_what_it_tells_is_as_prometheus_wants_it() -> None:
    async with Stage(clock=SystemClock()) as stage:
        worker = await stage.worker(dance())
        client = await stage.client(dance())
        await (await client.start(Begun(), run_id="r")).result(Done)
        await client.start(Begun(), run_id="r")
        promtool("check", "metrics", says=(await scraped(worker)).text)


async def test_a_log_that_is_away_costs_the_lag_alone() -> None:
    async with Stage(clock=SystemClock()) as stage:
        worker = await stage.worker(dance())

        async def away(partitions: object) -> Never:
            raise StoreUnavailable("away")

        worker.store.ends = away  # type: ignore[method-assign]
        told = await scraped(worker)
        assert "farandole_lag_records{" not in told.text
        assert told("farandole_partitions_owned") == 1


async def test_a_worker_is_ready_once_it_is_restored() -> None:
    async with Stage(clock=SystemClock()) as stage:
        late = asyncio.Event()

        def prepare(store: object) -> None:
            ends = store.ends  # type: ignore[attr-defined]

            async def slow(partitions: object) -> object:
                if asyncio.current_task().get_name() == "reading":  # type: ignore[union-attr]
                    await late.wait()
                return await ends(partitions)

            store.ends = slow  # type: ignore[attr-defined]

        worker = await stage.worker(dance(), wait=False, prepare=prepare)
        with MetricsServer(worker.worker, "127.0.0.1", 0) as server:
            assert await get(server, "/readyz") == (503, "restoring\n")
            assert (await get(server, "/healthz"))[0] == 200
            late.set()
            await worker.ready()
            assert await get(server, "/readyz") == (200, "ready\n")
            assert (await get(server, "/nothing"))[0] == 404


async def test_it_answers_while_a_handler_blocks_the_loop() -> None:
    async with Stage(clock=SystemClock()) as stage:
        worker = await stage.worker(dance())
        with MetricsServer(worker.worker, "127.0.0.1", 0) as server:
            answer = urllib.request.urlopen(f"http://127.0.0.1:{server.port}/readyz", timeout=10)  # blocks this loop
            assert answer.status == 200


async def test_a_port_that_is_taken_is_told_with_the_cure() -> None:
    async with Stage(clock=SystemClock()) as stage:
        worker = await stage.worker(dance())
        with (
            MetricsServer(worker.worker, "127.0.0.1", 0) as server,
            pytest.raises(
                StoreMisconfigured, match=rf"cannot be served on 127.0.0.1:{server.port}.*choose another port"
            ),
        ):
            MetricsServer(worker.worker, "127.0.0.1", server.port)
