"""The number that no other event has, as it stands in a record."""

from typing import Final

from farandole.eventstore import Stored

ANSWERS: Final[set[bytes]] = set()
"""Types of answers, in which two texts stand before it: who answered, and a comment."""


def tag_of(record: Stored) -> int:
    """The first field of an event of ours."""
    value, at = record.value or b"", 10
    if dict(record.headers).get("ce_type") in ANSWERS:
        for _ in range(2):
            length, at = _number(value, at)
            at += length
    return _number(value, at)[0]


def _number(value: bytes, at: int) -> tuple[int, int]:
    """A number, and where it ends."""
    shift = found = 0
    for byte in value[at:]:
        at += 1
        found |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            break
    return found >> 1, at
