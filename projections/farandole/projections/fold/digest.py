"""The rolling digest of a partition: one number that two folds share exactly when they judged every record alike."""

_MASK = 0xFFFF_FFFF_FFFF_FFFF
_PRIME = 0x100_0000_01B3
EMPTY = 0xCBF2_9CE4_8422_2325


def roll(digest: int, offset: int, append: bytes, verdict: int) -> int:
    """The digest after one more record.

    FNV-1a (Fowler, Noll, Vo) with a 64-bit state over four 64-bit big-endian words in place of octets: the offset, the
    two halves of ``append``, the verdict.
    """
    ids = int.from_bytes(append, "big")
    digest = ((digest ^ offset) * _PRIME) & _MASK
    digest = ((digest ^ (ids >> 64)) * _PRIME) & _MASK
    digest = ((digest ^ (ids & _MASK)) * _PRIME) & _MASK
    return ((digest ^ verdict) * _PRIME) & _MASK
