"""Ids of commands that were admitted, remembered for as long as a repeat could still be admitted."""

from collections.abc import Iterable, Iterator
from heapq import heappop, heappush


class CommandIds:
    """Each id is forgotten once log time passes its ``not_after``, after which a repeat is too late anyway."""

    __slots__ = ("_due", "_ids")

    def __init__(self, entries: Iterable[tuple[int, bytes]] = ()) -> None:
        self._due: list[tuple[int, bytes]] = []
        self._ids: set[bytes] = set()
        for not_after, command in entries:
            self.add(command, not_after)

    def __contains__(self, command: bytes) -> bool:
        return command in self._ids

    def __len__(self) -> int:
        return len(self._ids)

    def __iter__(self) -> Iterator[tuple[int, bytes]]:
        return iter(sorted(self._due))

    def add(self, command: bytes, not_after: int) -> None:
        self._ids.add(command)
        heappush(self._due, (not_after, command))

    def forget(self, log_time: int) -> None:
        """Drop every id whose ``not_after`` log time has passed."""
        while self._due and self._due[0][0] < log_time:
            self._ids.discard(heappop(self._due)[1])
