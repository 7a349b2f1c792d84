"""The catalogue: Avro schemas by fingerprint, and values decoded by them. Sections 7 and 8."""

import io
import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

import fastavro
from fastavro.schema import fingerprint, to_parsing_canonical_form

from .wire import HEAD_OF_NUMBERED, NUMBERED, SINGLE_OBJECT

MAGIC: Final = SINGLE_OBJECT
MOST_SYSTEM: Final = 1024 * 1024
_PREFIX: Final = b"schema/"
_NUMBERS: Final = b"number/"


class Undecodable(Exception):
    """A value that the catalogue's schemas do not explain."""


class Catalogue:
    """The compacted table, as its keys and values.

    Attributes:
        wrong: what is not right in it, one line each.
    """

    def __init__(self, table: Mapping[bytes, bytes]) -> None:
        self.wrong: list[str] = []
        self._json: dict[bytes, dict[str, Any]] = {}
        self._parsed: dict[bytes, Any] = {}
        self._numbers: dict[int, set[bytes]] = {}
        self.learn(table)

    def learn(self, table: Mapping[bytes, bytes]) -> None:
        """Take in the table as it is now: a release may have put schemas meanwhile."""
        self.wrong = []
        for key, value in table.items():
            if key.startswith(_NUMBERS):
                number = int(key.rpartition(b"/")[2])
                self._numbers.setdefault(number, set()).add(bytes.fromhex(json.loads(value)["fingerprint"]))
            if not key.startswith(_PREFIX):
                continue
            entry = json.loads(value)
            schema, named = entry["schema"], bytes.fromhex(entry["fingerprint"])
            if (true := fingerprint_of(schema)) != named:
                self.wrong.append(f"{key.decode()}: the fingerprint is {true.hex()}, not {named.hex()}")
            if "reads" in entry:
                continue
            self._json[named] = schema
            self._parsed[named] = fastavro.parse_schema(schema)

    def __len__(self) -> int:
        return len(self._json)

    def fingerprints(self) -> Iterable[bytes]:
        return self._json.keys()

    def name(self, schema: bytes) -> str:
        """The full name of the record that a fingerprint stands for."""
        return str(self._parsed[schema]["name"])

    def decode(self, value: bytes | None, schema: bytes | None = None) -> Any:
        """What a value says.

        Args:
            schema: the fingerprint that its header names.

        Raises:
            Undecodable: no such schema, another one than the header says, or bytes that do not fit or are left over.
        """
        if value is not None and (numbered := self.numbered(value)) is not None:
            value, schema = MAGIC + numbered + value[HEAD_OF_NUMBERED:], None
        if value is None or value[:2] != MAGIC or len(value) < 10:
            raise Undecodable("no Avro single-object encoding")
        named = value[2:10]
        if schema is not None and schema != named:
            raise Undecodable(f"the header names the schema {schema.hex()}, the value {named.hex()}")
        if named not in self._parsed:
            raise Undecodable(f"the catalogue has no schema {named.hex()}")
        body = io.BytesIO(value[10:])
        try:
            decoded = fastavro.schemaless_reader(body, self._parsed[named], None)
        except Exception as e:  # fastavro raises whatever the bytes lead it to
            raise Undecodable(f"{self.name(named)}: {type(e).__name__}: {e}") from e
        if rest := body.read():
            raise Undecodable(f"{self.name(named)}: {len(rest)} bytes are left over")
        return decoded

    def numbered(self, value: bytes) -> bytes | None:
        """The fingerprint of the schema that a value names by its number; None if it names none so.

        Raises:
            Undecodable: the number stands for no schema, or for several.
        """
        if value[:1] != NUMBERED or len(value) < HEAD_OF_NUMBERED:
            return None
        found = self._numbers.get(int.from_bytes(value[1:HEAD_OF_NUMBERED], "big"), set())
        if len(found) != 1:
            raise Undecodable(f"the number of its schema stands for {len(found)} schemas")
        return min(found)

    def decode_system(self, value: bytes | None, name: str) -> dict[str, Any]:
        """What the value of a system record says.

        Raises:
            Undecodable: it is not of that record's schema, or larger than 1 MiB.
        """
        if value is not None and len(value) > MOST_SYSTEM:
            raise Undecodable(f"a value of {len(value)} bytes")
        if value is not None and value[:2] != MAGIC:
            raise Undecodable("no Avro single-object encoding")
        content: dict[str, Any] = self.decode(value)
        if value is not None and self.name(value[2:10]) != name:
            raise Undecodable(f"{self.name(value[2:10])} instead of {name}")
        return content

    def encode(self, schema: bytes, content: Mapping[str, Any]) -> bytes:
        """The single-object encoding of a content."""
        body = io.BytesIO()
        fastavro.schemaless_writer(body, self._parsed[schema], content)
        return MAGIC + schema + body.getvalue()


def fingerprint_of(schema: dict[str, Any]) -> bytes:
    """CRC-64-AVRO of the parsing canonical form and the version above 1, as it stands in values."""
    form, version = to_parsing_canonical_form(schema), schema.get("farandole.version", 1)
    return bytes.fromhex(fingerprint(form if version <= 1 else f"{form}#{version}", "CRC-64-AVRO"))
