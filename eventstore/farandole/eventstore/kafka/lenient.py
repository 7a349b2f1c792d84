"""Unpacking batches that the client refuses: header names that are no UTF-8.

No Kafka broker checks them, so anybody who may write can send them. Such a record must neither stop a partition nor be
passed over: its bytes that are no UTF-8 become ``\\xNN``, and the fold refuses it like any other with odd headers.
"""

from collections.abc import Iterator
from struct import Struct

from aiokafka.record.default_records import _DefaultRecordBatchPy
from aiokafka.record.util import decode_varint

from farandole.eventstore.contract import Stored
from farandole.schemas.envelope import Header

_PLACE = Struct(">qi")
_BEFORE_LENGTH = 12


def lenient(data: bytes, base_offset: int, partition: int) -> Iterator[Stored]:
    """The records of the batch that begins at an offset.

    Args:
        data: whole batches, one after the other.
        base_offset: where the batch wanted begins.
        partition: for the records.
    """
    batch = _DefaultRecordBatchPy(_raw(data, base_offset))
    batch._maybe_uncompress()
    buffer, at = batch._buffer, batch._pos
    for _ in range(batch._num_records):
        _, at = decode_varint(buffer, at)
        _, at = decode_varint(buffer, at + 1)
        delta, at = decode_varint(buffer, at)
        key, at = _bytes(buffer, at)
        value, at = _bytes(buffer, at)
        count, at = decode_varint(buffer, at)
        headers: list[Header] = []
        for _ in range(count):
            name, at = _bytes(buffer, at)
            content, at = _bytes(buffer, at)
            headers.append(((name or b"").decode(errors="backslashreplace"), content or b""))
        yield Stored(partition, base_offset + delta, batch.max_timestamp, key, value, headers)


def _raw(data: bytes, base_offset: int) -> bytes:
    at = 0
    while True:
        offset, length = _PLACE.unpack_from(data, at)
        end = at + _BEFORE_LENGTH + length
        if offset == base_offset:
            return data[at:end]
        at = end


def _bytes(buffer: bytearray, at: int) -> tuple[bytes | None, int]:
    length, at = decode_varint(buffer, at)
    if length < 0:
        return None, at
    return bytes(buffer[at : at + length]), at + length
