"""What an open run costs while it waits: bytes of memory, in the fold and in a worker process.

    python -m benchmarks.idle --store kafka --runs 100000

The fold's own bytes are counted by tracemalloc. The worker's are the resident memory of a process that restored the
runs, less that of one that restored an empty log; and what each further run costs, from a process that restored three times
as many. A process keeps more than the fold: an index of histories and records at hand, both up to a budget, and room that
its allocator does not give back. The log is older than ten minutes; in a younger one each run also
keeps its events for reactors yet to come, which is told apart.
"""

import asyncio
import gc
import time
import tracemalloc
from collections.abc import Iterable
from itertools import count
from typing import Any

from benchmarks import idle_app as app
from benchmarks.options import measured, parser
from benchmarks.process import WorkerProcess
from benchmarks.show import say, tell
from benchmarks.written_log import append_to, beginning, prepare, runs_of, scribe_of
from farandole.eventstore import Record, Stored, connect
from farandole.projections.fold import Fold
from farandole.schemas import Event

TEXT = "x" * 100
START = app.Opened(text=TEXT)
OLD = {"settle": 0}
FURTHER = 3
"""Times as many runs, by which is seen what each further one costs."""


def steps(waits: str) -> list[tuple[str, list[Event]]]:
    return [("check", [app.Checked(text=TEXT)] if waits == "join" else [])]


def folded(runs: int, waits: str, settings: dict[str, int]) -> float:
    """Bytes of the fold's state for each open run."""
    choreography = app.standing("idle", waits)
    scribe = scribe_of(choreography)
    written = runs_of(scribe, START, steps(waits), runs)
    fold, used = state_of(beginning(choreography, scribe, settings), written)
    if len(fold.runs) != runs or any(run.owed for run in fold.runs.values()):
        raise SystemExit(f"{len(fold.runs)} of {runs} runs stand open, or some of them are owed something")
    return used / runs


def state_of(first: Iterable[Record], then: Iterable[Record]) -> tuple[Fold, int]:
    """A fold of these records, and the bytes that its state takes more since the first ones."""
    fold, offsets = Fold(0, 1), count()

    def take(record: Record) -> None:
        at = next(offsets)
        fold.apply(Stored(0, at, 1_000 + at // 1_000, record.key, record.value, record.headers))

    for record in first:
        take(record)
    gc.collect()
    tracemalloc.start()
    for record in then:
        take(record)
    del record
    gc.collect()
    used, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return fold, used


async def worker_rss(url: str, runs: int, waits: str) -> int:
    """Bytes of resident memory of a worker that restored so many runs."""
    name = f"idle_{time.time_ns():x}"
    async with await connect(url, name) as store:
        scribe = await prepare(store, app.standing(name, waits), OLD)
        all = store.partitions
        shares = [runs // all + (p < runs % all) for p in range(all)]
        await asyncio.gather(
            *(append_to(store, p, runs_of(scribe, START, steps(waits), n, p, all)) for p, n in enumerate(shares))
        )
        async with WorkerProcess("benchmarks.idle_app", url, name, waits) as worker:
            await worker.json()
            return worker.rss()


async def idle(url: str, runs: int) -> dict[str, Any]:
    """The fold and the worker, for runs that wait for a signal and for runs that wait in a join."""
    found: dict[str, Any] = {"store": url.partition(":")[0], "runs": runs}
    for waits in ("signal", "join"):
        say(f"folding {runs:,} runs that wait for a {waits}")
        its: dict[str, float] = {"fold_bytes_per_run": folded(runs, waits, OLD)}
        its["fold_bytes_per_run_in_a_young_log"] = folded(runs, waits, {})
        if not url.startswith("memory:"):
            say("restoring workers from an empty log, from theirs, and from one of three times as many")
            empty, full, more = [await worker_rss(url, n, waits) for n in (0, runs, FURTHER * runs)]
            its |= {"worker_mib_empty": empty / 2**20, "worker_mib": full / 2**20}
            its[f"worker_mib_of_{FURTHER}_times_as_many"] = more / 2**20
            its["worker_bytes_per_run"] = (full - empty) / runs
            its["worker_bytes_per_further_run"] = (more - full) / ((FURTHER - 1) * runs)
        found[waits] = its
    return found


def main() -> None:
    options = parser("benchmarks.idle", __doc__)
    options.add_argument("--runs", type=int, default=100_000, help="open runs (default 100,000)")
    given, result = measured(options, lambda url, given: idle(url, given.runs))
    columns = {f"waits for a {waits}": result[waits] for waits in ("signal", "join")}
    tell(result, given.json, title=f"{given.runs:,} open runs that wait", columns=columns)


if __name__ == "__main__":
    main()
