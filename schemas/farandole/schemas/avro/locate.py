"""Finds what fastavro would not write: its own errors name neither the place nor, always, the reason."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from .node import Schema

_LONG = 1 << 63
_TYPES: dict[str, tuple[type, ...]] = {
    "null": (type(None),),
    "boolean": (bool,),
    "double": (float, int),
    "float": (float, int),
    "string": (str,),
    "bytes": (bytes,),
    "array": (list, tuple, set, frozenset),
    "map": (dict,),
    "record": (dict,),
    "int": (int, date),
    "long": (int,),
}


def misfit(schema: Schema, definitions: Mapping[str, dict[str, Any]], datum: Any) -> tuple[str, str] | None:
    """The path to the first datum that does not fit its schema, and the reason; None if all fit."""
    if isinstance(schema, str) and schema in definitions:
        schema = definitions[schema]
    if isinstance(schema, list):
        return _in_union(schema, definitions, datum)
    kind = schema if isinstance(schema, str) else schema["type"]
    if kind == "enum":
        return None if isinstance(schema, dict) and datum in schema["symbols"] else ("", "is not one of its symbols")
    allowed = _TYPES.get(kind, ())
    if not isinstance(datum, allowed) or (isinstance(datum, bool) and kind != "boolean"):
        return "", f"holds a {type(datum).__name__} where its schema says {kind}"
    if kind in ("int", "long") and isinstance(datum, int) and not -_LONG <= datum < _LONG:
        return "", "is an int of more than 64 bits; use Decimal or str for such numbers"
    if isinstance(datum, str) and not _is_utf8(datum):
        return "", "holds text that UTF-8 cannot write (half of a surrogate pair)"
    if isinstance(schema, dict):
        return _inside(schema, definitions, datum)
    return None


def _inside(schema: dict[str, Any], definitions: Mapping[str, dict[str, Any]], datum: Any) -> tuple[str, str] | None:
    parts: list[tuple[str, Schema, Any]] = []
    if schema["type"] == "record":
        for field in schema["fields"]:
            if field["name"] not in datum:
                return f".{field['name']}", "is not set"
            parts.append((f".{field['name']}", field["type"], datum[field["name"]]))
    elif schema["type"] == "array":
        parts = [(f"[{index}]", schema["items"], item) for index, item in enumerate(datum)]
    elif schema["type"] == "map":
        for key, value in datum.items():
            found = misfit("string", definitions, key)
            if found is not None:
                return "[…]", f"has a key that {found[1]}"
            parts.append(("[…]", schema["values"], value))
    for step, part, value in parts:
        found = misfit(part, definitions, value)
        if found is not None:
            return step + found[0], found[1]
    return None


def _in_union(schema: list[Any], definitions: Mapping[str, dict[str, Any]], datum: Any) -> tuple[str, str] | None:
    if isinstance(datum, tuple):
        name, value = datum
        for branch in schema:
            kind = branch if isinstance(branch, str) else branch.get("name", branch["type"])
            if kind == name:
                return misfit(branch, definitions, value)
    found: tuple[str, str] | None = ("", f"holds a {type(datum).__name__}, which its union does not name")
    for branch in schema:
        inner = misfit(branch, definitions, datum)
        if inner is None:
            return None
        if not inner[1].startswith("holds a "):
            found = inner
    return found


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
