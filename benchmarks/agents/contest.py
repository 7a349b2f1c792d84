"""Measures one system, as a process in its own environment: python -m benchmarks.agents.contest JOB

The job is JSON. ``measure`` prints figures as JSON on its last line; ``serve`` starts runs, or lets those of a process that was
killed go on, prints ``ready``, and works until it is killed.
"""

import asyncio
import gc
import importlib
import json
import logging
import os
import statistics
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.agents.contender import Contender
from benchmarks.agents.script import Script

LENGTHS = (10, 50, 100)
"""Turns of the conversations whose bytes are counted."""
ALONE = 10
COLLECT = (20_000, 20, 50)
"""Thresholds of the garbage collector."""
_MOST = 30.0
"""Seconds that agents which run alone may take in all, and one with a long conversation."""


async def measure(system: Contender, script: Script, job: dict[str, Any]) -> dict[str, Any]:
    """All figures that need no kill."""
    calls = job["calls"]
    async with asyncio.timeout(_MOST):
        await system.run("first", 2)  # alone: some make what they need when they are first used
        await asyncio.gather(*(system.run(f"warm-{n}", 2) for n in range(20)))
    alone = await _alone(system, script, calls)
    sizes = await _sizes(system, script)
    crowd = await _crowd(system, script, job["agents"], calls, job["limit"])
    return {"overhead_ms_per_call": alone, **crowd, **sizes}


async def _alone(system: Contender, script: Script, calls: int) -> float:
    """Milliseconds by which a call of the model takes longer than the model, with one agent at a time."""
    took: list[float] = []
    until = time.perf_counter() + _MOST
    while len(took) < ALONE and time.perf_counter() < until:
        began, before = time.perf_counter(), script.took
        await system.run(f"alone-{len(took)}", calls)
        took.append((time.perf_counter() - began - (script.took - before)) / calls)
    return statistics.median(took) * 1000


async def _sizes(system: Contender, script: Script) -> dict[str, Any]:
    """Bytes a turn, as the conversation grows."""
    seconds, script.seconds = script.seconds, 0
    stored, at = {0: 0.0}, 0
    try:
        for length in LENGTHS:
            before = await system.stored()
            async with asyncio.timeout(_MOST):
                await system.run(f"long-{length}", length)
            stored[length] = await system.stored() - before
    except TimeoutError:
        return {"bytes": f"a conversation of {length} turns did not end within {_MOST:g} s"}
    finally:
        script.seconds = seconds
    found: dict[str, Any] = {}
    for length in LENGTHS:
        found[f"bytes_per_turn_{at}_to_{length}"] = (stored[length] - stored[at]) / (length - at)
        at = length
    _, then, last = found.values()
    return {**found, "linear": last <= 1.2 * then}


async def _crowd(system: Contender, script: Script, agents: int, calls: int, limit: float) -> dict[str, float]:
    """Many agents at once, until all have ended or the time is over."""
    ended: list[float] = []
    began, before = time.perf_counter(), script.calls
    cpu = time.process_time()

    async def one(n: int) -> None:
        await system.run(f"crowd-{n}", calls)
        ended.append(time.perf_counter() - began)

    tasks = [asyncio.create_task(one(n)) for n in range(agents)]
    done, _ = await asyncio.wait(tasks, timeout=limit, return_when=asyncio.FIRST_EXCEPTION)
    took, made = time.perf_counter() - began, script.calls - before
    for task in done:
        task.result()
    return {
        "agents": agents,
        "runs_per_s": made / calls / took,
        "overhead_ms_per_call_of_many": (took / made - script.seconds / agents) * 1000,
        "cpu_ms_per_call_of_many": (time.process_time() - cpu) / made * 1000,
        "ended": len(ended),
    }


async def serve(system: Contender, script: Script, job: dict[str, Any]) -> None:
    """Work until it is killed."""
    runs: dict[str, int] = job["runs"]
    begun = [asyncio.create_task(system.run(run, calls)) for run, calls in runs.items() if not job["again"]]
    if job["again"]:
        begun.append(asyncio.create_task(system.go_on(runs)))
    print("ready", flush=True)
    await asyncio.gather(*begun)
    await asyncio.Event().wait()


async def main(job: dict[str, Any]) -> None:
    """Do a job, and end at once: what is still open in some systems would take its time to close."""
    script = Script(job["seconds"], Path(job["book"]) if job["book"] else None)
    rival = importlib.import_module(f"benchmarks.agents.rivals.{job['rival']}")
    async with rival.opened(job["server"], script) as system:
        # As `farandole work` does, and a server of long life in general: for all systems alike.
        gc.freeze()
        gc.set_threshold(*COLLECT)
        if job["what"] == "serve":
            await serve(system, script, job)
        print(json.dumps(await measure(system, script, job)), flush=True)
        os._exit(0)


if __name__ == "__main__":
    logging.disable(logging.WARNING)
    try:
        import uvloop
    except ImportError:
        asyncio.run(main(json.loads(sys.argv[1])))
    else:
        uvloop.run(main(json.loads(sys.argv[1])))
