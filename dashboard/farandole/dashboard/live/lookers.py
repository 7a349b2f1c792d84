"""Those who look on: what each wants to see, and what waits to be sent to them."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from .changes import Change

_MOST_WAITING: Final = 4 << 20
"""Bytes that wait for one who reads slowly; then they are cut off, and come back from where they were."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody wants to see; what is left out does not matter.

    Attributes:
        runs: of one of these.
        types: that one of these began, or of a record of one of these types.
        statuses: of runs that now stand so.
    """

    runs: Collection[str] = ()
    types: Collection[str] = ()
    statuses: Collection[str] = ()

    def takes(self, change: Change) -> bool:
        """Whether it is to be shown."""
        return (
            (not self.runs or change.run_id in self.runs)
            and (not self.statuses or change.status in self.statuses)
            and (
                not self.types
                or any(each in self.types or each.partition(".")[2] in self.types for each in change.types)
            )
        )


class Looker:
    """One who looks on.

    Args:
        after: what they have seen already, by partition.
    """

    def __init__(self, wanted: Wanted, after: Mapping[int, int]) -> None:
        self.wanted = wanted
        self.after = after
        self._waiting: list[bytes] = []
        self._bytes = 0
        self._news = asyncio.Event()
        self.over = False
        """Nothing more comes."""

    def tell(self, changes: Sequence[Change]) -> None:
        """Hand over what they want to see of it."""
        wanted, after = self.wanted, self.after
        self.send(
            b"".join(
                each.sent for each in changes if each.place[1] >= after.get(each.place[0], 0) and wanted.takes(each)
            )
        )

    def send(self, event: bytes) -> None:
        """Hand over something, to all alike."""
        if not event or self.over:
            return
        self._waiting.append(event)
        self._bytes += len(event)
        if self._bytes > _MOST_WAITING:
            self._waiting.clear()
            self.end()
        self._news.set()

    def begin_anew(self, event: bytes) -> None:
        """Hand over word that nothing is true any more of what they have seen."""
        self.after = {}
        self.send(event)

    def end(self) -> None:
        """Nothing more comes; they may come back."""
        self.over = True
        self._news.set()

    async def next(self) -> bytes:
        """What waits to be sent, once something does; nothing: it is over."""
        while not self._waiting and not self.over:
            self._news.clear()
            await self._news.wait()
        found, self._waiting, self._bytes = b"".join(self._waiting), [], 0
        return found
