"""Derived ids and the partitioner: sections 1 and 3."""

from hashlib import blake2b
from typing import Final

_MASK: Final = 0xFFFFFFFF
_M: Final = 0x5BD1E995


def derived(a: bytes, b: bytes, c: bytes, n: int) -> bytes:
    """``H(a, b, c, n)``, as it stands in `ce_id`."""
    text = b"".join(b"%d:%s" % (len(part), part) for part in (a, b, c)) + b"%d" % n
    return blake2b(text, digest_size=16).hexdigest().encode()


def step_key(run_id: bytes, start_id: bytes, trigger: bytes, reactor: bytes) -> str:
    """The idempotency key that the handler of a step is given."""
    parts = (run_id, start_id, trigger, reactor)
    return blake2b(b"".join(len(p).to_bytes(4, "big") + p for p in parts), digest_size=16).hexdigest()


def partition_of(key: bytes, partitions: int) -> int:
    """Kafka's default partitioner."""
    return (_murmur2(key) & 0x7FFFFFFF) % partitions


def _murmur2(data: bytes) -> int:
    h = 0x9747B28C ^ len(data)
    whole = len(data) & ~3
    for i in range(0, whole, 4):
        k = int.from_bytes(data[i : i + 4], "little") * _M & _MASK
        k = (k ^ k >> 24) * _M & _MASK
        h = (h * _M & _MASK) ^ k
    if rest := data[whole:]:
        h = (h ^ int.from_bytes(rest, "little")) * _M & _MASK
    h = (h ^ h >> 13) * _M & _MASK
    return h ^ h >> 15
