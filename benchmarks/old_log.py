"""A log of a year: how long it takes to come back to it, for a worker and for a client.

    python -m benchmarks.old_log --store sqlite --records 5000000

Three logs of one partition, each of a year: one with a tenth of the records, one with all of them, and one with a tenth of them and
more open runs. The open runs began all over the year; the newest checkpoint lies `--tail` records before the end, as far as it comes to lie.
On a broker, which stamps records itself, all of it is of today, and more ids of closed runs are remembered.
"""

import gc
import time
from collections.abc import Iterator
from itertools import islice
from statistics import median
from typing import Any

from benchmarks import idle_app as app
from benchmarks.checkpoint import folded, written
from benchmarks.idle import OLD, START, steps
from benchmarks.options import measured, parser
from benchmarks.process import WorkerProcess
from benchmarks.show import say, tell
from benchmarks.written_log import append_to, prepare, runs_of
from farandole.eventstore import EventStore, Record, connect
from farandole.reactors import Choreography
from farandole.reactors.follower import Follower
from farandole.reactors.scribe import Scribe

_YEAR = 365 * 86_400_000
_SLICE = 5_000
_STARTS = 3
_CLOSED = [("check", [app.Settled(by="nobody")])]


class Calendar:
    """Stamps records all over a year that ends now.

    Args:
        records: how many there will be.
    """

    def __init__(self, records: int) -> None:
        self._began = time.time_ns() // 1_000_000 - _YEAR
        self._step = _YEAR / records
        self.written = 0

    def now(self) -> int:
        return self._began + int(self.written * self._step)


def history(scribe: Scribe, records: int, runs: int) -> Iterator[Record]:
    """Runs that are closed, and among them, evenly, some that stand open."""
    closed = max((records - 2 * runs) // 2, 0)
    done = 0
    for made in range(1, runs + 1):
        until = closed * made // runs
        yield from runs_of(scribe, START, _CLOSED, until - done)
        yield from runs_of(scribe, START, steps("signal"), 1)
        done = until


async def write(store: EventStore, calendar: Calendar, records: Iterator[Record]) -> None:
    while batch := list(islice(records, _SLICE)):
        calendar.written += await append_to(store, 0, batch)


async def start_of_worker(url: str, name: str) -> dict[str, float]:
    """From the start of a process to its being ready: seconds, and CPU seconds; and the MiB that it then has."""
    found: list[tuple[float, float, float]] = []
    for _ in range(_STARTS):
        began = time.perf_counter()
        async with WorkerProcess("benchmarks.idle_app", url, name, "signal") as worker:
            await worker.json()
            found.append((time.perf_counter() - began, worker.cpu(), worker.rss() / 2**20))
    seconds, cpu, mib = (median(column) for column in zip(*found, strict=True))
    return {"worker_start_s": seconds, "worker_start_cpu_s": cpu, "worker_mib": mib}


async def old_log(url: str, records: int, runs: int, tail: int) -> dict[str, Any]:
    """One log, and what it takes to come back to it."""
    name = f"old_{time.time_ns():x}"
    choreography: Choreography = app.standing(name, "signal")
    calendar = Calendar(records)
    async with await connect(url, name, partitions=1, clock=calendar) as store:
        say(f"writing {records:,} records, {runs:,} open runs among them")
        scribe = await prepare(store, choreography, OLD)
        await write(store, calendar, history(scribe, records - tail, runs))
        say("folding them, and writing a checkpoint")
        began, cpu = time.perf_counter(), time.process_time()
        fold, append = await folded(store)
        found: dict[str, Any] = {
            "records": records,
            "open_runs": len(fold.runs),
            "ids_remembered": len(fold.closed),
            "fold_from_the_beginning_s": time.perf_counter() - began,
            "fold_from_the_beginning_cpu_s": time.process_time() - cpu,
            "checkpoint_mib": (await written(store, fold, append))["mib"],
        }
        await write(store, calendar, runs_of(scribe, START, _CLOSED, tail // 2))
        del fold
        gc.collect()
        say("coming back to it: a client, then a worker")
        began, cpu = time.perf_counter(), time.process_time()
        client = Follower(store, restores=True)
        await client.up_to_date([0])
        found |= {"client_s": time.perf_counter() - began, "client_cpu_s": time.process_time() - cpu}
        if len(client.fold(0).runs) != runs:
            raise SystemExit(f"{len(client.fold(0).runs)} of {runs} runs are open")
        await client.close()
    return found | await start_of_worker(url, name)


async def old_logs(url: str, records: int, runs: int, more: int, tail: int) -> dict[str, Any]:
    if url.startswith("memory:"):
        raise SystemExit("a worker is a process of its own: take --store sqlite or kafka")
    say("starting a worker on an empty log")
    name = f"empty_{time.time_ns():x}"
    async with await connect(url, name, partitions=1) as store:
        await prepare(store, app.standing(name, "signal"), OLD)
    found: dict[str, Any] = {
        "store": url.partition(":")[0],
        "tail": tail,
        "empty": {"records": 0, "open_runs": 0, **await start_of_worker(url, name)},
    }
    for title, size, count in (
        ("a tenth", records // 10, runs),
        ("a tenth, more open", records // 10 + 2 * more, more),
        ("all", records, runs),
    ):
        found[title] = await old_log(url, size, count, tail)
    return found


def main() -> None:
    options = parser("benchmarks.old_log", __doc__)
    options.add_argument("--records", type=int, default=5_000_000, help="records of the large log (default 5,000,000)")
    options.add_argument("--runs", type=int, default=1_000, help="open runs (default 1,000)")
    options.add_argument("--more", type=int, default=100_000, help="open runs of the log with more (default 100,000)")
    options.add_argument("--tail", type=int, default=20_000, help="records after the checkpoint (default 20,000)")
    given, result = measured(options, lambda url, g: old_logs(url, g.records, g.runs, g.more, g.tail))
    columns = {title: part for title, part in result.items() if isinstance(part, dict)}
    tell(result, given.json, title="Coming back to a log of a year", columns=columns)


if __name__ == "__main__":
    main()
