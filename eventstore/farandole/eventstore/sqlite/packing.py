"""Records as bytes in a row, one after the other. All numbers are little-endian.

u32  bytes that follow in this record
i32  length of the key, -1: none
i32  length of the value, -1: none
u32  number of headers
key, value, then each header: u32 length of the name, u32 length of the value, name in UTF-8, value
"""

from collections.abc import Iterator, Sequence
from struct import Struct
from typing import Final

from farandole.eventstore.contract import Record
from farandole.schemas.envelope import Header

_HEAD: Final = Struct("<IiiI")
_HEADER: Final = Struct("<II")


def pack(record: Record) -> bytes:
    """One record as bytes."""
    key, value, headers = record
    parts = [b"", key or b"", value or b""]
    size = _HEAD.size - 4 + len(parts[1]) + len(parts[2])
    for name, content in headers:
        encoded = name.encode()
        parts += (_HEADER.pack(len(encoded), len(content)), encoded, content)
        size += 8 + len(encoded) + len(content)
    parts[0] = _HEAD.pack(size, -1 if key is None else len(key), -1 if value is None else len(value), len(headers))
    return b"".join(parts)


def unpack(packed: bytes, start: int = 0) -> Iterator[Record]:
    """The records, from the ``start``-th on."""
    at = 0
    for _ in range(start):
        at += 4 + int.from_bytes(packed[at : at + 4], "little")
    while at < len(packed):
        _, key_size, value_size, count = _HEAD.unpack_from(packed, at)
        at += _HEAD.size
        key = value = None
        if key_size >= 0:
            key = packed[at : at + key_size]
            at += key_size
        if value_size >= 0:
            value = packed[at : at + value_size]
            at += value_size
        headers: list[Header] = []
        for _ in range(count):
            name_size, size = _HEADER.unpack_from(packed, at)
            at += 8
            middle = at + name_size
            headers.append((packed[at:middle].decode(), packed[middle : middle + size]))
            at = middle + size
        yield Record(key, value, tuple(headers))


def pack_all(records: Sequence[Record]) -> list[bytes]:
    return [pack(record) for record in records]
