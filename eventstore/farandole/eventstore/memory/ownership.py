"""A member of a group in memory."""

from typing import TYPE_CHECKING

from farandole.eventstore.errors import StoreClosed, StoreError
from farandole.eventstore.member import Member

if TYPE_CHECKING:
    from .store import MemoryStore


class MemoryMember(Member):
    """Joins at the beginning of its context and leaves at the end of it, or when its store is closed."""

    def __init__(self, store: "MemoryStore", service: str, name: str) -> None:
        super().__init__()
        self.name = name
        self._store = store
        self._service = service

    def put_out(self) -> None:
        """Another process took this member's name."""
        self.fail(
            StoreError(
                f"another member of {self._service} joined as {self.name!r}, so this one is out. "
                "Give each process a name of its own"
            )
        )

    async def __aenter__(self) -> "MemoryMember":
        self._store.check_open()
        self.begin()
        self._store.joined.add(self)
        self._store.log.group(self._service).join(self)
        return self

    async def __aexit__(self, *exc: object) -> None:
        self.leave(StoreClosed(f"this member of {self._service} has left the group; join again to own partitions"))

    def leave(self, why: StoreError) -> None:
        """Give everything back at once."""
        self._store.joined.discard(self)
        self._store.log.group(self._service).leave(self)
        self.fail(why)
