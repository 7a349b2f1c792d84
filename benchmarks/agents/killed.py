"""What a kill costs: agents at work in a process that is killed with -9, and started again at once."""

import asyncio
import statistics
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.agents.participant import Participant

RUNS, CALLS = 20, 60
"""Runs at work, and calls of the model of each: at least three seconds."""
_BEGUN = 5
"""Calls that each has made when it is killed."""
_PATIENCE = 90.0
_LOOK = 0.01


class Call(NamedTuple):
    """A call of the model, as it is noted outside."""

    at: float
    run: str
    number: int


async def killed(rival: str, server: str, book: Path, seconds: float) -> dict[str, Any]:
    """Seconds from the kill until the runs go on, and what was done again.

    Raises:
        RuntimeError: a process ended by itself, or no run came so far as to be killed.
    """
    runs = {f"killed-{n}": CALLS for n in range(RUNS)}
    job = {"what": "serve", "rival": rival, "server": server, "runs": runs, "book": str(book), "seconds": seconds}
    async with Participant(rival, {**job, "again": False}) as first:
        await first.ready()
        if not await _until(lambda: _least(book, runs) >= _BEGUN, first):
            raise RuntimeError(f"not every one of {RUNS} runs had made {_BEGUN} calls after {_PATIENCE:g} s")
        await first.kill()
    before, at = _calls(book), time.time()
    if len({(call.run, call.number) for call in before if call.run in runs}) == RUNS * CALLS:
        raise RuntimeError("all runs had ended before the kill")
    async with Participant(rival, {**job, "again": True}) as second:
        await second.ready()
        await _until(lambda: len(_after(book, at, runs)) == RUNS, second)
        await _until(lambda: all(n == CALLS for n in _made(book, runs).values()), second)
    took = sorted(first - at for first in _after(book, at, runs).values())
    again = Counter((call.run, call.number) for call in _calls(book) if call.run in runs)
    found: dict[str, Any] = {
        "resumed": len(took),
        "ended_after_kill": sum(n == CALLS for n in _made(book, runs).values()),
    }
    if took:
        found |= {"resume_s": statistics.median(took), "resume_last_s": took[-1]}
    return {**found, "calls_made_again": again.total() - len(again)}


async def _until(condition: Callable[[], bool], participant: Participant) -> bool:
    until = time.monotonic() + _PATIENCE
    while not condition():
        if time.monotonic() > until:
            return False
        if not participant.alive:
            raise RuntimeError(f"the process ended: {participant.said()}")
        await asyncio.sleep(_LOOK)
    return True


def _calls(book: Path) -> list[Call]:
    if not book.exists():
        return []
    lines = [line.split() for line in book.read_text().splitlines()]
    return [Call(float(at), run, int(number)) for at, run, number in lines]


def _made(book: Path, runs: dict[str, int]) -> dict[str, int]:
    """How many different calls each run has made."""
    made = Counter(run for run, _ in {(call.run, call.number) for call in _calls(book)})
    return {run: made[run] for run in runs}


def _least(book: Path, runs: dict[str, int]) -> int:
    return min(_made(book, runs).values())


def _after(book: Path, at: float, runs: dict[str, int]) -> dict[str, float]:
    """When each run made its first call after a time."""
    first: dict[str, float] = {}
    for call in _calls(book):
        if call.at > at and call.run in runs:
            first.setdefault(call.run, call.at)
    return first
