"""The number that no other event has, as it stands in a record."""

from collections.abc import Mapping

from farandole.eventstore import Stored
from farandole.schemas.envelope import Kind, unpack
from farandole.schemas.kinship import Judged, News


def tag_of(record: Stored) -> int:
    """The first field of an event of ours."""
    value, shift, found = record.value or b"", 0, 0
    for byte in value[10:]:
        found |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            break
    return found >> 1


def tag_taken(records: Mapping[int, Stored], offset: int) -> int:
    """The tag of what a step takes: of news that a child has failed, that of its start."""
    record = records[offset]
    e = unpack(record.headers)
    told = News.read(e.extra) if e.kind == Kind.CHILD_FAILED else None
    told = told or (Judged.read(e.extra) if e.kind == Kind.DELIVERED else None)
    return tag_of(record if told is None else records[told.offset])
