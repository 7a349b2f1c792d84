"""The lanes of one reactor: how many of its handlers run at once.

A lane is a task that takes one step after the other. Lanes begin when there is something to do and another lane would
help, and end when the queue is empty; a handler that never waits is served by one lane, ten thousand times over.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Final, Generic, TypeVar

W = TypeVar("W")

_BREATH: Final = 64
"""After so many steps a lane lets the loop go round, so that reading and appending go on."""


class Lanes(Generic[W]):
    """A queue of steps and up to ``concurrency`` lanes that serve it.

    Args:
        perform: does one step; must not raise, but for cancellation.
        concurrency: most lanes at once.
    """

    def __init__(self, perform: Callable[[W], Awaitable[None]], concurrency: int) -> None:
        self._perform = perform
        self._concurrency = concurrency
        self._queue: deque[W] = deque()
        self._tasks: set[asyncio.Task[None]] = set()
        self._beginning = False
        self._stopped = False

    def put(self, work: W) -> None:
        self._queue.append(work)
        if not self._beginning:
            self._begin()

    @property
    def waiting(self) -> int:
        """Steps in the queue."""
        return len(self._queue)

    @property
    def running(self) -> int:
        """Lanes at work."""
        return len(self._tasks)

    def stop(self) -> None:
        """Begin no further step; those that run go on."""
        self._stopped = True
        self._queue.clear()

    async def finished(self) -> None:
        """Wait until no step runs."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def cancel(self) -> None:
        """Cancel what runs and wait for it to end."""
        self.stop()
        for task in self._tasks:
            task.cancel()
        await self.finished()

    def _begin(self) -> None:
        if len(self._tasks) >= self._concurrency or self._stopped:
            return
        self._beginning = True
        task = asyncio.get_running_loop().create_task(self._lane())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _lane(self) -> None:
        self._beginning = False
        queue = self._queue
        task = asyncio.current_task()
        done = 0
        while queue:
            work = queue.popleft()
            if queue and not self._beginning:
                self._begin()
            await self._perform(work)
            if task is not None and task.cancelling() and not self._stopped:
                await _absorb(task)
            done += 1
            if not done % _BREATH:
                await asyncio.sleep(0)


async def _absorb(task: "asyncio.Task[Any]") -> None:
    """A handler asked for the cancellation of its own task, which would hit the handlers that come after it."""
    with suppress(asyncio.CancelledError):
        await asyncio.sleep(0)
    while task.uncancel():
        pass
