"""The headers of a record: CloudEvents' required four and one packed header, ``fa``.

CloudEvents 1.0, Kafka protocol binding, binary mode. ``fa`` holds all that the fold needs, so that a reader decides
whether it cares without decoding the value. Layout 1, big-endian, as ``docs/protocol.md`` gives it:

    offset  size  field
    0       1     layout version, 1
    1       1     kind (`Kind`)
    2       2     flags (`Flag`)
    4       16    append: names one attempt to append
    20      4     index of the record in its append
    24      4     count of records in the append; 0 for an outcome of no events
    28      4     attempt, from 1; failures only
    32      8     sender's time, microseconds since 1970 UTC; decides nothing
    40      8     not_after, milliseconds since 1970 UTC of log time; 0: none
    48      8     delay in milliseconds: until the next attempt (failure), until the run's deadline (start),
                  until it fires (timer), of the lease (claim)
    56      8     fingerprint of the value's Avro schema (CRC-64-AVRO, little-endian), zeros without one
    64      1+1+1+2+2   lengths of causation, reactor, generation, branch, extra
    71      …     causation, reactor, generation, branch, extra, one after the other, to the end
"""

from collections.abc import Collection, Iterable
from enum import IntEnum, IntFlag
from struct import Struct
from typing import Final, NamedTuple

from .errors import UnreadableHeaders
from .ids import OUTSIDE

Header = tuple[str, bytes]
NO_SCHEMA: Final = bytes(8)

_LAYOUT = 1
_FIXED = Struct(">BBH16sIIIqqq8sBBBHH")
_HEAD = _FIXED.size
_pack_fixed = _FIXED.pack
_unpack_fixed = _FIXED.unpack_from
_SPEC: Header = ("ce_specversion", b"1.0")
_NAMES: Final = ("ce_id", "ce_source", "ce_type", "fa")
"""Of the headers behind `_SPEC`, in the order of `pack`."""


class Kind(IntEnum):
    """What a record is. Kinds that a fold version does not know are refused by its fold."""

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
    """What the fold must know of an event beyond its type."""

    END = 1
    """The event is an `End`: the first of a run fixes its result."""
    FINAL_END = 2
    """An `End` declared ``final=True``: what is owed is dropped."""
    COMPENSATE = 4
    """An `End` declared ``compensate=True``, or an outcome that can be compensated."""
    LAST = 8
    """A failure after which there is no further attempt."""
    NO_REACTOR = 16
    """The event's type is declared to want no reactor; it is never shown as unserved."""
    CODED = 32
    """The value went through a payload codec after it was encoded."""
    FANOUT = 64
    """The outcome is a fan-out; ``branch`` of its first record holds the types that its branches may begin with."""
    AFTER = 128
    """The record of an outcome sets a timer; with `ASK`, what the decision right before it becomes if nobody answers."""
    ASK = 256
    """The record of an outcome is a decision, a question to people."""
    CHILD = 512
    """The record of an outcome bears a child run."""
    OF_SCHEDULE = 1024
    """The key of a message is a schedule's name, and not a run's id."""
    EDITED = 2048
    """A retry that carries the step's new input."""


class Envelope(NamedTuple):
    """A record's headers, read.

    Ids, reactor, generation, branch and type are kept as the bytes of the wire: the fold compares and never prints
    them.
    """

    kind: int
    flags: int
    append: bytes
    index: int  # type: ignore[assignment]  # the wire's word, not tuple.index
    count: int  # type: ignore[assignment]  # likewise
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
    id: bytes
    type: bytes
    source: bytes

    def headers(self) -> list[Header]:
        """The envelope as the headers of a record."""
        return pack(**self._asdict())


_OUTCOME: Final = int(Kind.OUTCOME)
_KINDS: Final = frozenset(int(k) for k in Kind)
_DERIVED: Final = frozenset((_OUTCOME, int(Kind.FAILURE)))
"""Kinds whose ids are derived; all others have ids from outside."""
_new: Final = tuple.__new__


