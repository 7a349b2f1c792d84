"""Schemas that events were recorded with and that no class here has any more."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .avro import VERSION, Derived, Misfit, Unsayable, fingerprint_of
from .avro.binary import Binary
from .avro.limits import MAX_SCHEMA_BYTES, check_schema
from .avro.node import Convert
from .avro.plain import plain_reader
from .errors import UndecodableValue
from .single_object import HEAD
from .upcast import Upcaster


@dataclass(frozen=True, eq=False)
class OldSchema:
    """A schema from the catalogue, with the way from its bytes to events of today's class."""

    name: str
    version: int
    binary: Binary
    plain: Convert

    def event(self, today: Derived, upcasters: Mapping[int, Upcaster], value: bytes) -> Any:
        """The event that a value of this schema is today.

        Fields are matched by name. Of the same version, fields that are no more are left out, and new ones get their
        defaults, as Avro resolves schemas; from a lower one, the upcasters say what becomes of the fields.

        Raises:
            Misfit: the value, or what the upcasters made of it, does not fit.
            UndecodableValue: an upcaster failed.
        """
        fields: dict[str, Any] = self.plain(self.binary.read(value, HEAD))
        for version in range(self.version, today.version):
            fields = _upcast(today, version, upcasters[version], fields)
        if self.version < today.version:
            unknown = sorted(fields.keys() - today.fields)
            if unknown:
                raise Misfit(f"is no field of version {today.version}, but the upcasters leave it", f".{unknown[0]}")
        lift = today.node.lift
        return fields if lift is None else lift(fields)


def _upcast(today: Derived, version: int, upcaster: Upcaster, fields: dict[str, Any]) -> dict[str, Any]:
    try:
        made: object = upcaster(fields)
    except Exception as e:
        raise UndecodableValue(
            f"{today.name}: its upcaster from version {version} raised {type(e).__name__}; correct it, deploy, then retry"
        ) from e
    if not isinstance(made, dict):
        raise UndecodableValue(
            f"{today.name}: its upcaster from version {version} returned a {type(made).__name__} instead of a dict"
        )
    return made


def read_old_schema(fingerprint: bytes, text: str) -> OldSchema:
    """A schema from the catalogue.

    Raises:
        UndecodableValue: it is no schema of an event, has another fingerprint, or could be used to exhaust readers.
    """
    what = f"schema {fingerprint.hex()} of the catalogue"
    if len(text) > MAX_SCHEMA_BYTES:
        raise UndecodableValue(f"{what} is larger than {MAX_SCHEMA_BYTES} bytes")
    try:
        schema = json.loads(text)
        if not isinstance(schema, dict) or schema.get("type") != "record":
            raise UndecodableValue(f"{what} is not that of a record")
        version = schema.get(VERSION, 1)
        check_schema(schema)
        found = OldSchema(schema["name"], version, Binary(schema), plain_reader(schema))
        right = isinstance(version, int) and fingerprint_of(schema) == fingerprint
    except Unsayable as e:
        raise UndecodableValue(f"{what} is not safe to read with: {e}") from e
    except UndecodableValue:
        raise
    except Exception as e:
        raise UndecodableValue(f"{what} cannot be read ({type(e).__name__})") from e
    if not right:
        raise UndecodableValue(f"{what} has another fingerprint: the entry was changed, or is not one of Farandole's")
    return found
