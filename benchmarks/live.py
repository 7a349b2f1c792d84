"""The live stream: how long after its append an event is in the hands of who looks on, at a steady rate.

    python -m benchmarks.live --store kafka --rate 1000 --seconds 30

Projector, hub and HTTP server are one process, as `farandole serve` runs them; who appends and who looks on are another.
Each record is a run that starts. The time is from the moment at which its append was acknowledged.
"""

import asyncio
import contextlib
import json
import os
import re
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import httpx2

from benchmarks.options import measured, parser
from benchmarks.show import say, tell
from farandole.reactors import Choreography
from farandole.schemas import Start

live = Choreography("live")

_AT_ONCE: Final = 10
"""Runs that are started together; so many appends share a moment."""
_GRACE: Final = 30.0


class Begun(Start):
    n: int


@live.reactor
async def nobody_serves(begun: Begun) -> None: ...


async def measure(url: str, rate: int, seconds: int, db: str | None) -> dict[str, Any]:
    live.name = live.service = f"live_{time.time_ns():x}"
    sent: dict[str, float] = {}
    seen: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        if url.startswith("memory:"):
            url = f"sqlite:///{Path(folder) / 'log.db'}"
        async with live.connect(url) as client, serving(url, db or f"sqlite:///{Path(folder) / 'runs.db'}") as http:
            ready = asyncio.Event()
            looking = asyncio.create_task(look(http, ready, seen))
            await ready.wait()
            say(f"{rate:,} starts a second for {seconds} s")
            await append(client, rate, seconds, sent)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_GRACE):
                    while len(seen) < len(sent):
                        await asyncio.sleep(0.05)
            looking.cancel()
            await asyncio.gather(looking, return_exceptions=True)
    if missing := sent.keys() - seen.keys():
        raise SystemExit(f"{len(missing)} of {len(sent)} records never came")
    took = sorted(max(seen[run_id] - at, 0.0) for run_id, at in sent.items())
    return {
        "store": url.partition(":")[0],
        "database": "postgresql" if (db or "").startswith("postgres") else "sqlite",
        "rate": rate,
        "records": len(took),
        "reached_per_s": len(took) / (max(sent.values()) - min(sent.values())),
        "p50_ms": 1e3 * took[len(took) // 2],
        "p99_ms": 1e3 * took[len(took) * 99 // 100],
        "worst_ms": 1e3 * took[-1],
    }


async def append(client: Any, rate: int, seconds: int, sent: dict[str, float]) -> None:
    began, n, flying = time.perf_counter(), 0, set[asyncio.Task[None]]()

    async def start(run_id: str, n: int) -> None:
        await client.start(Begun(n=n), run_id=run_id)
        sent[run_id] = time.perf_counter()

    while n < rate * seconds:
        for _ in range(_AT_ONCE):
            task = asyncio.create_task(start(f"r-{n}", n))
            flying.add(task)
            task.add_done_callback(flying.discard)
            n += 1
        await asyncio.sleep(max(began + n / rate - time.perf_counter(), 0))
    await asyncio.gather(*flying)


async def look(http: httpx2.AsyncClient, ready: asyncio.Event, seen: dict[str, float]) -> None:
    async with http.stream("GET", "/api/v1/stream") as answer:
        name = ""
        async for line in answer.aiter_lines():
            if line.startswith("event: "):
                name = line.removeprefix("event: ")
                if name == "ready":
                    ready.set()
            elif line.startswith("data: ") and name == "record":
                record = json.loads(line.removeprefix("data: "))
                if record["kind"] == "start":
                    seen[record["run_id"]] = time.perf_counter()


@asynccontextmanager
async def serving(store: str, db: str) -> AsyncIterator[httpx2.AsyncClient]:
    """A server in a process of its own."""
    env = {**os.environ, "FARANDOLE_STORE": store, "FARANDOLE_DB": db}
    command = (sys.executable, "-m", "farandole.cli", "serve", "-c", live.name, "--port", "0", "--json")
    server = await asyncio.create_subprocess_exec(*command, env=env, stderr=asyncio.subprocess.PIPE)
    assert server.stderr is not None
    try:
        while line := (await server.stderr.readline()).decode():
            if found := re.search(r"on (http://[^\s\"]+)", line):
                break
        else:
            raise SystemExit("the server did not begin")
        async with httpx2.AsyncClient(base_url=found[1], timeout=None) as http:
            yield http
    finally:
        server.terminate()
        await server.communicate()


def main() -> None:
    options = parser("benchmarks.live", __doc__)
    options.add_argument("--rate", type=int, default=1_000, help="starts a second (default 1,000)")
    options.add_argument("--seconds", type=int, default=20, help="for so long (default 20)")
    options.add_argument("--db", help="URL of the tables (default: a new SQLite file)")
    given, result = measured(options, lambda url, given: measure(url, given.rate, given.seconds, given.db))
    tell(result, given.json, title=f"The live stream at {result['rate']:,} records a second")


if __name__ == "__main__":
    main()
