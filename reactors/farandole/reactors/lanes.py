"""The lanes of one reactor: how many of its handlers run at once.

A lane is a task that takes one step after the other. Lanes begin when there is something to do and another lane would
help, and end when the queue is empty; a handler that never waits is served by one lane, ten thousand times over.

What one handler sets in its context variables (a structured logger's bindings, say), the next never sees: a lane whose
context was changed takes no further step, and another begins in its place. A task or a copied context for each step
would keep them apart too, but costs more than a short handler does.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from contextvars import Context, copy_context
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
        self._context = copy_context()
        """In which every lane begins."""

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
        task = asyncio.get_running_loop().create_task(self._lane(), context=self._context.copy())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _lane(self) -> None:
        self._beginning = False
        queue = self._queue
        task = asyncio.current_task()
        as_begun = self._context
        done = 0
        while queue:
            work = queue.popleft()
            if queue and not self._beginning:
                self._begin()
            await self._perform(work)
            if task is not None and task.cancelling() and not self._stopped:
                await _absorb(task)
            if not _same(copy_context(), as_begun):
                if task is not None:
                    self._tasks.discard(task)
                if queue and not self._beginning:
                    self._begin()
                return
            done += 1
            if not done % _BREATH:
                await asyncio.sleep(0)


def _same(context: Context, other: Context) -> bool:
    """Whether two contexts hold the same; at once if neither was changed since one was a copy of the other."""
    try:
        return context == other
    except Exception:
        return False  # a value that cannot be compared was set


async def _absorb(task: "asyncio.Task[Any]") -> None:
    """A handler asked for the cancellation of its own task, which would hit the handlers that come after it."""
    with suppress(asyncio.CancelledError):
        await asyncio.sleep(0)
    while task.uncancel():
        pass
