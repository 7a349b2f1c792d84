"""A worker under steady load: does its memory stay flat?

    python -m benchmarks.soak --minutes 60 --rate 100

So many runs of five steps are started each second, and a sample is taken every few seconds: resident memory, open
files, threads, tasks of the event loop, runs that have not ended. The first quarter is warm-up. The slope of memory is
told with its 95 % interval, and memory is said to be flat if even the upper end of that is below the limit: a run that is too
short or too noisy to show it has not shown it. Then the independent checker folds the whole log.

A worker remembers the ids of closed runs for a day, which is what it is for and would rise for a day; here the log is
made with a window of one minute, so that what remains is what leaks.
"""

import asyncio
import os
import time
from typing import Any

import uvloop

from benchmarks import chain_app as app
from benchmarks.checked import broken_promises_in
from benchmarks.options import opened, parser
from benchmarks.process import WorkerProcess
from benchmarks.show import say, tell
from benchmarks.starts import append_all, starts
from benchmarks.trend import trend
from benchmarks.watch import Watch
from farandole.eventstore import connect
from farandole.reactors.genesis import establish
from farandole.reactors.scribe import Scribe
from farandole.schemas import EventTypes

DEDUP_MS = 60_000
FLAT_MIB_PER_HOUR = 1.0
_TICK = 0.1
_SHOWN = 20


async def soak(url: str, *, minutes: float, rate: int, every: float) -> dict[str, Any]:
    """Load one worker for so long, and say how its memory, files and tasks went."""
    name = f"soak_{os.getpid()}"
    types = EventTypes(name, app.EVENTS)
    async with await connect(url, name) as store:
        scribe = Scribe(name, "client", types, lambda: time.time_ns() // 1000)
        await establish(store, scribe, {"dedup_window": DEDUP_MS, "settle": 0})
        env = {"CHAIN_NAME": name, "CHAIN_REPORT": str(every)}
        async with await Watch.of(url, store, types) as watch, WorkerProcess("benchmarks.chain_worker", "farandole", url, env=env) as worker:  # fmt: skip
            samples: list[dict[str, float]] = []
            started = ended = 0
            began = time.monotonic()
            until = began + minutes * 60
            told = 0.0

            async def load() -> None:
                nonlocal started
                while (now := time.monotonic()) < until:
                    due = int((now - began) * rate) - started
                    if due > 0:
                        await append_all(store, starts(types, store, due))
                        started += due
                    await asyncio.sleep(_TICK)

            async def count() -> None:
                nonlocal ended
                while True:
                    ended += await watch.some()

            loading, counting = asyncio.create_task(load()), asyncio.create_task(count())
            while not loading.done():
                said = await worker.json()
                at = time.monotonic() - began
                samples.append(
                    {
                        "s": at, "rss_mib": worker.rss() / 2**20, "files": worker.files(), "threads": worker.threads(),
                        "tasks": said["tasks"], "open_runs": started - ended, "cpu_s": worker.cpu(),
                    }
                )  # fmt: skip
                if at >= told:
                    told += 60
                    say(
                        f"{at / 60:.1f} of {minutes:g} min: {samples[-1]['rss_mib']:.1f} MiB, {ended} of {started} runs ended"
                    )
            await loading
            cpu = worker.cpu()
            for _ in range(300):
                if ended >= started:
                    break
                await asyncio.sleep(0.1)
            counting.cancel()
        say("the checker folds the log")
        broken = await broken_promises_in(store)
        for promise in broken[:_SHOWN]:
            say(promise)
    if ended != started:
        raise SystemExit(f"{started} runs were started, and {ended} ended")
    return (
        {"store": url.partition(":")[0], "minutes": minutes, "runs": started, "runs_per_s": rate}
        | told_of(samples, cpu, started)
        | {"anomalies": len(broken)}
    )


def told_of(samples: list[dict[str, float]], cpu: float, runs: int) -> dict[str, Any]:
    """What samples say, the first quarter left out.

    Raises:
        SystemExit: there are too few.
    """
    steady = samples[len(samples) // 4 :]
    if len(steady) < 4:
        raise SystemExit(
            "too few samples to tell a slope: let it run for longer (--minutes), or look more often (--every)"
        )
    hours = [s["s"] / 3600 for s in steady]
    rss = [s["rss_mib"] for s in steady]
    found = trend(hours, rss)
    return {
        "rss_mib_first": rss[0],
        "rss_mib_last": rss[-1],
        "rss_mib_most": max(rss),
        "rss_mib_per_hour": found.slope,
        "rss_mib_per_hour_low": found.low,
        "rss_mib_per_hour_high": found.high,
        "rss_bytes_per_run": found.slope * 2**20 / (3600 * runs / samples[-1]["s"]),
        "flat": found.high < FLAT_MIB_PER_HOUR,
        "files": [min(s["files"] for s in steady), max(s["files"] for s in steady)],
        "threads": [min(s["threads"] for s in steady), max(s["threads"] for s in steady)],
        "tasks": [min(s["tasks"] for s in steady), max(s["tasks"] for s in steady)],
        "open_runs_most": max(s["open_runs"] for s in steady),
        "cpu_us_per_step": (cpu - samples[0]["cpu_s"]) / (runs * app.STEPS) * 1e6,
        "samples": len(steady),
    }


def main() -> None:
    options = parser("benchmarks.soak", __doc__)
    options.add_argument("--minutes", type=float, default=10, help="how long (default 10, at most 120)")
    options.add_argument("--rate", type=int, default=100, help="runs started each second (default 100)")
    options.add_argument("--every", type=float, default=5, help="seconds between two samples (default 5)")
    given = options.parse_args()
    if not 0 < given.minutes <= 120:
        options.error("--minutes: more than 0, at most 120")
    with opened(given.store) as url:
        if url.startswith("memory:"):
            options.error("--store: a worker of its own process is watched, so the log must be kafka or sqlite")
        result = uvloop.run(soak(url, minutes=given.minutes, rate=given.rate, every=given.every))
    tell(result, given.json, title="A worker under steady load")


if __name__ == "__main__":
    main()
