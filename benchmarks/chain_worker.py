"""A worker process of the benchmarks: ``python -m benchmarks.chain_worker SYSTEM URL``.

SYSTEM is ``farandole``, or one of the loops of `benchmarks.loops`. CHAIN_NAME in the environment names the log; with
CHAIN_REPORT it prints how many tasks its event loop has, every so many seconds, as JSON; CHAIN_METRICS is the port of
its metrics.

Prints ``ready`` when it works, and ends when it is told to (SIGTERM).
"""

import asyncio
import json
import os
import signal
import sys

import uvloop

from benchmarks import chain_app as app
from benchmarks.loops import LOOPS


async def farandole(url: str) -> None:
    """A worker as it is in production."""
    print("ready", flush=True)  # what was appended before it came is owed all the same
    reporting = asyncio.create_task(report(float(os.environ.get("CHAIN_REPORT", "0"))))
    metrics = os.environ.get("CHAIN_METRICS")
    await app.chain.work(url, metrics_port=int(metrics) if metrics else None)
    reporting.cancel()


async def report(every: float) -> None:
    while every:
        await asyncio.sleep(every)
        print(json.dumps({"tasks": len(asyncio.all_tasks())}), flush=True)


async def main(system: str, url: str) -> None:
    if system == "farandole":
        await farandole(url)
        return
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await LOOPS[system](url, stop)


if __name__ == "__main__":
    uvloop.run(main(*sys.argv[1:]))
