"""Five sequential durable no-op steps a run: throughput, latency and CPU, against loops written by hand on aiokafka.

    python -m benchmarks.chain --store kafka://localhost:9092 --runs 10000 --json

Each system does the same work (decode, a pydantic model, encode, append) in one worker process on the same broker, on a
log of its own. The systems take turns, round after round, and each figure is the median of the rounds, for other
programs on the machine disturb them all. Ratios are of one round each.

Throughput: from the first start appended to the last end seen by a reader of its own. Latency: one run at a time, the
time from seeing a step's trigger in the log to seeing its outcome, by that reader, for each of the five steps. Round trip: one record, from a bare aiokafka producer to a bare aiokafka consumer.
Stores other than Kafka have no rivals here; with memory:// the worker is in this process, and its CPU is both.
"""

import asyncio
import statistics
import time
from contextlib import AsyncExitStack
from typing import Any

from benchmarks import chain_app as app
from benchmarks.fsync import make_flushed
from benchmarks.options import measured, parser
from benchmarks.process import WorkerProcess, broker, cpu_of
from benchmarks.rounds import medians, rotated, spread
from benchmarks.roundtrip import round_trip
from benchmarks.show import ranged, say, tell
from benchmarks.starts import append_all, starts
from benchmarks.watch import Watch
from farandole.eventstore import EventStore, connect
from farandole.schemas import EventTypes

LATENCY_RUNS = 300
WARM_UP = 500
RIVALS = {"at_least_once": "at-least-once", "transactions": "transactions", "at_least_once_bare": "at-least-once-bare"}
NOTES = (
    "at_least_once, transactions: hand-written loops with the same codec, models, work and record sizes",
    "at_least_once_bare: the same without the headers that make a record an event of a run",
    "the loops keep no run state, refuse no duplicates, retry nothing and have no history",
)


async def measure(system: str, url: str, runs: int, latency_runs: int, *, flush: bool = False) -> dict[str, float]:
    """One system on a log of its own: warm up, throughput, then latency."""
    name = app.chain.name if url.startswith("memory:") else f"chain_{system.replace('-', '_')}_{time.time_ns():x}"
    types = EventTypes(name, app.EVENTS)
    async with AsyncExitStack() as stack:
        if flush:
            await make_flushed(url, name)
        if url.startswith("memory:"):
            url = f"memory://{name}-{time.time_ns():x}"
        store = await stack.enter_async_context(await connect(url, name))
        watch = await stack.enter_async_context(await Watch.of(url, store, types))
        if url.startswith("memory:"):
            await stack.enter_async_context(app.chain.work(url))
            cpu = time.process_time
        else:
            env = {"CHAIN_NAME": name}
            worker = WorkerProcess("benchmarks.chain_worker", system, url, env=env)
            cpu = (await stack.enter_async_context(worker)).cpu
        await append_all(store, starts(types, store, WARM_UP))
        await watch.ends(WARM_UP, 60)
        work = starts(types, store, runs)
        server = broker()
        before, server_before = cpu(), cpu_of(server) if server else 0.0
        driver_before = time.process_time()
        began = time.perf_counter()
        appending = asyncio.create_task(append_all(store, work))
        took = await watch.ends(runs, 600) - began
        used = cpu() - before
        found = {"steps_per_s": runs * app.STEPS / took, "cpu_us_per_step": used / (runs * app.STEPS) * 1e6}
        if server:
            found["broker_cpu_us_per_step"] = (cpu_of(server) - server_before) / (runs * app.STEPS) * 1e6
            found["driver_cpu_us_per_step"] = (time.process_time() - driver_before) / (runs * app.STEPS) * 1e6
        await appending
        latencies = await one_at_a_time(types, store, watch, latency_runs)
    return found | {
        "p50_ms": statistics.median(latencies) * 1000,
        "p99_ms": statistics.quantiles(latencies, n=100)[98] * 1000,
    }


async def one_at_a_time(types: EventTypes, store: EventStore, watch: Watch, count: int) -> list[float]:
    """Seconds of each step, of runs one after the other."""
    found: list[float] = []
    names = {types.wire_name(event).encode() for event in app.EVENTS}
    for _ in range(count):
        ((partition, (record,)),) = starts(types, store, 1).items()
        await store.append(partition, (record,))
        found += await watch.steps(names, 30)
    return found


async def chain(
    url: str, runs: int, rounds: int, latency_runs: int, *, flush: bool = False, rivals: bool = True
) -> dict[str, Any]:
    """All systems in turns; medians, and the least and the most of each figure."""
    systems = {"farandole": "farandole", **(RIVALS if url.startswith("kafka:") and rivals else {})}
    for key in systems if rivals else ():
        say(f"warming up: {systems[key]}")  # a broker's first minute is several times dearer than its second
        await measure(systems[key], url, runs // 4, 20, flush=flush)
    seen: dict[str, list[dict[str, float]]] = {key: [] for key in systems}
    for n in range(rounds):
        for key in rotated(list(systems), n):
            say(f"round {n + 1} of {rounds}: {systems[key]}")
            seen[key].append(await measure(systems[key], url, runs, latency_runs, flush=flush))
        trip = await round_trip(url, latency_runs, flush=flush) * 1000
        seen["farandole"][n] |= {"round_trip_p50_ms": trip, "p50_to_round_trip": seen["farandole"][n]["p50_ms"] / trip}
        for key in systems.keys() - {"farandole"}:
            seen["farandole"][n][f"ratio_{key}"] = seen["farandole"][n]["steps_per_s"] / seen[key][n]["steps_per_s"]
    ours, *others = (medians(each) for each in seen.values())
    return {
        "store": url.partition(":")[0], "flush_messages_1": flush, "runs": runs, "steps": app.STEPS, "rounds": rounds,
        **ours, **dict(zip(list(systems)[1:], others, strict=True)),
        "spread": {key: spread(each) for key, each in seen.items()},
    }  # fmt: skip


def main() -> None:
    options = parser("benchmarks.chain", __doc__)
    options.add_argument("--runs", type=int, default=10_000, help="runs of five steps in each round (default 10,000)")
    options.add_argument("--rounds", type=int, default=3, help="rounds in which the systems take turns (default 3)")
    options.add_argument("--latency-runs", type=int, default=LATENCY_RUNS, help="runs one at a time (default 300)")
    options.add_argument(
        "--flush", action="store_true", help="Kafka: a topic with flush.messages=1, an fsync for each batch"
    )
    options.add_argument("--alone", action="store_true", help="without the rivals")
    given, result = measured(
        options,
        lambda url, given: chain(
            url, given.runs, given.rounds, given.latency_runs, flush=given.flush, rivals=not given.alone
        ),
    )
    columns = {"farandole": result, **{key: result[key] for key in RIVALS if key in result}}
    shown = {
        name: {key: ranged(values[key], *its) for key, its in result["spread"][name].items()}
        for name, values in columns.items()
    }
    tell(result, given.json, title=f"Five sequential durable steps on {result['store']}", columns=shown, notes=NOTES)


if __name__ == "__main__":
    main()
