"""Checkpoints: what one costs to write while the log is folded on, and how long a worker takes to begin with it.

    python -m benchmarks.checkpoint --store kafka --runs 100000

One partition holds so many open runs that wait for a signal, behind as many records of closed runs as `--past` says. This
process folds it, writes a checkpoint as a keeper does, and tells how long the turns of its event loop were meanwhile; then a worker
process begins with the checkpoint: from its start to being ready.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from benchmarks import idle_app as app
from benchmarks.idle import OLD, START, steps
from benchmarks.options import measured, parser
from benchmarks.process import WorkerProcess
from benchmarks.show import say, tell
from benchmarks.written_log import append_to, prepare, runs_of
from farandole.eventstore import EventStore, connect
from farandole.projections.checkpoints import Checkpoints
from farandole.projections.fold import Fold
from farandole.projections.fold.checkpoint import Saver, chunk_size
from farandole.schemas.envelope import unpack

_SLICE = 64


async def folded(store: EventStore) -> tuple[Fold, bytes]:
    """The one partition, and the append of its last record."""
    end = (await store.ends((0,)))[0].next
    fold, append = Fold(0, 1), b""
    reader = store.reader()
    reader.follow({0: 0})
    while fold.position < end:
        for batch in await reader.read():
            for record in batch:
                fold.apply(record)
                append = unpack(record.headers).append
    await reader.close()
    return fold, append


@asynccontextmanager
async def turns() -> AsyncIterator[list[float]]:
    """CPU seconds of each turn of the event loop: others that run on the machine make none of them longer."""
    taken: list[float] = []

    async def look() -> None:
        while True:
            before = time.thread_time()
            await asyncio.sleep(0)
            taken.append(time.thread_time() - before)

    task = asyncio.create_task(look())
    try:
        yield taken
    finally:
        task.cancel()


async def written(store: EventStore, fold: Fold, append: bytes) -> dict[str, float]:
    """Write a checkpoint; what it costs."""
    began, cpu, here = time.perf_counter(), time.process_time(), time.thread_time()
    fold.saver = saver = Saver(fold, append, chunk_size(store.max_record_bytes))
    begun = time.thread_time() - here
    size = 0
    async with turns() as taken:
        while True:
            done = saver.work(_SLICE)
            for key, value in saver.take():
                size += len(value)
                await store.checkpoints.put(key, value)
            if done:
                break
            await asyncio.sleep(0)
    fold.saver = None
    await store.checkpoints.put(saver.manifest.key, saver.manifest.encode())
    return {
        "write_s": time.perf_counter() - began,
        "write_cpu_s": time.process_time() - cpu,
        "begin_ms": begun * 1000,
        "turn_ms_at_most": max(taken, default=0.0) * 1000,
        "mib": size / 2**20,
        "bytes_per_run": size / max(len(fold.runs), 1),
    }


async def checkpoint(url: str, runs: int, past: int) -> dict[str, Any]:
    name = f"checkpoint_{time.time_ns():x}"
    choreography = app.standing(name, "signal")
    url_here = f"memory://{name}" if url.startswith("memory:") else url
    async with await connect(url_here, name, partitions=1) as store:
        say(f"writing {runs:,} open runs behind {past:,} records of closed ones")
        scribe = await prepare(store, choreography, OLD)
        closed = [("check", [app.Settled(by="nobody")])]
        await append_to(store, 0, runs_of(scribe, START, closed, past // 2))
        await append_to(store, 0, runs_of(scribe, START, steps("signal"), runs))
        say("folding them")
        began = time.perf_counter()
        fold, append = await folded(store)
        found: dict[str, Any] = {
            "store": url.partition(":")[0],
            "runs": len(fold.runs),
            "records": fold.position,
            "fold_from_the_beginning_s": time.perf_counter() - began,
        }
        say("writing a checkpoint")
        found |= await written(store, fold, append)
        say("restoring it here")
        began, cpu = time.perf_counter(), time.process_time()
        restored = await Checkpoints(store).restore(await store.ends((0,)))
        found |= {"restore_s": time.perf_counter() - began, "restore_cpu_s": time.process_time() - cpu}
        if len(restored[0].fold.runs) != len(fold.runs):
            raise SystemExit("the fold of the checkpoint is another")
        if not url.startswith("memory:"):
            say("starting a worker")
            began = time.perf_counter()
            async with WorkerProcess("benchmarks.idle_app", url, name, "signal") as worker:
                await worker.json()
                found |= {"worker_start_s": time.perf_counter() - began, "worker_mib": worker.rss() / 2**20}
    return found


def main() -> None:
    options = parser("benchmarks.checkpoint", __doc__)
    options.add_argument("--runs", type=int, default=100_000, help="open runs (default 100,000)")
    options.add_argument("--past", type=int, default=0, help="records of closed runs before them")
    given, result = measured(options, lambda url, given: checkpoint(url, given.runs, given.past))
    tell(result, given.json, title=f"A checkpoint of {result['runs']:,} open runs")


if __name__ == "__main__":
    main()
