"""Records that the framework itself writes: Avro values with fixed schemas, and no classes.

Their schemas are part of the log protocol. One that must change keeps its earlier forms as ``older``, and is read by
the form that it was written with; what reads it fills in what an older form lacks.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from .avro import fingerprint_of
from .avro.binary import Binary
from .avro.limits import check_schema
from .avro.node import Misfit
from .errors import EncodingError, UndecodableValue
from .single_object import HEAD, MARK, fingerprint_in

MAX_SYSTEM_BYTES = 1024 * 1024


class SystemSchema:
    """The schema of one kind of system record."""

    def __init__(
        self, name: str, fields: Sequence[Mapping[str, Any]], *, doc: str = "", older: Sequence["SystemSchema"] = ()
    ) -> None:
        """
        Args:
            name: without its namespace, ``farandole``.
            fields: Avro field definitions; types with names of their own are given their full names.
            older: the forms it had before, the newest first.
        """
        self.name = f"farandole.{name}"
        schema: dict[str, Any] = {"type": "record", "name": self.name, "doc": doc, "fields": [dict(f) for f in fields]}
        check_schema(schema)
        self.schema_json = json.dumps(schema, separators=(",", ":"))
        """The Avro schema as compact JSON."""
        self.fingerprint = fingerprint_of(schema)
        """Eight bytes, as they stand in the value and in the header."""
        self._binary = Binary(schema)
        self._forms = {form.fingerprint: form._binary for form in (self, *older)}
        self._defaults = {field["name"]: field["default"] for field in schema["fields"] if "default" in field}
        self._fields = frozenset(field["name"] for field in schema["fields"])

    def __repr__(self) -> str:
        return f"SystemSchema({self.name!r})"

    def encode(self, fields: Mapping[str, Any]) -> bytes:
        """A record as single-object encoding. Fields with a default can be left out.

        Raises:
            EncodingError: a field is unknown, missing, or not of its type.
        """
        unknown = sorted(fields.keys() - self._fields)
        if unknown:
            raise EncodingError(f"{self.name}: it has no field '{unknown[0]}'; its fields are {sorted(self._fields)}")
        try:
            return self._binary.write(MARK + self.fingerprint, {**self._defaults, **fields})
        except Misfit as e:
            raise EncodingError(f"{self.name}: {e}") from e

    def decode(self, value: bytes | None) -> dict[str, Any]:
        """The fields of a record, of this form or an older one.

        Raises:
            UndecodableValue: the bytes are not such a record.
        """
        if value is None:
            raise UndecodableValue(f"{self.name}: the record has no value")
        binary = self._forms.get(fingerprint_in(value, MAX_SYSTEM_BYTES))
        if binary is None:
            raise UndecodableValue(
                f"{self.name}: it was written with schema {value[2:HEAD].hex()}, which this release does not know; "
                "deploy a newer one"
            )
        try:
            fields: dict[str, Any] = binary.read(value, HEAD)
        except Misfit as e:
            raise UndecodableValue(f"{self.name}: {e}") from e
        return {**self._defaults, **fields} if binary is not self._binary else fields