def pack(
    *,
    kind: int,
    id: bytes,
    type: bytes,
    source: bytes,
    append: bytes,
    sent: int,
    flags: int = 0,
    index: int = 0,
    count: int = 1,
    attempt: int = 0,
    not_after: int = 0,
    delay: int = 0,
    schema: bytes = NO_SCHEMA,
    causation: bytes = b"",
    reactor: bytes = b"",
    generation: bytes = b"",
    branch: bytes = b"",
    extra: bytes = b"",
) -> list[Header]:
    """The headers of one record.

    Raises:
        struct.error: a number or a name does not fit its field.
    """
    fixed = _pack_fixed(
        _LAYOUT, kind, flags, append, index, count, attempt, sent, not_after, delay, schema,
        len(causation), len(reactor), len(generation), len(branch), len(extra),
    )  # fmt: skip
    return [
        _SPEC,
        ("ce_id", id),
        ("ce_source", source),
        ("ce_type", type),
        ("fa", fixed + causation + reactor + generation + branch + extra),
    ]


def pack_outcome(
    id: bytes,
    type: bytes,
    source: bytes,
    append: bytes,
    index: int,
    count: int,
    sent: int,
    flags: int,
    schema: bytes,
    causation: bytes,
    reactor: bytes,
    generation: bytes,
) -> list[Header]:
    """The headers of one record of an outcome: what `pack` gives, without the fields that outcomes never have.

    Most records are outcomes, and a worker packs each of them.
    """
    fixed = _pack_fixed(
        _LAYOUT, _OUTCOME, flags, append, index, count, 0, sent, 0, 0, schema,
        len(causation), len(reactor), len(generation), 0, 0,
    )  # fmt: skip
    return [
        _SPEC,
        ("ce_id", id),
        ("ce_source", source),
        ("ce_type", type),
        ("fa", fixed + causation + reactor + generation),
    ]


def unpack(headers: Collection[Header]) -> Envelope:
    """Read the headers of one record. Headers that are not ours (``traceparent``, …) are passed over.

    Raises:
        UnreadableHeaders: a required header is missing, or ``fa`` does not fit layout 1.
    """
    # Most are as `pack` made them, and need not be looked for.
    as_packed = len(headers) == 1 + len(_NAMES)
    if as_packed:
        _, (n_id, id), (n_source, source), (n_type, type), (n_fa, fa) = headers
        as_packed = (n_id, n_source, n_type, n_fa) == _NAMES
    if not as_packed:
        id, source, type, fa = _look_for(headers)
    if len(fa) < _HEAD or fa[0] != _LAYOUT:
        raise UnreadableHeaders(
            f"header fa is {len(fa)} bytes of layout {fa[0] if fa else '?'}; layout {_LAYOUT} has {_HEAD} or more"
        )
    (
        _, kind, flags, append, index, count, attempt, sent, not_after, delay, schema, c, r, g, b, x,
    ) = _unpack_fixed(fa)  # fmt: skip
    c += _HEAD
    r += c
    g += r
    b += g
    if b + x != len(fa):
        raise UnreadableHeaders(f"header fa is {len(fa)} bytes, its lengths say {b + x}")
    if kind not in _KINDS:
        raise UnreadableHeaders(f"header fa is of kind {kind}, which layout {_LAYOUT} does not know")
    if index >= count and (index or count):
        raise UnreadableHeaders(f"header fa has index {index} of {count}")
    if not id or not type:
        raise UnreadableHeaders("ce_id and ce_type must not be empty")
    if (id[:1] == OUTSIDE) is (kind in _DERIVED):
        raise UnreadableHeaders(f"a record of kind {kind} must {'not ' * (kind in _DERIVED)}have an id from outside")
    return _new(Envelope, (
        kind, flags, append, index, count, attempt, sent, not_after, delay, schema,
        fa[_HEAD:c], fa[c:r], fa[r:g], fa[g:b], fa[b:], id, type, source,
    ))  # fmt: skip


def _look_for(headers: Iterable[Header]) -> Iterable[bytes]:
    """Id, source, type and ``fa``, wherever they stand."""
    found = dict(headers)
    try:
        return [found[name] for name in _NAMES]
    except KeyError:
        # Ours says most: what lacks that is a record of something else.
        lacking = next(name for name in reversed(_NAMES) if name not in found)
        raise UnreadableHeaders(f"the record has no header {lacking}") from None


def packed_schema(fa: bytes, unless: int = 0) -> bytes:
    """The fingerprint of a value's schema in a packed header; none if it has one of these flags, or is not of layout 1."""
    if len(fa) < _HEAD or fa[0] != _LAYOUT or (fa[2] << 8 | fa[3]) & unless:
        return NO_SCHEMA
    return fa[56:64]
