"""Ids of closed runs, so that starting one of them again makes no second run.

A keyed 16-byte hash of each id, packed in an open-addressing table of plain bytes: 100,000 closed runs an hour would
otherwise cost a day's worth of Python objects. Ids go into buckets of log time, and a bucket is forgotten as a whole,
so what is remembered is a function of the log alone.
"""

from collections import deque
from collections.abc import Iterator
from hashlib import blake2b

_SIZE = 16
_EMPTY = bytes(_SIZE)
_SPANS = 24
"""Into how many buckets the dedup window is cut."""


class ClosedIds:
    """The closed runs of one partition within the dedup window, or the last ``most`` of them, whichever is less.

    Args:
        key: at most 64 bytes that go into each hash (the log id), so that no one can choose ids that collide.
    """

    __slots__ = ("_buckets", "_key", "_total")

    def __init__(self, key: bytes = b"") -> None:
        self._key = key
        self._buckets: deque[Bucket] = deque()
        self._total = 0

    def rekey(self, key: bytes) -> None:
        """Take the log id, before the first id is added."""
        if not self._buckets:
            self._key = key

    def add(self, run_id: bytes, log_time: int, window: int, most: int) -> None:
        """Remember a run that closes at ``log_time``; what no longer fits goes, a bucket at a time."""
        newest = self._buckets[-1] if self._buckets else None
        if newest is None or log_time >= newest.opened + window // _SPANS or len(newest) >= max(most // _SPANS, 1):
            newest = Bucket(log_time)
            self._buckets.append(newest)
        newest.newest = log_time
        self._total += newest.add(self._hash(run_id))
        while self._total > most:
            self._total -= len(self._buckets.popleft())

    def forget(self, log_time: int, window: int) -> None:
        """Drop every bucket whose last id is older than the window."""
        while self._buckets and self._buckets[0].newest + window < log_time:
            self._total -= len(self._buckets.popleft())

    def __contains__(self, run_id: bytes) -> bool:
        """Whether the run was closed within the window, to the bucket."""
        h = self._hash(run_id)
        place, bit = _in_filter(h)
        # Every start asks every bucket, and nearly always in vain.
        for bucket in self._buckets:  # noqa: SIM110
            if bucket.filter[place & bucket.mask] & bit and h in bucket:
                return True
        return False

    def __len__(self) -> int:
        return self._total

    def __iter__(self) -> "Iterator[Bucket]":
        return iter(self._buckets)

    @property
    def key(self) -> bytes:
        """What goes into each hash."""
        return self._key

    def restore(self, bucket: "Bucket") -> None:
        """Take one bucket of a checkpoint, the oldest first."""
        self._buckets.append(bucket)
        self._total += len(bucket)

    def _hash(self, run_id: bytes) -> bytes:
        return blake2b(run_id, digest_size=_SIZE, key=self._key).digest()


class Bucket:
    """A set of 16-byte hashes in one `bytearray`, by linear probing, at most two thirds full."""

    __slots__ = ("_count", "_table", "filter", "mask", "newest", "opened")

    def __init__(self, opened: int) -> None:
        self.opened = opened
        """Log time of the first id, in milliseconds."""
        self.newest = opened
        """Log time of the last id, in milliseconds."""
        self._count = 0
        self._clear(16)

    @classmethod
    def of(cls, opened: int, newest: int, hashes: bytes) -> "Bucket":
        """A bucket of these hashes, one behind the other."""
        bucket = cls(opened)
        bucket.newest = newest
        slots = len(bucket.filter)
        while len(hashes) // _SIZE * 3 > slots * 2:
            slots *= 4
        bucket._clear(slots)
        for at in range(0, len(hashes), _SIZE):
            bucket.add(hashes[at : at + _SIZE])
        return bucket

    def copy(self) -> "Bucket":
        """A bucket that stays as this one is now."""
        bucket = Bucket(self.opened)
        bucket.newest, bucket._count, bucket.mask = self.newest, self._count, self.mask
        bucket._table, bucket.filter = self._table[:], self.filter[:]
        return bucket

    def __len__(self) -> int:
        return self._count

    def __contains__(self, h: bytes) -> bool:
        return self._table[(at := self._find(h)) : at + _SIZE] == h

    def __iter__(self) -> Iterator[bytes]:
        """All hashes, in no order that matters."""
        for at in range(0, len(self._table), _SIZE):
            if (h := bytes(self._table[at : at + _SIZE])) != _EMPTY:
                yield h

    def add(self, h: bytes) -> bool:
        """Add a hash; False if it was there."""
        at = self._find(h)
        if self._table[at : at + _SIZE] == h:
            return False
        self._put(at, h)
        self._count += 1
        slots = len(self.filter)
        if self._count * 3 > slots * 2:
            held = list(self)
            self._clear(slots * 4)
            for other in held:
                self._put(self._find(other), other)
        return True

    def _clear(self, slots: int) -> None:
        self._table = bytearray(slots * _SIZE)
        self.filter = bytearray(slots)
        """Eight bits for each slot, of which each hash sets one: most that are not here need not be looked for."""
        self.mask = slots - 1
        """What of a hash's place holds in a bucket of this size."""

    def _put(self, at: int, h: bytes) -> None:
        self._table[at : at + _SIZE] = h
        place, bit = _in_filter(h)
        self.filter[place & self.mask] |= bit

    def _find(self, h: bytes) -> int:
        """Where the hash is, or the free place where it would go."""
        mask = self.mask
        slot = int.from_bytes(h[:8], "big") & mask
        table = self._table
        while (held := table[slot * _SIZE : slot * _SIZE + _SIZE]) != h and held != _EMPTY:
            slot = (slot + 1) & mask
        return slot * _SIZE


def _in_filter(h: bytes) -> tuple[int, int]:
    """The byte, modulo the filter's length, and the bit in it."""
    number = int.from_bytes(h[8:], "big")
    return number >> 3, 1 << (number & 7)
