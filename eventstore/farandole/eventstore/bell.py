"""Waking the tasks that wait for news."""

import asyncio
from collections.abc import Callable, Container


class Bell:
    """Tasks wait at it for news of some partitions; whoever has news rings it, from any thread or event loop."""

    def __init__(self) -> None:
        self._waiting: dict[asyncio.Future[None], Container[int] | None] = {}

    @property
    def heard(self) -> bool:
        """Whether anyone waits."""
        return bool(self._waiting)

    def ring(self, partition: int | None = None) -> None:
        """Wake those who wait for this partition, or everyone."""
        if not self._waiting:
            return
        try:
            here = asyncio.get_running_loop()
        except RuntimeError:
            here = None
        for waiting, partitions in list(self._waiting.items()):
            if partition is not None and partitions is not None and partition not in partitions:
                continue
            loop = waiting.get_loop()
            if loop is here:
                _wake(waiting)
            elif not loop.is_closed():
                loop.call_soon_threadsafe(_wake, waiting)

    async def wait(
        self,
        partitions: Container[int] | None = None,
        *,
        seconds: float | None = None,
        unless: Callable[[], bool] | None = None,
    ) -> None:
        """Wait until the bell rings for one of these partitions, or the time is up.

        Args:
            partitions: None: whatever it rings for.
            seconds: None: for ever.
            unless: asked once the task is sure to hear the bell; if true, there is no wait. So no news is missed
                between looking for it and waiting for more.
        """
        loop = asyncio.get_running_loop()
        waiting = loop.create_future()
        timer = None if seconds is None else loop.call_later(seconds, _wake, waiting)
        self._waiting[waiting] = partitions
        try:
            if unless is None or not unless():
                await waiting
        finally:
            self._waiting.pop(waiting, None)
            if timer is not None:
                timer.cancel()


def _wake(waiting: "asyncio.Future[None]") -> None:
    if not waiting.done():
        waiting.set_result(None)
