"""An estimate of log time between records, for whoever must not act before its time and would not be late."""

from collections.abc import Callable


class LogClock:
    """The log's clock as this process knows it: its own, corrected by what the log's stamps show.

    Stamps are whole milliseconds, of a clock whose ticks are not ours: so ours is read more finely, lest what comes of it
    be a millisecond ahead of the log's at times.

    Args:
        now: this process's clock, in microseconds.
    """

    def __init__(self, now: Callable[[], int]) -> None:
        self._now = now
        self._ahead = 0
        """By how many microseconds the log's clock is ahead of ours, at least."""

    def now(self) -> int:
        """Log time, in milliseconds, as nearly as is known."""
        return (self._now() + self._ahead) // 1000

    def told(self, time: int) -> None:
        """The log says that it is this late: an answer to that question, or the stamp of a record of ours that the
        fold refused as too early.
        """
        self._ahead = time * 1000 - self._now()

    def seen(self, time: int) -> None:
        """A record with this stamp was read: it is that late at least."""
        if time > self.now():
            self.told(time)
