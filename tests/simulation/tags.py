"""The number that no other event has, as it stands in a record."""

from farandole.eventstore import Stored


def tag_of(record: Stored) -> int:
    """The first field of an event of ours."""
    value, shift, found = record.value or b"", 0, 0
    for byte in value[10:]:
        found |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            break
    return found >> 1
