"""How late the event loop wakes up, so that a handler that blocks it is seen."""

import asyncio
from typing import Final

from .stats import WorkerStats

_EVERY: Final = 0.25
_KEPT: Final = 40


async def measure_lag(stats: WorkerStats) -> None:
    """Keep `WorkerStats.loop_lag` at the longest of the last ten seconds, until cancelled."""
    loop = asyncio.get_running_loop()
    recent: list[float] = []
    while True:
        asleep = loop.time()
        await asyncio.sleep(_EVERY)
        recent = [*recent[1 - _KEPT :], max(loop.time() - asleep - _EVERY, 0.0)]
        stats.loop_lag = max(recent)
