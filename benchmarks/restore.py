"""Restoring a partition of 1,000,000 records: how fast a worker reads and folds it.

    python -m benchmarks.restore --store kafka --records 1000000

The partition holds whole runs of five steps, 500 of them beside one another, as workers write them. First this process
reads it and folds it, and tells the CPU of each; then a worker process restores it, from its assignment to being ready.
Records per second of CPU are what one core does.
"""

import asyncio
import time
import urllib.error
import urllib.request
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from benchmarks import chain_app as app
from benchmarks.options import measured, parser
from benchmarks.process import WorkerProcess
from benchmarks.show import say, tell
from benchmarks.starts import TEXT
from benchmarks.written_log import append_to, prepare, runs_of
from farandole.eventstore import EventStore, connect
from farandole.projections.fold import Fold, Verdict
from farandole.testing.server import free_port

START = app.Begun(n=0, text=TEXT)
STEPS = [(name, [event(n=1, text=TEXT)]) for name, event in zip(app.SERVICES, app.EVENTS[1:], strict=True)]  # type: ignore[call-arg]
_WITHIN = 600
_SECONDS = "farandole_restore_seconds"


async def by_hand(store: EventStore) -> dict[str, float]:
    """Read and fold the one partition here; seconds and CPU seconds of each."""
    end = (await store.ends((0,)))[0].next
    fold = Fold(0, 1)
    reader = store.reader()
    reader.follow({0: 0})
    folding = refused = 0.0
    began, began_cpu = time.perf_counter(), time.process_time()
    while fold.position < end:
        for batch in await reader.read():
            at = time.process_time()
            for record in batch:
                refused += fold.apply(record).verdict >= Verdict.UNREADABLE
            folding += time.process_time() - at
    took, cpu = time.perf_counter() - began, time.process_time() - began_cpu
    await reader.close()
    if refused or fold.runs:
        raise SystemExit(
            f"{refused:g} records were refused and {len(fold.runs)} runs are open: this log is not as meant"
        )
    return {
        "records": end,
        "read_and_fold_records_per_s": end / took,
        "read_and_fold_records_per_cpu_s": end / cpu,
        "fold_records_per_cpu_s": end / folding,
        "read_records_per_cpu_s": end / (cpu - folding),
    }


async def by_worker(url: str, name: str, records: int) -> dict[str, float]:
    """Let a worker restore it; seconds as it tells them, CPU from its start to being ready."""
    port = free_port()
    env = {"CHAIN_NAME": name, "CHAIN_METRICS": str(port)}
    async with WorkerProcess("benchmarks.chain_worker", "farandole", url, env=env) as worker:
        before, until = worker.cpu(), time.monotonic() + _WITHIN
        while await asyncio.to_thread(answer, port, "readyz") is None:
            if time.monotonic() > until:
                raise SystemExit(f"the worker was not ready within {_WITHIN} s")
            await asyncio.sleep(0.05)
        cpu, rss = worker.cpu() - before, worker.rss()
        told = text_string_to_metric_families(await asyncio.to_thread(answer, port, "metrics") or "")
        (seconds,) = [each.value for family in told for each in family.samples if each.name == _SECONDS]
    return {
        "worker_restore_s": seconds,
        "worker_records_per_s": records / seconds,
        "worker_records_per_cpu_s": records / cpu,
        "worker_mib": rss / 2**20,
    }


def answer(port: int, path: str) -> str | None:
    """What the worker says at a path; None unless it answers 200."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/{path}", timeout=10) as said:
            return str(said.read().decode())
    except (urllib.error.URLError, OSError):
        return None


async def restore(url: str, records: int) -> dict[str, Any]:
    name = f"restore_{time.time_ns():x}"
    app.chain.name = app.chain.service = name
    url_here = f"memory://{name}" if url.startswith("memory:") else url
    async with await connect(url_here, name, partitions=1) as store:
        say(f"writing {records:,} records")
        scribe = await prepare(store, app.chain)
        await append_to(store, 0, runs_of(scribe, START, STEPS, records // (app.STEPS + 1)))
        say("reading and folding them here")
        found: dict[str, Any] = {"store": url.partition(":")[0], **await by_hand(store)}
        if not url.startswith("memory:"):
            say("restoring them in a worker")
            found |= await by_worker(url, name, found["records"])
    return found


def main() -> None:
    options = parser("benchmarks.restore", __doc__)
    options.add_argument("--records", type=int, default=1_000_000, help="records of the partition (default 1,000,000)")
    given, result = measured(options, lambda url, given: restore(url, given.records))
    tell(result, given.json, title=f"Restoring a partition of {result['records']:,} records")


if __name__ == "__main__":
    main()
