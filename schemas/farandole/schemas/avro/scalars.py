"""Types whose values are one Avro primitive: numbers, text, times, decimals, ids."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from ipaddress import IPv4Address, IPv4Interface, IPv4Network, IPv6Address, IPv6Interface, IPv6Network
from pathlib import Path, PosixPath, PurePath, PurePosixPath
from typing import Any, Final
from uuid import UUID

from pydantic import SecretBytes, SecretStr

from .node import Misfit, Node

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_EPOCH_DAY: Final = date(1970, 1, 1).toordinal()
_LONG: Final = 1 << 63


def instant_to_micros(value: datetime) -> int:
    if value.utcoffset() is None:
        raise Misfit("is a datetime without a time zone; make it aware, as datetime.now(UTC) is")
    return (value - EPOCH) // _MICROSECOND


def micros_to_instant(micros: int) -> datetime:
    return EPOCH + timedelta(microseconds=micros)


def date_to_days(value: date) -> int:
    return value.toordinal() - _EPOCH_DAY


def time_to_micros(value: time) -> int:
    if value.tzinfo is not None:
        raise Misfit("is a time of day with a time zone, which has no meaning without a date; use datetime")
    return ((value.hour * 60 + value.minute) * 60 + value.second) * 1_000_000 + value.microsecond


def micros_to_time(micros: int) -> time:
    seconds, micro = divmod(micros, 1_000_000)
    minutes, second = divmod(seconds, 60)
    hour, minute = divmod(minutes, 60)
    return time(hour, minute, second, micro)


def span_to_micros(value: timedelta) -> int:
    micros = value // _MICROSECOND
    if not -_LONG <= micros < _LONG:
        raise Misfit("is a duration of more than 64 bits of microseconds (292,000 years)")
    return micros


def micros_to_span(micros: int) -> timedelta:
    return timedelta(microseconds=micros)


def to_json(value: object) -> str:
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError) as e:
        raise Misfit("cannot be said in JSON; use None, bool, finite numbers, str, and lists and dicts of these") from e


def decimal_to_bytes(precision: int, scale: int) -> Callable[[Decimal], bytes]:
    largest = Decimal((0, (1,), precision - scale))

    def encode(value: Decimal) -> bytes:
        if not value.is_finite():
            raise Misfit("is not a finite number")
        # Compared as decimals first: 1E+999999999 must not become an int of gigabytes.
        if value.copy_abs() >= largest:
            raise Misfit(f"has more than {precision - scale} digits before the point")
        sign, digits, exponent = value.as_tuple()
        shift = int(exponent) + scale
        if shift < 0 and any(digits[shift:]):
            raise Misfit(f"has more than {scale} decimal places")
        kept = digits[:shift] if shift < 0 else digits
        unscaled = int("".join(map(str, kept)) or "0") * (10**shift if shift > 0 and any(kept) else 1)
        if sign:
            unscaled = -unscaled
        return unscaled.to_bytes((unscaled.bit_length() + 8) // 8, "big", signed=True)

    return encode


def bytes_to_decimal(precision: int, scale: int) -> Callable[[bytes], Decimal]:
    limit = 10**precision

    def decode(value: bytes) -> Decimal:
        unscaled = int.from_bytes(value, "big", signed=True)
        if not -limit < unscaled < limit:
            raise Misfit(f"has more than {precision} digits")
        return Decimal((unscaled < 0, tuple(map(int, str(abs(unscaled)))), -scale))

    return decode


def primitive(kind: str, *types: type, logical: str | None = None, **more: Any) -> Node:
    """A node of an Avro primitive, with its logical type if it has one."""
    schema: Any = {"type": kind, "logicalType": logical, **more} if logical else kind
    return Node(schema, types, kind, DATUMS[kind])


def _of(node: Node, encode: Callable[[Any], Any] | None = None, decode: Callable[[Any], Any] | None = None) -> Node:
    node.encode, node.decode = encode, decode
    return node


def _to_float(value: object) -> object:
    return float(value) if type(value) is int else value


DATUMS: Final[dict[str, type]] = {
    "null": type(None),
    "boolean": bool,
    "int": int,
    "long": int,
    "double": float,
    "string": str,
    "bytes": bytes,
}
_TEXTS: Final = (
    PurePath, PurePosixPath, Path, PosixPath,
    IPv4Address, IPv4Interface, IPv4Network, IPv6Address, IPv6Interface, IPv6Network,
)  # fmt: skip


def scalar(kind: type) -> Node | None:
    """The node of a scalar type, or None if it is none. ``kind`` is the class itself, not one derived from it."""
    make = _SCALARS.get(kind)
    if make is not None:
        return make()
    if kind in _TEXTS:
        return _of(primitive("string", kind), str, kind)
    return None


def null() -> Node:
    return primitive("null", type(None))


def json_text() -> Node:
    return _of(primitive("string", object, logical="json"), to_json, json.loads)


def exact_decimal(precision: int, scale: int) -> Node:
    """Avro's own decimal, for a type that fixes its digits and decimal places."""
    node = primitive("bytes", Decimal, logical="decimal", precision=precision, scale=scale)
    return _of(node, decimal_to_bytes(precision, scale), bytes_to_decimal(precision, scale))


def _date() -> Node:
    # fastavro converts dates itself, so that one in a union is not taken for an int when read.
    node = primitive("int", date, logical="date")
    node.datum = date
    return node


def _double() -> Node:
    node = primitive("double", float)
    node.lift = _to_float
    return node


_SCALARS: Final[dict[type, Callable[[], Node]]] = {
    type(None): null,
    bool: lambda: primitive("boolean", bool),
    int: lambda: primitive("long", int),
    float: _double,
    str: lambda: primitive("string", str),
    bytes: lambda: primitive("bytes", bytes),
    bytearray: lambda: _of(primitive("bytes", bytearray), bytes, bytearray),
    datetime: lambda: _of(
        primitive("long", datetime, logical="timestamp-micros"), instant_to_micros, micros_to_instant
    ),
    date: _date,
    time: lambda: _of(primitive("long", time, logical="time-micros"), time_to_micros, micros_to_time),
    timedelta: lambda: _of(primitive("long", timedelta, logical="duration-micros"), span_to_micros, micros_to_span),
    Decimal: lambda: _of(primitive("string", Decimal, logical="decimal-string"), str, Decimal),
    UUID: lambda: _of(primitive("string", UUID, logical="uuid"), str, UUID),
    SecretStr: lambda: _of(primitive("string", SecretStr), SecretStr.get_secret_value, SecretStr),
    SecretBytes: lambda: _of(primitive("bytes", SecretBytes), SecretBytes.get_secret_value, SecretBytes),
}
