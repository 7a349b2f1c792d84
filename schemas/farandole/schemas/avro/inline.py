"""From a schema of names and their definitions to one document, as Avro wants it: defined where first named."""

from collections.abc import Mapping
from typing import Any

from .node import Schema


def inline(schema: Schema, definitions: Mapping[str, dict[str, Any]]) -> Any:
    """The schema with each name replaced by its definition at the first place, in the order of reading."""
    return _inline(schema, definitions, set())


def _inline(schema: Schema, definitions: Mapping[str, dict[str, Any]], seen: set[str]) -> Any:
    if isinstance(schema, str):
        if schema not in definitions or schema in seen:
            return schema
        seen.add(schema)
        return _inline(definitions[schema], definitions, seen)
    if isinstance(schema, list):
        return [_inline(branch, definitions, seen) for branch in schema]
    found = dict(schema)
    if "fields" in found:
        found["fields"] = [{**field, "type": _inline(field["type"], definitions, seen)} for field in found["fields"]]
    for part in ("items", "values"):
        if part in found:
            found[part] = _inline(found[part], definitions, seen)
    return found


def definitions_of(schema: Schema) -> dict[str, dict[str, Any]]:
    """The named types that a whole schema defines, by full name."""
    found: dict[str, dict[str, Any]] = {}

    def walk(part: Schema) -> None:
        if isinstance(part, list):
            for branch in part:
                walk(branch)
        elif isinstance(part, dict):
            if "name" in part:
                found[part["name"]] = part
            for field in part.get("fields", ()):
                walk(field["type"])
            for inner in ("items", "values"):
                if inner in part:
                    walk(part[inner])

    walk(schema)
    return found
