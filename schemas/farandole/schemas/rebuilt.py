"""An event class made of a recorded schema: for whoever is to emit, or to read, an event of others without their code.

What is made writes the same bytes as the class that the schema was derived from, or is not made.
"""

import json
import keyword
import types
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from functools import cache, reduce
from operator import or_
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from .avro import DEADLINE, KIND, VERSION, derive, fingerprint_of
from .errors import DeclarationError
from .event import End, Event, Start
from .freeform import Json
from .marks import ALL
from .upcast import upcast

_KINDS: Final[Mapping[str, type[Event]]] = {"event": Event, "start": Start, "end": End}
_PRIMITIVES: Final[Mapping[str, Any]] = {
    "null": type(None), "boolean": bool, "int": int, "long": int, "double": float, "string": str, "bytes": bytes,
}  # fmt: skip
_LOGICAL: Final[Mapping[str, Any]] = {
    "timestamp-micros": datetime, "date": date, "time-micros": time, "duration-micros": timedelta,
    "decimal-string": Decimal, "uuid": UUID, "json": Json,
}  # fmt: skip
_ANNOTATED: Final[Any] = Annotated
_LITERAL: Final[Any] = Literal


def rebuilt(schema: Mapping[str, Any], module: str) -> type[Event]:
    """The class of an event, by its schema as a catalogue has it: the same one whenever the same is asked for.

    Args:
        module: what the class says where it comes from.

    Raises:
        DeclarationError: no class says the same; import the one that there is.
    """
    return _made(json.dumps(schema, sort_keys=True), module)


@cache
def _made(written: str, module: str) -> type[Event]:
    schema: dict[str, Any] = json.loads(written)
    name, kind = schema["name"].rpartition(".")[2], schema.get(KIND, "event")
    if kind not in _KINDS:
        raise DeclarationError(f"{schema['name']} is of kind {kind}, and only an Event, a Start or an End is made so")
    version = schema.get(VERSION, 1)
    keywords: dict[str, Any] = {"version": version}
    if kind == "start" and (deadline := schema.get(DEADLINE)) is not None:
        keywords["deadline"] = timedelta(milliseconds=deadline)
    makes = _Types(module)
    try:
        annotations, defaults = makes.fields(schema)
        body = {**_upcasters(schema["name"], version), **defaults, "__annotations__": annotations}

        def fill(namespace: dict[str, Any]) -> None:
            namespace.update(body, __module__=module, __qualname__=name, __doc__=schema.get("doc"))

        made: type[Event] = types.new_class(name, (_KINDS[kind],), keywords, fill)
        same = derive(made, schema["name"], version, kind).fingerprint == fingerprint_of({**schema})
    except (KeyError, TypeError, ValueError, NameError) as e:
        raise DeclarationError(f"{schema['name']} cannot be made of its schema: {e}; import its class") from e
    if not same:
        raise DeclarationError(f"{schema['name']} cannot be made of its schema as it was declared; import its class")
    return made


class _Types:
    """The types of one event."""

    def __init__(self, module: str) -> None:
        self._module = module
        self._named: dict[str, Any] = {}

    def fields(self, schema: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """Annotations and defaults of a record's fields."""
        annotations: dict[str, Any] = {}
        defaults: dict[str, Any] = {}
        for field in schema["fields"]:
            name = field["name"]
            if keyword.iskeyword(name):
                raise ValueError(f"field {name!r} is a word of Python's")
            marks = tuple(mark for mark in ALL if field.get(mark.attribute) is True)
            annotation = self.of(field["type"])
            annotations[name] = reduce(lambda made, mark: _ANNOTATED[made, mark], marks, annotation)
            defaults[name] = Field(description=field.get("doc"), **self._default(field, annotation))
        return annotations, defaults

    def of(self, schema: Any) -> Any:
        if isinstance(schema, list):
            return reduce(or_, (self.of(branch) for branch in schema))
        if isinstance(schema, str):
            return self._named[schema] if schema in self._named else _PRIMITIVES[schema]
        if (logical := schema.get("logicalType")) is not None:
            if logical == "decimal":
                return Annotated[Decimal, Field(max_digits=schema["precision"], decimal_places=schema.get("scale", 0))]
            return _LOGICAL[logical]
        if (values := schema.get("farandole.values")) is not None:
            return _LITERAL[tuple(values)]
        makes: Mapping[str, Callable[[], Any]] = {
            "array": lambda: types.GenericAlias(list, (self.of(schema["items"]),)),
            "map": lambda: types.GenericAlias(dict, (str, self.of(schema["values"]))),
            "enum": lambda: self._enum(schema),
            "record": lambda: self._record(schema),
        }
        return makes[schema["type"]]() if schema["type"] in makes else self.of(schema["type"])

    def _enum(self, schema: Mapping[str, Any]) -> Any:
        name = schema["name"].rpartition(".")[2]
        made = self._named[schema["name"]] = Enum(
            name, [(symbol, symbol) for symbol in schema["symbols"]], module=self._module
        )
        return made

    def _record(self, schema: Mapping[str, Any]) -> Any:
        annotations, defaults = self.fields(schema)
        name = schema["name"].rpartition(".")[2]
        body = {
            **defaults,
            "__annotations__": annotations,
            "__module__": self._module,
            "__doc__": schema.get("doc"),
            "model_config": ConfigDict(arbitrary_types_allowed=True),
        }
        made = self._named[schema["name"]] = type(name, (BaseModel,), body)
        return made

    def _default(self, field: Mapping[str, Any], annotation: Any) -> dict[str, Any]:
        """What the schema says it is where nobody says anything; nothing, if that cannot be said here."""
        if "default" not in field:
            return {}
        default = field["default"]
        if isinstance(default, list | dict) and not default:
            return {"default_factory": type(default)}
        if default is None or isinstance(default, bool | int | float | str):
            try:
                return {"default": TypeAdapter(annotation).validate_python(default)}
            except ValidationError:
                return {}
        return {}


def _upcasters(name: str, version: int) -> dict[str, Any]:
    """Nobody here knows what events of earlier versions mean."""

    def cannot(old: dict[str, Any]) -> dict[str, Any]:
        raise ValueError(f"{name} of an earlier version can be read by its own class alone")

    def one(before: int) -> Any:
        return staticmethod(upcast(before)(types.FunctionType(cannot.__code__, {}, "cannot", None, cannot.__closure__)))

    return {f"upcast_{before}": one(before) for before in range(1, version)}
