"""Compression of values by zlib."""

import zlib
from typing import Final

from .errors import DeclarationError, UndecodableValue
from .payload import PayloadContext
from .single_object import MAX_VALUE_BYTES

_STORED: Final = b"\x00"
_ZLIB: Final = b"\x01"


class Compress:
    """Compresses values that become smaller by it.

    The first byte of what is stored says how the rest is: 0 as it was, 1 by zlib (RFC 1950).
    """

    def __init__(self, *, level: int = 6, at_least: int = 256, max_bytes: int = MAX_VALUE_BYTES) -> None:
        """
        Args:
            level: zlib's, from 1 (quick) to 9 (small).
            at_least: values of fewer bytes are stored as they are.
            max_bytes: a value that would decompress to more is refused, before it takes the memory.
        """
        if not 1 <= level <= 9:
            raise DeclarationError(f"Compress(level={level}): zlib has levels 1 to 9")
        self._level = level
        self._at_least = at_least
        self._max_bytes = max_bytes

    def __repr__(self) -> str:
        return f"Compress(level={self._level}, at_least={self._at_least}, max_bytes={self._max_bytes})"

    def encode(self, value: bytes, context: PayloadContext, /) -> bytes:
        if len(value) >= self._at_least:
            packed = zlib.compress(value, self._level)
            if len(packed) < len(value):
                return _ZLIB + packed
        return _STORED + value

    def decode(self, value: bytes, context: PayloadContext, /) -> bytes:
        mark, rest = value[:1], value[1:]
        if mark == _STORED:
            return rest
        if mark != _ZLIB:
            raise UndecodableValue(f"{context.type}: the value is not one that Compress stored; was the codec changed?")
        unpack = zlib.decompressobj()
        try:
            found = unpack.decompress(rest, self._max_bytes + 1)
        except zlib.error as e:
            raise UndecodableValue(f"{context.type}: the compressed value is damaged") from e
        if len(found) > self._max_bytes:
            raise UndecodableValue(f"{context.type}: the value decompresses to more than {self._max_bytes} bytes")
        if not unpack.eof or unpack.unused_data:
            raise UndecodableValue(f"{context.type}: the compressed value is damaged")
        return found
