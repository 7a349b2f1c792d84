"""Virtual time: an event loop whose clock jumps to the next timer as soon as nothing else is left to do.

A day of waiting takes no time, and the same program does the same things in the same order each time.
"""

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from farandole.schemas.errors import FarandoleError

T = TypeVar("T")


class Deadlock(FarandoleError):
    """Every task waits, and no timer, thread or other task is left that could wake one of them."""


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """An event loop on virtual time. Time begins at 0 and moves only when nothing can run.

    Work given to threads (`run_in_executor`, `asyncio.to_thread`) is waited for in real time, and virtual time stands
    still meanwhile. Sockets, pipes and threads that wake the loop on their own are not waited for: use none.
    """

    def __init__(self) -> None:
        self._now = 0.0
        self._threads = 0
        super().__init__(_JumpingSelector(self))
        # Timers within a microsecond are due together, so that rounding cannot keep one from becoming due.
        self._clock_resolution = 1e-6

    def time(self) -> float:
        """Virtual seconds since the loop was made."""
        return self._now

    def run_in_executor(self, executor: Any, func: Callable[..., T], *args: Any) -> "asyncio.Future[T]":  # type: ignore[override]
        self._threads += 1
        try:
            future = super().run_in_executor(executor, func, *args)
        except BaseException:
            self._threads -= 1
            raise
        future.add_done_callback(self._thread_done)
        return future

    def _thread_done(self, _: "asyncio.Future[Any]") -> None:
        self._threads -= 1

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:
        self._threads += 1  # it waits for a thread that joins the others
        try:
            await super().shutdown_default_executor()
        finally:
            self._threads -= 1

    def advance(self, seconds: float | None) -> float | None:
        """Called when nothing is ready: jump to the next timer, which is due in so many seconds, if that is allowed.

        Returns:
            How long to wait in real time for threads and files; None: for as long as it takes.

        Raises:
            Deadlock: there is nothing to wait for.
        """
        if self._threads:
            return None
        if seconds is None:
            raise Deadlock(f"at virtual time {self._now:.3f} s nothing is left that could go on:\n{_waiting(self)}")
        self._now += seconds
        return 0


class _JumpingSelector(selectors.DefaultSelector):
    """Asked by the event loop to wait, it lets the loop's time jump instead."""

    def __init__(self, loop: VirtualTimeLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> Any:
        ready = super().select(0)
        if ready or timeout == 0:
            return ready
        return super().select(self._loop.advance(timeout))


def _waiting(loop: VirtualTimeLoop) -> str:
    lines = []
    for task in asyncio.all_tasks(loop):
        frames = task.get_stack(limit=1)
        where = f"{frames[0].f_code.co_qualname}, line {frames[0].f_lineno}" if frames else "an unknown place"
        lines.append(f"  {task.get_name()} waits in {where}")
    return "\n".join(sorted(lines))


def run_virtual(main: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end on virtual time, and cancel what it left behind; `asyncio.run` on virtual time.

    Raises:
        Deadlock: it waits for something that cannot come.
    """
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main)
