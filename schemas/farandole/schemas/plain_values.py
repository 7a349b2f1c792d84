"""Values without their classes: the fields of any record, by the schemas of its choreography's catalogue."""

import json
from collections.abc import Mapping
from typing import Any, Final

from .avro import Misfit
from .catalogue import PREFIX, read_entry
from .errors import UndecodableValue
from .recorded import OldSchema, read_old_schema
from .schema_numbers import Strangers
from .single_object import HEAD, MAX_VALUE_BYTES, fingerprint_in
from .system_records import SYSTEM_RECORDS

_SYSTEM: Final = {schema.fingerprint: schema for schema in SYSTEM_RECORDS}


class PlainValues:
    """Reads values of events and of system records as plain dicts, for people and tools that lack the classes."""

    def __init__(self) -> None:
        self._schemas: dict[bytes, OldSchema] = {}
        self._strangers = Strangers()

    def learn(self, catalogue: Mapping[bytes, bytes]) -> None:
        """Take note of the schemas in a catalogue's content; what is no schema is passed over."""
        self._strangers.learn(catalogue)
        for key, value in catalogue.items():
            if not key.startswith(PREFIX):
                continue
            try:
                entry = read_entry(key, value)
                if not entry.reads and entry.fingerprint not in self._schemas:
                    self._schemas[entry.fingerprint] = read_old_schema(entry.fingerprint, json.dumps(entry.schema))
            except UndecodableValue:
                continue

    def knows(self, value: bytes) -> bool:
        """Whether the schema of a value has been learnt."""
        try:
            fingerprint = fingerprint_in(self._strangers.plain(value), MAX_VALUE_BYTES)
        except UndecodableValue:
            return False
        return fingerprint in _SYSTEM or fingerprint in self._schemas

    def read(self, value: bytes) -> dict[str, Any]:
        """The fields of a value, without any payload codec.

        Records are dicts that know the names of their types (`avro_name`), enums strings; instants, decimals, UUIDs and
        durations are what Python has for them.

        Raises:
            UndecodableValue: it cannot be read; says why.
        """
        value = self._strangers.plain(value)
        fingerprint = fingerprint_in(value, MAX_VALUE_BYTES)
        system = _SYSTEM.get(fingerprint)
        if system is not None:
            return system.decode(value)
        schema = self._schemas.get(fingerprint)
        if schema is None:
            raise UndecodableValue(f"its schema {fingerprint.hex()} is not in the catalogue")
        try:
            fields: dict[str, Any] = schema.plain(schema.binary.read(value, HEAD))
            return fields
        except Misfit as e:
            raise UndecodableValue(f"{schema.name}: {e}") from e
        except Exception as e:
            raise UndecodableValue(f"{schema.name}: it cannot be read as its schema says ({type(e).__name__})") from e
