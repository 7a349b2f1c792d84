"""What the in-memory and SQLite kinds of ownership share: the partitions owned, and waiting for them to change."""

from .bell import Bell
from .contract import Ownership
from .errors import StoreError


class Member(Ownership):
    """A member whose share is set by its store."""

    def __init__(self) -> None:
        self._owned: frozenset[int] = frozenset()
        self._told: frozenset[int] = frozenset()
        self._error: StoreError | None = None
        self._bell = Bell()

    @property
    def owned(self) -> frozenset[int]:
        return self._owned

    async def changed(self) -> frozenset[int]:
        while self._error is None and self._owned == self._told:
            await self._bell.wait(unless=lambda: self._error is not None or self._owned != self._told)
        if self._error is not None:
            raise type(self._error)(*self._error.args)
        self._told = self._owned
        return self._told

    def begin(self) -> None:
        """Begin, or begin again, with nothing owned and nothing wrong."""
        self._owned = self._told = frozenset()
        self._error = None

    def share(self, owned: frozenset[int]) -> None:
        """Set what is owned."""
        if owned != self._owned:
            self._owned = owned
            self._bell.ring()

    def fail(self, error: StoreError) -> None:
        """Own nothing any more, and say why to whoever waits."""
        self._owned = frozenset()
        self._error = error
        self._bell.ring()
