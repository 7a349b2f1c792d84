"""What pending timers cost, and how exact they are.

    python -m benchmarks.timers --store kafka --timers 100000

Bytes in the fold are counted by tracemalloc, and told beside those of a run that waits for a signal. The worker is
a process that restored the runs: its resident memory less that of one with an empty log, and its CPU while nothing is
due. Then timers that are due within ten seconds: how late each fired, by the log's stamps; and a crowd that is due at
once.
"""

import asyncio
import time
from collections.abc import Iterator
from typing import Any

from benchmarks import idle_app as app
from benchmarks.idle import OLD, START, folded, state_of
from benchmarks.options import measured, parser
from benchmarks.process import WorkerProcess
from benchmarks.show import say, tell
from benchmarks.written_log import append_to, beginning, id_of, prepare, run_in, scribe_of
from farandole.eventstore import EventStore, Record, connect
from farandole.projections.fold import Pair
from farandole.reactors import After
from farandole.reactors.items import parts_of
from farandole.reactors.scribe import Scribe
from farandole.schemas.envelope import Kind, unpack

_QUIET = 10.0
_SOON = 10.0
_EXACT = 1_000


def runs_with_timers(
    scribe: Scribe, waits: Iterator[float], runs: int, partition: int = 0, partitions: int = 1
) -> Iterator[Record]:
    """Runs of one partition that each wait for one timer."""
    for _ in range(runs):
        run = run_in(partition, partitions)
        start = scribe.start(run, START)
        yield start
        pair = Pair(id_of(start), b"check", b"", (0,), (b"",), 0)
        parts = parts_of(scribe, run, pair, [After(next(waits), app.Due())])
        yield from scribe.outcome_of(run, pair, parts, None).records


def forever() -> Iterator[float]:
    while True:
        yield 30 * 86_400.0


def bytes_in_the_fold(runs: int) -> float:
    """Of the state of a run with one timer."""
    choreography = app.standing("idle", "timer")
    scribe = scribe_of(choreography)
    written = runs_with_timers(scribe, forever(), runs)
    fold, used = state_of(beginning(choreography, scribe, OLD), written)
    if sum(len(run.pending.timers or ()) for run in fold.runs.values() if run.pending is not None) != runs:
        raise SystemExit("not every run waits for a timer")
    return used / runs


async def filled(store: EventStore, scribe: Scribe, waits: Iterator[float], runs: int) -> None:
    """Append runs with timers to all partitions, in equal shares."""
    shares = [runs // store.partitions + (p < runs % store.partitions) for p in range(store.partitions)]
    await asyncio.gather(
        *(
            append_to(store, p, runs_with_timers(scribe, waits, share, p, store.partitions))
            for p, share in enumerate(shares)
        )
    )


async def at_rest(url: str, runs: int) -> dict[str, float]:
    """Memory and CPU of a worker with so many pending timers, none of them due."""
    name = f"timers_{time.time_ns():x}"
    async with await connect(url, name) as store:
        await filled(store, await prepare(store, app.standing(name, "timer"), OLD), forever(), runs)
        began = time.perf_counter()
        async with WorkerProcess("benchmarks.idle_app", url, name, "timer") as worker:
            await worker.json()
            restored = time.perf_counter() - began
            await asyncio.sleep(2)
            before = worker.cpu()
            await asyncio.sleep(_QUIET)
            return {
                "restore_s": restored,
                "worker_mib": worker.rss() / 2**20,
                "idle_cpu_percent": (worker.cpu() - before) / _QUIET * 100,
            }


async def fired(store: EventStore, runs: int) -> list[tuple[int, int]]:
    """When each timer was due and when it fired, by the log, once all have; the first count of each."""
    reader = store.reader()
    reader.follow(dict.fromkeys(range(store.partitions), 0))
    due: dict[bytes, int] = {}
    found: dict[bytes, int] = {}
    while len(found) < runs:
        for batch in await reader.read():
            for record in batch:
                e = unpack(record.headers)
                if e.kind == Kind.OUTCOME and e.delay:
                    due[e.id] = record.time + e.delay
                elif e.kind == Kind.TIMER:
                    found.setdefault(e.causation, record.time)
    await reader.close()
    return [(due[id], at) for id, at in found.items()]


async def exact(url: str) -> dict[str, float]:
    """How late timers fire that are spread over some seconds, on a log where nothing else goes on."""
    name = f"exact_{time.time_ns():x}"
    async with await connect(url, name) as store:
        scribe = await prepare(store, app.standing(name, "timer"), OLD)
        async with WorkerProcess("benchmarks.idle_app", url, name, "timer") as worker:
            await worker.json()
            waits = iter([2 + n * _SOON / _EXACT for n in range(_EXACT)])
            await filled(store, scribe, waits, _EXACT)
            late = sorted(at - due for due, at in await fired(store, _EXACT))
    return {
        "late_p50_ms": late[len(late) // 2],
        "late_p99_ms": late[int(len(late) * 0.99)],
        "late_most_ms": late[-1],
        "early": sum(ms < 0 for ms in late),
    }


async def crowd(url: str, runs: int) -> dict[str, float]:
    """How fast a worker lets a crowd fire that is due when it comes."""
    name = f"crowd_{time.time_ns():x}"
    async with await connect(url, name) as store:
        await filled(store, await prepare(store, app.standing(name, "timer"), OLD), iter(lambda: 0.001, 0.0), runs)
        async with WorkerProcess("benchmarks.idle_app", url, name, "timer") as worker:
            await worker.json()
            began = time.perf_counter()
            await fired(store, runs)
            return {"fired_per_s": runs / (time.perf_counter() - began)}


async def timers(url: str, runs: int) -> dict[str, Any]:
    """All of it."""
    say(f"folding {runs:,} runs with a timer, and as many that wait for a signal")
    with_timer, without = bytes_in_the_fold(runs), folded(runs, "signal", OLD)
    found: dict[str, Any] = {
        "store": url.partition(":")[0],
        "timers": runs,
        "fold_bytes_per_run": with_timer,
        "of_these_for_the_timer": with_timer - without,
    }
    if not url.startswith("memory:"):
        say("restoring a worker, and leaving it alone")
        empty, full = await at_rest(url, 0), await at_rest(url, runs)
        found |= full
        found["idle_cpu_percent_without_timers"] = empty["idle_cpu_percent"]
        found["worker_bytes_per_run"] = (full["worker_mib"] - empty["worker_mib"]) * 2**20 / runs
        say(f"letting {_EXACT:,} fire, and {runs:,} at once")
        found |= await exact(url) | await crowd(url, runs)
    return found


def main() -> None:
    options = parser("benchmarks.timers", __doc__)
    options.add_argument("--timers", type=int, default=100_000, help="pending timers (default 100,000)")
    given, result = measured(options, lambda url, given: timers(url, given.timers))
    tell(result, given.json, title=f"{given.timers:,} pending timers")


if __name__ == "__main__":
    main()
