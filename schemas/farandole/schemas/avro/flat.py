"""Avro's binary encoding of flat records, whose fields are numbers, texts, bytes or truths, or one of these or nothing.

Most events are flat, and fastavro takes several times as long for them, since it asks at each field what its type is.
What is unusual is left to it: here nothing is written or read but what fastavro would write and read alike.
"""

from collections.abc import Callable, Mapping
from struct import Struct
from typing import Any, Final

from .node import Schema

Put = Callable[[Any], bytes]
"""The bytes of a datum."""
Get = Callable[[bytes, int], tuple[Any, int]]
"""The datum at a place, and where it ends."""

_DOUBLE: Final = Struct("<d")


class Unusual(Exception):
    """A datum or bytes that are left to fastavro."""


class Flat:
    """Writes and reads data of one flat record schema."""

    def __init__(self, puts: Mapping[str, Put], gets: Mapping[str, Get]) -> None:
        self._puts = tuple(puts.items())
        self._gets = tuple(gets.items())

    @classmethod
    def of(cls, schema: Schema) -> "Flat | None":
        """The codec of a record schema without logical types; None if it is not flat."""
        if not isinstance(schema, dict) or schema["type"] != "record":
            return None
        codecs = {field["name"]: _codec(field["type"]) for field in schema["fields"]}
        found = {name: codec for name, codec in codecs.items() if codec is not None}
        if len(found) < len(codecs):
            return None
        return cls({name: put for name, (put, _) in found.items()}, {name: get for name, (_, get) in found.items()})

    def write(self, head: bytes, datum: Mapping[str, Any]) -> bytes | None:
        """``head`` and the datum's bytes; None if that is for fastavro to judge."""
        out = bytearray(head)
        try:
            for name, put in self._puts:
                out += put(datum[name])
        except (Unusual, KeyError, TypeError, AttributeError, UnicodeEncodeError):
            return None
        return bytes(out)

    def read(self, value: bytes, at: int) -> dict[str, Any] | None:
        """The datum that begins at ``at`` and takes the rest of the value; None if that is for fastavro to judge."""
        datum = {}
        try:
            for name, get in self._gets:
                datum[name], at = get(value, at)
        except (Unusual, IndexError, UnicodeDecodeError):
            return None
        return datum if at == len(value) else None


def _codec(schema: Schema) -> tuple[Put, Get] | None:
    if isinstance(schema, str):
        return _CODECS.get(schema)
    if not isinstance(schema, list) or len(schema) != 2 or "null" not in schema:
        return None
    nothing = schema.index("null")
    other = schema[1 - nothing]
    codec = _CODECS.get(other) if isinstance(other, str) else None
    return None if codec is None else _optional(nothing, *codec)


def _optional(nothing: int, put: Put, get: Get) -> tuple[Put, Get]:
    none, some = _put_long(nothing), _put_long(1 - nothing)

    def put_either(value: Any) -> bytes:
        return none if value is None else some + put(value)

    def get_either(value: bytes, at: int) -> tuple[Any, int]:
        if value[at] == some[0]:
            return get(value, at + 1)
        if value[at] == none[0]:
            return None, at + 1
        raise Unusual

    return put_either, get_either


def _varint(value: int) -> bytes:
    zigzag = value << 1 if value >= 0 else ~(value << 1)
    out = bytearray()
    while zigzag > 0x7F:
        out.append(zigzag & 0x7F | 0x80)
        zigzag >>= 7
    out.append(zigzag)
    return bytes(out)


_FEW: Final = 1024
_LONGS: Final = tuple(_varint(n) for n in range(_FEW))
"""Most numbers and nearly all lengths are small."""
_LONG: Final = 1 << 63


def _put_long(value: Any) -> bytes:
    if type(value) is not int:
        raise Unusual
    if 0 <= value < _FEW:
        return _LONGS[value]
    if not -_LONG <= value < _LONG:
        raise Unusual
    return _varint(value)


def _get_long(value: bytes, at: int) -> tuple[int, int]:
    byte = value[at]
    at += 1
    zigzag, shift = byte & 0x7F, 7
    while byte > 0x7F:
        byte = value[at]
        at += 1
        if shift == 63 and byte > 1:  # of the tenth byte one bit counts
            raise Unusual
        zigzag |= (byte & 0x7F) << shift
        shift += 7
    return (zigzag >> 1) ^ -(zigzag & 1), at


def _put_bytes(value: Any) -> bytes:
    if type(value) is not bytes:
        raise Unusual
    size = len(value)
    return (_LONGS[size] if size < _FEW else _varint(size)) + value


def _get_bytes(value: bytes, at: int) -> tuple[bytes, int]:
    size, at = _get_long(value, at)
    end = at + size
    if size < 0 or end > len(value):
        raise Unusual
    return value[at:end], end


def _put_string(value: Any) -> bytes:
    if type(value) is not str:
        raise Unusual
    return _put_bytes(value.encode())


def _get_string(value: bytes, at: int) -> tuple[str, int]:
    content, at = _get_bytes(value, at)
    return content.decode(), at


def _put_double(value: Any) -> bytes:
    if type(value) is not float:
        raise Unusual
    return _DOUBLE.pack(value)


def _get_double(value: bytes, at: int) -> tuple[float, int]:
    end = at + 8
    if end > len(value):
        raise Unusual
    return _DOUBLE.unpack_from(value, at)[0], end


def _put_boolean(value: Any) -> bytes:
    if type(value) is not bool:
        raise Unusual
    return b"\1" if value else b"\0"


def _get_boolean(value: bytes, at: int) -> tuple[bool, int]:
    byte = value[at]
    if byte > 1:
        raise Unusual
    return byte == 1, at + 1


_CODECS: Final[Mapping[str, tuple[Put, Get]]] = {
    "long": (_put_long, _get_long),
    "bytes": (_put_bytes, _get_bytes),
    "string": (_put_string, _get_string),
    "double": (_put_double, _get_double),
    "boolean": (_put_boolean, _get_boolean),
}
