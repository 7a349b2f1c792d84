"""Schedules: which tick of each came last, and what it waits for."""

from typing import TYPE_CHECKING

from .pending import Child, Message, MessageKey

if TYPE_CHECKING:
    from .applied import Applied
    from .fold import Fold


class Schedule:
    """A schedule that has ticked in this partition."""

    __slots__ = ("children", "last", "messages", "name", "waiting")

    def __init__(self, name: bytes) -> None:
        self.name = name
        self.last = -1
        """Its newest tick, in milliseconds since 1970 UTC."""
        self.children: dict[bytes, Child] | None = None
        """Runs that it started and of which no end was told yet."""
        self.messages: dict[MessageKey, Message] | None = None
        self.waiting: tuple[int, bytes, int] | None = None
        """The tick that starts once no child is left: milliseconds, id and offset of its record."""


def heard(fold: "Fold", schedule: Schedule, child: bytes, out: "Applied") -> None:
    """A run that the schedule started has told of its end, or could not be started."""
