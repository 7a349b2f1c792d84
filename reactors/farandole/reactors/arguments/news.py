"""What became of a child run, for whoever waits for it."""

from typing import Any

from farandole.eventstore import Stored
from farandole.reactors.inputs import ChildDone, ChildFailed

from .events import EventReader

NEWS = (b"child_done:", b"child_failed:")
"""How the types of news begin."""


async def news(reader: EventReader, partition: int, record: Stored, type: bytes) -> ChildDone[Any] | ChildFailed[Any]:
    """The news in a record.

    Args:
        type: its type in the fold, which begins with one of `NEWS`.
    """
    raise NotImplementedError(type)
