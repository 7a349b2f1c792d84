"""Recorded data of any schema as plain Python values: what upcasters get, and what newer classes are made from.

It needs the schema that the data was written with, and no class. Records become `Record` (a dict) and enums `Symbol`
(a str), which remember the names of their types for the unions of the class that reads them.
"""

import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from . import scalars
from .containers import within
from .enums import Symbol
from .inline import definitions_of
from .node import Convert, Schema
from .unions import Record

_LOGICAL: Final[dict[tuple[str, str], Callable[[Any], Any]]] = {
    ("long", "timestamp-micros"): scalars.micros_to_instant,
    ("long", "time-micros"): scalars.micros_to_time,
    ("long", "duration-micros"): lambda micros: timedelta(microseconds=micros),
    ("string", "decimal-string"): Decimal,
    ("string", "uuid"): UUID,
    ("string", "json"): json.loads,
}


def plain_reader(schema: dict[str, Any]) -> Convert:
    """What turns a datum of a whole record schema, as `Binary.read` gives it, into a `Record`.

    The function raises `Misfit` for a datum that its logical type cannot be made from.
    """
    return _Reader(definitions_of(schema)).reader(schema)


class _Reader:
    def __init__(self, definitions: Mapping[str, dict[str, Any]]) -> None:
        self._definitions = definitions
        self._named: dict[str, Convert] = {}

    def reader(self, schema: Schema) -> Convert:
        if isinstance(schema, list):
            return self._union(schema)
        if isinstance(schema, str):
            if schema not in self._definitions:
                return _same
            return lambda datum: self._named[schema](datum)
        kind = schema["type"]
        if kind == "record":
            return self._record(schema)
        if kind == "enum":
            name = schema["name"]
            self._named[name] = lambda datum: Symbol(datum, name)
            return self._named[name]
        if kind == "array":
            return _array(self.reader(schema["items"]))
        if kind == "map":
            return _map(self.reader(schema["values"]))
        if schema.get("logicalType") == "decimal":
            return scalars.bytes_to_decimal(schema["precision"], schema.get("scale", 0))
        return _LOGICAL.get((kind, schema.get("logicalType", "")), _same)

    def _record(self, schema: dict[str, Any]) -> Convert:
        name = schema["name"]
        fields: dict[str, Convert] = {}

        def read(datum: dict[str, Any]) -> Record:
            record = Record()
            record.avro_name = name
            for field, convert in fields.items():
                try:
                    record[field] = convert(datum[field])
                except Exception as e:
                    raise within(e, f".{field}") from e.__cause__
            return record

        self._named[name] = read
        for field in schema["fields"]:
            fields[field["name"]] = self.reader(field["type"])
        return read

    def _union(self, schema: list[Any]) -> Convert:
        named: dict[str, Convert] = {}
        others: dict[type, Convert] = {}
        for branch in schema:
            convert = self.reader(branch)
            name = branch if isinstance(branch, str) else branch.get("name", branch["type"])
            if name in self._definitions:
                named[name] = convert
            else:
                is_date = isinstance(branch, dict) and branch.get("logicalType") == "date"
                others[object if is_date else scalars.DATUMS.get(name, list if name == "array" else dict)] = convert

        def read(datum: Any) -> Any:
            if type(datum) is tuple:
                name, datum = datum
                return named[name](datum)
            return others.get(type(datum), _same)(datum)

        return read


def _same(datum: Any) -> Any:
    return datum


def _array(convert: Convert) -> Convert:
    return lambda datum: [convert(item) for item in datum]


def _map(convert: Convert) -> Convert:
    return lambda datum: {key: convert(value) for key, value in datum.items()}
