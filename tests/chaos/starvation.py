"""How long one process stood ready to run while the machine had no core for it: time that no promise is about."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path

import psutil

Thread = tuple[int, str]
"""Process and thread."""
Waits = Callable[[], Mapping[Thread, float]]
"""Seconds that each thread has waited for a core since it began."""


class Starvation:
    """What this process and all below it wait for a core, from now on: workers, loads, brokers."""

    def __init__(self, waits: "Waits | None" = None, now: Callable[[], float] = time.monotonic) -> None:
        self._waits = waits or _waits
        self._now = now
        self._since = now()
        self._before = self._waits()

    @property
    def seconds(self) -> float:
        """What the thread that waited longest has waited, and never more than the seconds that have passed.

        Not what all waited together: many that wait at the same time cost a promise no more than one of them, and their sum
        would excuse any delay. 0 where the system does not tell.
        """
        passed = self._now() - self._since
        longest = max((all - self._before.get(who, 0.0) for who, all in self._waits().items()), default=0.0)
        return max(min(longest, passed), 0.0)


def _waits() -> dict[Thread, float]:
    found: dict[Thread, float] = {}
    this = psutil.Process()
    for pid in [this.pid, *(child.pid for child in this.children(recursive=True))]:
        for told in Path(f"/proc/{pid}/task").glob("*/schedstat"):
            try:
                _, delay, _ = told.read_text().split()
            except (OSError, ValueError):
                continue
            found[pid, told.parent.name] = int(delay) / 1e9
    return found
