"""A record as the log gives it, and its headers, read by section 2."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum, IntFlag
from typing import Final, NamedTuple


class Raw(NamedTuple):
    """A record with its place and the milliseconds since 1970 UTC at which the log took it."""

    partition: int
    offset: int
    time: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]]


class Kind(IntEnum):
    START = 1
    OUTCOME = 2
    FAILURE = 3
    SIGNAL = 4
    ANSWER = 5
    CANCEL = 6
    PAUSE = 7
    RESUME = 8
    RETRY = 9
    OWE = 10
    EXPIRE = 11
    CLAIM = 12
    LOST = 13
    PROGRESS = 14
    SUBSTEP = 15
    TIMER = 16
    EXPIRY = 17
    DELIVERED = 18
    CHILD_ENDED = 19
    CHILD_FAILED = 20
    TICK = 21
    GENESIS = 32
    SETTING = 33
    VERSION = 34
    CONTRACT = 35
    POLICY = 36
    RELEASED = 37
    SCHEDULE = 38


class Flag(IntFlag):
    END = 1
    DROPS = 2
    COMPENSATES = 4
    LAST = 8
    WANTS_NO_REACTOR = 16
    CODED = 32
    FAN_OUT = 64
    AFTER = 128
    ASK = 256
    CHILD = 512
    OF_SCHEDULE = 1024
    EDITED = 2048


@dataclass(frozen=True, slots=True)
class Head:
    """All that the headers say."""

    id: bytes
    type: bytes
    source: bytes
    kind: int
    flags: int
    append: bytes
    index: int
    count: int
    attempt: int
    sent: int
    not_after: int
    delay: int
    schema: bytes
    causation: bytes
    reactor: bytes
    generation: bytes
    branch: bytes
    extra: bytes


_FIXED: Final = struct.Struct(">BBH16sIIIqqq8sBBBHH")
_KINDS: Final = frozenset((*range(1, 22), *range(32, 39)))
_NEEDED: Final = ("ce_id", "ce_type", "ce_source", "fa")


def read_head(headers: Sequence[tuple[str, bytes | None]]) -> Head | None:
    """The headers of a record, or None if it is not readable."""
    by_name = {name: value or b"" for name, value in headers}  # of a name that repeats, the last counts
    if not all(name in by_name for name in _NEEDED):
        return None
    id, type, source, fa = (by_name[name] for name in _NEEDED)
    if not id or not type or len(fa) < _FIXED.size:
        return None
    layout, kind, flags, append, index, count, attempt, sent, not_after, delay, schema, *lengths = _FIXED.unpack_from(
        fa
    )
    if layout != 1 or kind not in _KINDS or _FIXED.size + sum(lengths) != len(fa):
        return None
    if not (index < count or index == count == 0):
        return None
    if id.startswith(b"x") == (kind in (Kind.OUTCOME, Kind.FAILURE)):
        return None
    parts, at = [], _FIXED.size
    for length in lengths:
        parts.append(fa[at : at + length])
        at += length
    return Head(
        id, type, source, kind, flags, append, index, count, attempt, sent, not_after, delay, schema,
        *parts,
    )  # fmt: skip
