"""What records say in ``extra`` of runs and those that bore them: section 16 and 17 of ``docs/protocol.md``.

Each kind of content is one class, which packs itself and is read back; what does not fit reads as None.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple, Self

MOST_NAME: Final = 255
"""Bytes of an id or a name."""
_LAYOUT: Final = 1
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Birth(NamedTuple):
    """What the record of an outcome says that bears a child."""

    detach: bool
    choreography: bytes
    """Empty: that of the record."""
    run_id: bytes
    """Empty: the record's own id."""
    type: bytes
    """Wire name of its start."""

    def pack(self) -> bytes:
        return bytes((self.detach,)) + _u8s(self.choreography) + _u8s(self.run_id) + self.type

    @classmethod
    def read(cls, extra: bytes) -> Self | None:
        if len(extra) < 4 or extra[0] > 1:
            return None
        choreography, rest = _cut(extra[1:])
        run_id, type = _cut(rest)
        return cls(extra[0] == 1, choreography, run_id, type) if 0 < len(type) <= MOST_NAME else None


class Sender(NamedTuple):
    """Who sends a start, or the cancel of a child."""

    of_schedule: bool
    detached: bool
    depth: int
    """How many runs lie above the one that is started."""
    offset: int
    """Of the record that bore it, in the sender's partition."""
    choreography: bytes
    """Empty: that of the record."""
    key: bytes
    """The run, or the schedule, that sends it."""

    def pack(self) -> bytes:
        flags = self.of_schedule | self.detached << 1
        depth = min(self.depth, 0xFFFF).to_bytes(2, "big")
        return bytes((_LAYOUT, flags)) + depth + _u64(self.offset) + _u8s(self.choreography) + self.key

    @classmethod
    def read(cls, extra: bytes) -> Self | None:
        if len(extra) < 14 or extra[0] != _LAYOUT:
            return None
        choreography, key = _cut(extra[12:])
        if not 0 < len(key) <= MOST_NAME:
            return None
        depth, offset = int.from_bytes(extra[2:4], "big"), int.from_bytes(extra[4:12], "big")
        return cls(bool(extra[1] & 1), bool(extra[1] & 2), depth, offset, choreography, key)


class News(NamedTuple):
    """What a child tells whoever bore it."""

    flags: int
    """`PARKED`, `CANCELLED`, `OUT_OF_TIME`."""
    n: int
    """The number of the message among those about this child."""
    offset: int
    """Of the record that bore it, in the partition that it tells."""
    choreography: bytes
    """The child's; empty: that of the record."""
    run_id: bytes
    event: bytes
    """Id of its End; empty if it has none."""
    type: bytes
    """Wire name of its End, or else of its start."""

    def pack(self) -> bytes:
        head = bytes((_LAYOUT, self.flags)) + self.n.to_bytes(4, "big") + _u64(self.offset) + _u8s(self.choreography)
        return head + len(self.run_id).to_bytes(2, "big") + self.run_id + _u8s(self.event) + self.type

    @classmethod
    def read(cls, extra: bytes) -> Self | None:
        if len(extra) < 18 or extra[0] != _LAYOUT:
            return None
        choreography, rest = _cut(extra[14:])
        length = int.from_bytes(rest[:2], "big")
        run_id, rest = rest[2 : 2 + length], rest[2 + length :]
        event, type = _cut(rest)
        if not 0 < len(type) <= MOST_NAME or not run_id:
            return None
        n, offset = int.from_bytes(extra[2:6], "big"), int.from_bytes(extra[6:14], "big")
        return cls(extra[1], n, offset, choreography, run_id, event, type)


PARKED: Final = 1
"""A step of the child is parked; it may yet go on."""
CANCELLED: Final = 2
OUT_OF_TIME: Final = 4


class Judged(NamedTuple):
    """What became of a message where it was delivered."""

    verdict: int
    offset: int
    """Of the record that bore the child, in the sender's partition."""

    def pack(self) -> bytes:
        return bytes((self.verdict,)) + _u64(self.offset)

    @classmethod
    def read(cls, extra: bytes) -> Self | None:
        return cls(extra[0], int.from_bytes(extra[1:], "big")) if len(extra) == 9 else None


class Ticked(NamedTuple):
    """What a tick of a schedule says."""

    ms: int
    """The tick, in milliseconds since 1970 UTC."""
    overlap: int
    """`SKIP`, `ALLOW`, `QUEUE` or `REPLACE`: what becomes of it while a run of the schedule is open."""
    type: bytes
    """Wire name of the start."""

    def pack(self) -> bytes:
        return _u64(self.ms) + bytes((self.overlap,)) + self.type

    @classmethod
    def read(cls, extra: bytes) -> Self | None:
        if len(extra) < 10 or extra[8] > REPLACE or not 0 < len(extra) - 9 <= MOST_NAME:
            return None
        ms = int.from_bytes(extra[:8], "big")
        return cls(ms, extra[8], extra[9:]) if ms <= _LAST_TICK else None


SKIP: Final = 0
ALLOW: Final = 1
QUEUE: Final = 2
REPLACE: Final = 3
OVERLAPS: Final[Mapping[str, int]] = {"skip": SKIP, "allow": ALLOW, "queue": QUEUE, "replace": REPLACE}
"""By the words of those who declare schedules."""
MOST_SCHEDULE: Final = 234
"""Bytes of a schedule's name: with a tick behind it, it is the id of a run."""
_LAST_TICK: Final = 253_402_300_799_999
"""The last one of the year 9999."""


def scheduled_run(schedule: bytes, ms: int) -> bytes:
    """The id of the run that a tick of a schedule starts, such as ``night@2026-01-01T02:00:00Z``."""
    tick = _EPOCH + timedelta(seconds=ms // 1000)
    return schedule + b"@" + tick.strftime("%Y-%m-%dT%H:%M:%SZ").encode()


def _u8s(value: bytes) -> bytes:
    return len(value).to_bytes(1, "big") + value


def _u64(number: int) -> bytes:
    return number.to_bytes(8, "big")


def _cut(rest: bytes) -> tuple[bytes, bytes]:
    """What stands behind its length in one byte, and what follows."""
    length = rest[0] if rest else 0
    return rest[1 : 1 + length], rest[1 + length :]
