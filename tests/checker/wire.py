"""The two forms of a value: section 7."""

from typing import Final

from .record import Flag, Raw, read_head

SINGLE_OBJECT: Final = b"\xc3\x01"
NUMBERED: Final = b"\0"
HEAD_OF_NUMBERED: Final = 5
_NONE: Final = bytes(8)


def plain(raw: Raw) -> Raw:
    """A record with its value in single-object encoding, if its headers say which schema that is."""
    if raw.value is None or raw.value[:1] != NUMBERED or len(raw.value) < HEAD_OF_NUMBERED:
        return raw
    head = read_head(raw.headers)
    if head is None or head.flags & Flag.CODED or head.schema == _NONE:
        return raw
    return raw._replace(value=SINGLE_OBJECT + head.schema + raw.value[HEAD_OF_NUMBERED:])
