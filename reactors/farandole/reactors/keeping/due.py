"""What is due at some time: nothing is asked over and over, there is one sleep until the next."""

import asyncio
from collections.abc import Callable
from heapq import heappop, heappush
from typing import Generic, TypeVar

T = TypeVar("T")


class Due(Generic[T]):
    """Things with a time, in milliseconds. What is no longer wanted stays until its time: ask when it comes up.

    Args:
        now: the time, in milliseconds, as nearly as is known.
    """

    def __init__(self, now: Callable[[], int]) -> None:
        self._now = now
        self._heap: list[tuple[int, int, T]] = []
        self._added = 0
        self._earlier = asyncio.Event()

    def __len__(self) -> int:
        return len(self._heap)

    def add(self, due: int, thing: T) -> None:
        """Let something come up at its time."""
        if not self._heap or due < self._heap[0][0]:
            self._earlier.set()
        self._added += 1
        heappush(self._heap, (due, self._added, thing))

    def drop(self, unwanted: Callable[[T], bool]) -> None:
        """Let go of what is wanted no longer, as when a partition is dropped."""
        self._heap = sorted(entry for entry in self._heap if not unwanted(entry[2]))

    async def next(self, most: int) -> list[T]:
        """Wait until something is due; all that is due by then, at most so many, the earliest first."""
        while True:
            now = self._now()
            if self._heap and self._heap[0][0] <= now:
                found: list[T] = []
                while self._heap and self._heap[0][0] <= now and len(found) < most:
                    found.append(heappop(self._heap)[2])
                return found
            self._earlier.clear()
            wait = (self._heap[0][0] - now) / 1000 if self._heap else None
            try:
                async with asyncio.timeout(wait):
                    await self._earlier.wait()
            except TimeoutError:
                continue
