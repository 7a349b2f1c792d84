"""What more workers bring, and what more services cost, on the five-step chain.

    python -m benchmarks.scale --store kafka --runs 5000

One worker, two workers of one service, and five services of one worker each (five folds of the same log), in turns. The
handlers do nothing at first, and then compute for as long as ``--work`` says: two workers can only be faster than one
if the machine has a core for each, besides what the broker and this driver take of it, which is told.
"""

import asyncio
import time
from contextlib import AsyncExitStack
from typing import Any

import psutil
import uvloop

from benchmarks import chain_app as app
from benchmarks.options import opened, parser
from benchmarks.process import WorkerProcess, broker, cpu_of
from benchmarks.rounds import medians, rotated, spread
from benchmarks.show import ranged, say, tell
from benchmarks.starts import append_all, starts
from benchmarks.watch import Watch
from farandole.eventstore import connect
from farandole.schemas import EventTypes

WARM_UP = 300
SHAPES: dict[str, list[str | None]] = {
    "one worker": [None],
    "two workers": [None, None],
    "five services": list(app.SERVICES),
}
"""For each shape the services of its workers; None: one service with all reactors."""


async def measure(url: str, runs: int, services: list[str | None], work: float) -> dict[str, float]:
    """Steps a second and CPU a step of so many workers on a log of its own."""
    name = f"scale_{time.time_ns():x}"
    types = EventTypes(name, app.EVENTS)
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(await connect(url, name))
        watch = await stack.enter_async_context(await Watch.of(url, store, types))
        env = {"CHAIN_NAME": name, "CHAIN_WORK_US": str(work)}
        workers = [
            await stack.enter_async_context(
                WorkerProcess(
                    "benchmarks.chain_worker", "farandole", url, env=env | ({"CHAIN_SERVICE": s} if s else {})
                )
            )
            for s in services
        ]
        await append_all(store, starts(types, store, WARM_UP))
        await watch.ends(WARM_UP, 120)
        made, server = starts(types, store, runs), broker()
        others = [psutil.Process(), *([server] if server else [])]
        before, others_before = sum(w.cpu() for w in workers), sum(map(cpu_of, others))
        began = time.perf_counter()
        appending = asyncio.create_task(append_all(store, made))
        took = await watch.ends(runs, 600) - began
        used, others_used = sum(w.cpu() for w in workers) - before, sum(map(cpu_of, others)) - others_before
        await appending
    steps = runs * app.STEPS
    return {
        "steps_per_s": steps / took,
        "worker_cpu_us_per_step": used / steps * 1e6,
        "broker_and_driver_cpu_us_per_step": others_used / steps * 1e6,
        "cores_used": (used + others_used) / took,
    }


async def scale(url: str, runs: int, rounds: int, work: float) -> dict[str, Any]:
    """All shapes in turns, without and with work; medians, and ratios to one worker of the same round."""
    found: dict[str, Any] = {"store": url.partition(":")[0], "runs": runs, "rounds": rounds, "work_us": work}
    say("warming up")
    await measure(url, runs // 4, [None], 0)
    for title, us in (("no_work", 0.0), ("work", work)):
        seen: dict[str, list[dict[str, float]]] = {shape: [] for shape in SHAPES}
        for n in range(rounds):
            for shape in rotated(list(SHAPES), n):
                say(f"round {n + 1} of {rounds}: {shape}, handlers that compute for {us:g} µs")
                seen[shape].append(await measure(url, runs, SHAPES[shape], us))
            one = seen["one worker"][n]["steps_per_s"]
            for rows in seen.values():
                rows[n]["to_one_worker"] = rows[n]["steps_per_s"] / one
        found[title] = {s: medians(r) for s, r in seen.items()} | {"spread": {s: spread(r) for s, r in seen.items()}}
    return found


def main() -> None:
    options = parser("benchmarks.scale", __doc__)
    options.add_argument("--runs", type=int, default=5_000, help="runs of five steps in each round (default 5,000)")
    options.add_argument("--rounds", type=int, default=3, help="rounds in which the shapes take turns (default 3)")
    options.add_argument(
        "--work", type=float, default=500, help="µs that a handler computes, the second time (default 500)"
    )
    given = options.parse_args()
    with opened(given.store) as url:
        if url.startswith("memory:"):
            options.error("--store: workers of several processes need a log that they share: kafka or sqlite")
        result = uvloop.run(scale(url, given.runs, given.rounds, given.work))
    columns = {
        f"{shape}, {us:g} µs": {
            key: ranged(result[part][shape][key], *its) for key, its in result[part]["spread"][shape].items()
        }
        for part, us in (("no_work", 0.0), ("work", given.work))
        for shape in SHAPES
    }
    tell(result, given.json, title=f"Workers and services on {result['store']}", columns=columns)


if __name__ == "__main__":
    main()
