"""Confluent's wire format: ``00``, the number of the schema in a registry in four bytes, and the Avro datum.

What it carries beside the datum says as much as single-object encoding does where a record's headers name the schema by
its fingerprint. So one form is made of the other without asking anybody, and nobody who reads Farandole's own values
needs a registry.
"""

from collections.abc import Sequence
from typing import Final

from farandole.schemas.envelope import NO_SCHEMA, Flag, Header, packed_schema
from farandole.schemas.schema_numbers import FRAME
from farandole.schemas.single_object import HEAD, MARK

_CODED: Final = int(Flag.CODED)


def named_schema(headers: Sequence[Header]) -> bytes | None:
    """The fingerprint of a value's schema, if headers name one and the value did not go through a payload codec."""
    for name, fa in reversed(headers):
        if name == "fa":
            schema = packed_schema(fa, _CODED)
            return None if schema == NO_SCHEMA else schema
    return None


def framed(value: bytes, frame: bytes) -> bytes:
    """A value in single-object encoding in Confluent's wire format."""
    return frame + value[HEAD:]


def unframed(value: bytes, schema: bytes) -> bytes:
    """A value in Confluent's wire format in single-object encoding."""
    return MARK + schema + value[FRAME:]
