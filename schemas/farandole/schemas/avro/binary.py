"""Avro's binary encoding under one schema: the bytes of a datum, and the datum of bytes. By fastavro, but for what is
flat and usual.
"""

from collections.abc import Callable
from functools import lru_cache
from io import BytesIO
from typing import Any, Final, cast

from fastavro import parse_schema, schemaless_reader, schemaless_writer
from fastavro.schema import fingerprint, to_parsing_canonical_form

from .flat import Flat
from .inline import definitions_of
from .limits import is_recursive
from .locate import misfit
from .node import Misfit, Schema
from .scan import scan

_KEPT: Final = frozenset({"type", "name", "fields", "items", "values", "symbols", "size"})


class Binary:
    """Writes and reads data of one schema. All conversions of logical types but dates are left to `Node`."""

    def __init__(self, schema: dict[str, Any]) -> None:
        """
        Args:
            schema: a whole record schema, with full names throughout.
        """
        self._bare: Any = _bare(schema)
        self._parsed: Any = parse_schema(self._bare)
        self._definitions = definitions_of(schema)
        self._recursive = is_recursive(schema)
        self._flat = Flat.of(self._bare)

    def write(self, head: bytes, datum: Any) -> bytes:
        """``head`` and the datum's bytes.

        Raises:
            Misfit: the datum does not fit the schema.
        """
        if self._flat is not None and (flat := self._flat.write(head, datum)) is not None:
            return flat
        out = BytesIO()
        out.write(head)
        try:
            schemaless_writer(out, self._parsed, datum)
        except Exception as e:
            # fastavro quotes the value in some of its errors, so they are not passed on.
            found = misfit(self._bare, self._definitions, datum)
            path, reason = found or ("", f"cannot be written ({type(e).__name__})")
            raise Misfit(reason, path) from None
        value = out.getvalue()
        if self._recursive:
            scan(self._bare, self._definitions, value, len(head))
        return value

    def read(self, value: bytes, at: int) -> Any:
        """The datum that begins at ``at`` and takes the rest of the value.

        Raises:
            Misfit: the bytes are not such a datum, or others follow it.
        """
        if self._flat is not None and (flat := self._flat.read(value, at)) is not None:
            return flat
        if self._recursive:
            scan(self._bare, self._definitions, value, at)
        source = BytesIO(value)
        source.seek(at)
        try:
            datum: Any = schemaless_reader(source, self._parsed, None, return_named_type=True)
        except (EOFError, IndexError) as e:
            raise Misfit("is cut short, or of another schema") from e
        except Exception as e:
            raise Misfit(f"cannot be read under its schema ({type(e).__name__})") from e
        if source.tell() != len(value):
            raise Misfit(f"has {len(value) - source.tell()} bytes too many")
        return datum


def canonical_form(schema: dict[str, Any]) -> str:
    """Avro's Parsing Canonical Form."""
    return cast(Callable[[Any], str], to_parsing_canonical_form)(schema)


@lru_cache(maxsize=4096)
def crc64(text: str) -> bytes:
    """CRC-64-AVRO of a text, as the eight bytes that stand in a value (little-endian)."""
    return bytes.fromhex(fingerprint(text, "CRC-64-AVRO"))


def _bare(schema: Schema) -> Schema:
    if isinstance(schema, str):
        return schema
    if isinstance(schema, list):
        return [_bare(branch) for branch in schema]
    kept: dict[str, Any] = {key: value for key, value in schema.items() if key in _KEPT}
    if "fields" in kept:
        kept["fields"] = [{"name": field["name"], "type": _bare(field["type"])} for field in kept["fields"]]
    for inner in ("items", "values"):
        if inner in kept:
            kept[inner] = _bare(kept[inner])
    if schema.get("logicalType") == "date":
        kept["logicalType"] = "date"
    elif set(kept) == {"type"}:
        return cast(Schema, kept["type"])
    return kept
