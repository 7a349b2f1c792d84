"""No bytes do more than raise `UndecodableValue`, in bounded time and memory."""

# ruff: noqa: RUF012 (pydantic copies defaults; the rule does not see that events are models)

import json
import traceback
import tracemalloc
from decimal import Decimal
from io import BytesIO
from typing import Any

import pytest
from fastavro import parse_schema, schemaless_writer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, Field, condecimal, field_validator
from tests.schemas.everything import Everything, Tree, everythings

from farandole.schemas import Event, EventTypes, Json, UndecodableValue
from farandole.schemas.avro import fingerprint_of


class Grown(Event):
    root: Tree


class Flat(Event):
    numbers: list[int] = []
    flags: list[bool] = []
    free: Json = None
    money: condecimal(max_digits=5, decimal_places=2) = Decimal(0)  # type: ignore[valid-type]
    pin: str = ""

    @field_validator("pin")
    @classmethod
    def check(cls, pin: str) -> str:
        if pin == "wrong-123456":
            raise ValueError(f"{pin} is wrong")
        return pin


TYPES = EventTypes("a", [Everything, Grown, Flat])
HEADS = {name: b"\xc3\x01" + mark for name, mark, _ in TYPES.schemas()}
SLOW = settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


def read(name: str, body: bytes) -> None:
    try:
        TYPES.decode(name, HEADS[name] + body)
    except UndecodableValue as e:
        assert str(e).startswith(name)


@SLOW
@given(st.sampled_from(list(HEADS)), st.binary(max_size=400))
def test_random_bytes_are_read_or_refused(name: str, body: bytes) -> None:
    read(name, body)


@SLOW
@given(everythings(), st.data())
def test_damaged_values_are_read_or_refused(event: Everything, data: st.DataObject) -> None:
    value = bytearray(TYPES.encode(event).value)
    for _ in range(data.draw(st.integers(1, 4))):
        value[data.draw(st.integers(10, len(value) - 1))] = data.draw(st.integers(0, 255))
    read("a.Everything", bytes(value[10 : data.draw(st.integers(10, len(value)))]))


@given(st.binary(max_size=40))
def test_bytes_that_are_no_single_object_are_refused(value: bytes) -> None:
    if value[:2] == b"\xc3\x01":
        value = value[2:]
    with pytest.raises(UndecodableValue):
        TYPES.decode("a.Flat", value)


@pytest.mark.parametrize(
    ("name", "body", "why"),
    [
        ("a.Flat", b"", "cut short"),
        ("a.Flat", b"\xfe\xff\xff\xff\x0f" * 3, "cut short"),
        ("a.Flat", b"\x00" * 6, "bytes too many"),
        ("a.Flat", b"\x00\x00\x08nulL\x00\x00", "field 'free' cannot be converted as its type says"),
        ("a.Flat", b"\x00\x00\xc0\x3e" + b"[" * 4000 + b"\x00\x00", "field 'free' "),
        ("a.Flat", b"\x00\x00\x08null\x10\x7f\xff\xff\xff\xff\xff\xff\xff\x00", "field 'money' has more than 5 digits"),
        ("a.Grown", b"\x02a" + b"\x02\x02a" * 20_000, "it is nested more than 64 deep"),
        ("a.Grown", b"\x02a\x00\x02" * 300_000, "it is nested more than 64 deep"),
    ],
)
def test_a_crafted_value_is_refused(name: str, body: bytes, why: str) -> None:
    with pytest.raises(UndecodableValue, match=why):
        TYPES.decode(name, HEADS[name] + body)


def test_claimed_lengths_cost_nothing() -> None:
    tracemalloc.start()
    try:
        for body in (b"\xfe\xff\xff\xff\xff\xff\xff\xff\x7f", b"\x80\x80\x80\x80\x40\x00", b"\x01\xff\xff\xff\x0f"):
            read("a.Flat", body)
            read("a.Grown", body)
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


