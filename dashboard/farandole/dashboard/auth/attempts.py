"""Who guesses is made to wait."""

from collections import OrderedDict
from collections.abc import Callable
from time import monotonic
from typing import Final

_MOST: Final = 10
_WITHIN: Final = 60.0
_REMEMBERED: Final = 10_000


class Attempts:
    """Counts what failed at the door, by address.

    Args:
        most: so many within `within` seconds; then nothing from there is looked at until they are over.
    """

    def __init__(self, most: int = _MOST, within: float = _WITHIN, clock: Callable[[], float] = monotonic) -> None:
        self._most = most
        self._within = within
        self._clock = clock
        self._failed: OrderedDict[str, list[float]] = OrderedDict()

    def wait(self, ip: str) -> int:
        """Seconds that an address has to wait; 0: none."""
        times = self._failed.get(ip, [])
        left = [at for at in times if at > self._clock() - self._within]
        return int(left[-self._most] + self._within - self._clock()) + 1 if len(left) >= self._most else 0

    def failed(self, ip: str) -> None:
        """Somebody there showed what is not good."""
        times = self._failed.pop(ip, [])
        self._failed[ip] = [*times[1 - self._most :], self._clock()] if self._most > 1 else [self._clock()]
        if len(self._failed) > _REMEMBERED:
            self._failed.popitem(last=False)
