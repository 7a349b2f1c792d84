"""Which partition a key belongs to: Kafka's default partitioner, so that any client can start a run."""

from struct import unpack_from
from typing import Final

_SEED: Final = 0x9747B28C
_M: Final = 0x5BD1E995
_MASK: Final = 0xFFFF_FFFF


def partition_of(key: bytes, partitions: int) -> int:
    """Kafka's default partitioner: the lower 31 bits of `murmur2` of the key, modulo the number of partitions."""
    return 0 if partitions == 1 else (murmur2(key) & 0x7FFF_FFFF) % partitions


def murmur2(key: bytes) -> int:
    """MurmurHash2 (Austin Appleby), 32 bits, with the seed of Kafka's Java client (``Utils.murmur2``).

    aiokafka's own takes the bytes one by one, five times as long, and a fold asks for every start that it reads.
    """
    length = len(key)
    words, rest = divmod(length, 4)
    h = _SEED ^ length
    for k in unpack_from(f"<{words}I", key):
        k = k * _M & _MASK
        h = h * _M & _MASK ^ (k ^ k >> 24) * _M & _MASK
    if rest:
        h = (h ^ int.from_bytes(key[-rest:], "little")) * _M & _MASK
    h = (h ^ h >> 13) * _M & _MASK
    return h ^ h >> 15
