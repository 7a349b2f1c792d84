"""A thread with an event loop of its own, which runs only while somebody waits for it."""

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from contextvars import Context, copy_context
from typing import Any, TypeVar

from .loop import RestingLoop

T = TypeVar("T")


class LoopThread:
    """Runs coroutines one after the other; between two of them everything on its loop stands still.

    So a scenario works beside whichever event loop and test runner it is called from, and two scenarios never meet.
    """

    def __init__(self) -> None:
        self.loop = RestingLoop()
        self._runner = asyncio.Runner(loop_factory=lambda: self.loop)
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="farandole-scenario")
        self._task: asyncio.Task[Any] | None = None

    async def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run it to its end. If the caller is cancelled, so is the coroutine."""
        here = asyncio.get_running_loop()
        running = here.run_in_executor(self._thread, self._run, coroutine, copy_context())
        try:
            return await asyncio.shield(running)
        except asyncio.CancelledError:
            if not running.done():
                self.loop.call_soon_threadsafe(self._cancel)
                with suppress(BaseException):
                    await running
            raise

    async def close(self) -> None:
        """Cancel what is left, and end the thread."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._close)
        self._thread.shutdown(wait=False)

    def _close(self) -> None:
        self._runner.close()
        self.loop.close()

    def _run(self, coroutine: Coroutine[Any, Any, T], context: Context) -> T:
        return self._runner.run(self._noted(coroutine), context=context)

    async def _noted(self, coroutine: Coroutine[Any, Any, T]) -> T:
        self._task = asyncio.current_task()
        try:
            return await coroutine
        finally:
            self._task = None

    def _cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()
