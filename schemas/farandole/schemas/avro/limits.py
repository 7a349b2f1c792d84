"""What a schema may cost its readers, judged before it is used.

Avro lets an array of items that take no bytes be of any length at no cost to its writer: five bytes make a list of 67
million. So no array may have such items. Everything else takes at least a byte an item, which bounds it by the size of
the value. Types that contain themselves can nest as deep as the value is long, which `scan` bounds.
"""

import json
from collections.abc import Mapping
from typing import Any, Final

from .inline import definitions_of
from .node import Schema, Unsayable

MAX_SCHEMA_BYTES: Final = 256 * 1024
MAX_SCHEMA_DEPTH: Final = 64
MAX_VALUE_DEPTH: Final = 64
"""How deep values of types that contain themselves may nest."""


def check_schema(schema: Schema) -> None:
    """Refuse a whole schema that is too large, too deep, or could be used to exhaust its readers.

    Raises:
        Unsayable: with the field.
    """
    if len(json.dumps(schema)) > MAX_SCHEMA_BYTES:
        raise Unsayable(f"its schema is larger than {MAX_SCHEMA_BYTES} bytes", "split it up")
    _check(schema, _without_bytes(definitions_of(schema)), 0)


def is_recursive(schema: Schema) -> bool:
    """Whether a type in a whole schema contains itself."""
    names = {name: _named_in(definition) for name, definition in definitions_of(schema).items()}
    # Takes away what contains no type that is left, until nothing changes: what stays contains itself.
    while True:
        leaves = {name for name, inner in names.items() if not inner & names.keys()}
        if not leaves:
            return bool(names)
        for name in leaves:
            del names[name]


def _named_in(definition: dict[str, Any]) -> set[str]:
    found: set[str] = set()

    def walk(part: Schema) -> None:
        if isinstance(part, str):
            found.add(part)
        elif isinstance(part, list):
            for branch in part:
                walk(branch)
        elif "name" in part:
            found.add(part["name"])
        else:
            for inner in ("items", "values"):
                if inner in part:
                    walk(part[inner])

    for field in definition.get("fields", ()):
        walk(field["type"])
    return found


def _check(schema: Schema, empty: set[str], depth: int) -> None:
    if depth > MAX_SCHEMA_DEPTH:
        raise Unsayable(f"its type is nested more than {MAX_SCHEMA_DEPTH} deep", "make it flatter")
    if isinstance(schema, list):
        for branch in schema:
            _check(branch, empty, depth + 1)
    elif isinstance(schema, dict):
        for field in schema.get("fields", ()):
            try:
                _check(field["type"], empty, depth + 1)
            except Unsayable as e:
                raise e.within(f".{field['name']}") from None
        if "items" in schema and _takes_no_bytes(schema["items"], empty):
            raise Unsayable(
                "a list of items without content would let a few bytes become millions of items",
                "give the items' type a field, or keep their number as an int",
            )
        for inner in ("items", "values"):
            if inner in schema:
                _check(schema[inner], empty, depth + 1)


def _without_bytes(definitions: Mapping[str, dict[str, Any]]) -> set[str]:
    # All named types are taken to be empty until a field says otherwise; a type of nothing but itself stays so.
    empty = {name for name, d in definitions.items() if d["type"] == "record" or d.get("size") == 0}
    while True:
        full = {
            name
            for name in empty
            if not all(_takes_no_bytes(field["type"], empty) for field in definitions[name].get("fields", ()))
        }
        if not full:
            return empty
        empty -= full


def _takes_no_bytes(schema: Schema, empty: set[str]) -> bool:
    if isinstance(schema, list):
        return False
    name = schema if isinstance(schema, str) else schema.get("name", schema["type"])
    return name == "null" or name in empty
