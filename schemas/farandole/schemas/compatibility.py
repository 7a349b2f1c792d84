"""Whether what one schema writes can be read as another: Avro's resolution, and what we add to it.

Avro's own rules leave out logical types, the values of literals and the lengths of tuples. Ours find all that these
rules find, and say where; the checker of the package ``avro`` has the last word, so that schemas pass elsewhere too.
"""

import json
import warnings
from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal, NamedTuple

import avro.schema
from avro.compatibility import ReaderWriterCompatibilityChecker, SchemaCompatibilityType

from .avro.inline import definitions_of
from .avro.node import Schema

Kind = Literal["missing", "type", "symbol", "value", "branch", "name", "logical", "length", "other"]
_PROMOTED: Final = {"int": {"long", "float", "double"}, "long": {"float", "double"}, "float": {"double"}}


class Mismatch(NamedTuple):
    """One reason why a reader cannot read what a writer writes."""

    kind: Kind
    path: str
    """The field, such as ``address.street`` or ``lines[].amount``."""
    reader: str
    """What the reader has there, for people."""
    writer: str
    """What the writer has there, for people."""


def mismatches(reader: dict[str, Any], writer: dict[str, Any]) -> list[Mismatch]:
    """Why not all that ``writer`` writes can be read as ``reader``; empty if it can. Both are whole record schemas."""
    found = list(_Pair(definitions_of(reader), definitions_of(writer)).check(reader, writer, ""))
    if not found:
        found = list(_by_avro(reader, writer))
    return found


class _Pair:
    def __init__(self, reader: Mapping[str, dict[str, Any]], writer: Mapping[str, dict[str, Any]]) -> None:
        self._reader = reader
        self._writer = writer
        self._seen: set[tuple[str, str]] = set()

    def check(self, reader: Schema, writer: Schema, path: str) -> Iterator[Mismatch]:
        reader = self._reader.get(reader, reader) if isinstance(reader, str) else reader
        writer = self._writer.get(writer, writer) if isinstance(writer, str) else writer
        if isinstance(writer, list):
            for branch in writer:
                yield from self._branch(reader, branch, path)
        elif isinstance(reader, list):
            yield from self._branch(reader, writer, path)
        else:
            yield from self._same(reader, writer, path)

    def _branch(self, reader: Schema, writer: Schema, path: str) -> Iterator[Mismatch]:
        options = reader if isinstance(reader, list) else [reader]
        attempts: list[list[Mismatch]] = []
        for option in options:
            seen = set(self._seen)
            problems = list(self.check(option, writer, path))
            if not problems:
                return
            self._seen = seen
            if _label(self._resolved(option, self._reader)) == _label(self._resolved(writer, self._writer)):
                attempts.append(problems)
        if attempts:
            yield from attempts[0]
        else:
            yield Mismatch("branch", path, _show(reader), _show(writer))

    def _same(self, reader: str | dict[str, Any], writer: str | dict[str, Any], path: str) -> Iterator[Mismatch]:
        r, w = _type(reader), _type(writer)
        if r != w and not (r in _PROMOTED.get(w, ()) and _logical(reader) == _logical(writer) == ""):
            yield Mismatch("type", path, _show(reader), _show(writer))
        elif _logical(reader) != _logical(writer):
            yield Mismatch("logical", path, _show(reader), _show(writer))
        elif isinstance(reader, dict) and isinstance(writer, dict) and r in ("record", "enum"):
            yield from self._named(reader, writer, path)
        elif isinstance(reader, dict) and isinstance(writer, dict) and r in ("array", "map"):
            if reader.get("farandole.length", writer.get("farandole.length")) != writer.get("farandole.length"):
                yield Mismatch("length", path, _show(reader), _show(writer))
            inner = "items" if r == "array" else "values"
            yield from self.check(reader[inner], writer[inner], path + "[]")
        elif _logical(reader) == "decimal":
            yield from _decimals(reader, writer, path)
        else:
            yield from _values(reader, writer, path)

    def _named(self, reader: dict[str, Any], writer: dict[str, Any], path: str) -> Iterator[Mismatch]:
        r, w = reader["name"].rpartition(".")[2], writer["name"].rpartition(".")[2]
        if r != w:
            yield Mismatch("name", path, r, w)
            return
        if reader["type"] == "enum":
            for symbol in writer["symbols"]:
                if symbol not in reader["symbols"] and "default" not in reader:
                    yield Mismatch("symbol", path, "", symbol)
            return
        if (reader["name"], writer["name"]) in self._seen:
            return
        self._seen.add((reader["name"], writer["name"]))
        written = {field["name"]: field["type"] for field in writer["fields"]}
        for field in reader["fields"]:
            inner = f"{path}.{field['name']}" if path else field["name"]
            if field["name"] in written:
                yield from self.check(field["type"], written[field["name"]], inner)
            elif "default" not in field:
                yield Mismatch("missing", inner, _show(field["type"]), "")

    @staticmethod
    def _resolved(schema: Schema, definitions: Mapping[str, dict[str, Any]]) -> Schema:
        return definitions.get(schema, schema) if isinstance(schema, str) else schema


