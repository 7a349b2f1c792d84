"""The rolling digest of a partition: one number that two folds share exactly when they judged every record alike."""

from typing import Final

EMPTY: Final = 0xCBF2_9CE4_8422_2325
_BASE: Final = 0x3FFF_FFDD
"""The largest prime below 2^30."""
_MODULUS: Final = 0xFFFF_FFFF_FFFF_FFC5
"""The largest prime below 2^64."""
_number: Final = int.from_bytes


def roll(digest: int, offset: int, append: bytes, verdict: int) -> int:
    """The digest after one more record.

    A polynomial over the field of `_MODULUS`, evaluated at `_BASE` (Rabin and Karp's): what once differs differs for good, and
    folds that differ in an offset or a verdict alone differ for certain. Every reader pays this for every record, and
    wide multiplications are what is dear in it.
    """
    return (digest * _BASE + _number(append, "big") + offset * 256 + verdict) % _MODULUS
