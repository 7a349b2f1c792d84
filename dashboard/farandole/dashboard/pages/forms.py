"""A form from the schema of an event: fields for what a form can ask, and JSON for the rest. Pure."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from .words import short

_DEEPEST: Final = 4
_PLAIN: Final = {"string": "string", "int": "integer", "long": "integer", "float": "number", "double": "number", "bytes": "string"}  # fmt: skip
_HINTS: Final = {
    "decimal-string": "a decimal number", "decimal": "a decimal number", "uuid": "a UUID", "date": "a date, as 2026-03-01",
    "timestamp-micros": "an instant, as 2026-03-01T12:00:00Z", "timestamp-millis": "an instant, as 2026-03-01T12:00:00Z",
    "duration-micros": "a duration, as P2DT3H or 90 s in ISO 8601: PT90S", "time-micros": "a time of day, as 12:00:00",
}  # fmt: skip
_MISSING: Final = object()


@dataclass(frozen=True, slots=True)
class Field:
    """One thing that is asked.

    Attributes:
        path: where its value goes in the payload, as JSON.
        kind: how what is typed becomes a value: string, integer, number, boolean, lines, json.
        shown: as line, text, choice, check, date, group.
        optional: what an empty field means: ``""`` it must not be empty, ``default``, ``null``.
    """

    id: str
    name: str
    path: str
    kind: str
    shown: str
    hint: str = ""
    value: str = ""
    optional: str = ""
    choices: tuple[str, ...] = ()
    personal: bool = False
    secret: bool = False
    fields: "tuple[Field, ...]" = ()


@dataclass(frozen=True, slots=True)
class Form:
    """The fields of an event."""

    type: str
    doc: str
    fields: Sequence[Field] = field(default_factory=tuple)
    known: bool = True
    """Whether there is a schema; else one field takes the whole payload."""

    @property
    def name(self) -> str:
        return short(self.type)


def form_of(
    type: str, schema: Mapping[str, Any] | None, *, prefix: str, held: Mapping[str, Any] | None = None,
    without: Collection[str] = (),
) -> Form:  # fmt: skip
    """The form of an event.

    Args:
        prefix: what the ids of its fields begin with; unlike any other on the page.
        held: what the fields hold at first.
        without: fields that are filled in elsewhere.
    """
    if schema is None:
        return Form(type, "", (), known=False)
    named: dict[str, Mapping[str, Any]] = {}
    _gather(schema, named)
    fields = tuple(
        _field(each, (), prefix, named, (held or {}).get(each["name"], _MISSING), 0)
        for each in schema["fields"]
        if each["name"] not in without
    )
    return Form(type, schema.get("doc", ""), fields)


def _gather(schema: Any, into: dict[str, Mapping[str, Any]]) -> None:
    if isinstance(schema, list):
        for each in schema:
            _gather(each, into)
    elif isinstance(schema, Mapping):
        if schema["type"] in ("record", "enum"):
            into[schema["name"]] = schema
        for each in schema.get("fields", ()):
            _gather(each["type"], into)
        for inner in ("items", "values"):
            _gather(schema.get(inner), into)


def _field(
    said: Mapping[str, Any], above: tuple[str, ...], prefix: str, named: Mapping[str, Any], held: Any, depth: int
) -> Field:
    name = said["name"]
    path = (*above, name)
    kind, optional, value = said["type"], "", held
    if isinstance(kind, list) and "null" in kind:
        rest = [each for each in kind if each != "null"]
        optional = "null"
        kind = rest[0] if len(rest) == 1 else rest
    if "default" in said:
        optional = "null" if optional and said["default"] is None else "default"
        value = said["default"] if held is _MISSING else held
    kind = named.get(kind, kind) if isinstance(kind, str) else kind
    common = {
        "id": f"{prefix}-{'-'.join(path)}", "name": name, "path": json.dumps(path), "hint": said.get("doc", ""),
        "personal": said.get("farandole.personal") is True, "secret": said.get("farandole.secret") is True,
    }  # fmt: skip
    if isinstance(kind, Mapping) and kind["type"] == "record" and not optional and depth < _DEEPEST:
        inner = value if isinstance(value, Mapping) else {}
        fields = tuple(_field(each, path, prefix, named, inner.get(each["name"], _MISSING), depth + 1) for each in kind["fields"])  # fmt: skip
        return Field(**common, kind="group", shown="group", fields=fields)
    return Field(**common, **_shape(kind, value, optional), optional=optional)


def _shape(kind: Any, value: Any, optional: str) -> dict[str, Any]:
    """How a value is asked for."""
    text = (
        ""
        if value is _MISSING or value is None
        else value
        if isinstance(value, str)
        else json.dumps(value, ensure_ascii=False)
    )
    logical = kind.get("logicalType", "") if isinstance(kind, Mapping) else ""
    base = kind["type"] if isinstance(kind, Mapping) else kind
    if isinstance(kind, Mapping) and (choices := kind.get("symbols") or kind.get("farandole.values")):
        return {
            "kind": "string" if base != "long" else "integer",
            "shown": "choice",
            "choices": tuple(map(str, choices)),
            "value": text,
        }
    if base == "boolean":
        return {
            "kind": "boolean",
            "shown": "choice" if optional == "null" else "check",
            "choices": ("true", "false"),
            "value": text,
        }
    if logical == "json" or not isinstance(base, str) or base in ("record", "map"):
        return {
            "kind": "json",
            "shown": "text",
            "value": "" if value is _MISSING else json.dumps(value, indent=2, ensure_ascii=False),
        }
    if base == "array":
        if kind["items"] == "string" and (value is _MISSING or all(isinstance(each, str) for each in value or ())):
            lines = "" if value is _MISSING else "\n".join(value or ())
            return {"kind": "lines", "shown": "text", "value": lines}
        return {
            "kind": "json",
            "shown": "text",
            "value": "[]" if value is _MISSING else json.dumps(value, indent=2, ensure_ascii=False),
        }
    if logical:
        return {"kind": "string", "shown": "date" if logical == "date" else "line", "value": text}
    return {"kind": _PLAIN.get(base, "json"), "shown": "line", "value": text}


def hint_of(kind: str) -> str:
    """What a field of a logical type is written like."""
    return _HINTS.get(kind, "")
