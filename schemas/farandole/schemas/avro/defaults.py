"""Avro's default values, from the defaults of fields."""

import math
from collections.abc import Mapping
from datetime import date
from typing import Any

from pydantic import BaseModel

from .node import Schema
from .scalars import date_to_days

_PURE = (list, dict, set, frozenset, tuple, str, int, float, bool, bytes)


class Inexpressible(Exception):
    """A default that Avro has no way to say."""


def made_by(factory: Any) -> Any:
    """What a default_factory makes, if it makes the same each time.

    Raises:
        Inexpressible: it may not.
    """
    if factory in _PURE:
        return factory()
    if isinstance(factory, type) and issubclass(factory, BaseModel) and _is_pure(factory):
        return factory()
    raise Inexpressible


def avro_default(datum: Any, schema: Schema, definitions: Mapping[str, dict[str, Any]]) -> Any:
    """A datum as JSON, as Avro writes defaults: bytes as Latin-1 text, unions by their first branch.

    Raises:
        Inexpressible: Avro has no way to say it.
    """
    if isinstance(schema, str) and schema in definitions:
        schema = definitions[schema]
    if isinstance(schema, list):
        return avro_default(_first_branch(datum, schema), schema[0], definitions)
    kind = schema if isinstance(schema, str) else schema["type"]
    if isinstance(datum, date):
        return date_to_days(datum)
    if kind == "bytes":
        return datum.decode("latin-1")
    if kind == "double":
        if not math.isfinite(datum):
            raise Inexpressible
        return float(datum)
    if isinstance(schema, str) or kind == "enum":
        return datum
    if kind == "record":
        return {f["name"]: avro_default(datum[f["name"]], f["type"], definitions) for f in schema["fields"]}
    if kind == "array":
        return [avro_default(item, schema["items"], definitions) for item in datum]
    if kind == "map":
        return {key: avro_default(value, schema["values"], definitions) for key, value in datum.items()}
    return datum


def _first_branch(datum: Any, schema: list[Any]) -> Any:
    first = schema[0]
    name = first if isinstance(first, str) else first.get("name", first["type"])
    if isinstance(datum, tuple):
        if datum[0] != name:
            raise Inexpressible
        return datum[1]
    if (datum is None) != (name == "null"):
        raise Inexpressible
    return datum


def _is_pure(model: type[BaseModel]) -> bool:
    for info in model.model_fields.values():
        if info.is_required():
            return False
        if info.default_factory is not None:
            try:
                made_by(info.default_factory)
            except Inexpressible:
                return False
    return True
