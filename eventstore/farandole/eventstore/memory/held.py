"""The records that a partition in memory holds."""

from collections.abc import Iterable

from farandole.eventstore.contract import Stored


class Held(list[Stored]):
    """The records that a partition holds; the first of them is at offset ``first``."""

    def __init__(self, records: Iterable[Stored] = (), first: int = 0) -> None:
        super().__init__(records)
        self.first = first

    @property
    def next(self) -> int:
        """The offset after the last one."""
        return self.first + len(self)
