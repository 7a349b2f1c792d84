"""Wall clocks. Time is an argument everywhere, so that whole systems can run on virtual time."""

import asyncio
import time
from typing import Final, Protocol

VIRTUAL_EPOCH: Final = 1_767_225_600_000
"""2026-01-01 00:00 UTC in milliseconds: where virtual time begins unless told otherwise."""


class Clock(Protocol):
    """Tells the time of day. For durations use the event loop's own time."""

    def now(self) -> int:
        """Milliseconds since 1970 UTC."""
        ...


class SystemClock:
    """The machine's clock. It may jump, and may go back."""

    def now(self) -> int:
        return time.time_ns() // 1_000_000


class LoopClock:
    """The running event loop's time, counted from an epoch: virtual time, if the loop's time is virtual.

    Args:
        epoch: milliseconds since 1970 UTC at the loop's time 0.
    """

    def __init__(self, epoch: int = VIRTUAL_EPOCH) -> None:
        self.epoch = epoch
        self._loop: asyncio.AbstractEventLoop | None = None

    def now(self) -> int:
        try:
            self._loop = asyncio.get_running_loop()
        except RuntimeError:
            if self._loop is None:  # a thread that works for the loop asks for the loop's time
                raise
        # A hair below a millisecond is that millisecond: the loop adds up fractions of seconds.
        return self.epoch + int(round(self._loop.time() * 1000, 3))
