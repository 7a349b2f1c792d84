"""Flat records are written and read as fastavro does it, byte for byte, and what is unusual is left to fastavro."""

import struct
from io import BytesIO
from typing import Any

import pytest
from fastavro import parse_schema, schemaless_reader, schemaless_writer
from hypothesis import given
from hypothesis import strategies as st

from farandole.schemas.avro.binary import Binary
from farandole.schemas.avro.flat import Flat
from farandole.schemas.avro.node import Misfit

SCHEMA: Any = {
    "type": "record",
    "name": "a.Flat",
    "fields": [
        {"name": "n", "type": "long"},
        {"name": "s", "type": "string"},
        {"name": "b", "type": "bytes"},
        {"name": "d", "type": "double"},
        {"name": "t", "type": "boolean"},
        {"name": "maybe", "type": ["null", "string"]},
        {"name": "default", "type": ["long", "null"]},
    ],
}
PARSED = parse_schema(SCHEMA)
FLAT = Flat.of(SCHEMA)
LONGS = st.integers(-(2**63), 2**63 - 1) | st.integers(-2000, 2000)
TEXTS = st.text() | st.text(min_size=60, max_size=1100)
ROWS = st.fixed_dictionaries(
    {
        "n": LONGS,
        "s": TEXTS,
        "b": st.binary(),
        "d": st.floats(allow_nan=False),
        "t": st.booleans(),
        "maybe": st.none() | TEXTS,
        "default": st.none() | LONGS,
    }
)
ANYTHING: Any = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.lists(st.none())


def by_fastavro(datum: Any) -> bytes:
    out = BytesIO(b"head")
    out.seek(4)
    schemaless_writer(out, PARSED, datum)
    return out.getvalue()


@given(ROWS)
def test_the_bytes_are_those_of_fastavro(row: dict[str, Any]) -> None:
    assert FLAT is not None
    value = FLAT.write(b"head", row)
    assert value == by_fastavro(row)
    assert FLAT.read(value, 4) == row


@given(ROWS, st.sampled_from([field["name"] for field in SCHEMA["fields"]]), ANYTHING)
def test_a_datum_of_any_kind_is_written_as_by_fastavro_or_left_to_it(row: Any, name: str, other: Any) -> None:
    assert FLAT is not None
    row[name] = other
    value = FLAT.write(b"head", row)
    assert value is None or value == by_fastavro(row)


@given(ROWS, st.data())
def test_bytes_of_any_kind_are_read_as_by_fastavro_or_left_to_it(row: Any, data: st.DataObject) -> None:
    assert FLAT is not None
    value = bytearray(by_fastavro(row))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(4, len(value) - 1))
        value[at : at + data.draw(st.integers(0, 2))] = data.draw(st.binary(max_size=3))
        if len(value) < 5:
            break
    found = FLAT.read(bytes(value), 4)
    if found is not None:
        source = BytesIO(value)
        source.seek(4)
        assert repr(schemaless_reader(source, PARSED, None)) == repr(found)
        assert source.tell() == len(value)


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "array", "items": "long"},
        {"type": "int", "logicalType": "date"},
        "a.Flat",
        "float",
        ["null", "long", "string"],
        ["null", {"type": "array", "items": "long"}],
    ],
    ids=str,
)
def test_what_is_not_flat_is_left_to_fastavro(schema: Any) -> None:
    fields = [*SCHEMA["fields"], {"name": "more", "type": schema}]
    assert Flat.of({**SCHEMA, "fields": fields}) is None


def test_a_double_may_be_given_as_an_int() -> None:
    binary = Binary({"type": "record", "name": "a.B", "fields": [{"name": "d", "type": "double"}]})
    assert binary.write(b"", {"d": 3}) == struct.pack("<d", 3)


@pytest.mark.parametrize("n", [2**63 - 1, -(2**63), 2**62, -(2**62), 1023, 1024, -1, 63, 64, -64, -65])
def test_numbers_at_the_edges_are_written_as_by_fastavro_and_read(n: int) -> None:
    row = {"n": n, "s": "", "b": b"", "d": 0.0, "t": True, "maybe": None, "default": n}
    assert FLAT is not None
    value = FLAT.write(b"head", row)
    assert value == by_fastavro(row)
    assert FLAT.read(value, 4) == row


@pytest.mark.parametrize("datum", [{"n": "1"}, {"n": 2**63}, {"n": None}, {}], ids=str)
def test_what_does_not_fit_is_told_as_ever(datum: Any) -> None:
    binary = Binary({"type": "record", "name": "a.B", "fields": [{"name": "n", "type": "long"}]})
    with pytest.raises(Misfit):
        binary.write(b"", datum)
