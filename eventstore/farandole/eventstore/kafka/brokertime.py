"""The broker's clock, told apart from ours by the stamps of acknowledged batches."""

import time


class BrokerTime:
    """How far the broker's clock is ahead of ours, in milliseconds, as narrow as the stamps allow.

    A batch is stamped between the moments of its sending and of its acknowledgement. Each stamp therefore bounds the
    difference from both sides; the estimate moves only as far as a bound pushes it.
    """

    def __init__(self) -> None:
        self.ahead = 0.0
        self.known = False
        self._highest = 0

    def acknowledged(self, sent: float, stamp: int) -> None:
        """Note a batch that was sent ``sent`` seconds (of the monotonic clock) ago until now, and stamped."""
        now = time.time() * 1000
        took = max(time.monotonic() - sent, 0.0) * 1000
        low, high = stamp - now, stamp + 1 - (now - took)
        self.ahead = min(max(self.ahead if self.known else low, low), high)
        self.known = True
        self._highest = max(self._highest, stamp)

    def now(self) -> int:
        """The broker's time in milliseconds since 1970 UTC; never before the last stamp."""
        return max(self._highest, int(time.time() * 1000 + self.ahead))
