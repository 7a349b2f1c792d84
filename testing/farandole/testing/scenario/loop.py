"""The event loop of a scenario: virtual time that says when nothing is left to do, and moves when it is told to."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any, Final, TypeVar

from farandole.testing.virtual import VirtualTimeLoop

T = TypeVar("T")

_PATIENCE: Final = 0.5
"""Real seconds for which a thread is waited for before the loop goes on beside it."""


class RestingLoop(VirtualTimeLoop):
    """Virtual time on which plain functions, too, run in the same order each time.

    A function that is given to a thread is waited for, unless it takes long: two of them never race. One that itself
    waits for the loop keeps it waiting for half a second and no longer.
    """

    def __init__(self) -> None:
        super().__init__()
        self._resting: list[asyncio.Future[None]] = []
        self._moving: list[asyncio.Future[None]] = []
        self._spare: ThreadPoolExecutor | None = None

    async def rest(self) -> None:
        """Wait until nothing is left to do at this instant: everybody waits for time to pass, or for somebody else."""
        await self._wait(self._resting)

    async def move(self) -> None:
        """Let time move on to the next timer, and wait until it has."""
        await self._wait(self._moving)

    def advance(self, seconds: float | None) -> float | None:
        if self._threads:
            return super().advance(seconds)
        if self._resting:
            self._wake(self._resting)
            return 0
        left = super().advance(seconds)
        self._wake(self._moving)
        return left

    def run_in_executor(self, executor: Any, func: Callable[..., T], *args: Any) -> "asyncio.Future[T]":  # type: ignore[override]
        if executor is None:
            if self._spare is None:
                self._spare = ThreadPoolExecutor(thread_name_prefix="farandole-scenario")
                self.set_default_executor(self._spare)
            executor = self._spare
        self._threads += 1
        try:
            working = executor.submit(func, *args)
        except BaseException:
            self._threads -= 1
            raise
        wait((working,), timeout=_PATIENCE)
        future = asyncio.wrap_future(working, loop=self)
        future.add_done_callback(self._thread_done)
        return future

    async def _wait(self, waiting: "list[asyncio.Future[None]]") -> None:
        future = self.create_future()
        waiting.append(future)
        try:
            await future
        finally:
            if future in waiting:
                waiting.remove(future)

    @staticmethod
    def _wake(waiting: "list[asyncio.Future[None]]") -> None:
        woken = waiting.copy()
        waiting.clear()
        for future in woken:
            if not future.done():
                future.set_result(None)
