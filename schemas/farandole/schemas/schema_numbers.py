"""The numbers that schema registries gave to schemas, as a choreography's catalogue keeps them.

    number/<registry>/<number>    {"fingerprint": "<16 hex digits>", "name": "<the record's full name>"}

where ``registry`` is a digest of the registry's URL.
"""

import json
from collections.abc import Mapping
from typing import Final, NamedTuple

from .errors import UndecodableValue
from .single_object import HEAD, MARK

NUMBERS: Final = b"number/"
MAGIC: Final = b"\0"
"""How a value in Confluent's wire format begins; the number of its schema follows, in four bytes, and the datum."""
FRAME: Final = 5
_MOST: Final = 2**31


class Number(NamedTuple):
    """A number in the catalogue."""

    registry: str
    number: int
    fingerprint: bytes
    name: str


def frame_of(number: int) -> bytes:
    """What stands before a datum of the schema with this number.

    Raises:
        ValueError: no registry gives such a number.
    """
    if not 0 <= number < _MOST:
        raise ValueError(f"{number} is no schema's number")
    return MAGIC + number.to_bytes(4, "big")


def number_in(value: bytes | None) -> int | None:
    """The number that a value bears; None for one in single-object encoding, or none at all."""
    if value is None or len(value) < FRAME or value[:1] != MAGIC:
        return None
    return int.from_bytes(value[1:FRAME], "big")


def read_number(key: bytes, value: bytes) -> Number:
    """An entry of the catalogue.

    Raises:
        UndecodableValue: it is not laid out as one.
    """
    try:
        _, registry, number = key.decode().split("/")
        found = json.loads(value)
        fingerprint = bytes.fromhex(found["fingerprint"])
        if len(fingerprint) != HEAD - len(MARK) or len(frame_of(int(number))) != FRAME:
            raise ValueError
        return Number(registry, int(number), fingerprint, str(found["name"]))
    except (ValueError, KeyError, TypeError, RecursionError) as e:
        raise UndecodableValue(
            f"the catalogue's entry {key.decode('utf-8', 'replace')!r} is no schema's number; remove it"
        ) from e


class Strangers:
    """Values of other programs, which bear a number and no fingerprint: one form of them is made of the other.

    Registries number for themselves. A number that two of them gave to different schemas says nothing.
    """

    def __init__(self) -> None:
        self._schemas: dict[int, bytes | None] = {}

    def learn(self, catalogue: Mapping[bytes, bytes]) -> None:
        """Take note of the numbers in a catalogue; what is none is passed over."""
        for key, value in catalogue.items():
            if not key.startswith(NUMBERS):
                continue
            try:
                found = read_number(key, value)
            except UndecodableValue:
                continue
            if self._schemas.setdefault(found.number, found.fingerprint) != found.fingerprint:
                self._schemas[found.number] = None

    def plain(self, value: bytes) -> bytes:
        """A value in single-object encoding, whichever form it had.

        Raises:
            UndecodableValue: its number is not known.
        """
        number = number_in(value)
        if number is None:
            if value[:1] == MAGIC:
                raise UndecodableValue("the value is too short to be in any encoding")
            return value
        schema = self._schemas.get(number)
        if schema is None:
            raise UndecodableValue(
                f"it was written with schema number {number} of a schema registry, which the catalogue does not name, or "
                "names twice; set FARANDOLE_REGISTRY to the registry that the writer has"
            )
        return MARK + schema + value[FRAME:]
