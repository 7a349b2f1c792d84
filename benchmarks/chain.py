"""Five sequential durable no-op steps a run: throughput, latency and CPU, against loops written by hand on aiokafka.

    python -m benchmarks.chain --store kafka://localhost:9092 --runs 10000 --json

Each system does the same work (decode, a pydantic model, encode, append) in one worker process on the same broker, one
after the other in one invocation. Throughput: from the first start appended to the last end seen by a reader of its
own. Latency: one run at a time, the run's time divided by five. Stores other than Kafka have no rivals here.
"""

import argparse
import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import uvloop

from benchmarks import chain_app as app
from farandole.eventstore import EventStore, Record, connect
from farandole.schemas import EventTypes
from farandole.schemas.envelope import Kind, pack
from farandole.schemas.ids import new_append, new_run_id, outside_id

STEPS = 5
TEXT = "x" * 100
LATENCY_RUNS = 300
WARM_UP = 200


class Watch:
    """Sees ends as they come: a plain reader that decodes nothing but one header."""

    def __init__(self, store: EventStore, end: bytes) -> None:
        self._store = store
        self._end = end
        self._reader = store.reader()

    async def follow(self) -> None:
        ends = await self._store.ends(range(self._store.partitions))
        self._reader.follow({p: e.next for p, e in ends.items()})

    async def ends(self, count: int, within: float) -> float:
        """The time at which so many ends were seen."""
        seen, until = 0, time.perf_counter() + within
        while seen < count:
            if time.perf_counter() > until:
                raise SystemExit(f"only {seen} of {count} runs ended within {within:g} s")
            for batch in await self._reader.read():
                for record in batch:
                    for name, value in record.headers:
                        if name == "ce_type" and value == self._end:
                            seen += 1
        return time.perf_counter()

    async def close(self) -> None:
        await self._reader.close()


def starts(types: EventTypes, store: EventStore, count: int) -> dict[int, list[Record]]:
    """Start records by partition, made before the clock runs."""
    found: dict[int, list[Record]] = {}
    begun = types.wire_name(app.Begun).encode()
    for n in range(count):
        key = new_run_id().encode()
        encoded = types.encode(app.Begun(n=n, text=TEXT))
        headers = pack(
            kind=Kind.START, id=outside_id(), type=begun, source=b"/chain/client", append=new_append(),
            sent=time.time_ns() // 1000, schema=encoded.schema,
        )  # fmt: skip
        found.setdefault(store.partition_of(key), []).append(Record(key, encoded.value, headers))
    return found


async def append_all(store: EventStore, by_partition: dict[int, list[Record]]) -> None:
    async def one(partition: int, records: list[Record]) -> None:
        for at in range(0, len(records), 500):
            await store.append(partition, records[at : at + 500])

    await asyncio.gather(*(one(p, r) for p, r in by_partition.items()))


async def measure(system: str, url: str, runs: int) -> dict[str, float]:
    """One system on a log of its own: warm up, throughput, then latency."""
    name = f"chain_{system.replace('-', '_')}_{os.getpid()}"
    types = EventTypes(name, [app.Begun, app.First, app.Second, app.Third, app.Fourth, app.Finished])
    async with await connect(url, name) as store:
        watch = Watch(store, types.wire_name(app.Finished).encode())
        await watch.follow()
        worker = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "benchmarks.chain_worker", system, url,
            stdout=asyncio.subprocess.PIPE, cwd=Path(__file__).parent.parent, env={**os.environ, "CHAIN_NAME": name},
        )  # fmt: skip
        out = worker.stdout
        if out is None or (await out.readline()).strip() != b"ready":
            raise SystemExit(f"the worker of {system} did not start")
        try:
            await append_all(store, starts(types, store, WARM_UP))
            await watch.ends(WARM_UP, 60)
            cpu_before = cpu_of(worker.pid)
            work = starts(types, store, runs)
            began = time.perf_counter()
            appending = asyncio.create_task(append_all(store, work))
            took = await watch.ends(runs, 600) - began
            await appending
            cpu = cpu_of(worker.pid) - cpu_before
            latencies = await one_at_a_time(types, store, watch)
        finally:
            worker.terminate()
            await worker.wait()
            await watch.close()
    return {
        "steps_per_s": runs * STEPS / took,
        "cpu_us_per_step": cpu / (runs * STEPS) * 1e6,
        "p50_ms": statistics.median(latencies) * 1000,
        "p99_ms": statistics.quantiles(latencies, n=100)[98] * 1000,
    }


async def one_at_a_time(types: EventTypes, store: EventStore, watch: Watch) -> list[float]:
    found = []
    for _ in range(LATENCY_RUNS):
        ((partition, (record,)),) = starts(types, store, 1).items()
        began = time.perf_counter()
        await store.append(partition, (record,))
        found.append((await watch.ends(1, 30) - began) / STEPS)
    return found


async def round_trip(url: str) -> float:
    """The median time from an append to its being read, in seconds: what no step can be faster than."""
    store = await connect(url, f"roundtrip-{os.getpid()}")
    reader = store.reader()
    reader.follow(dict.fromkeys(range(store.partitions), 0))
    took = []
    for n in range(LATENCY_RUNS):
        began = time.perf_counter()
        await store.append(n % store.partitions, (Record(b"k", TEXT.encode(), [("ce_type", b"x")]),))
        while not await reader.read():
            pass
        took.append(time.perf_counter() - began)
    await reader.close()
    await store.close()
    return statistics.median(took)


def cpu_of(pid: int) -> float:
    """CPU seconds of a process so far, its threads included."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def main(url: str, runs: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        url = url.replace("TEMP", folder)
        kafka = url.startswith("kafka:")
        found: dict[str, Any] = {"store": url.partition(":")[0], "runs": runs, "steps": STEPS}
        found["round_trip_p50_ms"] = await round_trip(url) * 1000
        found |= await measure("farandole", url, runs)
        if kafka:
            for name, key in (("at-least-once", "at_least_once"), ("transactions", "transactions")):
                rival = await measure(name, url, runs)
                found[key] = rival
                found[f"ratio_{key}"] = found["steps_per_s"] / rival["steps_per_s"]
        return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--store", default=os.environ.get("FARANDOLE_STORE", "sqlite:///TEMP/chain.db"))
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    result = uvloop.run(main(options.store, options.runs))
    if options.json:
        print(json.dumps(result))
    else:
        for name, value in result.items():
            print(f"{name:24} {value}")
