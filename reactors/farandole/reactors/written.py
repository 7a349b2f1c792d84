"""What an outcome becomes on its way into the log, and how large that is."""

from collections.abc import Sequence
from itertools import chain
from typing import Final, NamedTuple

from farandole.eventstore import Record, Stored
from farandole.schemas.envelope import NO_SCHEMA


class Part(NamedTuple):
    """One record of an outcome, as far as it differs from the others.

    Attributes:
        copied: whether its value is written again later, under other headers, for which there must be room.
    """

    type: bytes
    value: bytes | None
    schema: bytes = NO_SCHEMA
    flags: int = 0
    delay: int = 0
    not_after: int = 0
    extra: bytes = b""
    copied: bool = False


ROOM_FOR_COPIES: Final = 1024
"""Bytes that a record which is copied later must stay below what the log takes: what cannot be copied when its time
comes would never act.
"""


class Written(NamedTuple):
    """The records of one append.

    Attributes:
        size: their bytes in all.
        largest: the bytes of the largest of them, or of the largest copy of one.
    """

    records: Sequence[Record]
    size: int
    largest: int


def size_of(record: Record | Stored) -> int:
    """The bytes of a record as a store counts them: key, value and headers."""
    key, value = record.key or b"", record.value or b""
    return sum(map(len, chain.from_iterable(record.headers)), len(key) + len(value))
