"""A worker of one of the examples, as a process of its own.

    python -m flow.example_worker EXAMPLE NAME URL PARTITIONS MEMBER LEDGER SECONDS [FIRST]

Its dealings with the world are written to the ledger: whatever its first provider makes is told of each call, and takes
so many seconds for it. FIRST is when its schedules tick for the first time instead, once, in seconds since 1970 UTC.
"""

import asyncio
import inspect
import json
import logging
import os
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from importlib.util import find_spec, module_from_spec
from pathlib import Path
from types import ModuleType
from typing import Any

from farandole.reactors import Choreography


def example(module: str, name: str) -> tuple[ModuleType, Choreography]:
    """An example under a name of its own, so that no run of it meets the log of another."""
    spec = find_spec(f"examples.{module}")
    if spec is None or spec.loader is None:
        raise LookupError(module)
    program = module_from_spec(spec)
    spec.loader.exec_module(program)
    (choreography,) = (each for each in vars(program).values() if isinstance(each, Choreography))
    choreography.name = name
    return program, choreography


def keep_ledger(world: type, path: Path, member: str, seconds: float) -> None:
    """Write down each call of the world's methods, once it is done."""

    def noting(name: str, method: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def noted(*args: Any) -> Any:
            await asyncio.sleep(seconds)
            result = await method(*args)
            line = json.dumps([member, os.getpid(), name, [*args[1:]], result])
            with path.open("a") as ledger:
                ledger.write(f"{line}\n")
            return result

        return noted

    for name, method in [*vars(world).items()]:
        if inspect.iscoroutinefunction(method):
            setattr(world, name, noting(name, method))


def tick_once(choreography: Choreography, at: int) -> None:
    """Let each schedule tick at this time, and not again today."""
    for schedule in choreography.schedules:
        first = datetime.fromtimestamp(at, UTC)
        choreography.schedule(schedule.start, name=schedule.name, every="1d", first=first)


def main() -> None:
    module, name, url, partitions, member, ledger, seconds, *first = sys.argv[1:]
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    _, choreography = example(module, name)
    keep_ledger(choreography.providers[0].provides, Path(ledger), member, float(seconds))
    if first:
        tick_once(choreography, int(first[0]))
    asyncio.run(_work(choreography, url, int(partitions), member))


async def _work(choreography: Choreography, url: str, partitions: int, member: str) -> None:
    await choreography.work(url, partitions=partitions, member=member)


if __name__ == "__main__":
    main()
