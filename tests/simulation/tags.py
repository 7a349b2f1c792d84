"""The number that no other event has, as it stands in a record."""

from collections.abc import Mapping
from typing import Final

from farandole.eventstore import Stored
from farandole.schemas.envelope import Kind, unpack
from farandole.schemas.kinship import Judged, News

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


def tag_taken(records: Mapping[int, Stored], offset: int) -> int:
    """The tag of what a step takes: of news that a child has failed, that of its start."""
    record = records[offset]
    e = unpack(record.headers)
    told = News.read(e.extra) if e.kind == Kind.CHILD_FAILED else None
    told = told or (Judged.read(e.extra) if e.kind == Kind.DELIVERED else None)
    return tag_of(record if told is None else records[told.offset])
