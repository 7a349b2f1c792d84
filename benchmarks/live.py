"""What is live: how long after its append an event is in the hands of who looks on, at a steady rate.

    python -m benchmarks.live --store kafka --db postgres --rate 1000 --seconds 30 --browser

Projector, hub and HTTP server are one process, as `farandole serve` runs them; who appends and reads the stream is
another. Each record is a run that starts. The time is from the moment at which its append was acknowledged: to its line
in the stream of changes, and with ``--browser`` to its row on the list of runs in a Chromium that stands open beside it.
That list shows one run in a hundred, by its type; it is told of all.
"""

import asyncio
import contextlib
import json
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import httpx2

from benchmarks.options import measured, parser
from benchmarks.rebuild import database
from benchmarks.served import serving
from benchmarks.show import say, tell
from farandole.reactors import Choreography
from farandole.schemas import Start

live = Choreography("live")

_AT_ONCE: Final = 10
"""Runs that are started together; so many appends share a moment."""
_GRACE: Final = 30.0
_ONE_IN: Final = 100
"""Of so many runs one is shown on the page."""
_NOTE: Final = """
window.seen = {};
new MutationObserver(() => {
  const now = performance.timeOrigin + performance.now();
  for (const each of document.querySelectorAll("[data-pick]")) window.seen[each.dataset.pick] ??= now;
}).observe(document.getElementById("live"), { subtree: true, childList: true, attributes: true });
"""


class Begun(Start):
    n: int


class Marked(Start):
    n: int


@live.reactor
async def nobody_serves(begun: Begun | Marked) -> None: ...


async def measure(url: str, rate: int, seconds: int, db: str, browser: bool) -> dict[str, Any]:
    live.name = live.service = f"live_{time.time_ns():x}"
    sent: dict[str, float] = {}
    seen: dict[str, float] = {}
    shown: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        if url.startswith("memory:"):
            url = f"sqlite:///{Path(folder) / 'log.db'}"
        async with live.connect(url) as client, serving(url, db, live.name) as http:
            ready = asyncio.Event()
            looking = asyncio.create_task(look(http, ready, seen))
            await ready.wait()
            async with watching(str(http.base_url), sent, shown) if browser else contextlib.nullcontext():
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
    return {
        "store": url.partition(":")[0],
        "database": "postgresql" if db.startswith("postgres") else "sqlite",
        "rate": rate,
        "records": len(sent),
        "reached_per_s": len(sent) / (max(sent.values()) - min(sent.values())),
        **_after(seen, sent, ""),
        **(_on_page(shown, sent) if browser else {}),
    }


def _after(seen: Mapping[str, float], sent: Mapping[str, float], where: str) -> dict[str, float]:
    took = sorted(max(at - sent[run_id], 0.0) for run_id, at in seen.items())
    of = {"p50": len(took) // 2, "p99": len(took) * 99 // 100, "worst": -1}
    return {f"{where}{name}_ms": 1e3 * took[which] for name, which in of.items()}


def _on_page(shown: Mapping[str, float], sent: Mapping[str, float]) -> dict[str, float]:
    if missing := [run_id for run_id in sent if run_id.startswith("m-") and run_id not in shown]:
        raise SystemExit(f"{len(missing)} runs never stood on the page, {missing[0]} the first")
    return {"rows_on_page": len(shown), **_after(shown, sent, "page_")}


async def append(client: Any, rate: int, seconds: int, sent: dict[str, float]) -> None:
    began, n, flying = time.perf_counter(), 0, set[asyncio.Task[None]]()

    async def start(run_id: str, n: int) -> None:
        await client.start(Begun(n=n) if n % _ONE_IN else Marked(n=n), run_id=run_id)
        sent[run_id] = time.perf_counter()

    while n < rate * seconds:
        for _ in range(_AT_ONCE):
            task = asyncio.create_task(start(f"r-{n}" if n % _ONE_IN else f"m-{n}", n))
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
async def watching(url: str, sent: Mapping[str, float], shown: dict[str, float]) -> AsyncIterator[None]:
    """A browser at the list of runs, which in the end tells when each row came to stand there, by our own clock."""
    from playwright.async_api import TimeoutError, async_playwright

    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        raise SystemExit("--browser needs Chromium on the PATH (Debian: chromium)")
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        page = await chromium.new_page()
        await page.goto(f"{url}/runs?type={live.name}.Marked")
        await page.evaluate(_NOTE)
        yield
        marked = [run_id for run_id in sent if run_id.startswith("m-")]
        with contextlib.suppress(TimeoutError):  # which are missing is told by who counts them
            await page.wait_for_function("ids => ids.every(id => id in window.seen)", arg=marked, timeout=_GRACE * 1e3)
        apart = time.perf_counter() - time.time()
        shown |= {run_id: at / 1e3 + apart for run_id, at in (await page.evaluate("window.seen")).items()}
        await chromium.close()


def main() -> None:
    options = parser("benchmarks.live", __doc__)
    options.add_argument("--rate", type=int, default=1_000, help="starts a second (default 1,000)")
    options.add_argument("--seconds", type=int, default=20, help="for so long (default 20)")
    options.add_argument("--db", default="sqlite", help="of the tables: postgres, sqlite, or a URL (default sqlite)")
    options.add_argument("--browser", action="store_true", help="with a Chromium at the list of runs")

    async def looked(url: str, given: Any) -> dict[str, Any]:
        with database(given.db) as db:
            return await measure(url, given.rate, given.seconds, db, given.browser)

    given, result = measured(options, looked)
    tell(result, given.json, title=f"The live stream at {result['rate']:,} records a second")


if __name__ == "__main__":
    main()