def test_a_value_larger_than_the_limit_is_refused_unread() -> None:
    types = EventTypes("a", [Flat], max_bytes=1000)
    with pytest.raises(UndecodableValue, match="of 1010 bytes; at most 1000 are read"):
        types.decode("a.Flat", HEADS["a.Flat"] + bytes(1000))


def test_a_validator_that_quotes_the_value_is_not_quoted() -> None:
    value = TYPES.encode(Flat.model_construct(numbers=[], flags=[], free=None, money=Decimal(0), pin="wrong-123456"))
    with pytest.raises(UndecodableValue) as e:
        TYPES.decode("a.Flat", value.value)
    assert str(e.value) == "a.Flat: field 'pin' does not pass the checks of its type (value_error)"


def test_not_even_the_traceback_quotes_a_value() -> None:
    class Card(BaseModel):
        number: str = Field(max_length=4)

    class Paid(Event):
        cards: list[Card]

    types = EventTypes("a", [Paid])
    value = types.encode(Paid.model_construct(cards=[Card.model_construct(number="123456")])).value
    with pytest.raises(UndecodableValue, match=r"field 'cards\[0\].number' does not pass .* \(string_too_long\)") as e:
        types.decode("a.Paid", value)
    assert "123456" not in "".join(traceback.format_exception(e.value))


@pytest.mark.parametrize(
    ("schema", "why"),
    [
        ("nonsense", "cannot be read"),
        ("[" * 100_000, "cannot be read"),
        ('"string"', "not that of a record"),
        ({"type": "record", "name": "a.Flat"}, "cannot be read"),
        ({"type": "record", "name": "a.Flat", "fields": [{"name": "x", "type": "nothing"}]}, "cannot be read"),
        (
            {"type": "record", "name": "a.Flat", "fields": [{"name": "x", "type": {"type": "array", "items": "null"}}]},
            "is not safe to read with: field 'x': a list of items without content",
        ),
        ({"type": "record", "name": "a.Flat", "fields": [], "doc": "x" * 300_000}, "larger than 262144 bytes"),
        ({"type": "record", "name": "a.Flat", "fields": [], "farandole.version": "1"}, "another fingerprint"),
        ({"type": "record", "name": "a.Flat", "fields": [{"name": "x", "type": "long"}]}, "another fingerprint"),
    ],
)
def test_a_schema_of_the_catalogue_is_not_trusted(schema: Any, why: str) -> None:
    text = schema if isinstance(schema, str) else json.dumps(schema)
    with pytest.raises(UndecodableValue, match=why):
        EventTypes("a", [Flat]).learn(bytes(8), text)


def test_a_recursive_schema_of_the_catalogue_is_guarded_too() -> None:
    schema: dict[str, Any] = {
        "type": "record",
        "name": "a.Flat",
        "fields": [{"name": "inner", "type": ["null", "a.Flat"]}],
    }
    types = EventTypes("a", [Flat])
    mark = fingerprint_of(schema)
    types.learn(mark, json.dumps(schema))
    assert types.decode("a.Flat", b"\xc3\x01" + mark + b"\x02" * 3 + b"\x00") == Flat()
    with pytest.raises(UndecodableValue, match="nested more than 64 deep"):
        types.decode("a.Flat", b"\xc3\x01" + mark + b"\x02" * 100_000 + b"\x00")


def test_many_errors_in_a_deep_value_take_no_longer_than_one() -> None:
    class Leaf(BaseModel):
        n: int
        inner: "list[Leaf]" = []

    class Deep(Event):
        root: Leaf

    types = EventTypes("a", [Deep])
    ((_, mark, schema),) = types.schemas()
    datum: dict[str, Any] = {"n": 1, "inner": []}
    for _ in range(60):
        datum = {"n": 1, "inner": [datum]}
    out = BytesIO()
    schemaless_writer(out, parse_schema(schema), {"root": datum})
    assert isinstance(types.decode("a.Deep", b"\xc3\x01" + mark + out.getvalue()), Deep)
