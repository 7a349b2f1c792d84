"""A worker tells Prometheus what it does, and whether it is ready, whatever its loop is at."""

import asyncio
import urllib.error
import urllib.request
from http.client import HTTPResponse

import pytest
from prometheus_client.parser import text_string_to_metric_families
from tests.reactors.working.controls import Begun, Done, Stage, eventually

from farandole.eventstore import StoreMisconfigured, SystemClock
from farandole.reactors import Choreography, Retry
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


async def test_what_a_worker_did_can_be_scraped() -> None:
    async with Stage(clock=SystemClock()) as stage:
        worker = await stage.worker(dance())
        client = await stage.client(dance())
        for n in (0, 0, 1):
            run = await client.start(Begun(n=n))
            await eventually(lambda: worker.worker.dispatcher.held == 0)
        while (await run.status()).status != "failed":
            await client.follower.progress()
        with MetricsServer(worker.worker, "127.0.0.1", 0) as server:
            status, text = await get(server, "/metrics")
        assert status == 200
        samples = {
            (s.name, *sorted(s.labels.values())): s.value
            for family in text_string_to_metric_families(text)
            for s in family.samples
        }
        assert samples["farandole_steps_total", "done", "end"] == 2
        assert samples["farandole_steps_total", "end", "retried"] == 1
        assert samples["farandole_steps_total", "end", "failed"] == 1
        assert samples["farandole_partitions_owned",] == 1
        assert samples["farandole_runs_open",] == 1
        assert samples["farandole_handler_duration_seconds_count", "end"] == 4
        assert samples["farandole_handler_duration_seconds_bucket", "+Inf", "end"] == 4
        assert samples["farandole_records_folded_total",] >= 7


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
