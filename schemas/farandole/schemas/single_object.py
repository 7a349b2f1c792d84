"""Avro's single-object encoding: ``C3 01``, the schema's fingerprint in eight bytes, and the datum."""

from typing import Final

from .errors import UndecodableValue

MARK: Final = b"\xc3\x01"
HEAD: Final = 10
MAX_VALUE_BYTES: Final = 4 * 1024 * 1024
"""The largest value that is read, after decompression. What is built of it in memory is a bounded multiple."""


def fingerprint_in(value: bytes, max_bytes: int = MAX_VALUE_BYTES) -> bytes:
    """The fingerprint that a value carries.

    Raises:
        UndecodableValue: it is too large, or not in single-object encoding.
    """
    if len(value) > max_bytes:
        raise UndecodableValue(f"the value is of {len(value)} bytes; at most {max_bytes} are read")
    if len(value) < HEAD or value[:2] != MARK:
        raise UndecodableValue("the value is not in Avro's single-object encoding; was it written by another program?")
    return value[2:HEAD]