def _decimals(reader: Any, writer: Any, path: str) -> Iterator[Mismatch]:
    if reader.get("scale", 0) != writer.get("scale", 0) or reader["precision"] < writer["precision"]:
        yield Mismatch("logical", path, _show(reader), _show(writer))


def _values(reader: Any, writer: Any, path: str) -> Iterator[Mismatch]:
    known = reader.get("farandole.values") if isinstance(reader, dict) else None
    written = writer.get("farandole.values") if isinstance(writer, dict) else None
    if known is None:
        return
    if written is None:
        yield Mismatch("value", path, _show(reader), f"any {_type(writer)}")
        return
    for value in written:
        if value not in known:
            yield Mismatch("value", path, "", repr(value))


def _type(schema: str | dict[str, Any]) -> str:
    return schema if isinstance(schema, str) else str(schema["type"])


def _logical(schema: str | dict[str, Any]) -> str:
    return str(schema.get("logicalType", "")) if isinstance(schema, dict) else ""


def _label(schema: Schema) -> str:
    if isinstance(schema, dict) and "name" in schema:
        return str(schema["name"]).rpartition(".")[2]
    return "union" if isinstance(schema, list) else _type(schema)


def _show(schema: Schema) -> str:
    if isinstance(schema, list):
        return " | ".join(map(_show, schema))
    if isinstance(schema, str):
        return schema.rpartition(".")[2]
    if "name" in schema:
        return str(schema["name"]).rpartition(".")[2]
    if schema["type"] in ("array", "map"):
        length = schema.get("farandole.length")
        size = f" of {length}" if length is not None else ""
        return f"{schema['type']}<{_show(schema['items' if schema['type'] == 'array' else 'values'])}>{size}"
    if schema.get("logicalType") == "decimal":
        return f"decimal({schema['precision']}, {schema.get('scale', 0)})"
    if "farandole.values" in schema:
        return " | ".join(map(repr, schema["farandole.values"]))
    return str(schema.get("logicalType", schema["type"]))


def _by_avro(reader: dict[str, Any], writer: dict[str, Any]) -> Iterator[Mismatch]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # The package does not type its constructor.
        result = ReaderWriterCompatibilityChecker().get_compatibility(  # type: ignore[no-untyped-call]
            avro.schema.parse(json.dumps(_for_avro(reader))), avro.schema.parse(json.dumps(_for_avro(writer)))
        )
    if result.compatibility is not SchemaCompatibilityType.compatible:
        yield Mismatch("other", ", ".join(sorted(result.locations)), "", "; ".join(sorted(result.messages)))


def _for_avro(schema: Any) -> Any:
    # The package has no notion of our logical types, and judges its own by rules that are not the readers'.
    if isinstance(schema, list):
        return [_for_avro(branch) for branch in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {k: v for k, v in schema.items() if k in ("type", "name", "symbols", "size", "default")}
    kept["type"] = _for_avro(schema["type"])
    if "fields" in schema:
        kept["fields"] = [_for_avro(field) for field in schema["fields"]]
    for inner in ("items", "values"):
        if inner in schema:
            kept[inner] = _for_avro(schema[inner])
    return kept
